"""What was used then and what is here now, side by side; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

UNKNOWN = "not recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it was.

    Attributes:
        what: `ffmpeg`, `stage encode`, `processor features`.
        recorded: then, as text.
        here: now.
    """

    what: str
    recorded: str
    here: str


def differences(
    then: Mapping[str, Any],
    now: Mapping[str, Any],
    machine_then: Mapping[str, Any],
    machine_now: Mapping[str, Any],
) -> list[Difference]:
    """Other versions of programs and stages, other settings of our own making, another machine.

    Args:
        then, now: manifests; of the second only `versions`, `stages` and `settings` are read.
        machine_then, machine_now: see `pipelines.encode.machine`; the first is empty where nobody recorded it.
    """
    return [
        *_mapping("", then["versions"], now["versions"]),
        *_stages(then["stages"], now["stages"]),
        *_mapping("setting ", then["settings"], now["settings"]),
        *_machine(machine_then, machine_now),
    ]


def decisions(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Rungs that came out of other decisions: their size and quality value, and rungs that one side does not have.

    Args:
        then, now: manifests; of each only `renditions` is read.
    """
    first, second = ({row["name"]: _rung_text(row) for row in side["renditions"]} for side in (then, now))
    return list(_mapping("rung ", first, second, "none"))


def _rung_text(row: Mapping[str, Any]) -> str:
    return f"{row['width']}x{row['height']} CRF {row['crf']}"


def _mapping(
    prefix: str, then: Mapping[str, Any], now: Mapping[str, Any], absent: str = UNKNOWN
) -> Iterator[Difference]:
    for name in sorted({*then, *now}):
        one, other = (str(side.get(name, absent)) for side in (then, now))
        if one != other:
            yield Difference(what=f"{prefix}{name}", recorded=one, here=other)


def _stages(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    """Stages whose code or fingerprint is another."""
    for node in sorted({*then, *now}):
        one, other = (_stage_text(side.get(node)) for side in (then, now))
        if one != other:
            yield Difference(what=f"stage {node}", recorded=one, here=other)


def _stage_text(stage: Mapping[str, Any] | None) -> str:
    if stage is None:
        return "none"
    mark = f", {stage['fingerprint']}" if stage.get("fingerprint") else ""
    return f"{stage.get('stage')}@{stage.get('version')}{mark}"


def _machine(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    if not then:
        yield Difference(what="machine", recorded=UNKNOWN, here=str(now["processor"]))
        return
    names = {"processor": "processor", "kernels": "target of our kernels", "system": "system"}
    for key, what in names.items():
        if then.get(key) != now[key]:
            yield Difference(what=what, recorded=str(then.get(key, UNKNOWN)), here=str(now[key]))
    one, other = (" ".join(side.get("features", ())) for side in (then, now))
    if one != other:
        yield Difference(what="processor features", recorded=one or "none", here=other or "none")
