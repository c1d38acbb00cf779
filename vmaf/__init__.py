"""Frames in, scores out: per-frame VMAF and PSNR, pooling, libvmaf's log layout.

    from vmaf import score

    scores = score("title.mov", "rendition.mp4")
    print(scores.model, scores.pooled("vmaf"))
    for frame, value in zip(scores.frames, scores.columns["vmaf"]):
        print(frame, value)

Not Netflix's own `vmaf` package: do not install both.
"""

from __future__ import annotations

from vmaf.errors import BadModel as BadModel
from vmaf.errors import FrameCountMismatch as FrameCountMismatch
from vmaf.errors import UnknownModel as UnknownModel
from vmaf.errors import VmafError as VmafError
from vmaf.ffmpeg import FFmpegScorer as FFmpegScorer
from vmaf.models import DEFAULT_MODEL as DEFAULT_MODEL
from vmaf.models import Model as Model
from vmaf.models import model_named as model_named
from vmaf.native import NativeScorer as NativeScorer
from vmaf.pooling import Pooled as Pooled
from vmaf.pooling import pool as pool
from vmaf.score import score as score
from vmaf.scorer import Scorer as Scorer
from vmaf.scores import FrameScores as FrameScores

__all__ = [
    "DEFAULT_MODEL",
    "BadModel",
    "FFmpegScorer",
    "FrameCountMismatch",
    "FrameScores",
    "Model",
    "NativeScorer",
    "Pooled",
    "Scorer",
    "UnknownModel",
    "VmafError",
    "model_named",
    "pool",
    "score",
]
