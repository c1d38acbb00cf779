"""Every clip of the shared folder through the encode job: frame-exact, or refused with a clear error.

    python benchmarks/every_clip.py [--codec x264] [--only NAME ...] [--out benchmarks/results/every_clip.json]

Each clip goes through ingest, shots, encode, assemble, audio and subtitles at one small rung and a fast preset. Then the
rendition is decoded by a strict ffmpeg that we did not write, and compared with the source: the number of frames against
the manifests that came with the clips, every presentation time, and every picture with its own source picture and those
beside it. What is wanted of each clip is written down here, not taken from what comes out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
SIZE = (64, 36)
SKIPPED_NODES = frozenset({"score", "packaging", "report"})
REFUSED: dict[str, str] = {
    "audio_only.m4a": "no video",
    "audio_only_mono_8k.mp3": "no video",
    "audio_with_cover_art.m4a": "no video",
    "interlaced_tff_telecine_mpeg2.ts": "--deinterlace film",
    "mp4_truncated_60pct_moov_first.mp4": "truncated",
    "mp4_truncated_no_moov.mp4": "cut off",
    "resolution_change.ts": "picture size changes",
    "text_renamed.mp4": "not a media file",
    "zero_length.mp4": "empty",
    "music_fluffing_a_duck.mp3": "no video",
    "speech_jfk.flac": "no video",
}
"""Clips that must be refused, and words that must stand in the error."""
REMARKS: dict[str, str] = {
    "interlaced_tff_h264.mp4": "bwdif",
    "hdr10_hevc_mdcv_clli.mp4": "tone-mapped",
    "phone_hlg10_1080p_rot_editlist.mp4": "tone-mapped",
    "phone_pq10_av1_720x1280.mp4": "tone-mapped",
    "full_range_yuvj420p.mp4": "full-range",
    "odd_853x479_vp9.webm": "odd size",
    "prores422lt_10bit.mov": "converted to yuv420p",
    "rotated_90.mp4": "turned upright",
    "ts_corrupt_packets.ts": "damaged",
    "ts_missing_chunk.ts": "gap",
    "nasa_13013_multistream.mp4": "several videos",
}
"""Words that the notices of a clip must hold with x264: what was changed or is damaged is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a clip: `exact`, `refused`, or `wrong` with the reason."""

    clip: str
    state: str
    frames: int = 0
    wanted: int = 0
    words: str = ""


def clips(folder: Path) -> list[Path]:
    """Every clip of the manifests."""
    return sorted(folder / name for name in frame_counts(folder))


def frame_counts(folder: Path) -> dict[str, int]:
    """Frames of each clip as its manifest says: what PyAV decodes, edit lists applied."""
    open_clips = json.loads((folder / "MANIFEST.json").read_text())
    listed = open_clips["files"] if isinstance(open_clips, dict) else open_clips
    counts = {entry["file"]: int(entry.get("frames") or 0) for entry in listed}
    for entry in json.loads((folder / "awkward/MANIFEST.json").read_text())["files"]:
        counts[f"awkward/{entry['file']}"] = int(entry.get("pyav_frames") or 0)
    return counts


def check(clip: Path, wanted: int, *, codec: str = "x264", **settings: Any) -> Outcome:
    """Encode a clip and compare it.

    Args:
        clip: the file.
        wanted: frames that it shows.
        codec: of the rendition.
        settings: of the request.
    """
    from cinemill_native.errors import CinemillError

    name = clip.name
    try:
        with tempfile.TemporaryDirectory() as work:
            rendition, notices = _encoded(clip, Path(work), codec, settings)
            reason = _wrong(clip, rendition, wanted, codec, settings) or _unsaid(name, notices, codec)
            frames = len(_times(rendition))
    except CinemillError as error:
        words = str(error)
        fits = name in REFUSED and REFUSED[name] in words
        return Outcome(clip=name, state="refused" if fits else "wrong", wanted=wanted, words=words)
    if name in REFUSED and not settings:
        return Outcome(clip=name, state="wrong", frames=frames, wanted=wanted, words="it was to be refused")
    state = "wrong" if reason else "exact"
    return Outcome(clip=name, state=state, frames=frames, wanted=wanted, words=reason or "; ".join(notices))


def _encoded(clip: Path, work: Path, codec: str, settings: dict[str, Any]) -> tuple[Path, list[str]]:
    """The rendition, copied out of the job's store, and the notices."""
    from archer.media import identify
    from archer.plan import JobSpec
    from encoder import codec_named
    from pipelines.cli.session import run_job
    from pipelines.encode.job import RENDITIONS, encode_job, ladder_source
    from pipelines.encode.request import EncodeRequest, checked

    chosen = codec_named(codec)
    crf = str(round(float(chosen.quality[1]) * 0.6))
    request = EncodeRequest(codec=codec, crf=crf, preset=chosen.presets[-1], ladder="144p", **settings)
    spec = encode_job(identify(str(clip)), checked(request), title=clip.stem)
    kept = JobSpec(nodes=[node for node in spec.nodes if node.id not in SKIPPED_NODES])
    with run_job(kept, work_dir=str(work / "job"), workers=1, as_json=False, quiet=True, keep=True) as done:
        (part,) = done.parts(RENDITIONS)
        out = work / "rendition.mp4"
        out.write_bytes(done.store.path(part.outputs["rendition"]).read_bytes())
        return out, list(done.json(ladder_source(request))["notices"])


