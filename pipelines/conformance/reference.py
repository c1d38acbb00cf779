"""The truth that players are compared with: the title's frames, from the source or else from the package's own segments."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from archer.media import FrameRange, frames, probe
from encoder.ladder import range_of
from pipelines.conformance.listing import Listed, Listing, init_bytes
from pipelines.conformance.pictures import Grey, grey_of_frame, places, telling
from pipelines.packaging.check import packaged_timeline, segment_packets

NAMED = 4
"""Named frames of a title."""
AROUND = 6
"""Frames on each side of a place among which the most telling one is named."""
NEAR = 2
"""Neighbours on each side that a picture is compared with."""
SILENT, LOUD = 1e-4, 0.05
"""Loudest sample of what counts as silence, and of what is surely heard; full scale 1."""
WHOLE_S, PART_S = 8, 10.0
"""Shorter titles are watched whole; longer ones, where that is asked for, in parts of so many seconds."""


class Reference:
    """Frames by number, and when each is shown.

    Args:
        listing: the package.
        keys: key id -> key, hexadecimal; needed where its own encrypted segments are the truth.
        source: the mezzanine; None where it is not at hand, so that only players are tested, not the encode.
    """

    def __init__(self, listing: Listing, keys: Mapping[str, str], source: Path | None) -> None:
        self._listing, self._keys, self._source = listing, keys, source
        self._kept: dict[tuple[str, int], Grey] = {}
        self._own: dict[tuple[str, int], Grey] = {}
        self._firsts: dict[str, list[int]] = {}

    @cached_property
    def times(self) -> list[Fraction]:
        """Presentation time of every frame, seconds, rising; of transport streams from the first one on, as players count."""
        times = sorted(packaged_timeline(self._listing.folder(self._best), self._best.segments).times)
        return [time - times[0] for time in times] if self._best.streams else times

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

    def watched(self, *, whole: bool) -> list[tuple[int, int]]:
        """Half-open ranges of frames that are watched one by one: all, or the beginning, a joint, the named frames, the end."""
        total = len(self.times)
        if whole or self.times[-1] <= WHOLE_S:
            step = max(1, self.number(PART_S))
            return [(start, min(total, start + step)) for start in range(0, total, step)]
        middles = [0, self.boundary[len(self.boundary) // 2], *self.named, total - 1]
        half = max(1, self.number(1.0) // 2)
        return [(max(0, middle - half), min(total, middle + half)) for middle in sorted(middles)]

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

    def key_before(self, time: float) -> int:
        """The last key frame at or before a time, or the first one."""
        line = packaged_timeline(self._listing.folder(self._best), self._best.segments)
        numbers = [line.number(place) for place in line.keys]
        return max((number for number in numbers if self.times[number] <= time + 1e-3), default=0)

    def near(self, number: int, each: Listed | None = None) -> dict[int, Grey]:
        """A frame and its neighbours, as a rendition should have them."""
        window = range(max(0, number - NEAR), min(len(self.times), number + NEAR + 1))
        return {near: self.picture(near, each) for near in window}

    def picture(self, number: int, each: Listed | None = None) -> Grey:
        """A frame as it would be seen, in the dynamic range of a rendition where one is named."""
        truth = self._truth(each)
        name = truth.name if truth else ""
        if (name, number) not in self._kept:
            pictures = self._own_pictures(number, truth) if truth else self._source_pictures(number)
            self._kept |= {(name, place): picture for place, picture in pictures}
        return self._kept[name, number]

    def _truth(self, each: Listed | None) -> Listed | None:
        """The largest rendition in the range of this one; None for the source, where that is in the same range."""
        shown = each.dynamic_range if each else self._best.dynamic_range
        if self._source and (not each or shown in ("", range_of(self._info.video))):
            return None
        alike = [one for one in self._listing.of("video") if one.dynamic_range == shown]
        return max(alike, key=lambda one: one.size)

    def _source_pictures(self, number: int) -> Iterator[tuple[int, Grey]]:
        from pipelines.report.pictures import shown

        info = self._info
        part = FrameRange(max(0, number - AROUND), min(info.frame_count, number + AROUND + 1))
        for frame in frames(str(self._source), part, info=info):
            from pipelines.conformance.pictures import VIEW, blocks

            yield frame.index, blocks(shown(frame, info.video, VIEW, "gray").astype(float))

    def own(self, each: Listed, number: int) -> dict[int, Grey]:
        """A frame and its neighbours as a rendition itself has them; the truth's where it does not decode.

        A small rendition may repeat a picture where the source moves a little: only its own frames tell them apart.
        """
        window = range(max(0, number - NEAR), min(len(self.times), number + NEAR + 1))
        try:
            for near in window:
                if (each.name, near) not in self._own:
                    self._own.update(self._around(each, near))
            return {near: self._own[each.name, near] for near in window}
        except (OSError, ValueError, LookupError):
            return self.near(number)

    def _around(self, each: Listed, number: int) -> Iterator[tuple[tuple[str, int], Grey]]:
        """Frames of its segment that are near."""
        place, first = self._segment(number, each)
        for offset, picture in enumerate(decoded(self._listing, each, each.segments[place], self._keys)):
            if abs(first + offset - number) <= AROUND or first + offset == number:
                yield (each.name, first + offset), grey_of_frame(picture)

    @cached_property
    def loud(self) -> tuple[float, float]:
        """Where the first sound rendition is loud, seconds, and how loud, full scale 1; nothing to hear is (0, 0)."""
        found = (0.0, 0.0)
        for each in self._listing.of("audio")[:1]:
            for segment in each.segments:
                for block in decoded(self._listing, each, segment, self._keys):
                    peak = _peak(block)
                    if peak > found[1]:
                        found = max(0.0, float(block.time or 0)), peak
                    if peak >= LOUD:
                        return found
        return found

    @cached_property
    def silent(self) -> bool:
        """The source is known, and has no sound that could be heard."""
        import av

        if self._source is None:
            return False
        with av.open(str(self._source)) as container:
            for stream in container.streams.audio:
                container.seek(0)
                if any(_peak(block) >= SILENT for block in container.decode(stream)):
                    return False
        return True

    @cached_property
    def _info(self) -> Any:
        return probe(str(self._source))

    def _own_pictures(self, number: int, truth: Listed) -> Iterator[tuple[int, Grey]]:
        place, first = self._segment(number, truth)
        pictures = decoded(self._listing, truth, truth.segments[place], self._keys)
        for offset, picture in enumerate(pictures):
            yield first + offset, grey_of_frame(picture)

    def _segment(self, number: int, each: Listed) -> tuple[int, int]:
        """Which segment of a rendition a frame is in, and the number of the segment's first frame."""
        if each.name not in self._firsts:
            folder = self._listing.folder(each)
            counts = [segment_packets(folder / name) for name in each.segments]
            self._firsts[each.name] = list(accumulate(counts, initial=0))[:-1]
        firsts = self._firsts[each.name]
        place = bisect_right(firsts, number) - 1
        return place, firsts[place]


def decoded(listing: Listing, each: Listed, segment: str, keys: Mapping[str, str]) -> Iterator[Any]:
    """The pictures or blocks of sound of one segment, decrypted, in presentation order.

    Raises:
        av.error.FFmpegError: it does not decode.
    """
    return decoded_bytes(listing, each, (listing.folder(each) / segment).read_bytes(), keys)


def decoded_bytes(listing: Listing, each: Listed, media: bytes, keys: Mapping[str, str]) -> Iterator[Any]:
    """The same of bytes of a segment."""
    import av

    key = keys.get(str(each.meant.get("key_id", "")))
    options = {"decryption_key": key} if key else {}
    with av.open(io.BytesIO(init_bytes(listing, each) + media), "r", options=options) as container:
        stream = container.streams[0]
        stream.codec_context.options = {"err_detect": "explode"}
        yield from container.decode(stream)


def _peak(block: Any) -> float:
    """Loudest sample of a block of sound, full scale 1."""
    import numpy as np

    samples = block.to_ndarray()
    full = float(np.iinfo(samples.dtype).max) if samples.dtype.kind == "i" else 1.0
    return float(np.abs(samples.astype(np.float64)).max(initial=0)) / full
