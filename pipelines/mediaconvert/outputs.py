"""Output groups of a MediaConvert job: where they go, what the video is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.mediaconvert.checks import Fields, check_choices, mapping, mappings, only
from pipelines.mediaconvert.errors import Unsupported

CODECS = {"H_264": "x264", "H_265": "x265", "AV1": "svtav1", "VP9": "vp9"}
SETTINGS = {"H_264": "H264Settings", "H_265": "H265Settings", "AV1": "Av1Settings", "VP9": "Vp9Settings"}
QVBR_VMAF = {1: 60, 2: 66, 3: 72, 4: 78, 5: 84, 6: 89, 7: 93, 8: 95, 9: 97, 10: 98}
"""QVBR level -> VMAF that the top rung aims at. AWS says 7 for a good, 8 to 9 for the best quality of large screens; the numbers
between are ours."""
PRESETS = {"SINGLE_PASS": "fast", "SINGLE_PASS_HQ": "medium", "MULTI_PASS_HQ": "slow"}
GROUPS = {
    "CMAF_GROUP_SETTINGS": "CmafGroupSettings",
    "DASH_ISO_GROUP_SETTINGS": "DashIsoGroupSettings",
    "HLS_GROUP_SETTINGS": "HlsGroupSettings",
    "FILE_GROUP_SETTINGS": "FileGroupSettings",
}
CONTAINERS = {"CMAF": ("CMFC",), "DASH": ("MPD",), "HLS": ("M3U8", "CMFC"), "FILE": ("MP4",)}
"""First word of the kind of group -> containers; a package has fragmented MP4 with playlists of HLS and a manifest of DASH, and
transport streams (M3U8) where they are asked for."""
HLS = {
    "SegmentControl": ("SEGMENTED_FILES",),
    "OutputSelection": ("MANIFESTS_AND_SEGMENTS",),
    "DirectoryStructure": ("SINGLE_DIRECTORY",),
    "CodecSpecification": ("RFC_6381",),
    "ManifestCompression": ("NONE",),
    "MinSegmentLength": (0,),
    "StreamInfResolution": ("INCLUDE",),
    "ProgramDateTime": ("EXCLUDE",),
}
"""Settings of an HLS group with the only values that mean what we do anyway."""
OUTPUT = (
    "NameModifier",
    "Extension",
    "ContainerSettings",
    "OutputSettings",
    "VideoDescription",
    "AudioDescriptions",
    "CaptionDescriptions",
)


def outputs_of(group: Fields, where: str) -> list[tuple[str, Fields]]:
    """Each output of a group with its path, its fields known."""
    found = mappings(group.get("Outputs"), f"{where}Outputs")
    for at, output in found:
        only(output, OUTPUT, f"{at}.")
    if not any("VideoDescription" in output for _, output in found):
        raise Unsupported(f"{where}Outputs", "wanted at least one output with a VideoDescription")
    return found


def group_of(group: Fields, outputs: Sequence[tuple[str, Fields]], where: str) -> dict[str, Any]:
    """The settings that a group means, but for sound and captions."""
    only(group, ("Name", "CustomName", "OutputGroupSettings", "Outputs", "AutomatedEncodingSettings"), where)
    kind = mapping(group.get("OutputGroupSettings"), f"{where}OutputGroupSettings")
    params = _place(kind, f"{where}OutputGroupSettings.")
    for at, output in outputs:
        _check_container(output, str(kind["Type"]).partition("_")[0], f"{at}.")
        if (output.get("ContainerSettings") or {}).get("Container") == "M3U8":
            params["ts"] = True
    videos = [
        (f"{at}.VideoDescription", mapping(output["VideoDescription"], f"{at}.VideoDescription"))
        for at, output in outputs
        if "VideoDescription" in output
    ]
    params |= _codec(videos)
    automatic = group.get("AutomatedEncodingSettings")
    if automatic:
        if len(videos) != 1 or "single" in params:
            raise Unsupported(
                f"{where}AutomatedEncodingSettings", "wanted one video output, in a CMAF, DASH or HLS group"
            )
        return {**params, **_automatic(automatic, f"{where}AutomatedEncodingSettings.")}
    return {**params, **_ladder([video for _, video in videos], where)}


def _ladder(videos: Sequence[Fields], where: str) -> dict[str, Any]:
    heights = [video.get("Height") for video in videos]
    if any(heights):
        if not all(heights):
            raise Unsupported(f"{where}Outputs", "some have a Height; wanted one for each, or for none")
        return {"ladder": ",".join(f"{height}p" for height in heights)}
    if len(videos) > 1:
        raise Unsupported(f"{where}Outputs", "several without Height; wanted one for each")
    return {}


def _check_container(output: Fields, kind: str, where: str) -> None:
    given = mapping(output.get("ContainerSettings") or {}, f"{where}ContainerSettings")
    name, wanted = given.get("Container"), CONTAINERS[kind]
    if name is not None and name not in wanted:
        raise Unsupported(f"{where}ContainerSettings.Container", f"got {name}; wanted {' or '.join(wanted)}")
    for holder, inner in (
        ("ContainerSettings", given),
        ("OutputSettings", output.get("OutputSettings") or {}),
    ):
        for key, value in mapping(inner, f"{where}{holder}").items():
            if key != "Container" and value:
                raise Unsupported(f"{where}{holder}.{key}", "is not carried out here; leave it out")


def _place(kind: Fields, where: str) -> dict[str, Any]:
    name = GROUPS.get(str(kind.get("Type")))
    if name is None:
        raise Unsupported(f"{where}Type", f"got {kind.get('Type')}; wanted {', '.join(GROUPS)}")
    only(kind, ("Type", name), where)
    found = mapping(kind.get(name) or {}, f"{where}{name}")
    single, hls = name == "FileGroupSettings", HLS if name == "HlsGroupSettings" else {}
    only(found, ("Destination",) if single else ("Destination", "SegmentLength", *hls), f"{where}{name}.")
    check_choices(found, f"{where}{name}.", hls)
    params: dict[str, Any] = {}
    if destination := str(found.get("Destination") or "").rstrip("/"):
        params["output"] = (
            f"{destination}.mp4" if single and not destination.endswith(".mp4") else destination
        )
    if single:
        params["single"] = "mp4"
    if "SegmentLength" in found:
        params["segment_s"] = str(found["SegmentLength"])
    return params


def _codec(videos: Sequence[tuple[str, Fields]]) -> dict[str, Any]:
    """Settings that all outputs share, as rungs of one ladder do."""
    found: dict[str, Any] | None = None
    for where, video in videos:
        params = _video(video, f"{where}.")
        if found not in (None, params):
            raise Unsupported(
                f"{where}.CodecSettings", "differs from the first output's; rungs of a ladder share them"
            )
        found = params
    return found or {}


def _video(video: Fields, where: str) -> dict[str, Any]:
    only(video, ("CodecSettings", "Width", "Height"), where)
    codec = mapping(video.get("CodecSettings"), f"{where}CodecSettings")
    name = str(codec.get("Codec"))
    if name not in CODECS:
        raise Unsupported(f"{where}CodecSettings.Codec", f"got {name}; wanted one of {', '.join(CODECS)}")
    only(codec, ("Codec", SETTINGS[name]), f"{where}CodecSettings.")
    at = f"{where}CodecSettings.{SETTINGS[name]}."
    given = mapping(codec.get(SETTINGS[name]) or {}, at)
    only(
        given,
        (
            "RateControlMode",
            "QvbrSettings",
            "MaxBitrate",
            "HrdBufferSize",
            "Bitrate",
            "GopSize",
            "GopSizeUnits",
            "QualityTuningLevel",
        ),
        at,
    )
    return {"codec": CODECS[name], **_rate(given, at), **_gop(given, at), **_effort(name, given, at)}


def _effort(name: str, given: Fields, where: str) -> dict[str, Any]:
    level = given.get("QualityTuningLevel")
    if level is None:
        return {}
    if name not in ("H_264", "H_265") or level not in PRESETS:
        wanted = ", ".join(PRESETS)
        raise Unsupported(f"{where}QualityTuningLevel", f"got {level}; wanted {wanted}, of H_264 or H_265")
    return {"preset": PRESETS[level]}


def _rate(given: Fields, where: str) -> dict[str, Any]:
    mode = given.get("RateControlMode", "QVBR")
    found: dict[str, Any] = {}
    if "MaxBitrate" in given:
        found["peak_kbps"] = f"{given['MaxBitrate'] / 1000:g}"
    if "HrdBufferSize" in given:
        found["buffer_kbits"] = f"{given['HrdBufferSize'] / 1000:g}"
    if mode == "QVBR":
        quality = mapping(given.get("QvbrSettings") or {}, f"{where}QvbrSettings")
        only(quality, ("QvbrQualityLevel",), f"{where}QvbrSettings.")
        return {**found, "target_vmaf": str(QVBR_VMAF.get(int(quality.get("QvbrQualityLevel", 7)), 93))}
    if mode == "VBR" and "Bitrate" in given:
        return {**found, "target_kbps": f"{given['Bitrate'] / 1000:g}"}
    raise Unsupported(f"{where}RateControlMode", f"got {mode}; wanted QVBR, or VBR with a Bitrate")


def _gop(given: Fields, where: str) -> dict[str, Any]:
    if "GopSize" not in given:
        return {}
    if given.get("GopSizeUnits") != "SECONDS":
        raise Unsupported(
            f"{where}GopSizeUnits", f"got {given.get('GopSizeUnits', 'FRAMES')}; wanted SECONDS"
        )
    return {"gop_s": f"{given['GopSize']:g}"}


def _automatic(given: Any, where: str) -> dict[str, Any]:
    rules = mapping(mapping(given, where).get("AbrSettings"), f"{where}AbrSettings")
    only(given, ("AbrSettings",), where)
    only(rules, ("MaxAbrBitrate", "MinAbrBitrate", "MaxRenditions"), f"{where}AbrSettings.")
    found: dict[str, Any] = {"ladder": "auto"}
    if "MaxAbrBitrate" in rules:
        found["max_kbps"] = f"{rules['MaxAbrBitrate'] / 1000:g}"
    if "MinAbrBitrate" in rules:
        found["min_kbps"] = f"{rules['MinAbrBitrate'] / 1000:g}"
    if "MaxRenditions" in rules:
        found["max_renditions"] = int(rules["MaxRenditions"])
    return found
