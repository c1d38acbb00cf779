"""Finding shots, decoding included, one thread: ours, plain PyAV decoding, PySceneDetect, FFmpeg's scdet.

Frames per second of processor time; every side returns how many frames it saw. Pure decoding is the bound: ours does
nothing else but a thumbnail of each frame and a small network at the end. PySceneDetect is left out where it is not
installed (`pip install scenedetect opencv-python-headless`).
"""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import pytest

from archer import JobSpec, Node, run
from archer.media import MediaInfo, frames, identify, probe
from archer.process import ffmpeg, ffmpeg_path, tool_version
from archer.split.shots import detect, thumbnails
from archer.store import ArtifactStore
from cinemill_native import exec_path

SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def ours(path: Path, info: MediaInfo) -> int:
    track = thumbnails(frames(str(path), info=info), frame_count=info.frame_count)
    return detect([track], frame_rate=info.video.frame_rate).frames


def by_pyav(path: Path) -> int:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        return sum(1 for _ in container.decode(stream))


def by_scdet(path: Path, count: int) -> int:
    argv: list[str | Path] = [exec_path(), "--", ffmpeg_path(), "-v", "error", "-nostdin", "-threads", "1"]
    argv += ["-filter_threads", "1", "-i", path, "-map", "0:v:0", "-vf", "scdet", "-f", "null", "-"]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return count


def by_pyscenedetect(path: Path, *, adaptive: bool) -> int:
    import cv2
    from scenedetect import AdaptiveDetector, ContentDetector, SceneManager
    from scenedetect.backends.pyav import VideoStreamAv

    cv2.setNumThreads(1)
    manager = SceneManager()
    manager.add_detector(AdaptiveDetector() if adaptive else ContentDetector())
    video = VideoStreamAv(str(path), threading_mode="NONE")
    return int(manager.detect_scenes(video))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("bigbuckbunny.mp4", id="720p"),
        pytest.param("bbb_1080p24_51.mp4", id="1080p", marks=pytest.mark.slow),
    ],
)
def bench_shots(race: Any, clip: Path, name: str) -> None:
    path = clip if name == clip.name else SHARED / "clips" / name
    if not path.is_file():
        pytest.skip(f"needs {path}")
    info = probe(str(path))
    peers = {
        f"decoding alone (pyav {av.__version__})": lambda: by_pyav(path),
        f"scdet of {tool_version(ffmpeg_path())}": lambda: by_scdet(path, info.frame_count),
    }
    if find_spec("scenedetect") and find_spec("cv2"):
        side = f"PySceneDetect {version('scenedetect')}"
        peers[f"{side} content"] = lambda: by_pyscenedetect(path, adaptive=False)
        peers[f"{side} adaptive"] = lambda: by_pyscenedetect(path, adaptive=True)
    race(lambda: ours(path, info), peers, rounds=3, per=info.frame_count, unit="frame")


def by_stage(path: Path, work: Path, workers: int) -> int:
    """The stage as a job runs it: chunks, worker processes, one decision."""
    asset = identify(str(path))
    nodes = [
        Node(id="ingest", stage="ingest", inputs={"asset": asset}),
        Node(id="shots", stage="shots", inputs={"asset": asset, "media": "ingest.media"}),
    ]
    with TemporaryDirectory(dir=work) as folder:
        done = run(JobSpec(nodes=nodes), work_dir=Path(folder), workers=workers)
        done.raise_for_state()
        store = ArtifactStore(Path(folder))
        return int(store.read_json(done.outputs["shots.shots"])["frames"])


@pytest.mark.slow
def bench_shots_cores(race: Any, tmp_path: Path) -> None:
    """Two minutes of 1080p as a job, start and end included, with two workers and with one: wall time is what counts.

    Start, probing and the decision take about half a second on one core, however long the title is.
    """
    clip = SHARED / "clips" / "bbb_1080p24_51.mp4"
    if not clip.is_file():
        pytest.skip(f"needs {clip}")
    title = tmp_path / "minutes.mp4"
    ffmpeg(["-stream_loop", "3", "-i", clip, "-map", "0:v", "-c", "copy", title])
    count = probe(str(title)).frame_count
    race(
        lambda: by_stage(title, tmp_path, 2),
        {"one worker": lambda: by_stage(title, tmp_path, 1)},
        rounds=2,
        per=count,
        unit="frame",
    )
