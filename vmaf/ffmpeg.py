"""Scorer by ffmpeg's libvmaf filter: the first backend, later the cross-check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
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
from vmaf.errors import FrameCountMismatch
from vmaf.models import Model
from vmaf.scores import FrameScores

LOG = "log.json"


class FFmpegScorer:
    """Both sides go through pipes as numbered raw pictures, are scaled alike (bicubic), and are matched by number."""

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
            argv = _argv(_graph(reference_info, distorted_info, model, threads, subsample), str(rate))
            with Child(argv, feeds=2, cwd=Path(folder)) as child:
                for place, (name, (frames, info, tell)) in enumerate(sides.items()):
                    video = replace(info.video, frame_rate=rate)
                    child.feed(place, _feed(counts, name, frames, video, tell))
                child.finish()
            if counts["reference"] != counts["distorted"]:
                raise FrameCountMismatch(counts["reference"], counts["distorted"])
            log = json.loads((Path(folder) / LOG).read_bytes())
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


def _graph(reference: MediaInfo, distorted: MediaInfo, model: Model, threads: int, subsample: int) -> str:
    width, height = model.fit(*display_size(reference.video))
    deep = max(reference.video.format.bit_depth, distorted.video.format.bit_depth) > 8
    pixels = "yuv420p10le" if deep else "yuv420p"
    left = picture_filters(distorted, width, height, pixels, kernel="bicubic")
    right = picture_filters(reference, width, height, pixels, kernel="bicubic")
    options = f"model=version={model.name}:feature=name=psnr:n_threads={threads}:n_subsample={subsample}"
    options += f":log_fmt=json:log_path={LOG}"
    return f"[0:v]{left}[d];[1:v]{right}[r];[d][r]libvmaf={options}"


def _scores(log: dict[str, Any], model: Model, scorer: str, first: int) -> FrameScores:
    rows = log["frames"]
    names = sorted(set.intersection(*(set(row["metrics"]) for row in rows))) if rows else []
    return FrameScores(
        frames=np.array([row["frameNum"] + first for row in rows], np.int64),
        columns={name: np.array([row["metrics"][name] for row in rows], np.float64) for name in names},
        model=model.name,
        scorer=scorer,
    )
