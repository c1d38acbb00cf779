"""What encoding in chunks costs: the same frames, quality and key frames, in chunks and in one process.

    python benchmarks/chunk_penalty.py [--codec x264] [--frames 240] [--out benchmarks/results/rd/chunk_penalty.json]

Each clip is encoded at several constant qualities: in chunks as the encode job makes them, joined; and by one encoder process
that is told to put key frames exactly where the chunks have theirs. Both are scored with VMAF, and compared by BD-rate: how many
more bits the chunks take at equal quality. Bytes are those of the coded pictures, without the container.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from archer.media import FrameRange, MediaInfo, frames, probe
from archer.media.convert import Converter
from archer.media.layout import layout_named
from archer.media.nut import write_nut
from archer.process import Child
from encoder import EncodeSettings, Rung, assemble, encode_chunk
from encoder.chunk import _argv
from vmaf import NativeScorer, bd_rate, model_named

SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
CLIPS = ("dog_720p30.mp4", "sintel_trailer_540p24.mp4", "tos_battle_a_800x332.webm", "bbb_1080p24_51.mp4")
HEIGHT = 360
QUALITIES = {
    "x264": ("20", "25", "30", "35"),
    "x265": ("22", "27", "32", "37"),
    "svtav1": ("24", "34", "44", "54"),
}
PRESETS = {"x264": "medium", "x265": "fast", "svtav1": "8"}
OPEN_STRUCTURE = {
    "x264": "keyint=infinite:min-keyint=1:zones=0,0,b=1",
    "x265": "keyint=-1:min-keyint=1",
    "svtav1": "keyint=-1:enable-force-key-frames=1",
}
"""What lets the one process put key frames where it is told and nowhere else, and begin as the encoder would by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One encode: its way (`chunks` or `single`), quality, bytes of pictures, mean and harmonic VMAF, key frames."""

    way: str
    crf: str
    payload: int
    vmaf: float
    harmonic: float
    keys: tuple[int, ...]


def measure(clip: Path, codec: str, count: int, chunk_s: int) -> list[Point]:
    """All points of the first `count` frames of a clip, in chunks of `chunk_s` seconds."""
    whole = probe(str(clip))
    info = _shortened(whole, min(count, whole.frame_count))
    width = 2 * round(HEIGHT * info.video.width / info.video.height / 2)
    rung = Rung(name=f"{HEIGHT}p", width=width, height=HEIGHT)
    points = []
    for crf in QUALITIES[codec]:
        settings = EncodeSettings(codec=codec, crf=crf, preset=PRESETS[codec], gop_s="2")
        with tempfile.TemporaryDirectory() as folder:
            chunked = _chunked(clip, info, rung, settings, Path(folder), chunk_s)
            keys = _keys(chunked)
            single = _single(clip, info, rung, settings, keys, Path(folder))
            for way, path in (("chunks", chunked), ("single", single)):
                points.append(_point(way, crf, clip, info, path))
    return points


def _shortened(info: MediaInfo, count: int) -> MediaInfo:
    index = replace(info.index, pts=info.index.pts[:count], keys=info.index.keys[info.index.keys < count])
    positions = index.positions[: len(index.keys)]
    return replace(info, video=replace(info.video, frames=count), index=replace(index, positions=positions))


def _chunked(
    clip: Path, info: MediaInfo, rung: Rung, settings: EncodeSettings, folder: Path, chunk_s: int
) -> Path:
    length = round(chunk_s * info.video.frame_rate)
    chunks = []
    for start in range(0, info.frame_count, length):
        part = FrameRange(start, min(info.frame_count, start + length))
        chunks.append(folder / f"{start}.mp4")
        encode_chunk(frames(str(clip), part, info=info), info, rung, settings, chunks[-1])
    assemble(chunks, info, rung, folder / "chunks.mp4")
    return folder / "chunks.mp4"


def _single(
    clip: Path, info: MediaInfo, rung: Rung, settings: EncodeSettings, keys: Sequence[int], folder: Path
) -> Path:
    raw = folder / "raw.mp4"
    free = replace(settings, params=OPEN_STRUCTURE[settings.codec])
    argv = _argv(info, free, raw)
    step = 1 / Fraction(info.video.frame_rate)
    times = ",".join(f"{float(key * step):.6f}" for key in keys)
    forced = ["-g", "9999", "-force_key_frames", times]
    forced += ["-forced-idr", "1"] if settings.codec in ("x264", "x265") else []
    argv[-4:-4] = forced
    with Child(argv, feeds=1) as child:
        child.feed(0, lambda file: _write(file, clip, info, rung))
        child.finish()
    assemble([raw], info, rung, folder / "single.mp4")
    return folder / "single.mp4"


def _write(file: BinaryIO, clip: Path, info: MediaInfo, rung: Rung) -> None:
    shown = Converter(info, rung.width, rung.height, layout_named("yuv420p"), kernel="lanczos")
    write_nut(file, frames(str(clip), info=info), info.video, convert=shown)


def _keys(path: Path) -> tuple[int, ...]:
    import av

    with av.open(str(path)) as container:
        found = [packet for packet in container.demux(video=0) if packet.size]
    ordered = sorted(found, key=lambda packet: packet.pts or 0)
    return tuple(place for place, packet in enumerate(ordered) if packet.is_keyframe)


def _point(way: str, crf: str, clip: Path, info: MediaInfo, path: Path) -> Point:
    import av

    coded = probe(str(path))
    scores = NativeScorer().score(
        frames(str(clip), info=info),
        frames(str(path), info=coded),
        reference_info=info,
        distorted_info=coded,
        model=model_named("vmaf_v0.6.1"),
    )
    with av.open(str(path)) as container:
        payload = sum(packet.size for packet in container.demux(video=0))
    pooled = scores.pooled("vmaf")
    return Point(
        way=way, crf=crf, payload=payload, vmaf=pooled.mean, harmonic=pooled.harmonic_mean, keys=_keys(path)
    )


def penalty(points: Sequence[Point]) -> float:
    """Percent more bits of the chunks at equal mean VMAF."""
    curves = {
        way: sorted((point.payload, point.vmaf) for point in points if point.way == way)
        for way in ("single", "chunks")
    }
    return bd_rate(curves["single"], curves["chunks"]).value


def main() -> int:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codec", default="x264", choices=sorted(QUALITIES))
    parser.add_argument("--frames", type=int, default=240)
    parser.add_argument("--chunk-s", type=int, default=4)
    parser.add_argument("--clips", nargs="*", default=list(CLIPS))
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    rows = []
    for name in chosen.clips:
        points = measure(SHARED / "clips" / name, chosen.codec, chosen.frames, chosen.chunk_s)
        same = all(one.keys == points[0].keys for one in points)
        rows.append({"clip": name, "codec": chosen.codec, "penalty_pct": penalty(points), "same_keys": same})
        rows[-1]["points"] = [asdict(point) for point in points]
        print(
            f"{name:32} {chosen.codec}: {rows[-1]['penalty_pct']:+.2f} % bits, same key frames: {same}",
            flush=True,
        )
    if chosen.out:
        chosen.out.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
