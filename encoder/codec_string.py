"""RFC 6381 codec strings, read from the decoder configuration."""

from __future__ import annotations


def codec_string(codec: str, extradata: bytes) -> str:
    """`avc1.640028`, `av01.0.05M.08`, or the codec's bare name where the configuration says nothing.

    Args:
        codec: FFmpeg's name of the codec.
        extradata: its avcC or av1C record.

    Source: ISO/IEC 14496-15 (avcC); AV1 Codec ISO Media File Format Binding 1.2, section 5.
    """
    if codec == "h264" and len(extradata) > 3:
        return "avc1." + extradata[1:4].hex()
    if codec in ("av1", "libdav1d") and len(extradata) > 2:
        profile, level = extradata[1] >> 5, extradata[1] & 31
        tier = "H" if extradata[2] & 0x80 else "M"
        depth = 8 if not extradata[2] & 0x40 else 12 if extradata[2] & 0x20 else 10
        return f"av01.{profile}.{level:02d}{tier}.{depth:02d}"
    return codec
