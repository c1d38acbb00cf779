"""From probabilities to shots: pure, over the whole track, so the result does not depend on how it was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from archer.media.range import FrameRange
from archer.split.chunk import Shot, Transition
from archer.split.shots.fit import COLOURS, colour_misfit, likeness, misfit
from archer.split.shots.plain import appearances, fades

Column = npt.NDArray[np.float32]
Kind = Literal["cut", "dissolve", "fade_in", "fade_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Settings of the decision.

    Attributes:
        cut: least probability of a cut.
        mixed: least probability that some frame of a gradual transition reaches.
        edge: least probability of all its frames.
        shortest: frames; a boundary nearer to a more certain one is dropped. 1 keeps all.
        longest: frames; longer shots are cut into equal parts, with confidence 0. 0 for no limit.
    """

    cut: float = 0.4
    mixed: float = 0.6
    edge: float = 0.3
    shortest: int = 1
    longest: int = 0

    @classmethod
    def of(cls, rate: Fraction, *, shortest_s: Fraction, longest_s: Fraction) -> Self:
        """The defaults, with limits in seconds at `rate` frames per second; 0 for no limit."""
        limit = max(1, round(longest_s * rate)) if longest_s > 0 else 0
        return cls(shortest=max(1, round(shortest_s * rate)), longest=limit)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What speaks for transitions, per frame (or per step of several, where a title has a high rate).

    Attributes:
        cut: (n,) probability that a new shot begins at the frame.
        mixed: (n,) probability that the frame is a mixture of two shots, or of one and a plain picture.
        deviation: (n,) standard deviation of luma over the thumbnail, 8-bit units: near 0 for a plain picture.
        coarse: (n, 144) uint8, very small pictures, to tell mixtures from motion.
        colour: (n, 24) uint8, their chroma, as `coarse_colour` gives it.
    """

    cut: Column
    mixed: Column
    deviation: Column
    coarse: npt.NDArray[np.uint8]
    colour: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.cut)

    @classmethod
    def joined(cls, parts: Iterable[Evidence]) -> Evidence:
        """Parts of one title, in order, as one."""
        tracks = list(parts)
        if not tracks:
            none, cells = np.zeros(0, np.float32), np.zeros((0, 144), np.uint8)
            return cls(cut=none, mixed=none, deviation=none, coarse=cells, colour=cells[:, :COLOURS])
        return cls(
            cut=np.concatenate([track.cut for track in tracks]),
            mixed=np.concatenate([track.mixed for track in tracks]),
            deviation=np.concatenate([track.deviation for track in tracks]),
            coarse=np.concatenate([track.coarse for track in tracks]),
            colour=np.concatenate([track.colour for track in tracks]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A transition.

    Attributes:
        kind: what it is; a dissolve is any mixture of two pictures, also a wipe.
        frames: the mixed frames; for a cut, the first frame of the new shot.
        confidence_pct: 0 to 100.
    """

    kind: Kind
    frames: FrameRange
    confidence_pct: int

    @property
    def boundary(self) -> int | None:
        """First frame of the new shot; None where none begins."""
        if self.kind == "fade_out":
            return None
        middle = self.kind == "dissolve"
        return (self.frames.start + self.frames.end) // 2 if middle else self.frames.start


def changes(evidence: Evidence, rules: Rules) -> list[Change]:
    """Transitions of a title, in order."""
    cuts = [
        Change(kind="cut", frames=FrameRange(at, at + 1), confidence_pct=_percent(evidence.cut[at]))
        for at in peaks(evidence.cut, rules.cut)
    ]
    known = {near for cut in cuts for near in range(cut.frames.start - 2, cut.frames.start + 3)}
    cuts += [
        Change(kind="cut", frames=FrameRange(at, at + 1), confidence_pct=PLAIN_TO_SEE)
        for at in appearances(evidence.deviation)
        if at not in known
    ]
    slow = [change for run in runs(evidence.mixed, rules) for change in _gradual(run, evidence)]
    slow += [
        Change(kind="fade_in" if rises else "fade_out", frames=span, confidence_pct=PLAIN_TO_SEE)
        for rises, span in fades(evidence.deviation, evidence.coarse)
        if not any(span.start < each.frames.end and each.frames.start < span.end for each in slow)
    ]
    kept = [change for change in slow if not any(_is_of(cut, change) for cut in cuts)]
    return sorted([*cuts, *kept], key=lambda change: change.frames.start)


