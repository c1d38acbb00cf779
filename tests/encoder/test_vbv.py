"""Peak rates: the bucket says what a player's buffer holds, and coded chunks keep to it, whatever encoder made them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archer.media import FrameRange, frames, probe
from cinemill_native.frames import Frame
from encoder import EncodeSettings, Rung, assemble, codec_named, encode_chunk
from encoder.capped import coded_file, encode_capped, poorer
from encoder.codec_string import level_of
from encoder.errors import PeakBroken
from encoder.vbv import FULL_AT_START, Cap, Coded, fitting, fullness, heaviest_run, part_times

CAP = Cap(kbps=800, buffer_kbits=1600)


def coded(sizes: list[int], gop: int = 25, rate: int = 25) -> Coded:
    return Coded(
        sizes=sizes,
        times=[place / rate for place in range(len(sizes) + 1)],
        keys=list(range(0, len(sizes), gop)),
    )


def test_the_bucket_by_hand() -> None:
    """800 kbit are there; 50,000 bytes take 400, a 25th of a second brings 32 back."""
    least, last = fullness(coded([50_000, 10_000]), CAP)
    assert least == pytest.approx((800 - 400 + 32 - 80) / 1600)
    assert last == pytest.approx((800 - 400 + 32 - 80 + 32) / 1600)


def test_a_full_buffer_gets_no_fuller() -> None:
    assert fullness(coded([0] * 100), CAP)[1] == 1


def test_a_peak_alone_has_two_seconds_of_buffer() -> None:
    assert Cap.of(500) == Cap(kbps=500, buffer_kbits=1000)
    assert Cap.of(0, 700) is None


def test_runs_are_of_whole_gops_and_about_a_segment() -> None:
    """One second in four is heavy: four seconds of it at the most, two at the least, count together."""
    sizes = [1000] * 75 + [9000] * 25 + [1000] * 100
    assert heaviest_run(coded(sizes)) == pytest.approx((1000 + 9000) / 2 * 25 * 8 / 1000)
    assert heaviest_run(coded([4000] * 10)) == pytest.approx(4000 * 25 * 8 / 1000)


def test_runs_are_as_long_as_a_segment_is() -> None:
    """One second in eight is heavy: alone in a segment of one second, one of two in one of four, one of four in one of eight."""
    sizes = [1000] * 100 + [9000] * 25 + [1000] * 75
    heavy = {window: heaviest_run(coded(sizes), window) for window in (1, 4, 8)}
    assert heavy == pytest.approx({1: 1800, 4: (9000 + 1000) / 2 * 0.2, 8: (9000 + 3 * 1000) / 4 * 0.2})
    assert heaviest_run(coded(sizes, gop=50), 1) == pytest.approx((9000 + 1000) / 2 * 0.2)


def test_a_cap_holds_for_the_segments_that_there_will_be() -> None:
    """Two seconds of it are 1,200 kb/s: no more than 800 in any segment of eight seconds, but not in those of two."""
    calm = [2000] * 150 + [6000] * 50 + [2000] * 150
    wide, narrow = (Cap(kbps=800, buffer_kbits=8000, window_s=window) for window in (8, 2))
    assert fitting(coded(calm), wide) == 1
    share = fitting(coded(calm), narrow)
    assert share == pytest.approx(800 / 1200, rel=0.01)
    assert heaviest_run(coded([int(size * share) for size in calm]), 2) <= 800 * 1.001


SIZES = st.lists(st.integers(0, 60_000), min_size=1, max_size=120)


@settings(max_examples=60, deadline=None)
@given(SIZES)
def test_what_fits_fits_and_a_little_more_does_not(sizes: list[int]) -> None:
    share = fitting(coded(sizes), CAP)
    part = coded([int(size * share) for size in sizes])
    least, last = fullness(part, CAP)
    assert least >= -1e-5
    assert last >= FULL_AT_START - 1e-5
    assert heaviest_run(part) <= CAP.kbps * 1.001
    if share < 1:
        assert fitting(coded([int(size * min(1, share * 1.02)) + 2 for size in sizes]), CAP) < 1


@settings(max_examples=40, deadline=None)
@given(SIZES, SIZES)
def test_chunks_that_hold_hold_behind_one_another(one: list[int], other: list[int]) -> None:
    parts = [[int(size * fitting(coded(sizes), CAP)) for size in sizes] for sizes in (one, other)]
    least, last = fullness(coded(parts[0] + parts[1]), CAP)
    assert least >= -1e-4
    assert last >= FULL_AT_START - 1e-4


@pytest.mark.parametrize("name", ["x264", "x265", "svtav1", "vp9", "aom"])
def test_half_the_bytes_is_about_the_way_from_one_guess_to_the_other(name: str) -> None:
    codec = codec_named(name)
    good, less = (Decimal(guess) for guess in codec.first_guesses)
    assert poorer(codec, good, 0.5) == less
    assert poorer(codec, codec.quality[1], 0.5) == codec.quality[1]
    assert poorer(codec, good, 0.999) == good + codec.step


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x264", ["vbv-maxrate=800", "vbv-bufsize=1600", "vbv-init=0.5"]),
        ("x265", ["vbv-maxrate=800", "vbv-bufsize=1600", "vbv-init=0.5"]),
        ("svtav1", ["mbr=800"]),
    ],
)
def test_encoders_that_know_a_cap_are_told(name: str, words: list[str]) -> None:
    held = EncodeSettings(codec=name, peak_kbps=800)
    told, plain = (" ".join(codec_named(name).command(one, 50)) for one in (held, replace(held, peak_kbps=0)))
    assert all(word in told and word not in plain for word in words)


@pytest.mark.parametrize(
    "name",
    [
        "x264",
        "vp9",
        *(pytest.param(slow, marks=pytest.mark.slow) for slow in ("x265", "svtav1", "aom")),
    ],
)
def test_chunks_keep_to_a_peak_and_so_does_the_rendition(name: str, short: Path, tmp_path: Path) -> None:
    """Of one that knows a buffer and of one that knows none; two chunks, joined."""
    info, codec = probe(str(short)), codec_named(name)
    rung, cap = Rung(name="180p", width=320, height=180, peak_kbps=240, buffer_kbits=120), Cap.of(240, 120)
    assert cap is not None
    chosen = EncodeSettings(
        codec=name, crf=codec.first_guesses[0], preset=codec.presets[-1], gop_s="0.4", peak_kbps=240, buffer_kbits=120
    )  # fmt: skip
    chunks = []
    for start, end in pairwise((0, 18, 30)):
        part, chunk = FrameRange(start, end), tmp_path / f"{start}.mp4"

        def pictures(part: FrameRange = part) -> object:
            return frames(str(short), part, info=info)

        facts = encode_capped(pictures, info, part, rung, chosen, chunk)  # type: ignore[arg-type]
        assert Decimal(facts.crf) >= Decimal(chosen.crf)
        assert fitting(coded_file(chunk, part_times(info, part)), cap) == 1
        chunks.append(chunk)
    out = tmp_path / "out.mp4"
    found = assemble(chunks, info, rung, out)
    assert found.bitrate_kbps <= found.run_kbps <= found.cap_kbps == 240
    assert found.buffer_low >= 0
    assert not found.notices
    least, _ = fullness(coded_file(out, part_times(info, FrameRange(0, 30))), cap)
    assert found.buffer_low == pytest.approx(least, abs=1e-3)


def test_without_a_peak_the_same_clip_would_break_it(short: Path, tmp_path: Path) -> None:
    info, rung, out = probe(str(short)), Rung(name="180p", width=320, height=180), tmp_path / "free.mp4"
    part = FrameRange(0, 30)
    free = EncodeSettings(crf="21", preset="ultrafast", gop_s="0.4")
    facts = encode_capped(lambda: frames(str(short), part, info=info), info, part, rung, free, out)
    assert (facts.crf, facts.broken) == ("21", ())
    assert fitting(coded_file(out, part_times(info, part)), Cap(kbps=240, buffer_kbits=120)) < 0.9


def test_what_cannot_fit_says_so(short: Path, tmp_path: Path) -> None:
    info, rung, part = probe(str(short)), Rung(name="180p", width=320, height=180), FrameRange(0, 12)
    tight = EncodeSettings(crf="51", preset="ultrafast", peak_kbps=2, buffer_kbits=1)
    with pytest.raises(PeakBroken, match="allow a higher peak"):
        encode_capped(
            lambda: frames(str(short), part, info=info), info, part, rung, tight, tmp_path / "no.mp4"
        )


@pytest.mark.parametrize(
    ("name", "peak", "level"), [("x264", 500, 13), ("x265", 3000, 21), ("x265", 13_000, 40)]
)
def test_a_chunk_that_is_held_down_keeps_its_level(
    name: str, peak: int, level: int, short: Path, tmp_path: Path
) -> None:
    """The rate that it is coded with in the end would be one of a lower level; chunks with other headers cannot be joined."""
    info, rung, part = probe(str(short)), Rung(name="180p", width=320, height=180), FrameRange(0, 12)
    chosen = EncodeSettings(codec=name, crf="20", preset="ultrafast", gop_s="0.4", peak_kbps=peak)
    shares = iter((0.3, 1.0))

    def headers(path: Path) -> bytes:
        with av.open(str(path)) as container:
            return bytes(container.streams.video[0].codec_context.extradata or b"")

    def pictures() -> Iterator[Frame]:
        return frames(str(short), part, info=info)

    free, held = tmp_path / "free.mp4", tmp_path / "held.mp4"
    encode_chunk(pictures(), info, rung, chosen, free)
    encode_capped(pictures, info, part, rung, chosen, held, fits=lambda _: next(shares))
    assert headers(held) == headers(free)
    with av.open(str(held)) as container:
        assert level_of(container.streams.video[0].codec_context.name, headers(held)) == level
    lower = tmp_path / "lower.mp4"
    encode_chunk(pictures(), info, rung, replace(chosen, peak_kbps=int(peak * 0.3)), lower)
    assert headers(lower) != headers(free)
