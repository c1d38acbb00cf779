"""What a report was made from, kept in its package so that it can be made again: `report-inputs.json`.

Most of it lies in the package anyway, under the hash of its content. The rest is small JSON, which is in this file; scores
are read back from `features.parquet`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archer.artifact import Artifact
from archer.canonical import plain
from archer.media.asset import Asset
from archer.plan import Node
from archer.store import ArtifactStore
from archer.task import PARTS

NAME = "report-inputs.json"
SCHEMA = "report-inputs@1"
SCORES = "frame-scores@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInputs:
    """Settings and inputs of the stage `report`.

    Attributes:
        params: its settings, as a mapping.
        assets: the mezzanine by input name; its URL is empty where nobody knows it.
        artifacts: the other inputs by name.
        texts: content of JSON artifacts, by hash.
    """

    params: Mapping[str, Any]
    assets: Mapping[str, Asset]
    artifacts: Mapping[str, Artifact]
    texts: Mapping[str, str] = field(default_factory=dict)


def inputs_of(node: Node, outputs: Mapping[str, Artifact]) -> ReportInputs:
    """Of a report in a finished job.

    Args:
        node: the node of the stage.
        outputs: of the job, by `node.output`.
    """
    assets = {name: source for name, source in node.inputs.items() if isinstance(source, Asset)}
    artifacts = {name: outputs[source] for name, source in node.inputs.items() if isinstance(source, str)}
    return ReportInputs(params=plain(node.params), assets=assets, artifacts=artifacts)


def needed(store: ArtifactStore, artifacts: Mapping[str, Artifact]) -> dict[str, Artifact]:
    """All artifacts behind the inputs, those inside parts too, by hash."""
    return {artifact.hash: artifact for one in artifacts.values() for artifact in _behind(store, one)}


def _behind(store: ArtifactStore, artifact: Artifact) -> Iterator[Artifact]:
    yield artifact
    if artifact.kind == PARTS:
        for part in store.read_parts(artifact):
            for output in part.outputs.values():
                yield from _behind(store, output)


def kept(found: ReportInputs, store: ArtifactStore) -> dict[str, Any]:
    """The content of `report-inputs.json`: no place of this machine, and every JSON artifact as text."""
    behind = needed(store, found.artifacts)
    texts = {
        key: store.path(artifact).read_text(encoding="utf-8")
        for key, artifact in behind.items()
        if artifact.suffix == ".json" and not artifact.is_tree
    }
    return {
        "schema": SCHEMA,
        "params": dict(found.params),
        "assets": {
            name: {"identity": asset.identity, "size": asset.size} for name, asset in found.assets.items()
        },
        "artifacts": {name: artifact.to_json() for name, artifact in found.artifacts.items()},
        "texts": texts,
    }


def blobs(found: ReportInputs, store: ArtifactStore) -> dict[str, Path]:
    """Files of the artifacts that are no JSON, by hash, but the scores, which `features.parquet` has."""
    return {
        key: store.path(artifact)
        for key, artifact in needed(store, found.artifacts).items()
        if artifact.suffix != ".json" and not artifact.is_tree and artifact.kind != SCORES
    }


def read_kept(value: Mapping[str, Any], source: str) -> ReportInputs:
    """The inputs that `kept` wrote.

    Args:
        value: the parsed file.
        source: URL of the mezzanine.

    Raises:
        KeyError, TypeError, AttributeError: it is something else.
    """
    assets = {
        name: Asset(url=source, identity=entry["identity"], size=entry["size"])
        for name, entry in value["assets"].items()
    }
    artifacts = {name: Artifact.from_json(entry) for name, entry in value["artifacts"].items()}
    return ReportInputs(
        params=value["params"], assets=assets, artifacts=artifacts, texts=dict(value["texts"])
    )
