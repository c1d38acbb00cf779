"""Features of pictures beside decoding them; two cores beside one; and scanning the table they give.

`decoding alone` is the bound the features are measured against: frames come from `archer.media.frames` as stages read them
(PyAV, one decoding thread, no frame threading, no post-processing), in processor time. The same frames are held in memory
for our side, so that ours is the features alone, kernels and Python; they are read from memory, and not warm from a decoder.
They are those from a key frame in the middle of the clip on. The sides return how many frames they saw.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archer import run
from archer.media import FrameRange, MediaInfo, frames, identify, probe
from archer.plan import JobSpec
from archer.process import ffmpeg
from cinemill_native import inspect_chroma, inspect_luma
from pipelines.qc.job import analyze_job
from pipelines.vision.columns import FRAME_COLUMNS
from pipelines.vision.levels import Levels
from pipelines.vision.measure import DARK, SPOT, measured
from pipelines.vision.table import join_parts, write_part

SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
KINDS = {"float": "float32", "int32": "int32", "uint64": "uint64", "ints": None}
COUNT = 48
"""Frames that are held: 150 MB at 1080p."""
SIZES = [
    pytest.param("bigbuckbunny.mp4", id="720p"),
    pytest.param("bbb_1080p24_51.mp4", id="1080p", marks=pytest.mark.slow),
]


def middle(info: MediaInfo) -> FrameRange:
    """Frames from the last key frame on that is early enough, at most half-way."""
    start = max(int(frame) for frame in info.index.keys if frame <= (info.frame_count - COUNT) // 2)
    return FrameRange(start, start + COUNT)


@pytest.mark.parametrize("name", SIZES)
def bench_vision(race: Any, clip: Path, name: str) -> None:
    path = clip if name == clip.name else SHARED / "clips" / name
    if not path.is_file():
        pytest.skip(f"needs {path}")
    info = probe(str(path))
    levels, part = Levels.of(info.video), middle(info)
    held = list(frames(str(path), part, info=info))
    dark, spot = (levels.black + DARK) * levels.scale, SPOT * levels.scale

    def kernels() -> int:
        last = None
        for frame in held:
            inspect_luma(frame.luma, last, dark=dark, spot=spot)
            inspect_chroma(*frame.planes[:3], zeros=levels.zeros, matrix=levels.matrix)
            last = frame.luma
        return len(held)

    peers = {
        "decoding alone": lambda: sum(1 for _ in frames(str(path), part, info=info)),
        "the kernels of them": kernels,
    }
    race(lambda: sum(1 for _ in measured(held, levels)), peers, rounds=5, per=COUNT, unit="frame")


@pytest.mark.slow
def bench_vision_two_cores(race: Any, tmp_path: Path) -> None:
    """Stage `vision` through the engine over 90 s of 1080p, workers starting up included: two worker processes beside one.

    The title is 30 s shown three times. A third of a second of each run is not shared: one process forks the first worker, which
    cuts the title into chunks; at the end one joins the tables.
    """
    clip = SHARED / "clips" / "bbb_1080p24_51.mp4"
    if not clip.is_file():
        pytest.skip(f"needs {clip}")
    path = tmp_path / "title.mp4"
    ffmpeg(["-stream_loop", "2", "-i", clip, "-map", "0:v", "-c", "copy", path])
    nodes = [
        node for node in analyze_job(identify(str(path))).nodes if node.id in ("ingest", "shots", "vision")
    ]
    run(JobSpec(nodes=nodes[:2]), work_dir=tmp_path / "before", workers=2).raise_for_state()

    def looked(workers: int) -> int:
        work = tmp_path / f"{workers}-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(tmp_path / "before", work)
        run(JobSpec(nodes=nodes), work_dir=work, workers=workers).raise_for_state()
        return probe(str(path)).frame_count

    race(lambda: looked(2), {"one worker": lambda: looked(1)}, rounds=3, unit="title")


def bench_vision_scan(race: Any, tmp_path: Path) -> None:
    """Two hours of 24 frames a second: all columns of numbers from the file to Arrow in memory, by pyarrow.

    Gbit/s are those of the Arrow table: the megabytes of the row, times 8, divided by the wall time. The file is written as
    stage `vision` writes it, and lies in the page cache; what its columns hold makes no difference, as they are not compressed.
    Adding them all up is beside it, for what a question costs that needs every value.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    random, count = np.random.default_rng(1), 24 * 7200
    first = np.arange(count) == 0
    rows: dict[str, Any] = {"frame": np.arange(count, dtype=np.int32)}
    for each in FRAME_COLUMNS[1:]:
        numbers = random.normal(100, 20, count) if each.kind == "float" else random.integers(0, 9, count)
        rows[each.name] = pa.array(numbers, KINDS[each.kind], mask=first if each.nullable else None)
    rows["spot_places"] = pa.array([[]] * count, pa.list_(pa.int32()))
    write_part(tmp_path / "part.parquet", rows, [b""] * count)
    path = tmp_path / "frames.parquet"
    join_parts([tmp_path / "part.parquet"], path)
    names = [each.name for each in FRAME_COLUMNS if each.kind != "ints"]

    def scanned(*, threads: bool) -> pa.Table:
        return pq.read_table(path, columns=names, use_threads=threads, memory_map=True)

    def added() -> int:
        table = scanned(threads=True)
        assert all(pc.sum(table[name]).as_py() > 0 for name in names)
        return int(table.nbytes)

    race(
        lambda: scanned(threads=True).nbytes,
        {"one thread": lambda: scanned(threads=False).nbytes, "all threads, added up": added},
        rounds=15,
        loops=5,
        unit=f"{scanned(threads=True).nbytes / 1e6:.1f} MB",
    )
