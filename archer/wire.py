"""Items, parts and outputs as JSON: how they are stored and cross between processes.

An asset is written by its identity, never by its URL, so that the same title in another place gives the same
bytes; who reads it says which assets it knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archer.artifact import Artifact
from archer.media.asset import Asset
from archer.media.range import FrameRange
from archer.split.chunk import Chunk
from archer.stage import Input, Item, Part

Assets = Mapping[str, Asset]


def input_to_json(value: Input | Sequence[Input]) -> Any:
    """A JSON value for an input or a list of them."""
    if isinstance(value, Asset):
        return {"asset": value.identity, "size": value.size}
    if isinstance(value, Artifact):
        return {"artifact": value.to_json()}
    return [input_to_json(entry) for entry in value]


def input_from_json(value: Any, assets: Assets) -> Input | tuple[Input, ...]:
    """The input that `input_to_json` wrote; an asset that is not among `assets` has an empty URL."""
    if isinstance(value, list):
        return tuple(_one_from_json(entry, assets) for entry in value)
    return _one_from_json(value, assets)


def _one_from_json(value: Mapping[str, Any], assets: Assets) -> Input:
    if "artifact" in value:
        return Artifact.from_json(value["artifact"])
    identity = value["asset"]
    return assets.get(identity) or Asset(url="", identity=identity, size=value["size"])


def item_to_json(item: Item) -> dict[str, Any]:
    """A JSON object for an item."""
    chunk, uses = item.chunk, item.uses
    return {
        "chunk": None if chunk is None else chunk_to_json(chunk),
        "variant": item.variant,
        "values": dict(item.values),
        "uses": None if uses is None else {name: input_to_json(value) for name, value in uses.items()},
        "weight": item.weight,
        **({"exclusive": item.exclusive} if item.exclusive else {}),
        **({"cost": item.cost} if item.cost else {}),
    }


def item_from_json(value: Mapping[str, Any], assets: Assets) -> Item:
    """The item that `item_to_json` wrote."""
    chunk, uses = value["chunk"], value["uses"]
    return Item(
        chunk=None if chunk is None else chunk_from_json(chunk),
        variant=value["variant"],
        values=value["values"],
        uses=None if uses is None else {name: input_from_json(entry, assets) for name, entry in uses.items()},
        weight=value["weight"],
        exclusive=value.get("exclusive", ""),
        cost=value.get("cost", 0),
    )


def chunk_to_json(chunk: Chunk) -> list[int]:
    """Index, start, end, context before, context after."""
    return [chunk.index, chunk.frames.start, chunk.frames.end, chunk.before, chunk.after]


def chunk_from_json(value: Sequence[int]) -> Chunk:
    """The chunk that `chunk_to_json` wrote."""
    index, start, end, before, after = value
    return Chunk(index=index, frames=FrameRange(start, end), before=before, after=after)


def part_to_json(part: Part) -> dict[str, Any]:
    """A JSON object for a part."""
    return {"item": item_to_json(part.item), "outputs": outputs_to_json(part.outputs)}


def part_from_json(value: Mapping[str, Any], assets: Assets) -> Part:
    """The part that `part_to_json` wrote."""
    return Part(item=item_from_json(value["item"], assets), outputs=outputs_from_json(value["outputs"]))


def outputs_to_json(outputs: Mapping[str, Artifact]) -> dict[str, Any]:
    """Outputs of a task as a JSON object."""
    return {name: artifact.to_json() for name, artifact in outputs.items()}


def outputs_from_json(value: Mapping[str, Any]) -> dict[str, Artifact]:
    """The outputs that `outputs_to_json` wrote."""
    return {name: Artifact.from_json(entry) for name, entry in value.items()}
