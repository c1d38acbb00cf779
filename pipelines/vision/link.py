"""Boxes of one picture after another, linked to tracks: the same face, as long as it can be followed.

A box goes on with the track that expects it: the last box, moved on as it moved before. Boxes that share enough with what is
expected come first, then those near by of about the same size; ties go to the older track and the surer box. Nothing depends
on more than the boxes of a shot, so tracks are the same however a title was cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import hypot, sqrt

from pipelines.vision.box import Box

COMMON = 0.2
"""Share of their common area from which a box is the expected one."""
NEAR = 1.0
"""Distance of centres, in sizes of a box, up to which it may be."""
GROWN = 1.6
"""How many times as large or small it may be then."""


@dataclass(slots=True)
class Track:
    """A face that was followed.

    Attributes:
        boxes: frames and where it was in them, in order.
    """

    boxes: list[tuple[int, Box]] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The last frame in which it was seen."""
        return self.boxes[-1][0]

    def expected(self, frame: int) -> Box:
        """Where it should be in a later frame, going on as from the box before the last to the last."""
        (last, box), *_ = self.boxes[-1:]
        if len(self.boxes) < 2:
            return box
        before, old = self.boxes[-2]
        steps = min(1.0, (frame - last) / (last - before))
        left = box.left + steps * (box.left + box.width / 2 - old.left - old.width / 2)
        top = box.top + steps * (box.top + box.height / 2 - old.top - old.height / 2)
        return replace(box, left=left, top=top)


def likeness(expected: Box, box: Box) -> float:
    """How well a box fits, above 0 where it may be the expected one; the more the better."""
    if (shared := expected.shared(box)) >= COMMON:
        return 1 + shared
    if not box.area or not expected.area:
        return 0.0
    grown = sqrt(box.area / expected.area)
    across = (box.left + box.width / 2 - expected.left - expected.width / 2) / (expected.width + box.width)
    down = (box.top + box.height / 2 - expected.top - expected.height / 2) / (expected.height + box.height)
    apart = 2 * hypot(across, down)
    return 1 - apart if apart <= NEAR and 1 / GROWN <= grown <= GROWN else 0.0


def linked(samples: Iterable[tuple[int, Sequence[Box]]], gap: int) -> list[Track]:
    """Tracks of one shot, by their first frame and then from the left.

    Args:
        samples: frames in rising order, with the boxes found in each.
        gap: frames over which a face may not be seen, and still be the same.
    """
    found: list[Track] = []
    for frame, boxes in samples:
        alive = [track for track in found if frame - track.last <= gap]
        pairs = sorted(
            (-likeness(track.expected(frame), box), one, other)
            for one, track in enumerate(alive)
            for other, box in enumerate(boxes)
        )
        tracks, taken = set[int](), set[int]()
        for score, one, other in pairs:
            if score < 0 and one not in tracks and other not in taken:
                alive[one].boxes.append((frame, boxes[other]))
                tracks.add(one)
                taken.add(other)
        new = sorted((box for place, box in enumerate(boxes) if place not in taken), key=lambda box: box.left)
        found += [Track([(frame, box)]) for box in new]
    return found
