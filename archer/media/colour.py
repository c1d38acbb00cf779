"""Colour facts and pixel layouts of decoded pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cinemill_native.frames import Colour, PixelFormat

if TYPE_CHECKING:
    from av.video.format import VideoFormat
    from av.video.frame import VideoFrame

UNKNOWN, LIMITED, FULL = 0, 1, 2  # AVColorRange
BT709, UNSPECIFIED = 1, 2  # ISO/IEC 23091-2 (H.273) matrix coefficients
DEPTHS = (8, 9, 10, 12, 14, 16)
LAYOUTS = {
    (0, 0): "yuv444p",
    (1, 0): "yuv422p",
    (1, 1): "yuv420p",
    (0, 1): "yuv440p",
    (2, 0): "yuv411p",
    (2, 2): "yuv410p",
}
"""(horizontal, vertical) log2 subsampling of chroma -> FFmpeg's name of the planar layout."""
EIGHT_BIT_ONLY = frozenset({(2, 0), (2, 2)})


def colour_of(picture: VideoFrame) -> Colour:
    """Colour facts of a picture; `yuvj` formats are full range by name."""
    full = {UNKNOWN: None, LIMITED: False, FULL: True}[int(picture.color_range)]
    return Colour(
        primaries=int(picture.color_primaries),
        transfer=int(picture.color_trc),
        matrix=int(picture.colorspace),
        full_range=True if picture.format.name.startswith("yuvj") else full,
    )


def layout_of(source: VideoFormat) -> PixelFormat:
    """The planar YUV or grey layout that a picture format has, or is converted to without losing resolution.

    Semi-planar and packed YUV become planar with the same subsampling, RGB becomes 4:4:4, alpha is dropped.
    """
    bits = max(component.bits for component in source.components)
    depth = next((depth for depth in DEPTHS if bits <= depth), 16)
    suffix = "" if depth == 8 else f"{depth}le"
    if is_rgb(source):
        return PixelFormat(name=f"yuv444p{suffix}", bit_depth=depth, chroma_shift=(0, 0))
    if sum(not component.is_alpha for component in source.components) == 1:
        return PixelFormat(name=f"gray{suffix}", bit_depth=depth, chroma_shift=None)
    shift = (_log2(source.chroma_width(64)), _log2(source.chroma_height(64)))
    if shift not in LAYOUTS or (shift in EIGHT_BIT_ONLY and depth > 8):
        shift = (0, 0)
    return PixelFormat(name=f"{LAYOUTS[shift]}{suffix}", bit_depth=depth, chroma_shift=shift)


def is_rgb(source: VideoFormat) -> bool:
    """Red, green and blue, also by palette or as CIE XYZ: needs a matrix to become YUV."""
    return source.is_rgb or source.has_palette or source.name.startswith("xyz")


def planar(picture: VideoFrame, layout: PixelFormat) -> VideoFrame:
    """The picture in a planar layout; itself where it is so already.

    RGB is converted with the BT.709 matrix to limited range, and says so.
    """
    if picture.format.name.replace("yuvj", "yuv") == layout.name:
        return picture
    if not is_rgb(picture.format):
        full = colour_of(picture).full_range
        same = "JPEG" if full else "MPEG"  # the range is kept, whatever it is
        plain = picture.reformat(format=layout.name, src_color_range=same, dst_color_range=same)
    else:
        plain = picture.reformat(format=layout.name, dst_colorspace="ITU709", dst_color_range="MPEG")
        plain.colorspace, plain.color_range = BT709, LIMITED
    return plain


def _log2(of_64: int) -> int:
    return (64 // of_64).bit_length() - 1
