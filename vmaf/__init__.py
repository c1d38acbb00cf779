"""Frames in, scores out: per-frame VMAF and PSNR, pooling, libvmaf's log layout.

    from vmaf import score

    scores = score("title.mov", "rendition.mp4")
    print(scores.model, scores.pooled("vmaf"))
    for frame, value in zip(scores.frames, scores.columns["vmaf"]):
        print(frame, value)

`score_planes` takes numpy arrays and frames in memory, `ScoreStream` takes frames one by one and gives scores while it runs.

Not Netflix's own `vmaf` package: do not install both.
"""

from __future__ import annotations

from vmaf.advice import Advice as Advice
from vmaf.advice import advised_model as advised_model
from vmaf.alignment import Alignment as Alignment
from vmaf.alignment import find_offset as find_offset
from vmaf.bdrate import Delta as Delta
from vmaf.bdrate import bd_quality as bd_quality
from vmaf.bdrate import bd_rate as bd_rate
from vmaf.errors import BadCurve as BadCurve
from vmaf.errors import BadModel as BadModel
from vmaf.errors import BadRaw as BadRaw
from vmaf.errors import FrameCountMismatch as FrameCountMismatch
from vmaf.errors import MissingChroma as MissingChroma
from vmaf.errors import NoAlignment as NoAlignment
from vmaf.errors import TimingMismatch as TimingMismatch
from vmaf.errors import UnknownMetric as UnknownMetric
from vmaf.errors import UnknownModel as UnknownModel
from vmaf.errors import VmafError as VmafError
from vmaf.features.registry import METRICS as METRICS
from vmaf.ffmpeg import FFMPEG_METRICS as FFMPEG_METRICS
from vmaf.ffmpeg import ONLY_BY_FFMPEG as ONLY_BY_FFMPEG
from vmaf.ffmpeg import FFmpegScorer as FFmpegScorer
from vmaf.heat import heat_png as heat_png
from vmaf.logs import write_log as write_log
from vmaf.map_page import Mapped as Mapped
from vmaf.map_page import map_page as map_page
from vmaf.maps import QualityMap as QualityMap
from vmaf.maps import quality_maps as quality_maps
from vmaf.models import DEFAULT_MODEL as DEFAULT_MODEL
from vmaf.models import Model as Model
from vmaf.models import model_named as model_named
from vmaf.native import NativeScorer as NativeScorer
from vmaf.native import converters_of as converters_of
from vmaf.planes import score_planes as score_planes
from vmaf.pooling import Pooled as Pooled
from vmaf.pooling import per_shot as per_shot
from vmaf.pooling import percentile as percentile
from vmaf.pooling import pool as pool
from vmaf.pooling import pooled_by as pooled_by
from vmaf.pooling import rolling as rolling
from vmaf.raw import raw_pictures as raw_pictures
from vmaf.read import regression_of as regression_of
from vmaf.regression import Collection as Collection
from vmaf.regression import Regression as Regression
from vmaf.score import alignment_of as alignment_of
from vmaf.score import score as score
from vmaf.scorer import Scorer as Scorer
from vmaf.scores import FrameScores as FrameScores
from vmaf.stream import Row as Row
from vmaf.stream import ScoreStream as ScoreStream

__all__ = [  # noqa: RUF022  plain order
    "Advice",
    "Alignment",
    "BadCurve",
    "BadModel",
    "BadRaw",
    "Collection",
    "DEFAULT_MODEL",
    "Delta",
    "FFMPEG_METRICS",
    "FFmpegScorer",
    "FrameCountMismatch",
    "FrameScores",
    "METRICS",
    "Mapped",
    "MissingChroma",
    "Model",
    "NativeScorer",
    "NoAlignment",
    "ONLY_BY_FFMPEG",
    "Pooled",
    "QualityMap",
    "Regression",
    "Row",
    "ScoreStream",
    "Scorer",
    "TimingMismatch",
    "UnknownMetric",
    "UnknownModel",
    "VmafError",
    "advised_model",
    "alignment_of",
    "bd_quality",
    "bd_rate",
    "converters_of",
    "find_offset",
    "heat_png",
    "map_page",
    "model_named",
    "per_shot",
    "percentile",
    "pool",
    "pooled_by",
    "quality_maps",
    "raw_pictures",
    "regression_of",
    "rolling",
    "score",
    "score_planes",
    "write_log",
]
