"""Tables of the vision stage as Parquet: the same rows give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from pipelines.vision.bars import Bars
from pipelines.vision.columns import FRAME_COLUMNS, FRAMES_SCHEMA, SHOTS_SCHEMA, Column, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

GROUP = 1 << 16
"""Rows of a group: what is read at once."""
PLAIN: Final = "none"
"""Not compressed: a film takes 30 MB, and reading it costs two thirds of what it costs with LZ4, which saves a third."""
TINY = "tiny"
"""A column of parts only: very small pictures."""


def write_rows(
    path: Path,
    rows: Mapping[str, Sequence[Any]],
    columns: tuple[Column, ...],
    schema: str,
    facts: Mapping[str, str] | None = None,
) -> None:
    """Write columns as a table; `facts` are kept in its metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(dict(rows), schema=arrow_schema(columns, schema, facts))
    pq.write_table(table, path, compression=PLAIN, use_dictionary=False)


def write_part(path: Path, rows: Mapping[str, Sequence[Any]], tiny: Sequence[bytes]) -> None:
    """Write the rows of a chunk with their tiny pictures."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = arrow_schema(FRAME_COLUMNS, FRAMES_SCHEMA).append(pa.field(TINY, pa.binary()))
    pq.write_table(
        pa.table({**rows, TINY: list(tiny)}, schema=schema), path, compression=PLAIN, use_dictionary=False
    )


def join_parts(paths: Iterable[Path], path: Path) -> None:
    """Write the rows of all parts, in order, without their tiny pictures; memory holds one group of rows.

    Groups are of one size, so the file does not depend on how the title was cut.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = arrow_schema(FRAME_COLUMNS, FRAMES_SCHEMA)
    held = schema.empty_table()
    with pq.ParquetWriter(path, schema, compression=PLAIN, use_dictionary=False) as writer:
        for part in paths:
            held = pa.concat_tables([held, pq.read_table(part).drop_columns([TINY]).cast(schema)])
            while held.num_rows >= GROUP:
                writer.write_table(held.slice(0, GROUP).combine_chunks(), row_group_size=GROUP)
                held = held.slice(GROUP)
        if held.num_rows:
            writer.write_table(held.combine_chunks(), row_group_size=GROUP)


def read_columns(path: Path, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Columns as arrays; null is NaN in columns of floats.

    Raises:
        ValueError: another schema.
    """
    import pyarrow.parquet as pq

    schema = (pq.read_schema(path).metadata or {}).get(b"schema", b"none").decode()
    if schema != FRAMES_SCHEMA:
        raise ValueError(f"vision table: wanted schema {FRAMES_SCHEMA}, got {schema}; analyze again")
    table = pq.read_table(path, columns=list(names))
    return {name: _array(table[name]) for name in names}


def read_tiny(paths: Iterable[Path], wanted: Sequence[int]) -> list[bytes]:
    """Tiny pictures of frames, in rising order, from the parts that hold them."""
    import pyarrow.parquet as pq

    found: list[bytes] = []
    for path in paths:
        table = pq.read_table(path, columns=["frame", TINY])
        numbers = table["frame"].to_numpy()
        places = np.flatnonzero(np.isin(numbers, wanted))
        found += [table[TINY][int(place)].as_py() for place in places]
    return found


def _array(column: pa.ChunkedArray[Any]) -> npt.NDArray[Any]:
    import pyarrow as pa

    if pa.types.is_list(column.type):
        found = np.empty(len(column), object)
        found[:] = column.to_pylist()
        return found
    return np.asarray(column.to_numpy())


def read_rows(path: Path, schema: str) -> dict[str, list[Any]]:
    """All columns of a small table, as Python values.

    Raises:
        ValueError: another schema.
    """
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    found = (table.schema.metadata or {}).get(b"schema", b"none").decode()
    if found != schema:
        raise ValueError(f"vision table: wanted schema {schema}, got {found}; analyze again")
    return {name: table[name].to_pylist() for name in table.column_names}


def read_facts(path: Path) -> dict[str, str]:
    """What a table says about itself beside its columns: its schema, and the models that looked."""
    import pyarrow.parquet as pq

    facts = pq.read_schema(path).metadata or {}
    return {key.decode(): value.decode() for key, value in facts.items() if key != b"ARROW:schema"}


def key_frames(shots: Path, frames: Path, first: int, end: int) -> list[tuple[int, int, Bars]]:
    """Number, key frame and its black bars of some shots.

    Args:
        shots, frames: tables of the vision stage.
        first, end: numbers of the shots, half-open.
    """
    table = read_rows(shots, SHOTS_SCHEMA)
    bars = read_columns(frames, [f"bar_{side}" for side in ("top", "bottom", "left", "right")])
    listed = list(zip(table["shot"], table["key_frame"], strict=True))[first:end]
    return [
        (
            shot,
            frame,
            Bars(**{name.removeprefix("bar_"): int(column[frame]) for name, column in bars.items()}),
        )
        for shot, frame in listed
    ]
