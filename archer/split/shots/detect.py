"""Thumbnails in, shots out: the same for any way in which they were measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from archer.media.range import FrameRange
from archer.split.chunk import Shot
from archer.split.shots.decision import Change, Evidence, Rules, changes, shots
from archer.split.shots.features import MARGIN, NAMES, features
from archer.split.shots.fit import coarse, coarse_colour
from archer.split.shots.network import REACH, Network
from archer.split.shots.step import leads, steps
from archer.split.shots.thumbnails import Thumbnails
from archer.split.shots.transnet import TransNet, transitions

Detector = Literal["builtin", "transnetv2", "fusion"]
"""Our own network; TransNetV2 as published; both, where neither is sure alone."""
BLOCK = 1024
"""Steps that are looked at together: bounds memory."""
STEPS_PER_SECOND = 30
"""Titles of a higher rate are looked at in steps of several frames; motion in a step is then what the network knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What was found.

    Attributes:
        frames: of the title.
        shots: contiguous, covering the title.
        changes: all transitions, also fades out, which begin no shot.
    """

    frames: int
    shots: tuple[Shot, ...]
    changes: tuple[Change, ...]


def detect(
    parts: Iterable[Thumbnails],
    *,
    frame_rate: Fraction,
    rules: Rules | None = None,
    network: Network | None = None,
    detector: Detector = "builtin",
) -> Detection:
    """Find the shots of a whole title; holds some parts of it at a time, and 180 bytes a frame.

    Args:
        parts: thumbnails of all frames, in order, cut anywhere.
        frame_rate: frames per second.
        rules: settings; None for the defaults.
        network: None for the trained one.
        detector: who decides.

    Raises:
        DetectorMissing: the package of the detector is not installed.
    """
    chosen = rules or Rules()
    stride = max(1, round(frame_rate / STEPS_PER_SECOND))
    moves: list[npt.NDArray[np.float32]] = []
    found = _found(_sampled(parts, stride, moves), chosen, network or Network.trained(), detector)
    frames = sum(map(len, moves))
    if stride > 1:
        moved = np.concatenate(moves) if moves else np.zeros(0, np.float32)
        found = [_unsampled(change, moved, stride) for change in found]
    return Detection(frames=frames, shots=shots(found, frames, chosen), changes=tuple(found))


def _found(parts: Iterable[Thumbnails], rules: Rules, network: Network, detector: Detector) -> list[Change]:
    """Transitions of a title in steps."""
    if detector == "builtin":
        return changes(
            Evidence.joined(_evidence(part, start, end, network) for part, start, end in windows(parts)),
            rules,
        )
    other = TransNet()
    if detector == "transnetv2":
        for _ in other.watched(parts):
            pass
        return transitions(other.chances()[:, 0])
    ours = Evidence.joined(
        _evidence(part, start, end, network) for part, start, end in windows(other.watched(parts))
    )
    return changes(fused(ours, other.chances()), rules)


def fused(ours: Evidence, theirs: npt.NDArray[np.float32]) -> Evidence:
    """Means of both networks' cuts, ours where they look at the frame; a slow transition needs one that is sure.

    Args:
        ours: n steps.
        theirs: (n, 2) of TransNetV2, whose cuts are at the last frame of a shot.
    """
    before = np.concatenate([np.zeros(1, np.float32), theirs[:-1, 0]])[: len(ours)]
    both = (ours.mixed + theirs[:, 1]) / 2
    return Evidence(
        cut=np.asarray((ours.cut + before) / 2, np.float32),
        mixed=np.asarray(np.maximum(ours.mixed, both), np.float32),
        deviation=ours.deviation,
        coarse=ours.coarse,
        colour=ours.colour,
    )


def windows(parts: Iterable[Thumbnails]) -> Iterator[tuple[Thumbnails, int, int]]:
    """Blocks of a title, each with the frames around it that matter.

    Yields:
        a stretch of the title, and the block [start, end) in it; what the stretch lacks around the block lies outside
        of the title.
    """
    around, more = REACH + MARGIN, iter(parts)
    held, block = Thumbnails.joined([]), 0  # block: where the next one begins in `held`
    while True:
        waiting = [held]
        while sum(map(len, waiting)) < block + BLOCK + around and (part := next(more, None)) is not None:
            waiting.append(part)
        held = Thumbnails.joined(waiting)
        end = min(len(held), block + BLOCK)
        if block == end:
            return
        yield held, block, end
        first = max(0, end - around)
        held, block = held.part(slice(first, None)), end - first


def _evidence(part: Thumbnails, start: int, end: int, network: Network) -> Evidence:
    table = features(part, start - REACH, end + REACH)
    chances = network(table)
    return Evidence(
        cut=np.maximum(chances[:, 0] * leads(table)[REACH:-REACH], steps(table)[REACH:-REACH]),
        mixed=chances[:, 1],
        deviation=table[REACH:-REACH, NAMES.index("deviation")] * 32,
        coarse=coarse(part.luma[start:end]),
        colour=coarse_colour(part.chroma[start:end]),
    )


def _sampled(
    parts: Iterable[Thumbnails], stride: int, moves: list[npt.NDArray[np.float32]]
) -> Iterator[Thumbnails]:
    """Every `stride`-th frame of a title; adds the mean change of luma from frame to frame to `moves`."""
    count, last = 0, None
    for part in parts:
        moves.append(_moves(part, last, stride))
        last = part.luma[-1:] if len(part) else last
        yield part if stride == 1 else part.part(slice(-count % stride, None, stride))
        count += len(part)


def _moves(part: Thumbnails, last: npt.NDArray[np.uint8] | None, stride: int) -> npt.NDArray[np.float32]:
    if stride == 1 or not len(part):
        return np.zeros(len(part), np.float32)
    luma = np.concatenate([part.luma[:1] if last is None else last, part.luma])
    apart = np.maximum(luma[1:], luma[:-1]) - np.minimum(luma[1:], luma[:-1])
    return np.asarray(apart.mean(axis=(1, 2), dtype=np.float32), np.float32)


def _unsampled(change: Change, moves: npt.NDArray[np.float32], stride: int) -> Change:
    """A transition between sampled frames in frames of the title: a cut is where most changes."""
    start, end = change.frames.start * stride, min(len(moves), (change.frames.end - 1) * stride + 1)
    if change.kind == "cut":
        start += int(moves[start - stride + 1 : start + 1].argmax()) - stride + 1
        end = start + 1
    return Change(kind=change.kind, frames=FrameRange(start, end), confidence_pct=change.confidence_pct)
