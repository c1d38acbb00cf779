"""Scores per frame as columns, with what they were computed by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from vmaf.pooling import Pooled, pool

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "frame-scores@1"
Column = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameScores:
    """Scores of consecutive frames.

    Attributes:
        frames: (n,) int64 frame numbers, rising.
        columns: metric name -> (n,) float64, as libvmaf names them (`vmaf`, `integer_motion2`, `psnr_y` ...).
        model: name of the model behind `vmaf`.
        scorer: what computed them, with its version.
    """

    frames: npt.NDArray[np.int64]
    columns: Mapping[str, Column]
    model: str
    scorer: str

    def __len__(self) -> int:
        return len(self.frames)

    def pooled(self, metric: str) -> Pooled:
        """One metric over all frames."""
        return pool(self.columns[metric])

    def part(self, start: int, end: int) -> Self:
        """The scores of frames [start, end)."""
        keep = (self.frames >= start) & (self.frames < end)
        columns = {name: values[keep] for name, values in self.columns.items()}
        return type(self)(frames=self.frames[keep], columns=columns, model=self.model, scorer=self.scorer)

    def with_columns_of(self, other: FrameScores) -> Self:
        """With the columns of another measurement of the same frames, where there are none of that name."""
        columns = {**other.columns, **self.columns}
        return type(self)(
            frames=self.frames, columns=columns, model=self.model, scorer=f"{self.scorer}; {other.scorer}"
        )

    @classmethod
    def joined(cls, parts: Sequence[FrameScores]) -> FrameScores:
        """Parts of one title, in order, as one."""
        first = parts[0]
        return cls(
            frames=np.concatenate([part.frames for part in parts]),
            columns={name: np.concatenate([part.columns[name] for part in parts]) for name in first.columns},
            model=first.model,
            scorer=first.scorer,
        )

    def table(self, **constants: str) -> pa.Table:
        """An Arrow table: constant text columns first, then `frame`, then the metrics; schema version in its metadata."""
        import pyarrow as pa

        arrays: dict[str, Any] = {
            name: pa.array([text] * len(self)).dictionary_encode() for name, text in constants.items()
        }
        arrays |= {"frame": pa.array(self.frames)} | {
            name: pa.array(values) for name, values in self.columns.items()
        }
        return pa.table(arrays).replace_schema_metadata(
            {"schema": SCHEMA, "model": self.model, "scorer": self.scorer}
        )

    @classmethod
    def from_table(cls, table: pa.Table) -> FrameScores:
        """The scores of a table that `table` made (of one rendition)."""
        facts = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        metrics = [name for name in table.column_names if str(table.schema.field(name).type) == "double"]
        return cls(
            frames=table["frame"].to_numpy(),
            columns={name: table[name].to_numpy() for name in metrics},
            model=facts.get("model", ""),
            scorer=facts.get("scorer", ""),
        )


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table; the same table gives the same bytes."""
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd", write_statistics=True)


def read_parquet(path: Path) -> pa.Table:
    """Read a table, its metadata included."""
    import pyarrow.parquet as pq

    return pq.ParquetFile(path).read()  # `read_table` imports pyarrow.dataset


def libvmaf_log(scores: FrameScores, *, fps: float = 0.0) -> dict[str, Any]:
    """Scores in the layout of libvmaf's JSON log, in full precision.

    Args:
        scores: of one rendition.
        fps: libvmaf writes the speed of scoring here; 0 keeps the file repeatable.
    """
    names = list(scores.columns)
    rows = zip(scores.frames.tolist(), *(scores.columns[name].tolist() for name in names), strict=True)
    pooled = {name: asdict(scores.pooled(name)) for name in names}
    return {
        "version": scores.scorer,
        "model": scores.model,
        "fps": fps,
        "frames": [{"frameNum": row[0], "metrics": dict(zip(names, row[1:], strict=True))} for row in rows],
        "pooled_metrics": {
            name: {key: values[key] for key in ("min", "max", "mean", "harmonic_mean")}
            for name, values in pooled.items()
        },
        "aggregate_metrics": {},
    }