def peaks(chances: npt.NDArray[np.float32], least: float) -> Iterator[int]:
    """Frames whose probability is at least `least` and the largest of the two frames on each side; never frame 0."""
    for at in np.flatnonzero(chances >= least).tolist():
        around = chances[max(0, at - 2) : at + 3]
        if at and chances[at] == around.max() and not (chances[max(0, at - 2) : at] == chances[at]).any():
            yield at


def runs(chances: npt.NDArray[np.float32], rules: Rules) -> Iterator[FrameRange]:
    """Runs of three frames and more that are at least `edge` and somewhere at least `mixed`."""
    above = np.concatenate([[False], chances >= rules.edge, [False]]).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(above) == 1), np.flatnonzero(np.diff(above) == -1)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if end - start >= 3 and chances[start:end].max() >= rules.mixed:
            yield FrameRange(start, end)


def _gradual(run: FrameRange, evidence: Evidence) -> Iterator[Change]:
    """What a run of mixed frames is, as far as it is mixed."""
    for kind, frames in _pieces(run, evidence):
        around = np.clip(np.arange(frames.start - 1, frames.end + 1), 0, len(evidence) - 1)
        chances = evidence.mixed[frames.start : frames.end]
        pictures, colours = evidence.coarse[around], evidence.colour[around]
        if len(frames) and is_mixture(pictures, colours, kind, peak=float(chances.max())):
            yield Change(kind=kind, frames=frames, confidence_pct=_percent(chances.max()))


def _pieces(run: FrameRange, evidence: Evidence) -> Iterator[tuple[Kind, FrameRange]]:
    """A run through a plain picture is a fade out and a fade in; one that begins or ends with it is one of them."""
    around = np.clip(np.arange(run.start - 1, run.end + 1), 0, len(evidence) - 1)
    plain = evidence.deviation[around] < PLAIN
    inner = np.flatnonzero(plain[2:-2]) + run.start + 1
    if plain[0] != plain[-1]:
        yield "fade_in" if plain[0] else "fade_out", run
    elif len(inner) and not plain[0]:
        yield "fade_out", FrameRange(run.start, int(inner[0]))
        yield "fade_in", FrameRange(int(inner[-1]) + 1, run.end)
    else:
        yield "dissolve", run


def is_mixture(run: npt.NDArray[np.uint8], colour: npt.NDArray[np.uint8], kind: Kind, *, peak: float) -> bool:
    """The frames of a run mix the two around it, which differ in more than light, or in a title.

    Args:
        run: coarse pictures of the run and of one frame on each side.
        colour: coarse colours of the same frames.
        kind: a fade may show little in the picture that is not plain.
        peak: highest probability of its frames; where it is sure, more of a misfit may be motion.
    """
    residual, apart = misfit(run)
    if kind != "dissolve":
        return residual <= (MISFIT_OF_FADES if apart >= 3 else MISFIT) and apart >= LEAST_OF_FADES
    if apart < LEAST or len(run) > LONGEST:
        return False
    like = likeness(run[0], run[-1])
    if peak >= SURE and like <= UNLIKE:
        return residual <= MISFIT_IF_SURE
    if like <= LIKE:
        return residual <= MISFIT
    return peak >= SURE and like <= MOST_LIKE and residual <= MISFIT_IF_SURE and _in_colour(run, colour)


def _in_colour(run: npt.NDArray[np.uint8], colour: npt.NDArray[np.uint8]) -> bool:
    """Colours change much, and by the same shares as luma: what is alike in luma is of two shots all the same."""
    residual, apart = colour_misfit(run, colour)
    return residual <= MISFIT_OF_COLOUR and apart >= LEAST_OF_COLOUR


