"""Colour tags of coded pictures, and what encoding changes about them."""

from __future__ import annotations

from archer.media import MediaInfo
from encoder.ladder import Rung


def colour_tags(info: MediaInfo) -> list[str]:
    """Arguments of ffmpeg that write the source's colour facts into the output; unknown ones stay unknown."""
    colour = info.video.colour
    named = {
        "-color_primaries": colour.primaries,
        "-color_trc": colour.transfer,
        "-colorspace": colour.matrix,
    }
    tags = [word for flag, code in named.items() if code not in (0, 2) for word in (flag, str(code))]
    return [*tags, "-color_range", "tv"]


def notices(info: MediaInfo, rung: Rung, pixel_format: str) -> list[str]:
    """What encoding changes about the picture beyond its size, for people."""
    video, found = info.video, []
    if video.colour.full_range:
        found.append("full-range source converted to limited (video) range")
    if video.rotation:
        found.append(f"source turned upright by {video.rotation} degrees")
    if video.sar != 1:
        found.append(f"pixel aspect {video.sar} resampled to square pixels")
    if video.width % 2 or video.height % 2:
        found.append(
            f"odd size {video.width}x{video.height} scaled to even sides ({rung.width}x{rung.height}), as 4:2:0 needs"
        )
    if video.format.name != pixel_format:
        found.append(f"{video.format.name} converted to {pixel_format}")
    return found
