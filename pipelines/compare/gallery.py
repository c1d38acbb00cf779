"""Pictures of the worst regressions: both sides, cut where they differ most."""

from __future__ import annotations

from dataclasses import dataclass

from archer.media import FrameRange, MediaInfo, frames, probe
from cinemill_native.frames import Frame
from mezzfs import MezzError
from pipelines.compare.comparison import PairResult
from pipelines.compare.side import RungData
from pipelines.report.pictures import cropped, shown, worst_window


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """Part of a frame of both sides.

    Attributes:
        window: left, top, width, height at the size of the larger rung.
        a, b: data URIs.
    """

    window: tuple[int, int, int, int]
    a: str
    b: str


def crops(pair: PairResult) -> dict[int, Crop]:
    """Crops of the regressions of a pair, by frame; empty where a rendition is not there or cannot be read."""
    size = max((rung.width, rung.height) for rung in (pair.a, pair.b))
    try:
        infos = {id(rung): probe(rung.url) for rung in (pair.a, pair.b)} if pair.worst else {}
    except (MezzError, OSError):
        return {}
    return {
        worst.frame: _crop(
            [(_frame(rung, infos[id(rung)], worst.frame), infos[id(rung)]) for rung in (pair.a, pair.b)], size
        )
        for worst in pair.worst
    }


def _frame(rung: RungData, info: MediaInfo, index: int) -> Frame:
    return next(iter(frames(rung.url, FrameRange(index, index + 1), info=info)))


def _crop(sides: list[tuple[Frame, MediaInfo]], size: tuple[int, int]) -> Crop:
    luma = [shown(frame, info.video, size, "gray") for frame, info in sides]
    window = worst_window(luma[0], luma[1])
    a, b = (cropped(shown(frame, info.video, size, "bgra"), window) for frame, info in sides)
    return Crop(window=window, a=a, b=b)
