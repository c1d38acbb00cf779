"""Job specs as people write them (YAML or JSON) and as a work folder keeps them.

nodes:
  ingest: {stage: ingest, inputs: {asset: title.mov}}
  shots:
    stage: shots
    inputs: {asset: title.mov, media: ingest.media}
    params: {min_frames: 12}
    terms: {deadline: 2026-12-01T06:00:00Z, queue: analysis, min_success: 9/10}
limits: {queues: {analysis: 2}, budget_cpu_s: 3600}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from archer.artifact import Artifact
from archer.canonical import canonical, plain
from archer.errors import SpecError
from archer.media.asset import Asset
from archer.params import build
from archer.plan import JobSpec, Limits, Node, Source, Terms
from archer.registry import load_stage

NODE_FIELDS = ("stage", "params", "inputs", "terms")
TERM_FIELDS = ("deadline", "queue", "exclusive", "min_success")


def read_spec(path: Path) -> JobSpec:
    """The job spec in a YAML or JSON file; relative paths of assets start at its folder.

    Raises:
        SpecError: it is no spec; names the field.
        OSError: it cannot be read.
    """
    import yaml

    try:
        value = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(str(path), f"not YAML: {' '.join(str(error).split())}") from error
    return spec_from_plain(value, path.absolute().parent)


def spec_from_text(text: str) -> JobSpec:
    """The spec that `spec_to_text` wrote."""
    return spec_from_plain(json.loads(text), Path("/"))


def spec_to_text(spec: JobSpec) -> str:
    """A spec as canonical JSON that `spec_from_text` reads back; stages by where they are, assets by identity and URL."""
    nodes = {
        node.id: {
            "stage": node.stage
            if isinstance(node.stage, str)
            else f"{node.stage.__module__}:{node.stage.__qualname__}",
            "params": plain(node.params, f"nodes.{node.id}.params"),
            "inputs": {name: _source_to_plain(source) for name, source in node.inputs.items()},
            "terms": _terms_to_plain(node.terms),
        }
        for node in spec.nodes
    }
    limits = {"queues": dict(spec.limits.queues), "budget_cpu_s": spec.limits.budget_cpu_s}
    return canonical({"order": list(nodes), "nodes": nodes, "limits": limits})


def spec_from_plain(value: Any, folder: Path) -> JobSpec:
    """A spec from plain values, as YAML gives them.

    Raises:
        SpecError: names the field that does not fit.
    """
    top = _mapping(value, "spec", ("nodes", "limits", "order"))
    nodes = _mapping(top.get("nodes"), "nodes")
    order = top.get("order") or list(nodes)
    made = [_node(str(name), nodes[name], folder) for name in order]
    if not made:
        raise SpecError("nodes", "wanted at least one")
    return JobSpec(nodes=made, limits=build(Limits, top.get("limits") or {}, "limits"))


def _node(name: str, value: Any, folder: Path) -> Node:
    where = f"nodes.{name}"
    fields = _mapping(value, where, NODE_FIELDS)
    if not isinstance(fields.get("stage"), str):
        raise SpecError(f"{where}.stage", "wanted the name of a stage; `cinemill stages` lists them")
    kinds = load_stage(fields["stage"], f"{where}.stage").inputs
    inputs = _mapping(fields.get("inputs") or {}, f"{where}.inputs")
    return Node(
        id=name,
        stage=fields["stage"],
        params=_mapping(fields.get("params") or {}, f"{where}.params"),
        inputs={
            key: _source(source, kinds.get(key, ""), folder, f"{where}.inputs.{key}")
            for key, source in inputs.items()
        },
        terms=_terms(fields.get("terms") or {}, f"{where}.terms"),
    )


def _source(value: Any, kind: str, folder: Path, where: str) -> Source:
    if isinstance(value, str) and kind.removesuffix("?") != "asset":
        return value
    if isinstance(value, Mapping) and "artifact" in value:
        return build(Artifact, value["artifact"], f"{where}.artifact")  # type: ignore[no-any-return]
    if isinstance(value, Mapping) and isinstance(value.get("asset"), Mapping):
        return build(Asset, value["asset"], f"{where}.asset")  # type: ignore[no-any-return]
    url = value.get("asset") if isinstance(value, Mapping) else value
    if not isinstance(url, str):
        raise SpecError(where, f"wanted a path, a URL or node.output, got {type(value).__name__}")
    from archer.media import identify

    return identify(url if "://" in url else str(folder / url))


def _source_to_plain(source: Source) -> Any:
    if isinstance(source, Asset):
        return {"asset": {"url": source.url, "identity": source.identity, "size": source.size}}
    return {"artifact": source.to_json()} if isinstance(source, Artifact) else source


def _terms(value: Any, where: str) -> Terms:
    fields = dict(_mapping(value, where, TERM_FIELDS))
    share = fields.pop("min_success", None)
    exclusive = fields.pop("exclusive", ())
    try:
        return Terms(
            deadline_s=_deadline(fields.get("deadline")),
            queue=str(fields.get("queue") or "default"),
            exclusive=(exclusive,) if isinstance(exclusive, str) else tuple(map(str, exclusive)),
            min_success=None if share is None else Fraction(str(share)),
        )
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise SpecError(
            where, f"{error}; wanted e.g. deadline: 2026-12-01T06:00:00Z, min_success: 9/10"
        ) from error


def _deadline(value: Any) -> int | None:
    if value is None or isinstance(value, int):
        return value
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def _terms_to_plain(terms: Terms) -> dict[str, Any]:
    share = None if terms.min_success is None else str(terms.min_success)
    return {
        "deadline": terms.deadline_s,
        "queue": terms.queue,
        "exclusive": list(terms.exclusive),
        "min_success": share,
    }


def _mapping(value: Any, where: str, known: tuple[str, ...] = ()) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SpecError(where, f"wanted a mapping, got {type(value).__name__}")
    for name in value:
        if known and name not in known:
            raise SpecError(f"{where}.{name}", f"no such field; known: {', '.join(known)}")
    return value
