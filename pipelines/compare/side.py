"""One of two outputs that are compared, read from its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from archer.places import shown
from pipelines.compare.errors import NoJob
from pipelines.encode.cost import read_cost
from pipelines.encode.fetch import output_folder
from pipelines.encode.place import report_place
from pipelines.encode.publish import is_remote, local_path
from pipelines.report.features import scores_of
from pipelines.reproduce.recorded import read_run
from pipelines.score.rows import rendition_rows
from vmaf import FrameScores

if TYPE_CHECKING:
    import pyarrow as pa

FEATURES = "features.parquet"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RungData:
    """A rung of one side.

    Attributes:
        name: its name there.
        width, height: samples.
        codec: RFC 6381 codec string.
        crf: its quality value as text; a range where shots have their own.
        frame_bytes: (n,) int64, coded size of each frame.
        scores: of every frame.
        path: the rendition, which may be missing; it is where the output is at a URL.
        url: where the rendition is read: a path, or a URL.
        shown: what a browser shows: its proxy where it has one, as HEVC does.
    """

    name: str
    width: int
    height: int
    codec: str
    crf: str
    frame_bytes: npt.NDArray[np.int64]
    scores: FrameScores
    path: Path
    shown: Path
    url: str

    @property
    def vmaf(self) -> npt.NDArray[np.float64]:
        """(n,) VMAF of each frame."""
        return self.scores.columns["vmaf"]

    def kbps(self, duration: float) -> float:
        """Mean kilobits per second of the pictures."""
        return float(self.frame_bytes.sum()) * 8 / 1000 / duration


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JobSide:
    """An output of `cinemill encode`.

    Attributes:
        label: name for people.
        folder: where it lies; of an output at a URL a folder that is gone.
        place: path or URL of it, for people.
        manifest: content of `manifest.json`.
        run: content of `run.json`, or at least a `cost`; empty where nobody wrote it down.
        rungs: in the order of the ladder.
        times: (n,) seconds of each frame from the first one.
        duration: of the title, seconds.
        shots: half-open frame ranges that cover the title.
    """

    label: str
    folder: Path
    place: str
    manifest: Mapping[str, Any]
    run: Mapping[str, Any]
    rungs: tuple[RungData, ...]
    times: npt.NDArray[np.float64]
    duration: float
    shots: tuple[tuple[int, int], ...]

    @property
    def frames(self) -> int:
        """Number of frames of the title."""
        return len(self.times)


def read_side(place: str | Path, label: str = "") -> JobSide:
    """Read an output folder.

    Args:
        place: path or URL of an output of `cinemill encode`: a folder, or one file with its report beside it. At a URL
            its videos stay there: pictures are read from them, and the player does not show them.
        label: name for people; empty for the folder's.

    Raises:
        NoJob: it is none, or part of it is missing or damaged. OutputFailed: its store cannot be read.
    """
    text = str(place).rstrip("/")
    try:
        with output_folder(text) as folder:
            return _side(folder, text, label)
    except NoJob as error:
        raise NoJob(_public(text), error.reason) from error


def place_parts(place: str) -> list[str]:
    """Names of the folders on the way to an output, without what of a URL may be secret; at least one."""
    text = shown(place) if is_remote(place) else str(local_path(place).resolve())
    return [part for part in text.split("/") if part] or [text]


def _public(place: str) -> str:
    return shown(place) if is_remote(place) else place


def _side(folder: Path, place: str, label: str) -> JobSide:
    manifest = _manifest(folder)
    table = _features(folder)
    scores = scores_of(table)
    rows = {row["name"]: row for row in manifest["renditions"] if row["name"] in scores}
    if not rows:
        raise NoJob(str(folder), f"{FEATURES} and manifest.json have no rendition in common; encode it again")
    first = next(iter(rows))
    times, shot = (_column(table, first, name) for name in ("time_s", "shot"))
    return JobSide(
        label=label or place_parts(place)[-1],
        folder=folder,
        place=_public(place),
        manifest=manifest,
        run=_run(folder, manifest["job"]),
        rungs=tuple(_rung(folder, place, table, row, scores[name]) for name, row in rows.items()),
        times=times,
        duration=_duration(times, str(manifest["media"]["frame_rate"])),
        shots=_shots(shot),
    )


def _run(folder: Path, job: str) -> Mapping[str, Any]:
    """The record of the run; of a package from elsewhere, which has none, what its report says of the cost."""
    cost = read_cost(folder)
    return read_run(folder / "manifest.json", job) or ({"cost": cost} if cost else {})


def _rung(folder: Path, place: str, table: pa.Table, row: Mapping[str, Any], scores: FrameScores) -> RungData:
    path, proxy = (folder / kind / f"{row['name']}.mp4" for kind in ("renditions", "proxies"))
    url = f"{report_place(place)}/renditions/{row['name']}.mp4" if is_remote(place) else str(path)
    return RungData(
        name=row["name"],
        width=row["width"],
        height=row["height"],
        codec=str(row.get("codec", "")),
        crf=str(row["crf"]),
        frame_bytes=_column(table, row["name"], "bytes"),
        scores=scores,
        path=path,
        shown=proxy if proxy.is_file() else path,
        url=url,
    )


def _column(table: pa.Table, rendition: str, name: str) -> Any:
    return rendition_rows(table, rendition)[name].to_numpy()


def _duration(times: npt.NDArray[np.float64], frame_rate: str) -> float:
    """To the end of the last frame, which is as long as the frame rate says."""
    from fractions import Fraction

    return float(times[-1]) + float(1 / Fraction(frame_rate))


def _shots(shot: npt.NDArray[np.int32]) -> tuple[tuple[int, int], ...]:
    edges = [0, *(np.flatnonzero(np.diff(shot)) + 1).tolist(), len(shot)]
    return tuple(pairwise(edges))


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NoJob(
            str(folder),
            "there is no manifest.json; name an output folder of cinemill encode, or one file encoded with --report",
        ) from error
    except (OSError, ValueError) as error:
        raise NoJob(str(folder), f"manifest.json cannot be read: {error}") from error
    wanted = {"job", "title", "input", "settings", "versions", "renditions", "media", "model", "scorer"}
    missing = sorted(wanted - set(found)) if isinstance(found, dict) else sorted(wanted)
    if missing:
        raise NoJob(
            str(folder), f"manifest.json has no {', '.join(missing)}; name an output of cinemill encode"
        )
    return dict(found)


def _features(folder: Path) -> pa.Table:
    from pyarrow import ArrowException

    from vmaf.scores import read_parquet

    try:
        table = read_parquet(folder / FEATURES)
    except FileNotFoundError as error:
        raise NoJob(str(folder), f"there is no {FEATURES}; encode it again, with scores") from error
    except (OSError, ArrowException) as error:
        raise NoJob(str(folder), f"{FEATURES} cannot be read: {error}") from error
    missing = {"rendition", "frame", "time_s", "shot", "bytes", "key", "vmaf"} - set(table.column_names)
    if missing:
        raise NoJob(str(folder), f"{FEATURES} has no column {', '.join(sorted(missing))}; encode it again")
    return table
