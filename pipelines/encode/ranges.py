"""The title in the dynamic range of a rung, where one title has ladders in HDR and in SDR."""

from __future__ import annotations

from archer.artifact import Artifact
from archer.stage import Inputs, Item
from encoder.ladder import range_of

OTHER = "other_media"
"""Input with the facts of the title in the other dynamic range, beside `media`."""


def media_name(inputs: Inputs, item: Item) -> str:
    """Name of the input that has the title as an item's rung shows it: rungs say their range where there are two."""
    wanted = item.values.get("dynamic_range", "")
    return OTHER if wanted and wanted != range_of(inputs.media().video) else "media"


def media_for(inputs: Inputs, item: Item) -> Artifact:
    """What the item gets as `media`."""
    return inputs.artifact(media_name(inputs, item))
