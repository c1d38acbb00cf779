"""Tests by decoding: every frame of every segment, by FFmpeg's decoders in our own process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from pipelines.conformance.listing import Listed, Listing
from pipelines.conformance.pictures import BOUND_DB, grey_of_frame, nearest
from pipelines.conformance.reference import SILENT, Reference, decoded, decoded_bytes
from pipelines.packaging.argv import IFRAMES
from pipelines.packaging.boxes import read_fragment, read_init
from pipelines.packaging.check import packaged_timeline

RANGES = re.compile(r"#EXTINF:([\d.]+),\n#EXT-X-BYTERANGE:(\d+)@(\d+)\n(\S+)")
LATE = 0.1
"""Seconds by which a key frame may be away from where a playlist in milliseconds has it, after many of them."""


@dataclass(slots=True)
class Found:
    """What a test found.

    Attributes:
        problems: what is wrong, in words; empty where it passed.
        measured: numbers with their unit in the name.
        pictures: name -> PNG, to be kept as evidence.
    """

    problems: list[str] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What tests share.

    Attributes:
        listing: the package.
        reference: the truth.
        keys: key id -> key, hexadecimal.
    """

    listing: Listing
    reference: Reference
    keys: Mapping[str, str]


def decode(bench: Bench, each: Listed) -> Found:
    """Everything decodes, and nothing is missing; sound is not silent."""
    found, count, loudest = Found(), 0, 0.0
    for segment in each.segments:
        try:
            for picture in decoded(bench.listing, each, segment, bench.keys):
                count += 1
                if each.kind == "audio":
                    loudest = max(loudest, float(np.abs(picture.to_ndarray()).max(initial=0)))
        except (OSError, ValueError) as error:
            found.problems.append(f"{each.name}/{segment} does not decode: {error}")
            return found
    found.measured["frames"] = count
    wanted = int(each.meant.get("packets", count))
    if each.kind == "video" and count != wanted:
        found.problems.append(f"{count} frames come out, {wanted} went in")
    if each.kind == "audio":
        found.measured["loudest"] = loudest
        if loudest < SILENT and not bench.reference.silent:
            found.problems.append("it is silent from beginning to end; name the --source if that is, too")
    return found


def decrypt(bench: Bench, each: Listed) -> Found:
    """Encrypted segments decrypt with the key of the store: they decode, and show what they should."""
    if str(each.meant["key_id"]) not in bench.keys:
        return Found(
            problems=[f"there is no key {each.meant['key_id']}; name the key store with --key-store"]
        )
    return pictures(bench, each) if each.kind == "video" else decode(bench, each)


def pictures(bench: Bench, each: Listed) -> Found:
    """At the named frames, the decoder gives the right pictures, and like enough to the truth.

    One frame that looks more like its neighbour's source is what coding may do to a small picture; most of them are a shift.
    """
    found = Found()
    likes: list[float] = []
    shifts: list[int] = []
    times = sorted(packaged_timeline(bench.listing.folder(each), each.segments).times)
    for number in bench.reference.named:
        if number >= len(times):
            found.problems.append(f"frame {number} is missing: there are {len(times)}")
            continue
        try:
            seen = _frame(bench, each, float(times[number]))
        except (OSError, ValueError, LookupError) as error:
            found.problems.append(f"frame {number} does not decode: {error}")
            continue
        shown, like = nearest(seen, bench.reference.near(number, each), number)
        likes.append(like)
        shifts.append(shown - number)
        if like < BOUND_DB:
            found.problems.append(f"frame {number} has {like:.1f} dB against the truth, wanted {BOUND_DB:g}")
    if likes:
        found.measured["least_db"] = min(likes)
    shift = max(shifts, key=shifts.count, default=0)
    if shift and shifts.count(shift) * 2 > len(shifts):
        found.problems.append(f"pictures are {shift:+d} frames from where they should be")
    return found


def iframes(bench: Bench, each: Listed) -> Found:
    """Each byte range of the playlist for trick play holds a key frame that decodes alone, at the time that it says."""
    found, at, count = Found(), Fraction(0), 0
    folder = bench.listing.folder(each)
    for length, size, start, name in RANGES.findall((folder / IFRAMES).read_text(encoding="utf-8")):
        piece = (folder / name).read_bytes()[int(start) : int(start) + int(size)]
        try:
            picture = next(decoded_bytes(bench.listing, each, piece, bench.keys))
        except (OSError, ValueError, StopIteration) as error:
            found.problems.append(f"bytes {start} and on of {name} do not decode alone: {error}")
            return found
        if not picture.key_frame or abs(picture.time - at) > LATE:
            found.problems.append(
                f"a frame of {picture.time:.3f} s is where the playlist has {float(at):.3f} s"
            )
        at, count = at + Fraction(length), count + 1
    found.measured["key_frames"] = count
    if not count:
        found.problems.append("its playlist for trick play lists no key frame")
    return found


def _frame(bench: Bench, each: Listed, time: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The frame that plays at a time: taken from the segment whose own clock covers it."""
    folder = bench.listing.folder(each)
    init = read_init((folder / "init.mp4").read_bytes())
    for segment in each.segments:
        part = read_fragment((folder / segment).read_bytes(), init)
        start = part.start / init.timescale
        if not start - 1e-4 <= time < start + part.duration / init.timescale - 1e-4:
            continue
        for picture in decoded(bench.listing, each, segment, bench.keys):
            if picture.time is not None and abs(picture.time - time) < 1e-3:
                return grey_of_frame(picture)
    raise LookupError(f"nothing plays at {time:.3f} s")


def tests_of(each: Listed) -> Iterator[str]:
    """Names of the decoder's tests of a rendition."""
    if each.kind == "text":
        return
    yield "decode"
    if each.protected:
        yield "decrypt"
    if each.kind == "video" and not each.streams:
        yield "iframes"
    if each.kind == "video" and not each.streams:
        yield "pictures"


RUN = {"decode": decode, "decrypt": decrypt, "pictures": pictures, "iframes": iframes}
