"""Pictures of findings: the frame in the middle of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archer.media import Asset, MediaInfo
from pipelines.shots.pictures import middle_pictures, png

MOST = 100
"""Pictures of one report; who has more findings has seen enough."""


def write_pictures(
    folder: Path, asset: Asset, info: MediaInfo, found: Sequence[dict[str, Any]]
) -> list[Path]:
    """Write `KIND-FRAME.png` for each finding, up to `MOST`.

    Args:
        folder: made where it is not there.
        asset, info: the title and its facts.
        found: findings of a `qc@1` object.
    """
    listed = found[:MOST]
    if listed:
        folder.mkdir(parents=True, exist_ok=True)
    written = []
    for each, picture in zip(listed, middle_pictures(asset, info, listed), strict=True):
        path = folder / f"{each['kind']}-{(each['start'] + each['end']) // 2}.png"
        path.write_bytes(png(picture))
        written.append(path)
    return written
