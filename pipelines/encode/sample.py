"""One measured encode: code some frames, decode and score them, in one task."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from archer.media import FrameRange, MediaInfo, frames, probe
from archer.media.layout import as_frame, plane_sizes
from archer.stage import Resources, TaskContext
from cinemill_native.frames import Frame
from encoder import ChunkFacts, EncodeSettings, Rung, encode_chunk
from encoder.codecs import codec_named
from pipelines.encode.limits import coder_limits, coder_resources
from pipelines.score.scorer import default_scorer
from vmaf import FrameScores, model_named
from vmaf.reference import HeldReference, Scoring, held_bytes

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

HELD_MB = 256
"""Of a shot's reference, and of its decoded pictures, up to so much each is kept for the next encode of the same shot."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What is measured, and how exactly.

    Attributes:
        part: frames of the asset.
        model: VMAF model.
        subsample: score every n-th frame only.
        first: number of the first frame, which says which ones these are.
    """

    part: FrameRange
    model: str
    subsample: int
    first: int = 0


def measured(
    ctx: TaskContext, sample: Sample, rung: Rung, settings: EncodeSettings
) -> tuple[ChunkFacts, FrameScores]:
    """What the frames cost at this rung and with these settings, and how good they are.

    The worker keeps the last sample's pictures where they are small enough, since the next task is mostly another
    encode of the same ones: they are decoded, and scaled for scoring, once. What comes out is the same either way.

    Args:
        ctx: of a task whose inputs are the `asset` and its `media`.
        sample: which frames, and which of them are scored.
        rung: the size.
        settings: how, with a quality value.
    """
    info, model, total = ctx.inputs.media(), model_named(sample.model), len(sample.part)
    if held_bytes(info, model, frames=total, subsample=sample.subsample) > HELD_MB << 20:
        return _streamed(ctx, sample, rung, settings)
    key = (ctx.inputs.asset().identity, ctx.inputs.artifact("media"), sample)
    pictures = _pictures(ctx, sample.part, info, key)
    ten_bit = settings.ten_bit or info.video.format.bit_depth > 8
    reference = _REFERENCES.get(
        (key, ten_bit),
        lambda: HeldReference.of(
            pictures(), info, model, first=sample.first, subsample=sample.subsample, deep=ten_bit
        ),
    )
    coded = ctx.scratch / "sample.mp4"
    eye = _Eye(reference, coded, lambda done: ctx.progress(total + done, 2 * total))
    facts = encode_chunk(
        pictures(),
        info,
        rung,
        settings,
        coded,
        on_frame=lambda done: ctx.progress(done, 2 * total),
        on_picture=eye.see,
        limits=coder_limits(settings),
    )
    return facts, eye.scores()


class _Eye:
    """Looks at the pictures of a coded file as its check decodes them, and scores those that count.

    Args:
        reference: what they were.
        coded: the file, complete once the first picture comes.
        report: called with the number of pictures so far.
    """

    def __init__(self, reference: HeldReference, coded: Path, report: Callable[[int], None]) -> None:
        self._reference, self._coded, self._report = reference, coded, report
        self._begun: tuple[MediaInfo, Scoring] | None = None

    def see(self, place: int, picture: VideoFrame) -> None:
        """The next picture, and its number."""
        if self._begun is None:
            info = probe(str(self._coded))
            self._begun = info, self._reference.scoring(info)
        info, scoring = self._begun
        if place in self._reference.places:
            scoring.push(as_frame(picture, place, info))
        self._report(place + 1)

    def scores(self) -> FrameScores:
        """Of all pictures."""
        assert self._begun is not None  # noqa: S101  no chunk is empty, or its check had failed
        return self._begun[1].scores()


def _streamed(
    ctx: TaskContext, sample: Sample, rung: Rung, settings: EncodeSettings
) -> tuple[ChunkFacts, FrameScores]:
    """The same, frame by frame in little memory."""
    info, asset, total = ctx.inputs.media(), ctx.inputs.asset(), len(sample.part)
    coded = ctx.scratch / "sample.mp4"
    facts = encode_chunk(
        ctx.frames(asset, sample.part),
        info,
        rung,
        settings,
        coded,
        on_frame=lambda done: ctx.progress(done, 2 * total),
        limits=coder_limits(settings),
    )
    coded_info = probe(str(coded))
    scores = default_scorer().score(
        ctx.frames(asset, sample.part),
        frames(str(coded), info=coded_info),
        reference_info=info,
        distorted_info=coded_info,
        model=model_named(sample.model),
        subsample=sample.subsample,
        first=sample.first,
        on_frame=lambda done: ctx.progress(total + done, 2 * total),
    )
    return facts, scores


def sample_resources(settings: EncodeSettings) -> Resources:
    """What a task that measures is counted with: an encoder, a scorer after it, and the pictures that are kept."""
    counted = coder_resources(settings)
    return replace(counted, memory_mb=counted.memory_mb + 2 * HELD_MB)


def deep(settings: EncodeSettings, info: MediaInfo) -> EncodeSettings:
    """The settings with 10 bits where the codec takes them, and either they are asked for or the source has more than 8."""
    wanted = settings.depth == "10" or (not settings.depth and info.video.bit_depth > 8)
    return replace(settings, ten_bit=codec_named(settings.codec).ten_bit and wanted)


@dataclass(slots=True)
class _Last(Generic[T]):
    """The last thing that was made, kept for who asks for it again; threads may share it."""

    kept: OrderedDict[Hashable, T] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept of this key, else what `make` makes; the one before is let go first."""
        with self.lock:
            if key in self.kept:
                return self.kept[key]
            self.kept.clear()
        made = make()
        with self.lock:
            self.kept = OrderedDict({key: made})
        return made


_REFERENCES: _Last[HeldReference] = _Last()
_PICTURES: _Last[Sequence[Frame]] = _Last()


def _pictures(
    ctx: TaskContext, part: FrameRange, info: MediaInfo, key: Hashable
) -> Callable[[], Iterable[Frame]]:
    """Gives the decoded frames: kept ones where all of them are small enough to keep."""
    video, asset = info.video, ctx.inputs.asset()
    samples = sum(width * height for width, height in plane_sizes(video.width, video.height, video.format))
    if samples * (2 if video.format.bit_depth > 8 else 1) * len(part) > HELD_MB << 20:
        return lambda: ctx.frames(asset, part)
    return lambda: _PICTURES.get(key, lambda: tuple(ctx.frames(asset, part)))
