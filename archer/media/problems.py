"""What is wrong with a title, in words for people.

| code | fatal | meaning |
|---|---|---|
| `truncated` | yes | the header promises more than the file holds |
| `resolution change` | yes | pictures of different sizes in one stream |
| `damaged` | no | packets or frames that cannot be decoded cleanly |
| `gap` | no | a title of constant rate with frames missing |
| `timestamps` | no | frames without usable times, which were made up |
| `several videos` | no | only one of several video streams is used |
| `display matrix` | no | the picture is to be turned by an angle that is no multiple of 90 degrees |
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from archer.media.count import Count
from archer.media.index import FrameIndex, Ints
from archer.media.info import MediaInfo, MediaProblem

REGULAR = 0.9
"""Part of the frame distances that must be nominal for the others to be called gaps."""

MISSING_S, MISSING_PART = Fraction(1, 2), Fraction(1, 100)
"""A declared duration is rounded, and may include padding: this much more than was found is still no truncation."""


def problems(info: MediaInfo, found: Count, declared: Fraction | None) -> tuple[MediaProblem, ...]:
    """All problems of a title.

    Args:
        info: its facts, with the index.
        found: what counting met.
        declared: duration in its header, seconds; None where it has none or it means nothing.
    """
    return tuple(
        problem
        for make in (_truncated, _resolution, _damaged, _gaps, _timestamps)
        for problem in make(info, found, declared)
    )


def _truncated(info: MediaInfo, found: Count, declared: Fraction | None) -> Iterator[MediaProblem]:
    words = ""
    if found.beyond:
        words = f"its index promises {found.beyond} packets that lie behind the end of the file"
    elif declared is not None and declared - found.end > MISSING_S + declared * MISSING_PART:
        words = f"its header promises {float(declared):.1f} s, the data ends after {float(found.end):.1f} s"
    if words:
        text = f"{words} (frames up to {info.frame_count} are there); get the whole file"
        yield MediaProblem(code="truncated", message=text, fatal=True)


def _resolution(info: MediaInfo, found: Count, declared: Fraction | None) -> Iterator[MediaProblem]:  # noqa: ARG001
    if len(found.sizes) > 1:
        text = (
            "the picture size changes: "
            + ", ".join(f"{w}x{h}" for w, h in found.sizes)
            + "; split the title there"
        )
        yield MediaProblem(code="resolution change", message=text, fatal=True)


def _damaged(info: MediaInfo, found: Count, declared: Fraction | None) -> Iterator[MediaProblem]:  # noqa: ARG001
    index, words = info.index, []
    if len(index.damaged):
        words.append(f"{len(index.damaged)} frames decode with errors, the first is frame {index.damaged[0]}")
    if index.lost:
        words.append(f"{index.lost} packets give no frame at all")
    if found.broken:
        words.append(f"the container is broken behind frame {info.frame_count - 1} ({found.broken})")
    if words:
        text = (
            "; ".join(words)
            + "; the picture is wrong there and up to the next key frame, look at it or get a clean copy"
        )
        yield MediaProblem(code="damaged", message=text, fatal=False)


def _gaps(info: MediaInfo, found: Count, declared: Fraction | None) -> Iterator[MediaProblem]:  # noqa: ARG001
    holes = gaps(info.index, info.video.time_base, info.video.frame_rate)
    if len(holes):
        steps = np.diff(info.index.pts)[holes]
        where, longest = int(holes[0]), float(int(steps.max()) * info.video.time_base)
        text = (
            f"frames are missing in {len(holes)} places, the first behind frame {where}, the longest {longest:.2f} s; "
            "times are kept, so sound stays in sync"
        )
        yield MediaProblem(code="gap", message=text, fatal=False)


def gaps(index: FrameIndex, time_base: Fraction, rate: Fraction) -> Ints:
    """Frames behind which at least half a frame's time is missing, in a title that is regular elsewhere; else none."""
    steps = np.diff(index.pts)
    nominal = 1 / (rate * time_base)
    regular = np.abs(steps - float(nominal)) <= max(1.5, float(nominal) / 50)
    if not len(steps) or regular.mean() < REGULAR:
        return np.array([], np.int64)
    return np.flatnonzero(steps > float(nominal) * 1.5)


def _timestamps(info: MediaInfo, found: Count, declared: Fraction | None) -> Iterator[MediaProblem]:  # noqa: ARG001
    if found.untimed:
        text = f"{found.untimed} frames have no usable time; they were placed at the nominal rate, check that sound is in sync"
        yield MediaProblem(code="timestamps", message=text, fatal=False)