def _wrong(clip: Path, rendition: Path, wanted: int, codec: str, settings: dict[str, Any]) -> str:
    """Why a rendition is not its source; empty where it is."""
    from archer.media import frames, probe
    from archer.process import ffmpeg
    from pipelines.encode.request import EncodeRequest
    from pipelines.ingest.view import viewed

    url = str(clip)
    ffmpeg(["-xerror", "-err_detect", "explode", "-i", rendition, "-f", "null", "-"])
    stored = probe(url)
    request = EncodeRequest(codec=codec, **settings)
    info = viewed(stored, request.ingest, lambda facts, part: frames(url, part, info=facts))
    times, count = _times(rendition), wanted or stored.frame_count
    if stored.frame_count != count:
        return f"{count} frames wanted, {stored.frame_count} found in the source"
    if len(times) != info.frame_count:
        return f"{info.frame_count} frames wanted, {len(times)} came out"
    zero = int(info.index.pts[0])
    due = [(int(pts) - zero) * info.video.time_base for pts in info.index.pts]
    off = next((place for place, pair in enumerate(zip(times, due, strict=True)) if pair[0] != pair[1]), None)
    if off is not None:
        return f"frame {off} is at {float(times[off]):.4f} s, wanted {float(due[off]):.4f} s"
    return _swapped(url, info, rendition)


def _swapped(url: str, info: Any, rendition: Path) -> str:
    """The first frame that looks more like a neighbour of its source frame than like that one; empty without.

    Only neighbours that differ visibly (below 30 dB at this size) can tell.
    """
    from archer.media import probe

    source, coded = list(_small(url, info)), list(_small(str(rendition), probe(str(rendition))))
    for place, picture in enumerate(coded):
        own = _error(picture, source[place])
        for other in (place - 1, place + 1):
            apart = 0 <= other < len(source) and _error(source[place], source[other]) > 65
            if apart and _error(picture, source[other]) < own:
                return f"frame {place} looks like source frame {other}"
    return ""


def _small(url: str, info: Any) -> Iterator[npt.NDArray[np.float32]]:
    from archer.media import frames
    from archer.media.convert import Converter
    from cinemill_native.frames import PixelFormat

    grey = PixelFormat(name="yuv420p", bit_depth=8, chroma_shift=(1, 1))
    converter = Converter(info, *SIZE, grey, kernel="bicubic")
    for frame in frames(url, info=info):
        yield converter.planes(frame)[0].samples.astype(np.float32)


def _error(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    return float(((one - other) ** 2).mean())


def _times(path: Path) -> list[Fraction]:
    import av

    with av.open(str(path)) as container:
        return [
            Fraction(frame.pts or 0) * Fraction(frame.time_base or 1) for frame in container.decode(video=0)
        ]


def _unsaid(name: str, notices: Sequence[str], codec: str) -> str:
    wanted = REMARKS.get(name, "") if codec == "x264" else ""
    return "" if any(wanted in notice for notice in notices) or not wanted else f"no notice says {wanted!r}"


def main() -> int:
    """Run, print the table, and tell by the exit code whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codec", default="x264")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    folder, outcomes = SHARED / "clips", []
    for clip in clips(folder):
        if chosen.only and clip.name not in chosen.only:
            continue
        count = frame_counts(folder)[clip.relative_to(folder).as_posix()]
        outcomes.append(check(clip, count, codec=chosen.codec))
        row = outcomes[-1]
        print(f"{row.state:8} {row.clip:40} {row.frames:5} {row.words[:150]}", flush=True)
    if chosen.out:
        chosen.out.write_text(json.dumps([asdict(row) for row in outcomes], indent=1) + "\n")
    states = [row.state for row in outcomes]
    print(f"{states.count('exact')} exact, {states.count('refused')} refused, {states.count('wrong')} wrong")
    return 1 if "wrong" in states else 0


if __name__ == "__main__":
    sys.exit(main())
