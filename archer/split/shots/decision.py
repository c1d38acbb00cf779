"""From signals to shots: pure, over the whole track, so the result does not depend on how it was measured."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from archer.media.range import FrameRange
from archer.split.chunk import Shot, Transition
from archer.split.shots.signals import Signals

Track = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Settings of the decision.

    Attributes:
        change: least change of a cut, in 8-bit sample values.
        ratio: a cut changes this many times as much as its neighbours.
        reach: frames on each side that count as neighbours.
        black: mean luma below which a picture counts as black.
        shortest_s: shots shorter than this are joined to the one before.
    """

    change: float = 5.0
    ratio: float = 2.6
    reach: int = 4
    black: float = 26.0
    shortest_s: Fraction = Fraction(1, 5)


def decide(track: Signals, *, frame_rate: Fraction, thresholds: Thresholds | None = None) -> tuple[Shot, ...]:
    """Shots of a whole title, contiguous, covering it.

    A cut is a frame whose change stands out from its neighbours on both sides; a fade in from black begins a shot
    where the picture appears.

    Args:
        track: signals of all frames.
        frame_rate: frames per second.
        thresholds: settings; None for the defaults.
    """
    if len(track) == 0:
        return ()
    chosen = thresholds or Thresholds()
    change = track.layout.astype(np.float64) + 20.0 * track.histogram.astype(np.float64)
    stands_out = change / _neighbourhood(change, chosen.reach)
    boundaries: dict[int, tuple[Transition, int]] = {0: ("start", 100)}
    cuts = (change >= chosen.change) & (stands_out >= chosen.ratio) & (track.layout >= 2.0)
    for frame in np.flatnonzero(cuts).tolist():
        boundaries[frame] = ("cut", _confidence(float(stands_out[frame]), chosen.ratio))
    for frame in _fades_in(track, chosen):
        if not any(abs(frame - other) <= 2 * chosen.reach for other in boundaries):
            boundaries[frame] = ("fade", 60)
    return _shots(boundaries, len(track), max(1, round(chosen.shortest_s * frame_rate)))


def _neighbourhood(change: Track, reach: int) -> Track:
    """What a change must stand out from: the largest of its neighbours' mean on each side, the frame itself left out.

    The side means keep both a fast pan (high on both sides) and a flash (its two edges are each other's neighbours) from
    passing for a cut.
    """
    padded = np.concatenate([np.zeros(reach), change, np.zeros(reach)])
    count = len(change)
    before = np.mean([padded[reach - step : reach - step + count] for step in range(1, reach + 1)], axis=0)
    after = np.mean([padded[reach + step : reach + step + count] for step in range(1, reach + 1)], axis=0)
    return np.asarray(np.maximum(np.maximum(before, after), 0.35), np.float64)


def _fades_in(track: Signals, chosen: Thresholds) -> list[int]:
    """Frames at which a picture comes out of black: black for two frames or more before, brighter and structured after."""
    dark = (track.mean < chosen.black) & (track.deviation < 6.0)
    return [
        frame for frame in range(2, len(track)) if dark[frame - 1] and dark[frame - 2] and not dark[frame]
    ]


def _confidence(stands_out: float, ratio: float) -> int:
    return int(min(100, round(50 * stands_out / ratio)))


def _shots(boundaries: dict[int, tuple[Transition, int]], frames: int, shortest: int) -> tuple[Shot, ...]:
    starts = [0]
    for frame in sorted(boundaries)[1:]:
        if frame - starts[-1] >= shortest and frames - frame >= 1:
            starts.append(frame)
        elif boundaries[frame][1] > boundaries[starts[-1]][1]:
            starts[-1] = frame
    ends = [*starts[1:], frames]
    return tuple(
        Shot(
            frames=FrameRange(start, end),
            transition=boundaries[start][0],
            confidence_pct=boundaries[start][1],
        )
        for start, end in zip(starts, ends, strict=True)
    )
