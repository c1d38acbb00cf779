"""Stage `embedded`: closed captions in the pictures of the source (CEA-608, CEA-708), by frame of the title and as cues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from archer.media.asset import urls_of
from archer.stage import Item, Resources, Stage, TaskContext
from encoder.carried import read_carried
from encoder.cea import packed, title_captions
from encoder.cea608 import decoded
from encoder.subtitles import Cue

SCHEMA, DATA = "embedded@1", "cea-data@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedParams:
    """Reading has no settings."""


class Embedded(Stage[EmbeddedParams]):
    """Reads the packets of the video through once, where the first ones carry captions."""

    name, version, params = "embedded", 1, EmbeddedParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1"})
    outputs = MappingProxyType({"captions": SCHEMA, "data": DATA})

    def resources(self, params: EmbeddedParams) -> Resources:
        """Some megabytes of captions for a film."""
        return Resources(memory_mb=1024)

    def map(self, ctx: TaskContext, item: Item, params: EmbeddedParams) -> None:
        """Write what each frame carries, and what it says."""
        info = ctx.inputs.media()
        urls = urls_of(ctx.inputs.asset().url)
        found = [read_carried(url, source) for url, source in zip(urls, info.sources, strict=True)]
        frames = title_captions(found, info)
        times = ((info.time_of(place), frames[place]) for place in sorted(frames))
        services = decoded(times, info.duration) if frames else {}
        ctx.out("data", ".bin").write_bytes(packed(frames))
        ctx.out_json(
            "captions",
            {
                "schema": SCHEMA,
                "frames": len(frames),
                "cea708": has_digital(frames.values()),
                "services": {name: [_row(cue) for cue in cues] for name, cues in services.items()},
            },
        )


def _row(cue: Cue) -> list[str]:
    return [str(cue.start), str(cue.end), cue.text, cue.settings]


def service_cues(captions: Mapping[str, Any], service: str) -> list[Cue]:
    """What a service of an `embedded@1` object shows."""
    rows: Sequence[Sequence[str]] = captions["services"][service]
    return [
        Cue(start=Fraction(start), end=Fraction(end), text=text, settings=settings)
        for start, end, text, settings in rows
    ]


def channels(captions: Mapping[str, Any]) -> tuple[str, ...]:
    """What manifests call the services: `CC1`; `SERVICE1` where there is CEA-708 alone; none where nothing is carried."""
    if captions["services"]:
        return tuple(sorted(captions["services"]))
    return ("SERVICE1",) if captions["cea708"] else ()


def has_digital(triplets: Iterable[bytes]) -> bool:
    """Whether there is CEA-708 among the triplets of pictures."""
    return any(data[at] & 7 in (6, 7) for data in triplets for at in range(0, len(data), 3))
