"""`segments.parquet`: a row per media segment, with what it is, when it plays, its hash and its quality."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.packaging.boxes import Fragment

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

INDEX, SCHEMA = "segments.parquet", "segments@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedTrack:
    """A packaged track.

    Attributes:
        folder: its folder, and its name in the index.
        kind: `video` or `audio`.
        segments: file names in order.
        fragments: when each is decoded, and whether it is encrypted.
        durations: seconds of each, as the playlist says.
        vmaf: VMAF of every frame in presentation order; None where it is not known.
    """

    folder: str
    kind: str
    segments: Sequence[str]
    fragments: Sequence[Fragment]
    durations: Sequence[Fraction]
    vmaf: npt.NDArray[np.float64] | None = None


def segment_table(tracks: Sequence[IndexedTrack], out: Path) -> pa.Table:
    """The table: all segments of the first track, then of the next.

    Columns: `track`, `kind`, `number` (from 1), `file`, `start_s` and `duration_s` (as the playlist says), `packets`,
    `bytes`, `sha256`, `encrypted`, and for video with scores `vmaf_mean` and `vmaf_min` over its frames (else null).
    """
    import pyarrow as pa

    rows = [row for track in tracks for row in _rows(track, out)]
    columns: dict[str, pa.DataType] = {
        "track": pa.string(),
        "kind": pa.string(),
        "number": pa.int32(),
        "file": pa.string(),
        "start_s": pa.float64(),
        "duration_s": pa.float64(),
        "packets": pa.int64(),
        "bytes": pa.int64(),
        "sha256": pa.string(),
        "encrypted": pa.bool_(),
        "vmaf_mean": pa.float64(),
        "vmaf_min": pa.float64(),
    }
    schema = pa.schema(list(columns.items()), metadata={"schema": SCHEMA})
    return pa.Table.from_pylist(rows, schema=schema)


def write_index(table: pa.Table, out: Path) -> None:
    """Write the table into a package."""
    import pyarrow.parquet as pq

    pq.write_table(table, out / INDEX, compression="zstd")


def read_index(out: Path) -> list[dict[str, Any]]:
    """The rows of a package's index."""
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.ParquetFile(out / INDEX).read().to_pylist()
    return rows


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rows(track: IndexedTrack, out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    start, first = Fraction(0), 0
    for number, (name, fragment, duration) in enumerate(
        zip(track.segments, track.fragments, track.durations, strict=True), 1
    ):
        path = out / track.folder / name
        vmaf = track.vmaf[first : first + fragment.samples] if track.vmaf is not None else ()
        row = {
            "track": track.folder,
            "kind": track.kind,
            "number": number,
            "file": f"{track.folder}/{name}",
            "start_s": float(start),
            "duration_s": float(duration),
            "packets": fragment.samples,
            "bytes": path.stat().st_size,
            "sha256": file_hash(path),
            "encrypted": fragment.encrypted,
            "vmaf_mean": float(sum(vmaf) / len(vmaf)) if len(vmaf) else None,
            "vmaf_min": float(min(vmaf)) if len(vmaf) else None,
        }
        rows.append(row)
        start, first = start + duration, first + fragment.samples
    return rows
