"""Colour facts and pixel layouts of decoded pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cinemill_native.frames import Colour, PixelFormat

if TYPE_CHECKING:
    from av.video.format import VideoFormat
    from av.video.frame import VideoFrame

FULL, LIMITED = 2, 1  # AVColorRange


def colour_of(picture: VideoFrame) -> Colour:
    """Colour facts of a picture; `yuvj` formats are full range by name."""
    range_code = int(picture.color_range)
    full = True if range_code == FULL or picture.format.name.startswith("yuvj") else None
    return Colour(
        primaries=int(picture.color_primaries),
        transfer=int(picture.color_trc),
        matrix=int(picture.colorspace),
        full_range=False if full is None and range_code == LIMITED else full,
    )


def layout_of(source: VideoFormat) -> PixelFormat:
    """The planar YUV or grey layout that a picture format has, or is converted to without losing resolution.

    RGB becomes 4:4:4, semi-planar and packed YUV the planar format of the same subsampling; alpha is dropped.
    """
    bits = max(component.bits for component in source.components)
    depth = 8 if bits <= 8 else next(depth for depth in (10, 12, 16) if bits <= depth)
    suffix = "" if depth == 8 else f"{depth}le"
    luma_only = len([c for c in source.components if not c.is_alpha]) == 1 and not source.has_palette
    if luma_only:
        return PixelFormat(name=f"gray{suffix}", bit_depth=depth, chroma_shift=None)
    if source.is_rgb or source.has_palette:
        return PixelFormat(name=f"yuv444p{suffix}", bit_depth=depth, chroma_shift=(0, 0))
    shift = (_log2(source.chroma_width(64)), _log2(source.chroma_height(64)))
    names = {(1, 1): "yuv420p", (1, 0): "yuv422p", (0, 0): "yuv444p", (0, 1): "yuv440p", (2, 0): "yuv411p", (2, 2): "yuv410p"}
    return PixelFormat(name=f"{names.get(shift, 'yuv444p')}{suffix}", bit_depth=depth, chroma_shift=shift if shift in names else (0, 0))


def _log2(of_64: int) -> int:
    return (64 // of_64).bit_length() - 1