PLAIN_TO_SEE = 80
"""Confidence, per cent, of what needs no network."""
MISFIT, MISFIT_IF_SURE, MISFIT_OF_FADES = 0.22, 0.42, 0.35
"""Largest residual of a mixture, as a share of the difference of its ends."""
SURE = 0.95
"""Probability from which on the network is."""
MISFIT_OF_COLOUR, LEAST_OF_COLOUR = 0.12, 8.0
"""Largest residual of colours, and their least difference, that tell a mixture of like pictures from a moving camera."""
LEAST, LEAST_OF_FADES = 8.0, 0.8
"""Least difference of the ends, mean of 8-bit samples."""
LONGEST = 100
"""Frames; slow moves of a camera look like longer dissolves, which nobody makes."""
UNLIKE, LIKE, MOST_LIKE = 0.5, 0.6, 0.9
"""Correlation of the ends below which they are of two shots; above which of one, in another light or with a title, unless
colour says that they are not; above which they are of one all the same."""
PLAIN = 4.0
"""Deviation below which a picture is of one colour, but for noise."""


def _is_of(cut: Change, slow: Change) -> bool:
    """The cut is what a run is about: it is short, or a dissolve in whose midst the cut stands."""
    start, end, at = slow.frames.start, slow.frames.end, cut.frames.start
    if len(slow.frames) <= 5:
        return start - 2 <= at <= end + 1
    return slow.kind == "dissolve" and start + 1 < at < end - 1


def _percent(chance: float | np.float32) -> int:
    return round(100 * float(chance))


def shots(found: Iterable[Change], frame_count: int, rules: Rules) -> tuple[Shot, ...]:
    """Shots of a whole title, contiguous, covering it.

    Args:
        found: transitions, in order.
        frame_count: frames of the title.
        rules: settings.
    """
    if frame_count == 0:
        return ()
    listed = list(found)
    starts = _kept(
        [change for change in listed if change.boundary is not None and 0 < change.boundary < frame_count],
        rules,
        frame_count,
    )
    fades = [change.frames for change in listed if change.kind == "fade_out"]
    edges = [0, *(change.boundary or 0 for change in starts), frame_count]
    return tuple(
        shot
        for change, (start, end) in zip([None, *starts], pairwise(edges), strict=True)
        for shot in _shot(change, FrameRange(start, end), fades, rules)
    )


def _kept(found: Sequence[Change], rules: Rules, frame_count: int) -> list[Change]:
    """Boundaries that leave no shot shorter than wanted; the more certain ones stay."""
    kept: list[int] = [0, frame_count]
    chosen = []
    for change in sorted(found, key=lambda change: (-change.confidence_pct, change.frames.start)):
        at = change.boundary or 0
        if all(abs(at - other) >= rules.shortest and at != other for other in kept):
            kept.append(at)
            chosen.append(change)
    return sorted(chosen, key=lambda change: change.boundary or 0)


def _shot(
    change: Change | None, frames: FrameRange, fades: Sequence[FrameRange], rules: Rules
) -> Iterator[Shot]:
    """One shot, or the parts of one that is too long."""
    kinds: dict[str, Transition] = {"cut": "cut", "dissolve": "dissolve", "fade_in": "fade"}
    out = next((fade for fade in fades if frames.start <= fade.start < frames.end), None)
    count = -(-len(frames) // rules.longest) if rules.longest else 1
    edges = [frames.start + len(frames) * part // count for part in range(count + 1)]
    for part, (start, end) in enumerate(pairwise(edges)):
        first = part == 0
        yield Shot(
            frames=FrameRange(start, end),
            transition=("start" if change is None else kinds[change.kind]) if first else "cut",
            confidence_pct=(100 if change is None else change.confidence_pct) if first else 0,
            mixed=change.frames if first and change is not None and change.kind != "cut" else None,
            fade_out=out if end == frames.end else None,
        )
