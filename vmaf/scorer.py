"""What scores frames: one interface, several backends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from archer.media import MediaInfo
from cinemill_native.frames import Frame
from vmaf.models import Model
from vmaf.scores import FrameScores


class Scorer(Protocol):
    """Scores a run of frames against their references, matched by order."""

    def version(self) -> str:
        """Names the program that computes the scores; part of memo keys."""

    def context(self, model: Model) -> tuple[int, int]:
        """Frames before and behind a chunk with which its scores are those of the whole title."""

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
        """Score frames at the model's display size.

        Args:
            reference, distorted: the same number of frames.
            reference_info, distorted_info: their geometry and colour.
            model: which model.
            first: number of the first frame, for the result.
            threads: of the metric.
            subsample: score every n-th frame only.
            on_frame: called with the number of frames handed over so far.

        Raises:
            FrameCountMismatch: one side has more frames.
        """
