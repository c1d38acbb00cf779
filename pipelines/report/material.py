"""What a report is made from, read from the inputs of the stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from archer.media import Asset, MediaInfo
from archer.stage import Part, TaskContext
from encoder.loudness import Loudness
from pipelines.encode.audio import chosen_first
from pipelines.encode.ranges import OTHER, media_name
from pipelines.report.coded import CodedAudio, CodedVideo, read_audio, read_video
from pipelines.score.stage import scores_by_rendition
from vmaf import FrameScores
from vmaf.scores import read_parquet


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotFacts:
    """A shot: half-open frame range, how it begins, certainty in percent."""

    start: int
    end: int
    transition: str
    confidence_pct: int


class Measured(Protocol):
    """What the plots need to know: see `Material`."""

    @property
    def videos(self) -> Sequence[CodedVideo]:
        """Renditions in the order of the ladder."""

    @property
    def crfs(self) -> Mapping[str, str]:
        """Constant quality of each rendition, as text."""

    @property
    def scores(self) -> Mapping[str, FrameScores]:
        """Scores of each rendition."""

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """Seconds of each frame from the first one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """Everything that is known about a job when its report is written.

    Attributes:
        asset: the mezzanine.
        info: its facts.
        shots: contiguous, covering the title.
        videos: renditions, in the order of the ladder.
        paths: file of each rendition, by name.
        crfs: constant quality of each rendition as text, by name; empty where unknown.
        audios: audio renditions; of one file none, which keeps the sound of the source.
        scores: by rendition; each has every frame of the title.
        notices: what the reader must know, in words.
        codecs: RFC 6381 codec string of each rendition, by name.
        proxies: facts of each proxy, by what it stands for: `source`, or a rendition that browsers do not play.
        qc: findings of quality control, a `qc@1` object; None where nobody looked.
        choices: what the optimizer decided and why, a `choices@1` object; None where it had no part.
        others: facts of the title as it was looked at for a rendition, by its name, where that is not `info`.
    """

    asset: Asset
    info: MediaInfo
    shots: tuple[ShotFacts, ...]
    videos: tuple[CodedVideo, ...]
    paths: Mapping[str, Path]
    crfs: Mapping[str, str]
    audios: tuple[CodedAudio, ...]
    scores: Mapping[str, FrameScores]
    notices: tuple[str, ...] = ()
    codecs: Mapping[str, str] = field(default_factory=dict)
    proxies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    qc: Mapping[str, Any] | None = None
    choices: Mapping[str, Any] | None = None
    others: Mapping[str, MediaInfo] = field(default_factory=dict)

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """Frame ranges of the shots."""
        return [(shot.start, shot.end) for shot in self.shots]

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """(n,) seconds of each frame from the first one."""
        pts = self.info.index.pts
        return np.asarray((pts - pts[0]) * float(self.info.video.time_base), np.float64)


def load(ctx: TaskContext) -> Material:
    """Read the inputs of the stage."""
    renditions = list(ctx.inputs.parts("renditions"))
    paths = {part.item.variant: ctx.path(part.outputs["rendition"]) for part in renditions}
    facts = {part.item.variant: ctx.inputs.read(part.outputs["facts"]) for part in renditions}
    return Material(
        asset=ctx.inputs.asset(),
        info=ctx.inputs.media(),
        shots=tuple(_shots(ctx.inputs.json("shots"))),
        videos=tuple(read_video(path, name) for name, path in paths.items()),
        paths=paths,
        crfs={name: str(each["crf"]) for name, each in facts.items()},
        audios=tuple(_audios(ctx)),
        scores=scores_by_rendition(read_parquet(ctx.inputs.path("scores"))),
        notices=tuple(_notices(ctx)),
        codecs={name: str(each["codec"]) for name, each in facts.items()},
        proxies=_proxies(ctx),
        qc=ctx.inputs.json("qc") if "qc" in ctx.inputs else None,
        choices=ctx.inputs.json("choices") if "choices" in ctx.inputs else None,
        others={
            part.item.variant: ctx.inputs.media(OTHER)
            for part in renditions
            if media_name(ctx.inputs, part.item) == OTHER
        },
    )


def rendition_url(name: str) -> str:
    """Where a rendition lies in an output folder."""
    return f"renditions/{name}.mp4"


def proxy_url(name: str) -> str:
    """Where the proxy of `source` or of a rendition lies in an output folder."""
    return f"proxies/{name}.mp4"


def _proxies(ctx: TaskContext) -> dict[str, Any]:
    parts = ctx.inputs.parts("proxies") if "proxies" in ctx.inputs else ()
    return {part.item.variant: ctx.inputs.read(part.outputs["facts"]) for part in parts}


def _notices(ctx: TaskContext) -> Iterator[str]:
    yield from ctx.inputs.json("ladder")["notices"]
    for part in ctx.inputs.parts("renditions"):
        yield from ctx.inputs.read(part.outputs["facts"]).get("notices", ())
    for part in _audio_parts(ctx):
        yield from ctx.inputs.read(part.outputs["facts"])["notices"]


def _shots(value: Mapping[str, Any]) -> Iterator[ShotFacts]:
    for shot in value["shots"]:
        yield ShotFacts(
            start=shot["start"],
            end=shot["end"],
            transition=shot["transition"],
            confidence_pct=shot["confidence_pct"],
        )


def _audio_parts(ctx: TaskContext) -> Sequence[Part]:
    """Of a package; one file keeps the sound of the source as it is."""
    return ctx.inputs.parts("audio") if "audio" in ctx.inputs else ()


def _audios(ctx: TaskContext) -> Iterator[CodedAudio]:
    parts = _audio_parts(ctx)
    first = chosen_first(parts)
    for place, part in enumerate(parts):
        values, facts = part.item.values, ctx.inputs.read(part.outputs["facts"])
        yield read_audio(
            ctx.path(part.outputs["audio"]),
            language=str(values.get("language", "und")),
            title=str(values.get("title", "")),
            default=place == first,
            loudness=Loudness(**facts["loudness"]),
            gain_db=facts["gain_db"],
        )
