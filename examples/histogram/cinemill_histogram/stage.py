"""Stage `histogram`: bins of luma per frame, as Parquet, computed in chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from archer import Item, Part, Resources, Stage
from archer.split import splitter_named
from archer.stage import Inputs, TaskContext
from cinemill_native import luma_histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramParams:
    """Settings.

    Attributes:
        bins: of equal width over the range of the samples; a power of two up to 256.
        frames_per_chunk: how long a chunk is; changes nothing of what comes out.
        splitter: how the title is cut: frames, keyframes, time, or an installed one; changes nothing either.
    """

    bins: int = 64
    frames_per_chunk: int = 125
    splitter: str = "frames"

    def __post_init__(self) -> None:
        """Say what does not fit before anything runs."""
        if self.bins not in (2, 4, 8, 16, 32, 64, 128, 256) or self.frames_per_chunk < 1:
            raise ValueError(
                f"bins {self.bins}: wanted a power of two up to 256, and at least 1 frame per chunk"
            )


class Histogram(Stage[HistogramParams]):
    """One row per frame: its number and `bins` counts of pixels."""

    name, version, params = "histogram", 1, HistogramParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1"})
    parts = MappingProxyType({"rows": "histogram-rows@1"})
    outputs = MappingProxyType({"table": "histogram@1"})
    unit = "frames"

    def resources(self, params: HistogramParams) -> Resources:
        """A decoder and a few frames."""
        return Resources(memory_mb=1024)

    def same(self, params: HistogramParams) -> Sequence[HistogramParams]:
        """However it is cut, the table is the same: the kit holds us to it."""
        return [replace(params, frames_per_chunk=7, splitter="time"), replace(params, frames_per_chunk=10**6)]

    def split(self, inputs: Inputs, params: HistogramParams) -> list[Item]:
        """Chunks as the splitter gives them; no context, since frames do not depend on each other."""
        chunks = splitter_named(params.splitter)(inputs.media().index, params.frames_per_chunk)
        return [Item(chunk=chunk, weight=len(chunk.frames)) for chunk in chunks]

    def map(self, ctx: TaskContext, item: Item, params: HistogramParams) -> None:
        """Count one chunk."""
        import numpy as np

        assert item.chunk is not None  # noqa: S101  `split` gave it one
        rows = []
        for frame in ctx.frames(ctx.inputs.asset(), item.chunk.frames):
            fine = luma_histogram(frame.luma)
            rows.append(fine.reshape(params.bins, -1).sum(axis=1, dtype=np.int64))
            ctx.progress(len(rows), len(item.chunk.frames))
        np.save(ctx.out("rows", ".npy"), np.stack(rows))

    def collect(self, ctx: TaskContext, parts: Sequence[Part], params: HistogramParams) -> None:
        """Join the chunks, and draw how bright the title is over time."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        numbers, blocks = [], []
        for part in parts:
            chunk = part.item.chunk
            numbers += list(range(chunk.frames.start, chunk.frames.end)) if chunk else []
            blocks.append(np.load(ctx.path(part.outputs["rows"])))
        counts = np.concatenate(blocks)
        table = pa.table({"frame": pa.array(numbers, pa.int32()), "counts": pa.array(list(counts))})
        pq.write_table(table, ctx.out("table", ".parquet"))
        ctx.card("brightness", ".svg").write_text(_svg(counts))


def _svg(counts: Any) -> str:
    """The mean bin of each frame as a line, 600 x 100."""
    bins = counts.shape[1]
    means = (counts * range(bins)).sum(axis=1) / counts.sum(axis=1) / (bins - 1)
    step = 600 / max(1, len(means) - 1)
    points = " ".join(f"{place * step:.1f},{100 - 100 * mean:.1f}" for place, mean in enumerate(means))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 100">'
        f'<polyline points="{points}" fill="none" stroke="currentColor"/></svg>\n'
    )
