"""`features.parquet`: a row per rendition and frame, for notebooks and for later stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from archer.media import MediaInfo
from pipelines.report.coded import CodedVideo
from pipelines.score.rows import rendition_rows
from vmaf import FrameScores

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "features@1"


def feature_table(
    info: MediaInfo,
    shots: Sequence[tuple[int, int]],
    videos: Sequence[CodedVideo],
    scores: Mapping[str, FrameScores],
) -> pa.Table:
    """The long table: all frames of the first rendition, then of the next.

    Columns: `rendition`, `frame` (0-based), `pts` (ticks of the source's `time_base`, see the metadata),
    `time_s` (from the first frame), `shot` (0-based), `bytes` and `key` of the coded frame, then every metric
    as libvmaf names it.

    Args:
        info: the source.
        shots: half-open frame ranges that cover the title.
        videos: the renditions.
        scores: by rendition; each has every frame.
    """
    import pyarrow as pa

    first = scores[videos[0].name]
    metadata = {
        "schema": SCHEMA,
        "model": first.model,
        "scorer": first.scorer,
        "time_base": str(info.video.time_base),
    }
    return pa.concat_tables(
        [_rendition(info, shots, video, scores[video.name]) for video in videos]
    ).replace_schema_metadata(metadata)


def _rendition(
    info: MediaInfo, shots: Sequence[tuple[int, int]], video: CodedVideo, scores: FrameScores
) -> pa.Table:
    import pyarrow as pa

    pts = info.index.pts[scores.frames]
    starts = np.array([start for start, _ in shots])
    return pa.table(
        {
            "rendition": pa.array([video.name] * len(scores), pa.string()),
            "frame": pa.array(scores.frames, pa.int64()),
            "pts": pa.array(pts, pa.int64()),
            "time_s": pa.array((pts - info.index.pts[0]) * float(info.video.time_base), pa.float64()),
            "shot": pa.array(np.searchsorted(starts, scores.frames, side="right") - 1, pa.int32()),
            "bytes": pa.array(video.frame_bytes[scores.frames], pa.int64()),
            "key": pa.array(video.keys[scores.frames], pa.bool_()),
            **{name: pa.array(values, pa.float64()) for name, values in scores.columns.items()},
        }
    )


def scores_of(table: pa.Table) -> dict[str, FrameScores]:
    """The scores of each rendition of a table that `feature_table` made, in its order."""
    facts = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    metrics = table.column_names[table.column_names.index("key") + 1 :]
    found = {}
    for name in table["rendition"].unique().to_pylist():
        rows = rendition_rows(table, str(name))
        found[str(name)] = FrameScores(
            frames=rows["frame"].to_numpy(),
            columns={metric: rows[metric].to_numpy() for metric in metrics},
            model=facts.get("model", ""),
            scorer=facts.get("scorer", ""),
        )
    return found
