"""Make a report again from what a package or a work folder holds; nothing is encoded or scored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from archer.artifact import Artifact
from archer.events import Event
from archer.media import identify
from archer.single import run_stage
from archer.spec import spec_from_text
from archer.store import ArtifactStore, History
from mezzfs import MezzError
from pipelines.encode.record import RECORD
from pipelines.report.errors import CannotRemake
from pipelines.report.features import scores_of
from pipelines.report.inputs import NAME, SCHEMA, SCORES, ReportInputs, inputs_of, needed, read_kept

STATE = "archer.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """The inputs, and where the content of an artifact lies; None where nobody knows."""

    inputs: ReportInputs
    place: Callable[[Artifact], Path | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remade:
    """A fresh report.

    Attributes:
        page: its file.
        beside: what comes with it, by path in a package: its plots, and the scores as libvmaf writes them.
    """

    page: Path
    beside: Mapping[str, Path]


@contextmanager
def remade(
    folder: Path, *, source: str = "", job: str = "", on_event: Callable[[Event], None] | None = None
) -> Iterator[Remade]:
    """Yield a fresh report, which goes when the block ends.

    Args:
        folder: a package, or the work folder of a job.
        source: where the mezzanine is now; empty for where it was.
        job: beginning of the id of the job; empty for the latest one. Only for a work folder.
        on_event: told the events of the work.

    Raises:
        CannotRemake: something is missing or is not what it was.
    """
    given = _of_job(folder, job) if (folder / STATE).is_file() else _of_package(folder)
    inputs = _with_source(folder, given.inputs, source)
    with TemporaryDirectory(prefix="cinemill-report-") as temporary:
        work = Path(temporary)
        store = ArtifactStore(work)
        artifacts = _taken(folder, store, given, work)
        outputs = run_stage(
            "report",
            work_dir=work,
            inputs={**inputs.assets, **artifacts},
            params=inputs.params,
            on_event=on_event,
        )
        beside = {
            f"{name}/{path.name}": path
            for name, output in (("plots", "plots"), ("scores", "scores_json"))
            for path in sorted(store.path(outputs[output]).iterdir())
        }
        yield Remade(page=store.path(outputs["report"]), beside=beside)


def _of_job(folder: Path, job: str) -> _Given:
    with History(folder) as history:
        row = history.job(job)
        outputs = history.outputs(row.id)
    nodes = [node for node in spec_from_text(row.spec).nodes if node.stage == "report"] if row.spec else []
    if not nodes:
        raise CannotRemake(str(folder), f"job {row.id[:12]} has no stage `report`")
    missing = sorted(
        {str(source) for source in nodes[0].inputs.values() if isinstance(source, str)} - {*outputs}
    )
    if missing:
        raise CannotRemake(
            str(folder),
            f"job {row.id[:12]} is {row.state} and has no {', '.join(missing)} yet; go on with it first",
        )
    store = ArtifactStore(folder)
    return _Given(
        inputs=inputs_of(nodes[0], outputs),
        place=lambda artifact: store.path(artifact) if store.has(artifact) else None,
    )


def _of_package(folder: Path) -> _Given:
    value = _json(folder, NAME)
    if value.get("schema") != SCHEMA:
        raise CannotRemake(
            str(folder), f"{NAME} is {value.get('schema')!r}; wanted {SCHEMA}; encode it again"
        )
    files = _json(folder, "manifest.json").get("files", {})
    places = {f"sha256:{entry['sha256']}": folder / name for name, entry in files.items()}
    try:
        inputs = read_kept(value, _recorded_source(folder))
    except (KeyError, TypeError, AttributeError) as error:
        raise CannotRemake(str(folder), f"{NAME} is damaged: {error!r}; get another copy of it") from error
    return _Given(inputs=inputs, place=lambda artifact: places.get(artifact.hash))


def _json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        wanted = "name an output of cinemill encode that has one (those of older versions, and those without scores, have none)"
        raise CannotRemake(str(folder), f"there is no {name}; {wanted}") from error
    except (OSError, ValueError) as error:
        raise CannotRemake(str(folder), f"{name} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise CannotRemake(str(folder), f"{name} is damaged: no object; get another copy of it")
    return found


def _recorded_source(folder: Path) -> str:
    try:
        return str(json.loads((folder / RECORD).read_bytes()).get("source", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _with_source(folder: Path, inputs: ReportInputs, source: str) -> ReportInputs:
    """With the mezzanine found and checked: a report shows its pictures."""
    assets = {}
    for name, asset in inputs.assets.items():
        place = source or asset.url
        if not place:
            why = f"nobody recorded where the source was ({RECORD} is missing); name it with --source"
            raise CannotRemake(str(folder), why)
        try:
            found = identify(place)
        except (MezzError, OSError) as error:
            raise CannotRemake(str(folder), f"its source: {error}, or name it with --source") from error
        if found.identity != asset.identity:
            raise CannotRemake(
                str(folder), f"the source {place} is another: wanted {asset.identity}, got {found.identity}"
            )
        assets[name] = found
    return replace(inputs, assets=assets)


def _taken(folder: Path, store: ArtifactStore, given: _Given, work: Path) -> dict[str, Artifact]:
    """All inputs in a store of their own: JSON as it was, files by a link, scores from the table of features."""
    for key, text in given.inputs.texts.items():
        _check(
            folder, store.put_bytes(text.encode(), kind="text@1", suffix=".json"), key, f"a part of {NAME}"
        )
    artifacts: dict[str, Artifact] = dict(given.inputs.artifacts)
    for name, artifact in artifacts.items():
        if artifact.kind == SCORES and given.place(artifact) is None:
            artifacts[name] = _scores(folder, store, work)
    for key, artifact in _waiting(folder, store, given, artifacts).items():
        place = given.place(artifact)
        if place is None or not place.is_file():
            wanted = (
                _shown(folder, place)
                if place
                else f"the artifact of kind {artifact.kind} ({artifact.hash[:19]})"
            )
            raise CannotRemake(str(folder), f"{wanted} is missing; get it back, or encode the title again")
        link = work / f"link-{len(key)}-{key[-16:]}"
        link.symlink_to(place.absolute())
        found = store.put_file(link, kind=artifact.kind, suffix=artifact.suffix, move=True)
        _check(folder, found, key, _shown(folder, place))
    return artifacts


def _waiting(
    folder: Path, store: ArtifactStore, given: _Given, artifacts: Mapping[str, Artifact]
) -> dict[str, Artifact]:
    """Artifacts behind the inputs that are not in the store yet; lists of parts are read from where they lie."""
    lists = ArtifactStore(folder) if not given.inputs.texts else store
    try:
        behind = needed(lists, artifacts)
    except CannotRemake:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise CannotRemake(str(folder), f"a list of parts cannot be read: {error}") from error
    return {
        key: artifact for key, artifact in behind.items() if not artifact.is_tree and not store.has(artifact)
    }


def _scores(folder: Path, store: ArtifactStore, work: Path) -> Artifact:
    from pipelines.score.stage import joined_tables
    from vmaf.scores import read_parquet, write_parquet

    path = folder / "features.parquet"
    if not path.is_file():
        raise CannotRemake(str(folder), f"{path.name} is missing; get it back, or encode the title again")
    found = scores_of(read_parquet(path))
    table = work / "scores.parquet"
    write_parquet(joined_tables([scores.table(rendition=name) for name, scores in found.items()]), table)
    return store.put_file(table, kind=SCORES, suffix=".parquet", move=True)


def _shown(folder: Path, place: Path) -> str:
    return str(place.relative_to(folder) if place.is_relative_to(folder) else place)


def _check(folder: Path, found: Artifact, wanted: str, what: str) -> None:
    if found.hash != wanted:
        raise CannotRemake(
            str(folder),
            f"{what} is not what the report was made from (its hash differs); encode the title again",
        )
