"""Decoding a whole clip to planes, one thread: archer.media.frames, plain PyAV, an ffmpeg child's pipe.

Every side adds up one row of each picture, so that it has to hand over real samples, and the same ones.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from archer.media import MediaInfo, frames, probe
from archer.process import ffmpeg_path, tool_version
from cinemill_native import exec_path

ROW = 100
SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def add_up(pictures: Iterator[npt.NDArray[Any]]) -> tuple[int, int]:
    count = total = 0
    for picture in pictures:
        count += 1
        total += int(picture[ROW].sum())
    return count, total


def by_pyav(path: Path) -> Iterator[npt.NDArray[Any]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            plane = frame.planes[0]
            yield np.frombuffer(memoryview(plane), np.uint8).reshape(frame.height, plane.line_size)[
                :, : frame.width
            ]


def by_ffmpeg(path: Path, info: MediaInfo) -> Iterator[npt.NDArray[Any]]:
    width, height = info.video.width, info.video.height
    argv: list[str | Path] = [
        exec_path(),
        "--",
        ffmpeg_path(),
        "-v",
        "error",
        "-nostdin",
        "-threads",
        "1",
        "-noautorotate",
        "-i",
        path,
    ]
    argv += ["-map", "0:v:0", "-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "pipe:1"]
    size = width * height * 3 // 2
    with subprocess.Popen(argv, stdout=subprocess.PIPE, bufsize=size) as child:
        assert child.stdout is not None
        while block := child.stdout.read(size):
            yield np.frombuffer(block, np.uint8)[: width * height].reshape(height, width)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("bigbuckbunny.mp4", id="720p"),
        pytest.param("bbb_1080p24_51.mp4", id="1080p", marks=pytest.mark.slow),
    ],
)
def bench_decode(race: Any, clip: Path, name: str) -> None:
    path = clip if name == clip.name else SHARED / "clips" / name
    if not path.is_file():
        pytest.skip(f"needs {path}")
    info = probe(str(path))
    race(
        lambda: add_up(frame.luma.samples for frame in frames(str(path), info=info)),
        {
            f"pyav {av.__version__}": lambda: add_up(by_pyav(path)),
            tool_version(ffmpeg_path()): lambda: add_up(by_ffmpeg(path, info)),
        },
        rounds=5,
        per=info.frame_count,
        unit="frame",
    )
