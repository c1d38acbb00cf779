"""Signals as Parquet: a row per frame."""

from __future__ import annotations

from pathlib import Path

from archer.split.shots.signals import NAMES, Signals

SCHEMA = "shot-signals@1"


def write_signals(path: Path, track: Signals) -> None:
    """Write signals; the same signals give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: getattr(track, name) for name in NAMES})
    pq.write_table(table.replace_schema_metadata({"schema": SCHEMA}), path, compression="zstd")


def read_signals(path: Path) -> Signals:
    """The signals that `write_signals` wrote.

    Raises:
        ValueError: another schema.
    """
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    schema = (table.schema.metadata or {}).get(b"schema", b"none").decode()
    if schema != SCHEMA:
        raise ValueError(f"shot signals: wanted schema {SCHEMA}, got {schema}; measure again")
    return Signals(**{name: table[name].to_numpy() for name in NAMES})
