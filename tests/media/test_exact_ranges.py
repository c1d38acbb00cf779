"""`frames(asset, range)` yields exactly the frames and times of a straight decode, for any range of any clip."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
import random
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from archer.media import FrameRange, FrameRangeError, MediaInfo, frames, probe
from archer.media.reader import Entry, Reader
from cinemill_native.frames import Frame

SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[3] / "shared"))
REFUSED = {"resolution_change.ts", "audio_with_cover_art.m4a"}
"""Pictures of two sizes in one stream, and a still picture: see test_probe.py."""

HUGE = {"8k24_300ms.mp4", "phone_4k60_rot_fullrange.mp4"}
"""Where a few frames take seconds."""
HEAD, QUICK, FULL = 3e7, 1e7, 8e8
"""Samples of luma: of the straight decode that the quick tests compare with, and of the ranges that one test decodes by
themselves. One core decodes and hashes about 2e8 in a second."""


def decodable() -> list[str]:
    """Every video clip that decodes, by its path below clips/."""
    found = []
    for folder in ("", "awkward/"):
        manifest = SHARED / "clips" / folder / "MANIFEST.json"
        entries = json.loads(manifest.read_bytes())["files"] if manifest.exists() else []
        found += [
            folder + entry["file"] for entry in entries if entry.get("frames", entry.get("pyav_frames"))
        ]
    return [name for name in found if Path(name).name not in REFUSED] or ["absent"]


@dataclass(frozen=True)
class Picture:
    """What identifies a decoded picture, without holding its memory."""

    pts: int | None
    is_corrupt: bool
    digest: str


def taken(picture: av.VideoFrame) -> Picture:
    """Hash the visible samples of a picture, read without any code of ours."""
    digest = hashlib.blake2b(digest_size=12)
    size = 2 if max(component.bits for component in picture.format.components) > 8 else 1
    for plane in picture.planes:
        rows = np.frombuffer(plane, np.uint8)[: plane.height * plane.line_size].reshape(
            plane.height, plane.line_size
        )
        digest.update(np.ascontiguousarray(rows[:, : plane.width * size]))
    return Picture(picture.pts, picture.is_corrupt, digest.hexdigest())


def fingerprint(frame: Frame) -> tuple[int, str]:
    digest = hashlib.blake2b(digest_size=12)
    for plane in frame.planes:
        digest.update(np.ascontiguousarray(plane.samples))
    return frame.pts, digest.hexdigest()


def straight(path: Path) -> Iterator[Picture]:
    """A straight decode with PyAV alone."""
    with av.open(str(path)) as container:
        still = av.stream.Disposition.attached_pic
        stream = next(one for one in container.streams.video if not one.disposition & still)
        stream.codec_context.thread_count = 1  # what is concealed in damaged frames depends on it
        for packet in container.demux(stream):
            try:
                pictures = packet.decode()
            except av.FFmpegError:
                continue
            yield from map(taken, pictures)


@cache
def truth(path: Path, samples: float = HEAD) -> tuple[MediaInfo, list[Picture]]:
    """Facts of a title, and the pictures at its start that hold so many samples."""
    info = probe(str(path))
    count = min(info.frame_count + 1, max(4, samples / (info.video.width * info.video.height)))
    return info, list(itertools.islice(straight(path), int(count)))


def longest_gop(info: MediaInfo) -> int:
    borders = sorted({0, *info.index.keys.tolist(), info.frame_count})
    return max(end - start for start, end in itertools.pairwise(borders))


def cost(info: MediaInfo, part: FrameRange) -> float:
    """Samples to decode for a range: from the key frame before it to its end."""
    entry = next(info.index.entries(part.start))
    return (part.end - (entry[0] if entry else 0)) * info.video.width * info.video.height


def affordable(info: MediaInfo, parts: Sequence[FrameRange], budget: float) -> Iterator[FrameRange]:
    """At least one, then as many ranges as the budget allows."""
    for place, part in enumerate(parts):
        budget -= cost(info, part)
        if budget < 0 and place:
            return
        yield part


def at_random(n: int, count: int, *, seed: int) -> list[FrameRange]:
    dice = random.Random(seed)
    starts = [dice.randrange(n) for _ in range(count)]
    return [FrameRange(start, min(n, start + dice.randint(1, 40))) for start in starts]


def around_keys(info: MediaInfo, n: int, *, seed: int) -> list[FrameRange]:
    """Short ranges of the first `n` frames, at the borders of GOPs and at both ends, in random order."""
    borders = {0, n, *info.index.keys.tolist()}
    starts = {border + step for border in borders for step in (-2, -1, 0, 1)} & set(range(n))
    lengths = (1, 2, min(longest_gop(info), 30) + 1)
    found = [FrameRange(start, min(n, start + length)) for start in sorted(starts) for length in lengths]
    random.Random(seed).shuffle(found)
    return found


def assert_exact(path: Path, info: MediaInfo, expected: Sequence[Picture], part: FrameRange) -> None:
    wanted = expected[part.start : part.end]
    got = [fingerprint(frame) for frame in frames(str(path), part, info=info)]
    assert [digest for _, digest in got] == [picture.digest for picture in wanted], part
    assert [pts for pts, _ in got] == [picture.pts for picture in wanted], part


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in HUGE)) for name in decodable()]
)
def test_ranges_around_key_frames_and_at_random(name: str, clips: Path) -> None:
    """A sample of the test below, in the first seconds of the clip."""
    info, expected = truth(clips / name)
    n = min(info.frame_count, len(expected))
    parts = [*around_keys(info, n, seed=1)[:5], *at_random(n, 3, seed=2)]
    random.Random(5).shuffle(parts)
    for part in affordable(info, parts, QUICK):
        assert_exact(clips / name, info, expected, part)


class Replay(Reader):
    """A reader that decodes from each entry only once, however many ranges ask for it, and keeps only hashes.

    What a decoder gives from an entry on does not depend on the range, but for pictures before it that are left out;
    which of it is given on does, and that is what runs for every range.
    """

    def __init__(self, url: str, info: MediaInfo) -> None:
        super().__init__(url, info)
        self._begun: dict[Entry, tuple[list[Picture], Generator[Any]]] = {}

    def _decode(self, entry: Entry, wanted: FrameRange) -> Generator[Any]:
        start = 0 if entry is None else entry[0]
        whole = super()._decode(entry, FrameRange(start, max(start + 1, self._info.frame_count)))
        kept, source = self._begun.setdefault(entry, ([], whole))
        place = 0
        while True:
            if place == len(kept):
                picture = next(source, None)
                if picture is None:
                    return
                kept.append(taken(picture))
            yield kept[place]
            place += 1


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", decodable())
def test_every_start_and_200_random_ranges(name: str, clips: Path) -> None:
    """Every start x lengths {1, 2, GOP + 1} and 200 random ranges; as many of them as time allows without `Replay`."""
    info, expected = truth(clips / name, math.inf)
    n, gop = info.frame_count, longest_gop(info)
    assert len(expected) == n
    every = [FrameRange(start, min(n, start + length)) for start in range(n) for length in (1, 2, gop + 1)]
    chosen = at_random(n, 200, seed=3)
    reader = Replay(str(clips / name), info)
    for part in every + chosen:
        assert list(reader.pictures(part)) == [(place, expected[place]) for place in part]
    random.Random(4).shuffle(every)
    for part in [*affordable(info, every, FULL), *affordable(info, chosen, FULL)]:
        assert_exact(clips / name, info, expected, part)


@pytest.mark.shared
@pytest.mark.parametrize("name", decodable())
def test_decoding_starts_at_the_nearest_key_frame(name: str, clips: Path) -> None:
    """A seek that silently fell back to the start of the title would be exact, and far too slow."""
    info = truth(clips / name)[0]
    reader = Reader(str(clips / name), info)
    place = int(info.index.keys[-1]) if len(info.index.keys) else 0
    assert [found for found, _ in reader.pictures(FrameRange(place, place + 1))] == [place]
    assert reader.restarts == 0
    assert reader.decoded <= 1 + 8  # leading pictures are decoded, too


def test_every_range_of_every_kind_of_clip(recipe: str, made: Callable[[str], Path]) -> None:
    """Every start x lengths {1, 2, GOP + 1}, and the whole, on clips made here, with no shortcut."""
    info, expected = truth(made(recipe), math.inf)
    n, gop = info.frame_count, longest_gop(info)
    assert len(expected) == n
    for start in range(n):
        for length in {1, 2, gop + 1}:
            assert_exact(made(recipe), info, expected, FrameRange(start, min(n, start + length)))
    assert_exact(made(recipe), info, expected, FrameRange(0, n))


class Counting(Reader):
    """Counts the packets that go into decoders; where `early` says so, a decoder gets only so many before its end."""

    fed, early = 0, 0

    def _packets(self, *args: Any) -> Iterator[Any]:
        for packet in super()._packets(*args):
            self.fed += packet is not None
            yield packet

    def _needed(self, found: Iterator[Any], wanted: FrameRange) -> Iterator[Any]:
        if not (self.early and self.hasty):
            yield from super()._needed(found, wanted)
            return
        yield from itertools.islice(found, self.early)
        yield None


@pytest.mark.parametrize("name", ["h264.mp4", "open_gop.mp4", "hevc.mp4", "vp9.webm", "av1.mkv"])
def test_nothing_that_comes_after_a_range_is_decoded(name: str, made: Callable[[str], Path]) -> None:
    info = probe(str(made(name)))
    with av.open(str(made(name))) as container:
        order = [info.index.place(packet.pts) for packet in container.demux(video=0) if packet.size]
    for end in range(1, info.frame_count + 1):
        reader = Counting(str(made(name)), info)
        assert [place for place, _ in reader.pictures(FrameRange(0, end))] == list(range(end))
        assert reader.fed == 1 + max(order.index(place) for place in range(end))
        assert reader.restarts == 0


def test_a_decoder_that_was_stopped_too_early_begins_again(made: Callable[[str], Path]) -> None:
    """Where a container counts its packets otherwise than it shows them."""
    info, expected = truth(made("h264.mp4"), math.inf)
    for early in (1, 3, 9):
        reader = Counting(str(made("h264.mp4")), info)
        reader.early = early
        found = {place: taken(picture) for place, picture in reader.pictures(FrameRange(4, 20))}
        assert list(found.values()) == expected[4:20]
        assert reader.restarts == 1


def test_ranges_beyond_the_title_are_refused(bbb: Path) -> None:
    with pytest.raises(FrameRangeError, match="132"):
        list(frames(str(bbb), FrameRange(130, 133)))


def test_frames_stay_valid_after_the_next_one(bbb: Path) -> None:
    kept = list(frames(str(bbb), FrameRange(20, 30)))
    again = [fingerprint(frame) for frame in frames(str(bbb), FrameRange(20, 30))]
    assert [fingerprint(frame) for frame in kept] == again
