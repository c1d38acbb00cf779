"""A reference that is looked at once: several codings of the same frames are then scored without decoding or scaling it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from archer.media import MediaInfo, display_size
from archer.media.convert import Converter
from cinemill_native.frames import Frame, PixelFormat, Plane
from vmaf.errors import FrameCountMismatch
from vmaf.features.adm import Adm
from vmaf.features.feature import Columns, Planes
from vmaf.features.registry import Plan, Wish, plan_of
from vmaf.features.vif import Vif
from vmaf.models import Model
from vmaf.native import FORMATS, NativeScorer, scores_of
from vmaf.read import regression_of
from vmaf.scores import FrameScores
from vmaf.stream import Row, ScoreStream

LUMA_ALONE = (Vif, Adm)
"""Features that never look at chroma."""


@dataclass(frozen=True, slots=True)
class _MotionAlone:
    """In place of a model: has motion measured, and gives no score."""

    wishes: tuple[Wish, ...]

    def scores(self, column: str, features: Mapping[str, float]) -> Columns:
        """None."""
        return {}


@dataclass(frozen=True, slots=True)
class Held:
    """A frame that is scored.

    Attributes:
        frame: its number.
        planes: of the reference, as the model sees it.
        motion: its columns of motion, which only the reference decides.
    """

    frame: int
    planes: Planes
    motion: Columns


@dataclass(frozen=True, slots=True)
class HeldReference:
    """The frames of a reference that are scored, in memory at the model's display size, with their motion.

    Scores are exactly those of `NativeScorer` with `metrics=()`. Immutable, so that threads may share it.

    Attributes:
        first: number of the first frame.
        model, size, pixels: what will score, at which size and in which format.
        held: the frames that are scored.
    """

    first: int
    model: Model
    size: tuple[int, int]
    pixels: PixelFormat
    held: tuple[Held, ...]

    @classmethod
    def of(
        cls, frames: Iterable[Frame], info: MediaInfo, model: Model, *, first: int, subsample: int, deep: bool
    ) -> Self:
        """Look at the reference, once.

        Args:
            frames, info: of the reference, and what it is.
            model: that will score.
            first: number of the first frame.
            subsample: score every n-th number only.
            deep: one of both sides has more than 8 bits.
        """
        plan, size, pixels = _plan(model), model.fit(*display_size(info.video)), FORMATS[deep]
        converter, kept = Converter(info, *size, pixels, kernel="bicubic"), dict[int, Planes]()
        rows: list[Row] = []
        models = {"": _MotionAlone(plan.motions)}
        with ScoreStream(models, metrics=(), first=first, subsample=subsample) as stream:
            for number, frame in enumerate(frames, start=first):

                def source(frame: Frame = frame, number: int = number) -> tuple[Planes, Planes]:
                    planes = converter.planes(frame)
                    if number % subsample == 0:
                        kept[number] = _kept(planes, plan)
                    return planes, ()

                stream.push(source)
                rows += stream.rows()
            rows += stream.finish()
        found = tuple(Held(row.frame, kept[row.frame], dict(row.values)) for row in rows)
        return cls(first, model, size, pixels, found)

    @property
    def places(self) -> frozenset[int]:
        """Which frames are scored, counted from 0."""
        return frozenset(held.frame - self.first for held in self.held)

    def scoring(self, info: MediaInfo) -> Scoring:
        """Begins to score a coding of these frames; `info` says what its pictures are."""
        return Scoring(self, info)


class Scoring:
    """Scores the pictures of one coding as they come; not thread-safe.

    Args:
        reference: what they were.
        info: what they are.
    """

    def __init__(self, reference: HeldReference, info: MediaInfo) -> None:
        self._reference, self._waiting = reference, iter(reference.held)
        self._converter = Converter(info, *reference.size, reference.pixels, kernel="bicubic")
        self._features, self._model = _plan(reference.model).features, regression_of(reference.model)
        self._rows: list[Row] = []

    def push(self, picture: Frame) -> None:
        """Score the next one of `HeldReference.places`. Raises: FrameCountMismatch: there are no more."""
        held = next(self._waiting, None)
        if held is None:
            raise FrameCountMismatch(len(self._rows), len(self._rows) + 1)
        values, planes = dict(held.motion), self._converter.planes(picture)
        for feature in self._features:
            values |= feature.measure(held.planes, planes)
        self._rows.append(Row(held.frame, values | self._model.scores("vmaf", values)))

    def scores(self) -> FrameScores:
        """Of all pictures. Raises: FrameCountMismatch: some are missing."""
        if len(self._rows) != len(self._reference.held):
            raise FrameCountMismatch(len(self._reference.held), len(self._rows))
        return scores_of(self._rows, self._reference.model.name, NativeScorer().version())


def held_bytes(info: MediaInfo, model: Model, *, frames: int, subsample: int) -> int:
    """At most how much memory a `HeldReference` of so many frames takes."""
    width, height = model.fit(*display_size(info.video))
    luma_alone = all(isinstance(feature, LUMA_ALONE) for feature in _plan(model).features)
    samples = width * height if luma_alone else width * height * 3 // 2
    return samples * (2 if info.video.format.bit_depth > 8 else 1) * (frames // subsample + 1)


def _plan(model: Model) -> Plan:
    return plan_of(regression_of(model).wishes)


def _kept(planes: Planes, plan: Plan) -> Planes:
    """Copies of what the features look at: the frame's own memory is the decoder's, and larger."""
    luma_alone = all(isinstance(feature, LUMA_ALONE) for feature in plan.features)
    return tuple(
        Plane(plane.samples.copy(), plane.bit_depth) for plane in (planes[:1] if luma_alone else planes)
    )
