"""Chunks in parallel, through the engine, against one ffmpeg process with the same settings and key frames.

`chunks`: where to cut is known. Ours decodes frame-exactly, encodes every chunk in a process of its own, decodes each to check
it, and joins them; theirs is one ffmpeg with all cores, and one more that decodes the result and stops at the first error.
`job`: ours also probes the title and finds its shots, theirs is the one ffmpeg alone. Both write one rendition; frames must
be equal.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import pytest

from archer import JobSpec, Node, run
from archer.media import identify
from archer.process import ffmpeg_path, tool_version
from archer.process import run as run_child
from archer.store import ArtifactStore
from pipelines.encode.job import encode_job
from pipelines.encode.request import EncodeRequest

CORES = len(os.sched_getaffinity(0))
SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
CLIP = SHARED / "clips" / "bbb_1080p24_51.mp4"
CODECS = {
    "x264": ("libx264", "medium", "24", ["-x264-params", "scenecut=0:open-gop=0"]),
    "svtav1": ("libsvtav1", "8", "32", ["-svtav1-params", "scd=0:irefresh-type=2"]),
}


STEPS = ("ingest", "shots", "search", "embedded", "encode", "assemble")


def nodes(clip: Path, codec: str, steps: Sequence[str]) -> list[Node]:
    """These stages of the main job."""
    _, preset, crf, _ = CODECS[codec]
    request = EncodeRequest(codec=codec, preset=preset, crf=crf, ladder="720p", chunk_s="4")
    whole = encode_job(identify(str(clip)), request, title="bench")
    return [node for node in whole.nodes if node.id in steps]


def chunked(clip: Path, codec: str, folder: Path, base: Path | None) -> int:
    """Our way, up to the assembled rendition, from what `base` holds already; returns its frames."""
    shutil.rmtree(folder, ignore_errors=True)
    if base is not None:
        shutil.copytree(base, folder)
    result = run(JobSpec(nodes=nodes(clip, codec, STEPS)), work_dir=folder, workers=CORES)
    result.raise_for_state()
    store = ArtifactStore(folder)
    (part,) = store.read_parts(result.outputs["assemble.parts"])
    shutil.copyfile(store.path(part.outputs["rendition"]), folder.with_suffix(".mp4"))
    return frames_of(folder.with_suffix(".mp4"))


def whole(clip: Path, codec: str, out: Path, *, check: bool) -> int:
    """One ffmpeg process for everything; returns the frames of what it wrote."""
    encoder, preset, crf, extra = CODECS[codec]
    rate = "48"  # key frames every 2 s at 24 frames per second, as ours
    scale = "scale=1280:720:flags=lanczos+accurate_rnd+full_chroma_int"
    quality = ("-preset", preset, "-crf", crf, "-g", rate, *extra)
    quiet = (ffmpeg_path(), "-v", "error", "-nostdin", "-y")
    source = ("-i", clip, "-map", "0:v:0", "-vf", scale, "-fps_mode", "passthrough")
    run_child([*quiet, *source, "-pix_fmt", "yuv420p", "-c:v", encoder, *quality, out])
    if check:
        run_child([*quiet, "-xerror", "-err_detect", "explode", "-i", out, "-f", "null", "-"])
    return frames_of(out)


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)


@pytest.fixture
def title(request: pytest.FixtureRequest, clip: Path, tmp_path: Path) -> Path:
    """30 s of 1080p; the demo clip where that is absent, and its first frames where benchmarks are only smoke-tested."""
    if not request.config.getoption("benchmark_disable"):
        return CLIP if CLIP.is_file() else clip
    run_child([ffmpeg_path(), "-v", "error", "-i", clip, "-frames:v", "36", "-an", tmp_path / "start.mp4"])
    return tmp_path / "start.mp4"


@pytest.mark.parametrize("work", ["chunks", pytest.param("job", marks=pytest.mark.slow)])
@pytest.mark.parametrize("codec", ["x264", pytest.param("svtav1", marks=pytest.mark.slow)])
def bench_encode(race: Any, title: Path, tmp_path: Path, codec: str, work: str) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "whole.mp4"
    base = tmp_path / "base" if work == "chunks" else None
    if base is not None:
        run(JobSpec(nodes=nodes(title, codec, STEPS[:3])), work_dir=base, workers=CORES).raise_for_state()
    peer = f"one process, {tool_version(ffmpeg_path())}"
    race(
        lambda: chunked(title, codec, ours, base),
        {peer: lambda: whole(title, codec, theirs, check=work == "chunks")},
        rounds=3,
        unit="clip",
        output=lambda side: theirs if side == peer else ours.with_suffix(".mp4"),
    )
