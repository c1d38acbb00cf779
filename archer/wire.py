"""Items, parts and inputs as JSON: how they are stored and cross between processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from archer.artifact import Artifact
from archer.media.asset import Asset
from archer.media.range import FrameRange
from archer.split.chunk import Chunk
from archer.stage import Input, Item, Part


def input_to_json(value: Input | Sequence[Input]) -> Any:
    """A JSON value for an input or a list of them."""
    if isinstance(value, Asset):
        return {"asset": asdict(value)}
    if isinstance(value, Artifact):
        return {"artifact": value.to_json()}
    return [input_to_json(entry) for entry in value]


def input_from_json(value: Any) -> Input | tuple[Input, ...]:
    """The input that `input_to_json` wrote."""
    if isinstance(value, list):
        return tuple(input_from_json(entry) for entry in value)  # type: ignore[misc]  # lists are flat
    if "asset" in value:
        return Asset(**value["asset"])
    return Artifact.from_json(value["artifact"])


def item_to_json(item: Item) -> dict[str, Any]:
    """A JSON object for an item. Assets are stored by URL and identity, so it never becomes part of an identity."""
    chunk = item.chunk
    return {
        "chunk": None if chunk is None else [chunk.index, chunk.frames.start, chunk.frames.end, chunk.before, chunk.after],
        "variant": item.variant,
        "values": dict(item.values),
        "uses": None if item.uses is None else {name: input_to_json(value) for name, value in item.uses.items()},
        "weight": item.weight,
    }


def item_from_json(value: Mapping[str, Any]) -> Item:
    """The item that `item_to_json` wrote."""
    chunk = value["chunk"]
    return Item(
        chunk=None
        if chunk is None
        else Chunk(index=chunk[0], frames=FrameRange(chunk[1], chunk[2]), before=chunk[3], after=chunk[4]),
        variant=value["variant"],
        values=value["values"],
        uses=None if value["uses"] is None else {name: input_from_json(entry) for name, entry in value["uses"].items()},
        weight=value["weight"],
    )


def part_to_json(part: Part) -> dict[str, Any]:
    """A JSON object for a part."""
    return {
        "item": item_to_json(part.item),
        "outputs": {name: artifact.to_json() for name, artifact in part.outputs.items()},
    }


def part_from_json(value: Mapping[str, Any]) -> Part:
    """The part that `part_to_json` wrote."""
    outputs = {name: Artifact.from_json(entry) for name, entry in value["outputs"].items()}
    return Part(item=item_from_json(value["item"]), outputs=outputs)
