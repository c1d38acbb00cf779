"""RFC 6381 codec strings, read from the decoder configuration."""

from __future__ import annotations


def codec_string(codec: str, extradata: bytes) -> str:
    """`avc1.640028`, `hvc1.2.4.L93.90`, `av01.0.05M.08`, `vp09.00.31.08`; the codec's name where it says nothing.

    Args:
        codec: FFmpeg's name of the codec.
        extradata: its avcC, hvcC, av1C or vpcC record.

    Source: ISO/IEC 14496-15 (avcC; hvcC and Annex E.3); AV1 Codec ISO Media File Format Binding 1.2, section 5; VP Codec
        ISO Media File Format Binding 1.0.
    """
    if codec == "h264" and len(extradata) > 3:
        return "avc1." + extradata[1:4].hex()
    if codec == "hevc" and len(extradata) > 12:
        return _hevc(extradata)
    if codec in ("av1", "libdav1d") and len(extradata) > 2:
        profile, level = extradata[1] >> 5, extradata[1] & 31
        tier = "H" if extradata[2] & 0x80 else "M"
        depth = 8 if not extradata[2] & 0x40 else 12 if extradata[2] & 0x20 else 10
        return f"av01.{profile}.{level:02d}{tier}.{depth:02d}"
    if codec == "vp9" and len(extradata) > 2:
        return f"vp09.{extradata[0]:02d}.{extradata[1]:02d}.{extradata[2] >> 4:02d}"
    return codec


def is_high_tier(codec: str, extradata: bytes) -> bool:
    """Whether a HEVC stream is of the high tier, by its configuration record."""
    return codec == "hevc" and len(extradata) > 12 and bool(extradata[1] & 0x20)


def level_of(codec: str, extradata: bytes) -> int:
    """Ten times the level of an H.264 or HEVC stream, as encoders take it; 9 for level 1b, 0 where it is not known.

    Args:
        codec, extradata: FFmpeg's name of the codec, and its configuration record.

    Source: H.264, A.3.1 (level 1b of the profiles below High is 11 with a flag); ISO/IEC 14496-15.
    """
    if codec == "h264" and len(extradata) > 3:
        below = extradata[1] in (66, 77, 88) and extradata[3] == 11 and extradata[2] & 0x10
        return 9 if below else extradata[3]
    return extradata[12] // 3 if codec == "hevc" and len(extradata) > 12 else 0


def _hevc(record: bytes) -> str:
    """Profile space and profile, reversed compatibility flags, tier and level, constraint bytes without trailing zeros."""
    space = ("", "A", "B", "C")[record[1] >> 6]
    tier = "H" if record[1] & 0x20 else "L"
    flags = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
    constraints = [f"{byte:X}" for byte in record[6:12].rstrip(b"\0")]
    return ".".join([f"hvc1.{space}{record[1] & 31}", f"{flags:X}", f"{tier}{record[12]}", *constraints])
