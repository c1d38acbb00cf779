"""Which closed captions renditions carry in their pictures, read from the files themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from archer.media import probe
from encoder.carried import read_carried
from encoder.cea608 import decoded
from pipelines.encode.embedded import channels, has_digital
from pipelines.packaging.tracks import VideoTrack


def with_closed(tracks: Iterable[VideoTrack]) -> list[VideoTrack]:
    """The tracks, each with the channels that say something in its pictures: players are told of these."""
    return [replace(track, captions=closed_channels(track.path)) for track in tracks]


def closed_channels(path: Path) -> tuple[str, ...]:
    """`CC1` to `CC4`, `SERVICE1` of CEA-708 alone, or none.

    Args:
        path: of a file; its packets are read through, where the first ones carry captions.

    Raises:
        MediaError: it cannot be read.
    """
    info = probe(str(path))
    carried = read_carried(str(path), info)
    digital = has_digital(triplets for _, triplets in carried)
    return channels({"services": decoded(carried, info.duration), "cea708": digital})
