"""Colour tags of coded pictures, and what encoding changes about them."""

from __future__ import annotations

from archer.media import Hdr, MediaInfo
from encoder.ladder import Rung

PQ = 16
UNKNOWN = (0, 2, 3)
"""Code points of H.273 that say nothing: reserved and unspecified."""


def colour_filter(info: MediaInfo) -> str:
    """The filter that states the source's colour facts on every picture, from which encoders take them.

    ffmpeg's arguments of the same names are not enough: pictures that say nothing overrule them.
    """
    colour = info.video.colour
    said = {
        "color_primaries": colour.primaries,
        "color_trc": colour.transfer,
        "colorspace": colour.matrix,
    }
    named = [f"{name}={code}" for name, code in said.items() if code not in UNKNOWN]
    return "setparams=" + ":".join([*named, "range=limited"])


def colour_tags(info: MediaInfo) -> list[str]:
    """Arguments of ffmpeg that write the source's colour facts into the output; unknown ones stay unknown."""
    colour = info.video.colour
    named = {
        "-color_primaries": colour.primaries,
        "-color_trc": colour.transfer,
        "-colorspace": colour.matrix,
    }
    tags = [word for flag, code in named.items() if code not in UNKNOWN for word in (flag, str(code))]
    return [*tags, "-color_range", "tv"]


def static_hdr(info: MediaInfo) -> Hdr | None:
    """Mastering display and light levels that go into the stream of a PQ title; None where it has none."""
    return info.video.hdr if info.video.colour.transfer == PQ else None


def notices(info: MediaInfo, rung: Rung, pixel_format: str) -> list[str]:
    """What encoding changes about the picture beyond its size, for people."""
    video, found = info.video, info.remarks()
    if video.hdr and video.hdr.dynamic and video.colour.is_hdr:
        kinds = " and ".join(video.hdr.dynamic)
        found.append(f"{kinds} metadata left out; the pictures it describes are kept as they are")
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
