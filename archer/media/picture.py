"""The filter chain from a stored picture to one as it is shown: upright, square pixels, limited range, a wanted size."""

from __future__ import annotations

from archer.media.info import MediaInfo

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
    steps = ["hflip"] * video.mirrored + TURNS[video.rotation]
    turned = (video.height, video.width) if video.rotation in (90, 270) else (video.width, video.height)
    full = video.colour.full_range is True
    if turned != (width, height) or full or video.format.name != pixel_format:
        ranges = "in_range=full:out_range=limited" if full else "in_range=limited:out_range=limited"
        steps.append(f"scale={width}:{height}:flags={kernel}+accurate_rnd+full_chroma_int:{ranges}")
    return ",".join([*steps, "setsar=1", f"format={pixel_format}"])
