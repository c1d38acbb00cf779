"""What a shot detector found against what is there: the counting of `shot_accuracy.py`, the same for every detector.

- A cut is found where a detector says exactly that frame. What it says elsewhere in or at a gradual transition (one frame
  of tolerance at its ends) belongs to that transition.
- A gradual transition is found where something that a detector says overlaps it. Detectors that know only cuts say one
  frame, which is enough.
- What belongs to nothing is false; not counted is what lies in a region that people could not decide upon.
- F1 of gradual transitions: precision is the share of the statements that last several frames (or lie in a transition) and
  overlap one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

Range = tuple[int, int]
"""First and last frame."""


@dataclass(frozen=True)
class Truth:
    """What is there: first frames of new shots, ranges of gradual transitions, regions that do not count."""

    frames: int
    cuts: Sequence[int]
    gradual: Sequence[Range] = ()
    ignore: Sequence[Range] = ()
    seconds: float = 0.0


@dataclass
class Tally:
    """Counts over several titles, and a line for each miss."""

    cuts: int = 0
    hit: int = 0
    gradual: int = 0
    caught: int = 0
    false_cuts: int = 0
    false_gradual: int = 0
    seconds: float = 0.0
    lines: list[str] = field(default_factory=list)

    @property
    def cut_f1(self) -> float:
        return f1(self.hit, self.cuts, self.false_cuts)

    @property
    def gradual_f1(self) -> float:
        return f1(self.caught, self.gradual, self.false_gradual)

    @property
    def false_per_minute(self) -> float:
        return (self.false_cuts + self.false_gradual) / max(1e-9, self.seconds / 60)

    def add(self, other: Tally) -> None:
        for name in ("cuts", "hit", "gradual", "caught", "false_cuts", "false_gradual", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.lines += other.lines


def f1(hits: int, there: int, false: int) -> float:
    """1.0 where nothing is there and nothing was said."""
    return 2 * hits / (there + hits + false) if there + hits + false else 1.0


def overlaps(one: Range, other: Range, slack: int = 0) -> bool:
    return one[0] <= other[1] + slack and other[0] <= one[1] + slack


def score(truth: Truth, said: Iterable[Range], name: str) -> Tally:
    """Count what a detector said: ranges of frames, of which a cut is the one first frame of the new shot."""
    tally = Tally(cuts=len(truth.cuts), gradual=len(truth.gradual), seconds=truth.seconds)
    statements = sorted(set(said))
    exact = {start for start, end in statements if start == end}
    found = [cut for cut in truth.cuts if cut in exact]
    tally.hit = len(found)
    caught = [span for span in truth.gradual if any(overlaps(span, each, 1) for each in statements)]
    tally.caught = len(caught)
    for start, end in statements:
        if (start == end and start in found) or any(
            overlaps((start, end), span, 1) for span in (*truth.gradual, *truth.ignore)
        ):
            continue
        if end > start and any(start <= cut <= end + 1 for cut in truth.cuts):
            tally.false_gradual += 1  # a cut, but not said to be at its frame
            tally.lines.append(f"{name}: {start}-{end} said to be gradual over a cut")
        elif end > start:
            tally.false_gradual += 1
            tally.lines.append(f"{name}: {start}-{end} false")
        else:
            tally.false_cuts += 1
            tally.lines.append(f"{name}: {start} false")
    tally.lines += [f"{name}: cut {cut} missed" for cut in truth.cuts if cut not in exact]
    tally.lines += [f"{name}: gradual {a}-{b} missed" for a, b in truth.gradual if (a, b) not in caught]
    return tally
