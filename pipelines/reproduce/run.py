"""Carry out a manifest once more, in a work folder of its own, and compare what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from archer.media import identify
from archer.media.asset import Asset
from archer.plan import make_plan
from mezzfs import MezzError
from pipelines.encode.machine import this_machine
from pipelines.encode.manifest import read_manifest, stage_table, versions_here
from pipelines.encode.place import OutputPlace
from pipelines.encode.run import EncodeOrder, execute
from pipelines.reproduce.environment import Difference, decisions, differences
from pipelines.reproduce.files import FileResult, compared
from pipelines.reproduce.quality import QualityResult, quality_results
from pipelines.reproduce.recorded import Recorded
from pipelines.reproduce.streams import where_they_differ

SCHEMA = "cinemill-reproduce@1"
SourceState = Literal["same", "missing", "changed", "not recorded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceResult:
    """What became of the source, or of the subtitle files that came beside it.

    Attributes:
        place: where it was looked for.
        state: `missing`: it cannot be read; `changed`: its content is another; `not recorded`: nobody said where it is.
        recorded, identity: identity then and now; empty where there is none.
        reason: why it cannot be read.
    """

    place: str
    state: SourceState
    recorded: str
    identity: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """What a repetition gave.

    Attributes:
        manifest: path of the manifest.
        source: what became of the source; without it nothing was encoded.
        captions: the same of the subtitle files that came beside it; None where there were none.
        environment: what is not as it was.
        decisions: rungs that were decided otherwise.
        files: every output; empty where nothing was encoded.
        quality: renditions whose scores differ.
        output: folder of the new package; empty where it was not kept.
    """

    manifest: str
    source: SourceResult
    environment: tuple[Difference, ...]
    decisions: tuple[Difference, ...] = ()
    files: tuple[FileResult, ...] = ()
    quality: tuple[QualityResult, ...] = ()
    output: str = ""
    captions: SourceResult | None = None

    @property
    def same(self) -> bool:
        """Every output has the hash of the manifest, whatever else differs."""
        return bool(self.files) and all(result.state == "same" for result in self.files)

    def to_json(self) -> dict[str, Any]:
        """A JSON object of version `SCHEMA`."""
        return {"schema": SCHEMA, "same": self.same, **asdict(self)}


def reproduce(
    recorded: Recorded,
    *,
    out: Path,
    work_dir: Path,
    source: str = "",
    workers: int | None = None,
    executor: str = "local",
    as_json: bool = False,
    quiet: bool = True,
) -> Reproduction:
    """Encode again what a manifest says; nothing is taken from elsewhere than `work_dir`.

    Args:
        recorded: the manifest.
        out: folder where the new output goes; must not exist.
        work_dir: folder for the work, fresh or left by an interrupted call of this.
        source: where the source is now; empty for where it was, as subtitle files that came beside it always are.
        workers, executor, as_json, quiet: see `pipelines.encode.run.execute`.

    Raises:
        OutputExists, OutputFailed: `out` cannot be written. JobFailed: a task failed for good.
    """
    found, asset = find_source(recorded, source)
    name = str(recorded.path)
    texts, captions = find_captions(recorded)
    if asset is None or any(each and each.state != "same" for each in (found, texts)):
        environment = _environment(recorded, {})
        return Reproduction(manifest=name, source=found, captions=texts, environment=environment)
    place = OutputPlace(out=str(_target(recorded, out)), work_dir=work_dir)
    order = _order(recorded, asset, captions, place)
    environment = _environment(recorded, stage_table(make_plan(order.spec)))
    execute(order, workers=workers, executor=executor, as_json=as_json, quiet=quiet)
    package = Path(order.place.report)
    again = read_manifest(package)
    return Reproduction(
        manifest=name,
        source=found,
        captions=texts,
        environment=environment,
        decisions=tuple(decisions(recorded.manifest, again)),
        files=tuple(_file_results(recorded, again, package)),
        quality=tuple(_quality(recorded, package)),
        output=str(out),
    )


def _target(recorded: Recorded, out: Path) -> Path:
    """What is encoded to: the folder, or one file in it under the name that the recorded one had."""
    if not recorded.request.single:
        return out
    out.mkdir(exist_ok=True)
    names = (Path(name).name for name in recorded.manifest["files"] if name.startswith("../"))
    return out / next(names, f"title.{recorded.request.single}")


def _order(recorded: Recorded, asset: Asset, captions: Asset | None, place: OutputPlace) -> EncodeOrder:
    return EncodeOrder(
        asset=asset,
        captions=captions,
        request=recorded.request,
        title=recorded.manifest["title"],
        command=recorded.manifest["command"],
        place=place,
    )


def find_source(recorded: Recorded, place: str) -> tuple[SourceResult, Asset | None]:
    """The source at a place, or where it was, and whether it is the one that the manifest names."""
    return _found(str(recorded.manifest["input"].get("identity", "")), place or recorded.source)


def find_captions(recorded: Recorded) -> tuple[SourceResult | None, Asset | None]:
    """The subtitle files where they were, and whether they are those of the manifest; None where it names none."""
    if "captions" not in recorded.manifest:
        return None, None
    return _found(str(recorded.manifest["captions"].get("identity", "")), recorded.captions)


def _found(wanted: str, place: str) -> tuple[SourceResult, Asset | None]:
    if not place:
        return SourceResult(place="", state="not recorded", recorded=wanted), None
    try:
        asset = identify(place)
    except (MezzError, OSError) as error:
        return SourceResult(place=place, state="missing", recorded=wanted, reason=str(error)), None
    state: SourceState = "same" if asset.identity == wanted else "changed"
    return SourceResult(place=place, state=state, recorded=wanted, identity=asset.identity), asset


def _environment(recorded: Recorded, stages: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What differs; of the stages only where it is known what would run."""
    then = recorded.manifest if stages else {**recorded.manifest, "stages": {}}
    now = {"versions": versions_here(), "stages": stages, "settings": asdict(recorded.request)}
    return tuple(differences(then, now, recorded.run.get("machine", {}), this_machine()))


def _file_results(recorded: Recorded, again: Mapping[str, Any], out: Path) -> list[FileResult]:
    results = compared(recorded.manifest["files"], again["files"])
    return [_detailed(result, recorded.folder / result.name, out / result.name) for result in results]


def _detailed(result: FileResult, then: Path, now: Path) -> FileResult:
    """With where it begins to differ, if the first file is still there in its recorded size."""
    if result.state != "differs" or not then.is_file() or then.stat().st_size != result.recorded_bytes:
        return result
    return replace(result, detail=where_they_differ(then, now))


def _quality(recorded: Recorded, out: Path) -> list[QualityResult]:
    """Where the first scores are still there."""
    from pipelines.report.features import scores_of
    from vmaf.scores import read_parquet

    then = recorded.folder / "features.parquet"
    if not then.is_file():
        return []
    return quality_results(scores_of(read_parquet(then)), scores_of(read_parquet(out / then.name)))
