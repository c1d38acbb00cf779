"""The truth that players are compared with: the title's frames, from the source or else from the package's own segments."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from archer.media import FrameRange, frames, probe
from pipelines.conformance.listing import Listed, Listing, init_bytes
from pipelines.conformance.pictures import Grey, grey_of_frame, places, telling
from pipelines.packaging.check import packaged_timeline

NAMED = 4
"""Named frames of a title."""
AROUND = 6
"""Frames on each side of a place among which the most telling one is named."""
NEAR = 2
"""Neighbours on each side that a picture is compared with."""


class Reference:
    """Frames by number, and when each is shown.

    Args:
        listing: the package.
        keys: key id -> key, hexadecimal; needed where its own encrypted segments are the truth.
        source: the mezzanine; None where it is not at hand, so that only players are tested, not the encode.
    """

    def __init__(self, listing: Listing, keys: Mapping[str, str], source: Path | None) -> None:
        self._listing, self._keys, self._source = listing, keys, source
        self._kept: dict[int, Grey] = {}

    @cached_property
    def times(self) -> list[Fraction]:
        """Presentation time of every frame, seconds, rising."""
        return sorted(packaged_timeline(self._listing.folder(self._best), self._best.segments).times)

    @cached_property
    def _best(self) -> Listed:
        return max(self._listing.of("video"), key=lambda each: each.size)

    @cached_property
    def named(self) -> list[int]:
        """Frames by which playing is judged: spread over the title, where neighbours differ most."""
        found = []
        for middle in places(len(self.times), NAMED):
            window = range(max(0, middle - AROUND), min(len(self.times), middle + AROUND + 1))
            found.append(telling({number: self.picture(number) for number in window}))
        return found

    @cached_property
    def boundary(self) -> list[int]:
        """Frames around the first joint of two segments, or the first ones where there is no joint."""
        durations = self._best.durations
        joint = bisect_right(self.times, durations[0] - Fraction(1, 1000)) if len(durations) > 1 else 2
        return list(range(max(0, joint - 2), min(len(self.times), joint + 3)))

    def middle(self, number: int) -> float:
        """A time at which a frame is on the screen, seconds: half way to the next one."""
        step = min((b - a for a, b in pairwise(self.times)), default=Fraction(1, 25))
        end = self.times[number + 1] if number + 1 < len(self.times) else self.times[number] + step
        return float((self.times[number] + end) / 2)

    def number(self, time: float) -> int:
        """The frame that is shown at a time."""
        return max(
            0, bisect_right(self.times, Fraction(time).limit_denominator(10**6) + Fraction(1, 1000)) - 1
        )

    def near(self, number: int) -> dict[int, Grey]:
        """A frame and its neighbours."""
        window = range(max(0, number - NEAR), min(len(self.times), number + NEAR + 1))
        return {near: self.picture(near) for near in window}

    def picture(self, number: int) -> Grey:
        """A frame as it would be seen."""
        if number not in self._kept:
            self._kept.update(self._source_pictures(number) if self._source else self._own_pictures(number))
        return self._kept[number]

    def _source_pictures(self, number: int) -> Iterator[tuple[int, Grey]]:
        from pipelines.report.pictures import shown

        info = self._info
        part = FrameRange(max(0, number - AROUND), min(info.frame_count, number + AROUND + 1))
        for frame in frames(str(self._source), part, info=info):
            from pipelines.conformance.pictures import VIEW, blocks

            yield frame.index, blocks(shown(frame, info.video, VIEW, "gray").astype(float))

    @cached_property
    def _info(self) -> Any:
        return probe(str(self._source))

    def _own_pictures(self, number: int) -> Iterator[tuple[int, Grey]]:
        place, first = self._segment(number)
        pictures = decoded(self._listing, self._best, self._best.segments[place], self._keys)
        for offset, picture in enumerate(pictures):
            yield first + offset, grey_of_frame(picture)

    def _segment(self, number: int) -> tuple[int, int]:
        """Which segment a frame is in, and the number of the segment's first frame."""
        start, place = Fraction(0), 0
        for place, duration in enumerate(self._best.durations):  # noqa: B007  used after the loop
            if self.times[number] < start + duration - Fraction(1, 1000):
                break
            start += duration
        return place, bisect_right(self.times, start - Fraction(1, 1000))


def decoded(listing: Listing, each: Listed, segment: str, keys: Mapping[str, str]) -> Iterator[Any]:
    """The pictures or blocks of sound of one segment, decrypted, in presentation order.

    Raises:
        av.error.FFmpegError: it does not decode.
    """
    import av

    data = init_bytes(listing, each) + (listing.folder(each) / segment).read_bytes()
    key = keys.get(str(each.meant.get("key_id", "")))
    options = {"decryption_key": key} if key else {}
    with av.open(io.BytesIO(data), "r", options=options) as container:
        stream = container.streams[0]
        stream.codec_context.options = {"err_detect": "explode"}
        yield from container.decode(stream)
