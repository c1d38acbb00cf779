"""The filter chain from stored to coded picture: upright, square pixels, the rung's size, limited range."""

from __future__ import annotations

from archer.media import MediaInfo
from encoder.ladder import Rung

TURNS = {0: [], 90: ["transpose=clock"], 180: ["hflip", "vflip"], 270: ["transpose=cclock"]}


def picture_filters(info: MediaInfo, width: int, height: int, pixel_format: str, *, kernel: str) -> str:
    """An ffmpeg filter chain.

    Args:
        info: the source.
        width, height: the picture to make, upright, in square pixels.
        pixel_format: of the result; full range becomes limited.
        kernel: `lanczos` for encoding, `bicubic` for scoring, as libvmaf's users scale.
    """
    video = info.video
    steps = list(TURNS[video.rotation])
    turned = (video.height, video.width) if video.rotation in (90, 270) else (video.width, video.height)
    full = video.colour.full_range is True
    if turned != (width, height) or full or video.format.name != pixel_format:
        ranges = "in_range=full:out_range=limited" if full else "in_range=limited:out_range=limited"
        steps.append(f"scale={width}:{height}:flags={kernel}+accurate_rnd+full_chroma_int:{ranges}")
    return ",".join([*steps, "setsar=1", f"format={pixel_format}"])


def colour_tags(info: MediaInfo) -> list[str]:
    """Arguments of ffmpeg that write the source's colour facts into the output; unknown ones stay unknown."""
    colour = info.video.colour
    named = {"-color_primaries": colour.primaries, "-color_trc": colour.transfer, "-colorspace": colour.matrix}
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
        found.append(f"odd size {video.width}x{video.height} scaled to even sides ({rung.width}x{rung.height}), as 4:2:0 needs")
    if video.format.name != pixel_format:
        found.append(f"{video.format.name} converted to {pixel_format}")
    return found
