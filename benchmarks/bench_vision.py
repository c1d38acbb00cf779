"""Features of pictures beside decoding them, one thread; and scanning the table they give.

`decoding alone` is the bound the features are measured against: frames are decoded beforehand and held, so that ours is the
features alone. The sides return how many frames they saw.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archer.media import FrameRange, frames, probe
from cinemill_native import inspect_chroma, inspect_luma
from pipelines.vision.columns import FRAME_COLUMNS, FRAMES_SCHEMA
from pipelines.vision.levels import Levels
from pipelines.vision.measure import DARK, SPOT, measured
from pipelines.vision.table import write_rows

SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
COUNT = 48
"""Frames that are held: 150 MB at 1080p."""
SIZES = [
    pytest.param("bigbuckbunny.mp4", id="720p"),
    pytest.param("bbb_1080p24_51.mp4", id="1080p", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("name", SIZES)
def bench_vision(race: Any, clip: Path, name: str) -> None:
    path = clip if name == clip.name else SHARED / "clips" / name
    if not path.is_file():
        pytest.skip(f"needs {path}")
    info = probe(str(path))
    levels, part = Levels.of(info.video), FrameRange(0, COUNT)
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


def bench_vision_scan(race: Any, tmp_path: Path) -> None:
    """Two hours of 24 frames a second: all columns of numbers added up, by pyarrow with one thread and with all."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    random, count = np.random.default_rng(1), 24 * 7200
    rows: dict[str, Any] = {"frame": np.arange(count, dtype=np.int32)}
    for each in FRAME_COLUMNS[1:]:
        whole = each.kind != "float"
        rows[each.name] = (
            random.integers(0, 9, count) if whole else random.normal(100, 20, count).astype(np.float32)
        )
    rows["spot_places"] = pa.array([[]] * count, pa.list_(pa.int32()))
    path = tmp_path / "frames.parquet"
    write_rows(path, rows, FRAME_COLUMNS, FRAMES_SCHEMA)
    names = [each.name for each in FRAME_COLUMNS if each.kind == "float"]

    def added(*, threads: bool) -> int:
        table = pq.read_table(path, columns=names, use_threads=threads)
        assert all(pc.sum(table[name]).as_py() > 0 for name in names)
        return table.nbytes // 10**6

    race(
        lambda: added(threads=False),
        {"all threads": lambda: added(threads=True)},
        rounds=5,
        unit=f"{count * 4 * len(names) // 10**6} MB",
    )
