"""RFC 6381 codec strings, as the init segment itself demands them; manifests are compared with these."""

from __future__ import annotations

from encoder.codec_string import codec_string

LEVELS_H264 = (9, 10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52, 60, 61, 62)
FAMILIES = {"avc1": "h264", "avc3": "h264", "hvc1": "hevc", "hev1": "hevc", "av01": "av1", "vp09": "vp9"}
AUDIO_FAMILIES = {"mp4a": "aac", "opus": "opus", "ac-3": "ac3", "ec-3": "eac3", "fLaC": "flac"}


def codec_of(init: bytes) -> str:
    """The codec string of an init segment's track; empty where we do not know its codec.

    Source: ISO/IEC 14496-15 (avcC, hvcC), AV1 Codec ISO Media File Format Binding (av1C), 14496-1 (esds), VP9 binding (vpcC).
    """
    for name, text in ((b"avcC", _avc), (b"hvcC", _hevc), (b"av1C", _av1), (b"vpcC", _vp9), (b"esds", _aac)):
        at = init.find(name)
        if at >= 0:
            return text(init[at + 4 : at + 64])
    for name, codec in ((b"dOps", "opus"), (b"dac3", "ac-3"), (b"dec3", "ec-3"), (b"dfLa", "fLaC")):
        if name in init:
            return codec
    return ""


def same_codec(declared: str, real: str) -> bool:
    """A declared string is what the media demands; that of AV1 may go on with colour, which the header does not say.

    Source: AV1 Codec ISO Media File Format Binding, section 5: all fields behind the bit depth are optional, together.
    """
    return declared == real or (real.startswith("av01.") and declared.startswith(f"{real}."))


def family_of(codec: str) -> str:
    """`h264`, `av1`, `aac` ... of a codec string; the string itself where it is unknown."""
    name = codec.partition(".")[0]
    return FAMILIES.get(name) or AUDIO_FAMILIES.get(name) or codec


def level_of(codec: str) -> int:
    """The level, as ten times its number (41 is 4.1); 0 where it is not in the string."""
    parts = codec.split(".")
    if parts[0] in ("avc1", "avc3") and len(parts) > 1:
        return int(parts[1][4:6], 16)
    if parts[0] == "av01" and len(parts) > 2:
        index = int(parts[2][:2])
        return 20 + (index // 4) * 10 + index % 4
    if parts[0] in ("hvc1", "hev1") and len(parts) > 3:
        return int(parts[3][1:]) // 3
    if parts[0] == "vp09" and len(parts) > 2:
        return int(parts[2])
    return 0


def depth_of(codec: str) -> int:
    """Bits per sample; 8 where the string does not say otherwise."""
    parts = codec.split(".")
    if parts[0] in ("av01", "vp09") and len(parts) > 3:
        return int(parts[3])
    if parts[0] in ("avc1", "avc3") and len(parts) > 1:
        return 10 if int(parts[1][:2], 16) == 110 else 8
    return 10 if parts[0] in ("hvc1", "hev1") and len(parts) > 1 and parts[1].strip("ABC") == "2" else 8


def _avc(body: bytes) -> str:
    return f"avc1.{body[1:4].hex()}"


def _hevc(body: bytes) -> str:
    return codec_string("hevc", body)


def _av1(body: bytes) -> str:
    profile, level = body[1] >> 5, body[1] & 31
    tier, high, twelve = body[2] >> 7, body[2] >> 6 & 1, body[2] >> 5 & 1
    depth = (12 if twelve else 10) if high else 8
    return f"av01.{profile}.{level:02d}{'H' if tier else 'M'}.{depth:02d}"


def _vp9(body: bytes) -> str:
    return f"vp09.{body[4]:02d}.{body[5]:02d}.{body[6] >> 4:02d}"


def _aac(body: bytes) -> str:
    """Object type indication and audio object type, behind descriptors of variable length."""
    at, kind, audio = 4, 0, 0
    while at < len(body):
        tag, at = body[at], at + 1
        while body[at] & 0x80:
            at += 1
        at += 1
        if tag == 3:
            at += 3
        elif tag == 4:
            kind, at = body[at], at + 13
        elif tag == 5:
            audio = body[at] >> 3
            break
        else:
            break
    return f"mp4a.{kind:x}.{audio}" if audio else f"mp4a.{kind:x}"
