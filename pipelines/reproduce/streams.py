"""Where two files begin to differ: by packet and by decoded frame where they are media, else by byte."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from archer.media import frames, probe
from cinemill_native.frames import Frame

BLOCK = 1 << 20


def where_they_differ(one: Path, other: Path) -> str:
    """In words: the first packet and the first picture, or the first byte; empty where they are equal."""
    if one.suffix in (".mp4", ".mkv"):
        packet = first_packet(one, other)
        if packet:
            return "; ".join(filter(None, (packet, first_picture(one, other))))
    place = first_byte(one, other)
    return "" if place is None else f"from byte {place} on"


def first_byte(one: Path, other: Path) -> int | None:
    """Offset of the first byte that differs, which may be the end of the shorter file; None where they are equal."""
    with one.open("rb") as first, other.open("rb") as second:
        offset = 0
        while True:
            left, right = first.read(BLOCK), second.read(BLOCK)
            if left != right:
                shorter = min(len(left), len(right))
                differs = np.flatnonzero(
                    np.frombuffer(left[:shorter], np.uint8) != np.frombuffer(right[:shorter], np.uint8)
                )
                return offset + (int(differs[0]) if len(differs) else shorter)
            if not left:
                return None
            offset += len(left)


def first_packet(one: Path, other: Path) -> str:
    """The first packet that differs in bytes or times, in words; empty where all are equal."""
    for place, (left, right) in enumerate(zip_longest(_packets(one), _packets(other))):
        if left is None or right is None:
            side = "recorded" if left is None else "new"
            return f"the {side} file ends before packet {place}"
        if left != right:
            what = "its content" if left[2] != right[2] else "its time"
            return f"packet {place} ({left[0]}, at {left[1]:.3f} s): {what}"
    return ""


def first_picture(one: Path, other: Path) -> str:
    """The first decoded picture that differs, in words; empty where there are no pictures."""
    infos = [probe(str(path)) for path in (one, other)] if has_video(one) and has_video(other) else []
    if not infos:
        return ""
    sides = (frames(str(path), info=info) for path, info in zip((one, other), infos, strict=True))
    for place, (left, right) in enumerate(zip_longest(*sides)):
        if left is None or right is None:
            return f"{place} pictures are equal, then one file ends"
        most = _most(left, right)
        if most is None:
            return "the pictures differ in size or format"
        if most:
            return f"frame {place} is the first picture that differs, by up to {most} per sample"
    return "all pictures are equal"


def has_video(path: Path) -> bool:
    """True where a media file has a video stream."""
    import av

    with av.open(str(path), "r") as container:
        return bool(container.streams.video)


def _most(left: Frame, right: Frame) -> int | None:
    """Greatest difference of a sample; None where the planes are not of one shape."""
    most = 0
    for one, other in zip(left.planes, right.planes, strict=False):
        first, second = one.samples, other.samples
        if first.shape != second.shape:
            return None
        if not np.array_equal(first, second):
            most = max(most, int(np.abs(first.astype(np.int32) - second).max()))
    return most if len(left.planes) == len(right.planes) else None


def _packets(path: Path) -> Iterator[tuple[str, float, bytes]]:
    """Type, decoding time in seconds and content of each packet, in file order."""
    import av

    with av.open(str(path), "r") as container:
        for packet in container.demux():
            if packet.size:
                yield packet.stream.type, _seconds(packet), bytes(packet)


def _seconds(packet: Any) -> float:
    return float((packet.dts or 0) * packet.time_base)
