"""`frames(asset, range)` yields exactly the frames and times of a straight decode, for any range of any clip."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import av
import pytest

from archer.media import FrameRange, FrameRangeError, MediaInfo, frames, probe
from cinemill_native.frames import Frame

SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[3] / "shared"))
LONG = {"8k24_300ms.mp4", "phone_4k60_rot_fullrange.mp4", "bbb_1080p24_51.mp4", "popeye_p2_1072p24_pgs.mkv", "popeye_p3_1072p24_pgs.mkv",
        "screen_vfr_1080p.mkv", "sintel_trailer_540p24.mp4", "sintel_scene_480p25.mp4", "sintel_dark_720p30.mp4", "coffee_720p30.mp4",
        "dog_720p30.mp4", "butterfly_720p30.mp4", "multitrack_3audio_2subs.mp4", "roof_pan_360p30.mp4", "cars_432p12.mp4"}
NOT_DECODABLE = {"resolution_change.ts", "mp4_truncated_60pct_moov_first.mp4"}


def decodable() -> list[str]:
    """Every video clip that decodes, by its path below clips/."""
    found = []
    for folder in ("", "awkward/"):
        manifest = SHARED / "clips" / folder / "MANIFEST.json"
        if manifest.exists():
            for entry in json.loads(manifest.read_bytes())["files"]:
                if entry.get("frames", entry.get("pyav_frames", 0)) and "cover_art" not in entry["file"]:
                    found.append(folder + entry["file"])
    return [name for name in found if Path(name).name not in NOT_DECODABLE] or ["absent"]


def fingerprint(frame: Frame) -> tuple[int, str]:
    digest = hashlib.blake2b(digest_size=12)
    for plane in frame.planes:
        digest.update(plane.samples.tobytes())
    return frame.pts, digest.hexdigest()


def straight(path: Path) -> Iterator[tuple[int | None, str]]:
    """A straight decode with PyAV alone: pts and hash of the planes of every frame."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic)
        stream.codec_context.thread_count = 1  # what is concealed in damaged frames depends on it
        for packet in container.demux(stream):
            try:
                pictures = packet.decode()
            except av.FFmpegError:
                continue
            for picture in pictures:
                digest = hashlib.blake2b(digest_size=12)
                digest.update(b"".join(_rows(picture)))
                yield picture.pts, digest.hexdigest()


def _rows(picture: av.VideoFrame) -> Iterator[bytes]:
    size = 2 if max(c.bits for c in picture.format.components) > 8 else 1
    for plane in picture.planes:
        data = bytes(plane)
        for row in range(plane.height):
            yield data[row * plane.line_size : row * plane.line_size + plane.width * size]


@cache
def truth(path: Path) -> tuple[MediaInfo, list[tuple[int | None, str]]]:
    return probe(str(path)), list(straight(path))


def ranges(info: MediaInfo, *, every_start: bool, extra: int, seed: int) -> Iterator[FrameRange]:
    """Starts x lengths {1, 2, GOP + 1}, and random ranges."""
    n, dice = info.frame_count, random.Random(seed)
    keys = info.index.keys.tolist() or [0]
    gop = min(60, max((b - a for a, b in zip(keys, [*keys[1:], n], strict=True)), default=1))
    near_keys = {k + d for k in dice.sample(keys, min(3, len(keys))) for d in (-1, 0, 1)}
    starts = range(n) if every_start else sorted({0, n - 1, *near_keys} & set(range(n)))
    for start in starts:
        for length in (1, 2, gop + 1):
            yield FrameRange(start, min(n, start + length))
    for _ in range(extra):
        start = dice.randrange(n)
        yield FrameRange(start, min(n, start + dice.randint(1, 40)))


def check(path: Path, wanted: Iterator[FrameRange]) -> None:
    info, expected = truth(path)
    assert info.frame_count == len(expected)
    for part in wanted:
        got = [fingerprint(frame) for frame in frames(str(path), part, info=info)]
        assert len(got) == len(part), part
        assert [digest for _, digest in got] == [expected[i][1] for i in part], part
        assert [pts for pts, _ in got] == info.index.pts[part.start : part.end].tolist(), part
        if info.index.seekable and "avi" not in info.container:
            assert [pts for pts, _ in got] == [expected[i][0] for i in part], part


@pytest.mark.shared
@pytest.mark.parametrize("name", decodable())
def test_a_sample_of_ranges(name: str, clips: Path) -> None:
    if Path(name).name in LONG:
        pytest.skip("long or large: in the full version only")
    info, _ = truth(clips / name)
    few = list(ranges(info, every_start=False, extra=2, seed=1))
    check(clips / name, iter(random.Random(2).sample(few, min(8, len(few)))))


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", decodable())
def test_every_start_and_200_random_ranges(name: str, clips: Path) -> None:
    info, _ = truth(clips / name)
    check(clips / name, ranges(info, every_start=True, extra=200, seed=3))


def test_ranges_beyond_the_title_are_refused(bbb: Path) -> None:
    with pytest.raises(FrameRangeError, match="132"):
        list(frames(str(bbb), FrameRange(130, 133)))


def test_frames_stay_valid_after_the_next_one(bbb: Path) -> None:
    kept = list(frames(str(bbb), FrameRange(20, 30)))
    again = [fingerprint(frame) for frame in frames(str(bbb), FrameRange(20, 30))]
    assert [fingerprint(frame) for frame in kept] == again
