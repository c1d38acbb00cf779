"""The pictures of a report: one per shot, and the worst part of the worst frames beside its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from archer.media import FrameRange, MediaInfo, VideoStream, frames, probe
from cinemill_native.frames import Frame
from pipelines.report.coded import CodedVideo
from pipelines.report.material import Material
from pipelines.report.pictures import cropped, shown, thumbnail, worst_window
from pipelines.report.worst import worst_frames

MOST_THUMBNAILS = 400
"""The longest shots get one; a film has more shots than a page should carry pictures."""
WORST_PER_RUNG = 4


class Decode(Protocol):
    """Gives the frames of a range of the source, as it is looked at."""

    def __call__(self, part: FrameRange, /, *, info: MediaInfo) -> Iterator[Frame]:
        """In order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Part of a frame, before and after.

    Attributes:
        window: left, top, width, height at the size of the first rung.
        source, coded: data URIs.
    """

    window: tuple[int, int, int, int]
    source: str
    coded: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures as data URIs.

    Attributes:
        thumbnails: by shot.
        pairs: by rendition, then by frame, worst first.
    """

    thumbnails: dict[int, str] = field(default_factory=dict)
    pairs: dict[str, dict[int, Pair]] = field(default_factory=dict)


def thumbnail_width(shots: int) -> int:
    """Fewer samples where there are more pictures, so that the page stays small."""
    return 288 if shots <= 60 else 208 if shots <= 180 else 160


def make_gallery(material: Material, decode: Decode, progress: Callable[[int, int], None]) -> Gallery:
    """Decode what is needed, each source frame once and in order.

    Args:
        material: the job.
        decode: the frames of a range of the source, looked at as facts say.
        progress: told the pictures made and their total.
    """
    middles = _middles(material)
    looked_at = _looked_at(material)
    gallery = Gallery(pairs={name: dict.fromkeys(found) for name, found in looked_at.items()})  # type: ignore[misc]
    infos = {name: probe(str(path)) for name, path in material.paths.items()}
    needed = sorted({*middles, *(frame for found in looked_at.values() for frame in found)})
    width = thumbnail_width(len(material.shots))
    for done, index in enumerate(needed):
        progress(done, len(needed))
        source = next(iter(decode(FrameRange(index, index + 1), info=material.info)))
        if index in middles:
            gallery.thumbnails[middles[index]] = thumbnail(source, material.info.video, width)
        for video in material.videos:
            if index in looked_at[video.name]:
                seen = material.others.get(video.name, material.info)
                same = seen is material.info
                before = source if same else next(iter(decode(FrameRange(index, index + 1), info=seen)))
                gallery.pairs[video.name][index] = _pair(material, video, infos[video.name], before)
    progress(len(needed), len(needed))
    return gallery


def _middles(material: Material) -> dict[int, int]:
    """Middle frame -> shot, for the shots that get a picture."""
    longest = sorted(range(len(material.shots)), key=lambda place: (-_length(material, place), place))
    return {
        (material.shots[place].start + material.shots[place].end - 1) // 2: place
        for place in sorted(longest[:MOST_THUMBNAILS])
    }


def _length(material: Material, place: int) -> int:
    return material.shots[place].end - material.shots[place].start


def _looked_at(material: Material) -> Mapping[str, list[int]]:
    second = max(1, round(Fraction(material.info.video.frame_rate)))
    return {
        name: worst_frames(scores.columns["vmaf"], material.ranges, count=WORST_PER_RUNG, apart=second)
        for name, scores in material.scores.items()
    }


def _pair(material: Material, video: CodedVideo, info: MediaInfo, source: Frame) -> Pair:
    """Both sides at the size of the first rung, cut where they differ most."""
    size = (material.videos[0].width, material.videos[0].height)
    path = str(material.paths[video.name])
    coded = next(iter(frames(path, FrameRange(source.index, source.index + 1), info=info)))
    looked = material.others.get(video.name, material.info).video
    sides: tuple[tuple[Frame, VideoStream], ...] = ((source, looked), (coded, info.video))
    luma = [shown(frame, stream, size, "gray") for frame, stream in sides]
    window = worst_window(luma[0], luma[1])
    before, after = (cropped(shown(frame, stream, size, "bgra"), window) for frame, stream in sides)
    return Pair(window=window, source=before, coded=after)
