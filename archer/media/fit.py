"""Pictures of one file made to fit among those of another: upright, square pixels, its size, layout and colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from archer.media.colour import UNSPECIFIED
from archer.media.info import VideoStream, display_size
from archer.media.picture import TURNS

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from cinemill_native.frames import Frame

MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
"""Code points of H.273 -> names of the filter `scale`."""
HD = 720
"""Lines from which on pictures that do not say are taken as BT.709, below as BT.601, as players do."""


def fitted(stored: Iterable[Frame], source: VideoStream, title: VideoStream) -> Iterator[VideoFrame]:
    """The pictures of frames of `source` as `title` wants them; those that fit as they are, untouched."""
    from archer.media.viewer import filtered_pictures

    pictures = ((frame.index, frame.owner) for frame in stored)
    steps = fit_steps(source, title)
    for _, picture in filtered_pictures(pictures, steps) if steps else pictures:
        yield picture


def fits(source: VideoStream, title: VideoStream) -> bool:
    """Pictures of `source` may stand beside those of `title` as they are."""
    return _shape(source) == _shape(title)


def _shape(video: VideoStream) -> tuple[object, ...]:
    places = (video.width, video.height, video.sar, video.rotation, video.mirrored)
    return (*places, video.format.name, matrix(video), video.colour.full_range is True)


def matrix(video: VideoStream) -> str:
    """Which matrix the pictures use, as the filter `scale` names it; guessed by their height where they do not say."""
    code = video.colour.matrix
    guess = "bt709" if video.height >= HD else "bt601"
    return guess if code == UNSPECIFIED else MATRICES.get(code, guess)


def fit_steps(source: VideoStream, title: VideoStream) -> list[tuple[str, str]]:
    """Names and arguments of the filters that make pictures of `source` fit; none where they do.

    The whole picture is kept, scaled to the greatest size that fits, with black where the shapes differ.

    Args:
        source: what is stored.
        title: upright, with square pixels, or one that `source` fits.
    """
    if fits(source, title):
        return []
    width, height = _inside(source, title)
    full = {True: "full", False: "limited"}
    ranges = (
        f"in_range={full[source.colour.full_range is True]}:out_range={full[title.colour.full_range is True]}"
    )
    matrices = f"in_color_matrix={matrix(source)}:out_color_matrix={matrix(title)}"
    turns = [step.partition("=") for step in [*["hflip"] * source.mirrored, *TURNS[source.rotation]]]
    steps = [(name, arguments) for name, _, arguments in turns]
    steps.append(
        ("scale", f"{width}:{height}:flags=lanczos+accurate_rnd+full_chroma_int:{ranges}:{matrices}")
    )
    steps.append(("format", title.format.name))
    if (width, height) != (title.width, title.height):
        left, top = (title.width - width) // 4 * 2, (title.height - height) // 4 * 2
        steps.append(("pad", f"{title.width}:{title.height}:{left}:{top}:black"))
    return steps


def _inside(source: VideoStream, title: VideoStream) -> tuple[int, int]:
    """The greatest even size of the whole picture within the title's."""
    width, height = display_size(source)
    if width * title.height == height * title.width:
        return title.width, title.height
    share = min(Fraction(title.width, width), Fraction(title.height, height))
    return min(title.width, _even(width * share)), min(title.height, _even(height * share))


def _even(value: Fraction) -> int:
    return max(2, 2 * round(value / 2))
