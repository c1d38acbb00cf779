"""Scorer by ffmpeg's filters: the cross-check of ours, and the way to metrics that we do not compute ourselves."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from archer.media import MediaInfo, display_size
from archer.media.nut import write_nut
from archer.media.picture import picture_filters
from archer.process import Child, ffmpeg_path, tool_version
from cinemill_native.frames import Frame
from vmaf.errors import FrameCountMismatch, UnknownMetric
from vmaf.features.registry import METRICS
from vmaf.models import Model
from vmaf.scores import FrameScores

LOG = "log.json"
XPSNR_LOG = "xpsnr.log"
FFMPEG_METRICS = {
    "psnr": "psnr",
    "ssim": "float_ssim",
    "ms_ssim": "float_ms_ssim",
    "ciede2000": "ciede",
    "psnr_hvs": "psnr_hvs",
    "vif_float": "float_vif",
    "adm_float": "float_adm",
    "motion_float": "float_motion",
}
"""Name of a metric -> libvmaf's feature; `xpsnr` is a filter of its own."""
XPSNR = "xpsnr"
ONLY_BY_FFMPEG = tuple(name for name in (*FFMPEG_METRICS, XPSNR) if name not in METRICS)
"""Metrics that need a pass of ffmpeg's filters: their kernels would be new, and no stage asks for them."""


class FFmpegScorer:
    """Both sides go through pipes as numbered raw pictures, are scaled alike (bicubic), and are matched by number.

    Args:
        metrics: names of `FFMPEG_METRICS`, or xpsnr.

    Raises:
        UnknownMetric: ffmpeg has no such metric.
    """

    def __init__(self, metrics: Sequence[str] = ("psnr",)) -> None:
        for name in metrics:
            if name not in (*FFMPEG_METRICS, XPSNR):
                raise UnknownMetric(name, (*FFMPEG_METRICS, XPSNR))
        self._metrics = tuple(metrics)

    def version(self) -> str:
        """The build of ffmpeg, whose libvmaf it is."""
        return "libvmaf of " + " ".join(tool_version(ffmpeg_path()).split()[:3])

    def context(self, model: Model) -> tuple[int, int]:
        """Motion of the v0 models looks one frame back and one ahead."""
        return 1, 1

    def score(
        self,
        reference: Iterable[Frame],
        distorted: Iterable[Frame],
        *,
        reference_info: MediaInfo,
        distorted_info: MediaInfo,
        model: Model,
        first: int = 0,
        threads: int = 1,
        subsample: int = 1,
        on_frame: Callable[[int], None] | None = None,
    ) -> FrameScores:
        """See `Scorer.score`."""
        counts: dict[str, int] = {}
        rate = reference_info.video.frame_rate
        sides = {
            "distorted": (distorted, distorted_info, None),
            "reference": (reference, reference_info, on_frame),
        }
        with TemporaryDirectory(prefix="cinemill-score-") as folder:
            graph = _graph(reference_info, distorted_info, model, self._metrics, threads, subsample)
            argv = _argv(graph, str(rate))
            with Child(argv, feeds=2, cwd=Path(folder)) as child:
                for place, (name, (frames, info, tell)) in enumerate(sides.items()):
                    video = replace(info.video, frame_rate=rate)
                    child.feed(place, _feed(counts, name, frames, video, tell))
                child.finish()
            if counts["reference"] != counts["distorted"]:
                raise FrameCountMismatch(counts["reference"], counts["distorted"])
            log = json.loads((Path(folder) / LOG).read_bytes())
            if XPSNR in self._metrics:
                _add_xpsnr(log, (Path(folder) / XPSNR_LOG).read_text())
        return _scores(log, model, self.version(), first)


def _feed(
    counts: dict[str, int], name: str, frames: Iterable[Frame], video: Any, tell: Callable[[int], None] | None
) -> Any:
    def write(file: Any) -> None:
        counts[name] = write_nut(file, frames, video, on_frame=tell)

    counts[name] = 0
    return write


def _argv(graph: str, rate: str) -> list[str | Path]:
    whitelist = ["-protocol_whitelist", "pipe,file"]
    side = [*whitelist, "-threads", "1", "-r", rate, "-f", "nut", "-i"]
    head: list[str | Path] = [ffmpeg_path(), "-hide_banner", "-nostdin", "-loglevel", "error", "-xerror"]
    inputs = [*side, Child.feed_url(0), *side, Child.feed_url(1)]
    return [*head, *inputs, "-filter_complex_threads", "1", "-lavfi", graph, "-f", "null", "-"]


def _graph(
    reference: MediaInfo,
    distorted: MediaInfo,
    model: Model,
    metrics: Sequence[str],
    threads: int,
    subsample: int,
) -> str:
    width, height = model.fit(*display_size(reference.video))
    deep = max(reference.video.format.bit_depth, distorted.video.format.bit_depth) > 8
    pixels = "yuv420p10le" if deep else "yuv420p"
    left = picture_filters(distorted, width, height, pixels, kernel="bicubic")
    right = picture_filters(reference, width, height, pixels, kernel="bicubic")
    features = "|".join(f"name={FFMPEG_METRICS[name]}" for name in metrics if name != XPSNR)
    chosen = f"path={_escaped(model.path)}" if model.path else f"version={model.name}"
    options = f"model='{chosen}':n_threads={threads}:n_subsample={subsample}:log_fmt=json:log_path={LOG}"
    options += f":feature='{features}'" if features else ""
    if XPSNR not in metrics:
        return f"[0:v]{left}[d];[1:v]{right}[r];[d][r]libvmaf={options}"
    halves = f"[0:v]{left},split[d][d2];[1:v]{right},split[r][r2]"
    return f"{halves};[d2][r2]xpsnr=stats_file={XPSNR_LOG}[x];[d][r]libvmaf={options}[v];[x]nullsink;[v]copy"


def _escaped(path: str) -> str:
    """A path as an option within an option of a filter takes it."""
    return re.sub(r"([\\':|=,;\[\]])", r"\\\\\1", str(Path(path).absolute()))


def _add_xpsnr(log: dict[str, Any], text: str) -> None:
    """Adds what the filter wrote, a line per frame: `n: 1  XPSNR y: 40.1  XPSNR u: 43.2  XPSNR v: inf`."""
    lines = re.findall(r"n:\s*(\d+)\s+XPSNR y:\s*(\S+)\s+XPSNR u:\s*(\S+)\s+XPSNR v:\s*(\S+)", text)
    found = {int(number) - 1: [float(value) for value in values] for number, *values in lines}
    for row in log["frames"]:
        for name, value in zip(("xpsnr_y", "xpsnr_cb", "xpsnr_cr"), found[row["frameNum"]], strict=True):
            row["metrics"][name] = value if math.isfinite(value) else 100.0


def _scores(log: dict[str, Any], model: Model, scorer: str, first: int) -> FrameScores:
    rows = log["frames"]
    names = sorted(set.intersection(*(set(row["metrics"]) for row in rows))) if rows else []
    return FrameScores(
        frames=np.array([row["frameNum"] + first for row in rows], np.int64),
        columns={name: np.array([row["metrics"][name] for row in rows], np.float64) for name in names},
        model=model.name,
        scorer=scorer,
    )
