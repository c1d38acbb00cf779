"""Stage `ladders`: the ladders of several codecs as one, so that a title is encoded, scored and packaged once for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from archer.stage import Item, Resources, Stage, TaskContext, Trial
from pipelines.encode.request import MOST

LADDER, CHOICES = "ladder", "choices"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaddersParams:
    """Joining has no settings."""


def input_of(kind: str, place: int) -> str:
    """Name of the input with a ladder, or with the reasons for it: `ladder`, `ladder_2`, `choices_2`."""
    return f"{kind}_{place + 1}" if place else kind


class Ladders(Stage[LaddersParams]):
    """Rungs keep their order and names; where a name is taken, the codec's is added to it."""

    name, version, params = "ladders", 1, LaddersParams
    inputs = MappingProxyType(
        {
            input_of(kind, place): kind + ("@1?" if place or kind == CHOICES else "@1")
            for kind in (LADDER, CHOICES)
            for place in range(MOST)
        }
    )
    outputs = MappingProxyType({LADDER: "ladder@1", CHOICES: "choices@1"})

    def resources(self, params: LaddersParams) -> Resources:
        """Nothing to speak of."""
        return Resources(memory_mb=512)

    def trial(self) -> Trial:
        """A ladder alone."""
        return Trial(feeds={LADDER: "search.ladder"})

    def map(self, ctx: TaskContext, item: Item, params: LaddersParams) -> None:
        """Write the ladder of all codecs, and the reasons of each."""
        there = [place for place in range(MOST) if input_of(LADDER, place) in ctx.inputs]
        ladders = [ctx.inputs.json(input_of(LADDER, place)) for place in there]
        reasons = [
            ctx.inputs.json(input_of(CHOICES, place)) if input_of(CHOICES, place) in ctx.inputs else None
            for place in there
        ]
        ctx.out_json(LADDER, joined_ladder(ladders))
        ctx.out_json(CHOICES, joined_choices(ladders, reasons))


def joined_ladder(ladders: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One `ladder@1` of several: each rung says its codec, depth and, where they differ, dynamic range.

    What holds for all is the first one's.

    Args:
        ladders: of one title, each of a codec in a dynamic range.
    """
    names = apart(ladders)
    several = len({ladder.get("dynamic_range", "") for ladder in ladders}) > 1
    rungs = [
        {
            **rung,
            "name": name,
            "codec": ladder["codec"],
            "ten_bit": ladder["ten_bit"],
            **_shown(ladder, several),
        }
        for ladder, own in zip(ladders, names, strict=True)
        for rung, name in zip(ladder["rungs"], own, strict=True)
    ]
    codecs = ",".join(ladder["codec"] for ladder in ladders)
    search = [{**point, "codec": ladder["codec"]} for ladder in ladders for point in ladder["search"]]
    shared = {"rungs": rungs, "search": search, "notices": _notices(ladders, several)}
    return {**ladders[0], "codec": codecs, **shared}


def _notices(ladders: Sequence[Mapping[str, Any]], several: bool) -> list[str]:  # noqa: FBT001
    """Each once; where there are `several` dynamic ranges, with the ladders that it is about, if not all."""
    about: dict[str, list[str]] = {}
    for ladder in ladders:
        for notice in dict.fromkeys(ladder["notices"]):
            about.setdefault(notice, []).append(
                f"{ladder['codec']} in {ladder.get('dynamic_range', '').upper()}"
            )
    return [
        f"{', '.join(names)}: {notice}" if several and len(names) < len(ladders) else notice
        for notice, names in about.items()
    ]


def _shown(ladder: Mapping[str, Any], several: bool) -> dict[str, str]:  # noqa: FBT001
    return {"dynamic_range": ladder["dynamic_range"]} if several else {}


def joined_choices(
    ladders: Sequence[Mapping[str, Any]], reasons: Sequence[Mapping[str, Any] | None]
) -> dict[str, Any]:
    """The reasons of the first codec, with those of the `others` in a list; no rungs where nothing was optimised.

    Args:
        ladders: as in `joined_ladder`.
        reasons: a `choices@1` object for each, where there is one.
    """
    told = [
        {**each, "codec": ladder["codec"], "rungs": _renamed(each["rungs"], ladder["rungs"], names)}
        for ladder, each, names in zip(ladders, reasons, apart(ladders), strict=True)
        if each is not None
    ]
    first, *others = told or [{"schema": "choices@1", "rungs": [], "encodes": 0}]
    return {**first, "encodes": sum(each["encodes"] for each in (first, *others)), "others": others}


def apart(ladders: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Names of the rungs of each ladder, no two equal."""
    taken: set[str] = set()
    found = []
    for ladder in ladders:
        own = [rung["name"] for rung in ladder["rungs"]]
        found.append([_free(name, ladder, ladders[0], taken) for name in own])
        taken |= set(found[-1])
    return found


def _free(name: str, ladder: Mapping[str, Any], first: Mapping[str, Any], taken: AbstractSet[str]) -> str:
    """A name that is not taken: by itself, with the dynamic range that the first ladder has not, with the codec, with both."""
    codec, shown = ladder["codec"], ladder.get("dynamic_range", "")
    other = [f"{name}-{shown}"] if shown != first.get("dynamic_range", "") else []
    tried = [name, *other, f"{name}-{codec}", f"{name}-{codec}-{shown}"]
    return next(one for one in tried if one not in taken)


def _renamed(
    decided: Sequence[Mapping[str, Any]], rungs: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> list[dict[str, Any]]:
    new = {rung["name"]: name for rung, name in zip(rungs, names, strict=True)}
    return [{**one, "name": new[one["name"]]} for one in decided]
