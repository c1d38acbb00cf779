"""Thumbnails as Parquet: a row per frame, each plane a string of bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archer.split.shots.thumbnails import CHROMA, LUMA, Thumbnails

if TYPE_CHECKING:
    import numpy.typing as npt

SCHEMA = "shot-signals@1"


def write_thumbnails(path: Path, track: Thumbnails) -> None:
    """Write thumbnails; the same thumbnails give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"luma": _column(track.luma), "chroma": _column(track.chroma)})
    pq.write_table(
        table.replace_schema_metadata({"schema": SCHEMA}), path, compression="zstd", use_dictionary=False
    )


def read_thumbnails(path: Path) -> Thumbnails:
    """The thumbnails that `write_thumbnails` wrote.

    Raises:
        ValueError: another schema.
    """
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path).read()
    schema = (table.schema.metadata or {}).get(b"schema", b"none").decode()
    if schema != SCHEMA:
        raise ValueError(f"shot signals: wanted schema {SCHEMA}, got {schema}; measure again")
    count = table.num_rows
    return Thumbnails(
        luma=_samples(table["luma"]).reshape(count, *LUMA),
        chroma=_samples(table["chroma"]).reshape(count, 2, *CHROMA),
    )


def _column(planes: npt.NDArray[np.uint8]) -> Any:
    import pyarrow as pa

    size = int(np.prod(planes.shape[1:]))
    return pa.Array.from_buffers(pa.binary(size), len(planes), [None, pa.py_buffer(planes.tobytes())])


def _samples(column: Any) -> npt.NDArray[np.uint8]:
    """The bytes of all rows, one after the other."""
    whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    width = whole.type.byte_width
    data = np.frombuffer(memoryview(whole.buffers()[1]), np.uint8)
    return data[whole.offset * width : (whole.offset + len(whole)) * width]
