"""A MediaConvert job as an order of the template `encode`. Pure.

Names and meanings are those of the service model that botocore carries (2017-08-29). A field that would change the result and
that we do not carry out is refused with its path; nothing is dropped silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.mediaconvert.errors import Unsupported

CODECS = {"H_264": "x264", "H_265": "x265", "AV1": "svtav1", "VP9": "vp9"}
SETTINGS = {"H_264": "H264Settings", "H_265": "H265Settings", "AV1": "Av1Settings", "VP9": "Vp9Settings"}
QVBR_VMAF = {1: 60, 2: 66, 3: 72, 4: 78, 5: 84, 6: 89, 7: 93, 8: 95, 9: 97, 10: 98}
"""QVBR level -> VMAF that the top rung aims at. AWS says 7 for a good, 8 to 9 for the best quality of large screens; the numbers
between are ours."""
IGNORED = (
    "Role",
    "AccelerationSettings",
    "BillingTagsSource",
    "StatusUpdateInterval",
    "SimulateReservedQueue",
)
"""Fields of a job that say how AWS runs it, not what comes out."""
JOB = ("Settings", "Queue", "Priority", "ClientRequestToken", "UserMetadata", "Tags", *IGNORED)
NO_CHOICE = {
    "TimecodeConfig": {"Source": ("ZEROBASED", "EMBEDDED")},
    "TimecodeSource": ("ZEROBASED", "EMBEDDED"),
    "VideoSelector": {"ColorSpace": ("FOLLOW",), "Rotate": ("AUTO",)},
    "FilterEnable": ("AUTO", "DISABLE"),
    "FilterStrength": (0,),
    "DeblockFilter": ("DISABLED",),
    "DenoiseFilter": ("DISABLED",),
    "PsiControl": ("USE_PSI", "IGNORE_PSI"),
    "InputScanType": ("AUTO",),
    "AdAvailOffset": (0,),
}
"""Fields with the only values that mean what we do anyway."""


def order_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """The order that a CreateJob request is: `job`, `input`, `params`, `queue`, `priority`, `tags`.

    Raises:
        Unsupported: names the field, what was got and what is wanted.
    """
    _only(_mapping(job, "the job"), JOB, "")
    settings = _mapping(job.get("Settings"), "Settings")
    _only(settings, ("Inputs", "OutputGroups", "TimecodeConfig", "AdAvailOffset"), "Settings.")
    _no_choice(settings, "Settings.")
    source = _input(_one(settings.get("Inputs"), "Settings.Inputs"))
    params = _group(_one(settings.get("OutputGroups"), "Settings.OutputGroups"))
    tags = {**(job.get("UserMetadata") or {}), **(job.get("Tags") or {})}
    queue = str(job.get("Queue") or "default").rpartition("/")[2]
    return {
        "job": "encode",
        "input": source,
        "params": params,
        "queue": queue.lower() if queue == "Default" else queue,
        "priority": int(job.get("Priority") or 0),
        "tags": {str(name): str(value) for name, value in tags.items()},
    }


def _input(given: Mapping[str, Any]) -> str:
    where = "Settings.Inputs[0]."
    _only(given, ("FileInput", "AudioSelectors", *NO_CHOICE), where)
    _no_choice(given, where)
    for name, selector in (given.get("AudioSelectors") or {}).items():
        if _mapping(selector, f"{where}AudioSelectors.{name}") not in ({}, {"DefaultSelection": "DEFAULT"}):
            raise Unsupported(f"{where}AudioSelectors.{name}", "selects tracks; all audio tracks are encoded")
    url = given.get("FileInput")
    if not isinstance(url, str) or not url:
        raise Unsupported(f"{where}FileInput", "wanted the URL of a title")
    return url


def _group(group: Mapping[str, Any]) -> dict[str, Any]:
    where = "Settings.OutputGroups[0]."
    _only(group, ("Name", "CustomName", "OutputGroupSettings", "Outputs", "AutomatedEncodingSettings"), where)
    kind = _mapping(group.get("OutputGroupSettings"), f"{where}OutputGroupSettings")
    outputs = [
        _mapping(each, f"{where}Outputs[{place}]") for place, each in enumerate(group.get("Outputs") or ())
    ]
    videos = [each for each in outputs if "VideoDescription" in each]
    if not videos:
        raise Unsupported(f"{where}Outputs", "wanted at least one output with a VideoDescription")
    params = {**_place(kind, f"{where}OutputGroupSettings."), **_codec(outputs, where)}
    automatic = group.get("AutomatedEncodingSettings")
    if automatic:
        if len(videos) != 1 or ("output" in params and str(params["output"]).endswith(".mp4")):
            raise Unsupported(
                f"{where}AutomatedEncodingSettings", "wanted one video output, in a CMAF or DASH group"
            )
        return {**params, **_automatic(automatic, f"{where}AutomatedEncodingSettings.")}
    heights = [each["VideoDescription"].get("Height") for each in videos]
    if any(heights):
        if not all(heights):
            raise Unsupported(f"{where}Outputs", "some have a Height; wanted one for each, or for none")
        params["ladder"] = ",".join(f"{height}p" for height in heights)
    elif len(videos) > 1:
        raise Unsupported(f"{where}Outputs", "several without Height; wanted one for each")
    return params


def _place(kind: Mapping[str, Any], where: str) -> dict[str, Any]:
    names = {
        "CMAF_GROUP_SETTINGS": "CmafGroupSettings",
        "DASH_ISO_GROUP_SETTINGS": "DashIsoGroupSettings",
        "FILE_GROUP_SETTINGS": "FileGroupSettings",
    }
    name = names.get(str(kind.get("Type")))
    if name is None:
        raise Unsupported(
            f"{where}Type",
            f"got {kind.get('Type')}; wanted {', '.join(names)} (CMAF has HLS and DASH manifests)",
        )
    _only(kind, ("Type", name), where)
    found = _mapping(kind.get(name) or {}, f"{where}{name}")
    single = name == "FileGroupSettings"
    _only(found, ("Destination",) if single else ("Destination", "SegmentLength"), f"{where}{name}.")
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


def _codec(outputs: Sequence[Mapping[str, Any]], where: str) -> dict[str, Any]:
    """Settings that all outputs share, as rungs of one ladder do."""
    found: dict[str, Any] | None = None
    for place, output in enumerate(outputs):
        at = f"{where}Outputs[{place}]."
        _only(
            output,
            ("NameModifier", "Extension", "ContainerSettings", "VideoDescription", "AudioDescriptions"),
            at,
        )
        for number, audio in enumerate(output.get("AudioDescriptions") or ()):
            _audio(_mapping(audio, f"{at}AudioDescriptions[{number}]"), f"{at}AudioDescriptions[{number}].")
        if "VideoDescription" in output:
            params = _video(
                _mapping(output["VideoDescription"], f"{at}VideoDescription"), f"{at}VideoDescription."
            )
            if found not in (None, params):
                raise Unsupported(
                    f"{at}VideoDescription.CodecSettings",
                    "differs from the first output's; rungs of a ladder share them",
                )
            found = params
    return found or {}


def _video(video: Mapping[str, Any], where: str) -> dict[str, Any]:
    _only(video, ("CodecSettings", "Width", "Height"), where)
    codec = _mapping(video.get("CodecSettings"), f"{where}CodecSettings")
    name = str(codec.get("Codec"))
    if name not in CODECS:
        raise Unsupported(f"{where}CodecSettings.Codec", f"got {name}; wanted one of {', '.join(CODECS)}")
    _only(codec, ("Codec", SETTINGS[name]), f"{where}CodecSettings.")
    at = f"{where}CodecSettings.{SETTINGS[name]}."
    given = _mapping(codec.get(SETTINGS[name]) or {}, at)
    _only(
        given,
        (
            "RateControlMode",
            "QvbrSettings",
            "MaxBitrate",
            "Bitrate",
            "GopSize",
            "GopSizeUnits",
            "QualityTuningLevel",
        ),
        at,
    )
    return {"codec": CODECS[name], **_rate(given, at), **_gop(given, at)}


def _rate(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    mode = given.get("RateControlMode", "QVBR")
    found: dict[str, Any] = {}
    if "MaxBitrate" in given:
        found["peak_kbps"] = f"{given['MaxBitrate'] / 1000:g}"
    if mode == "QVBR":
        quality = _mapping(given.get("QvbrSettings") or {}, f"{where}QvbrSettings")
        _only(quality, ("QvbrQualityLevel",), f"{where}QvbrSettings.")
        return {**found, "target_vmaf": str(QVBR_VMAF.get(int(quality.get("QvbrQualityLevel", 7)), 93))}
    if mode == "VBR" and "Bitrate" in given:
        return {**found, "target_kbps": f"{given['Bitrate'] / 1000:g}"}
    raise Unsupported(f"{where}RateControlMode", f"got {mode}; wanted QVBR, or VBR with a Bitrate")


def _gop(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    if "GopSize" not in given:
        return {}
    if given.get("GopSizeUnits") != "SECONDS":
        raise Unsupported(
            f"{where}GopSizeUnits", f"got {given.get('GopSizeUnits', 'FRAMES')}; wanted SECONDS"
        )
    return {"gop_s": f"{given['GopSize']:g}"}


def _audio(audio: Mapping[str, Any], where: str) -> None:
    _only(audio, ("CodecSettings", "AudioSourceName"), where)
    codec = _mapping(audio.get("CodecSettings") or {"Codec": "AAC"}, f"{where}CodecSettings")
    _only(codec, ("Codec", "AacSettings"), f"{where}CodecSettings.")
    if codec.get("Codec") != "AAC":
        raise Unsupported(f"{where}CodecSettings.Codec", f"got {codec.get('Codec')}; wanted AAC")
    known = {"CodingMode": ("CODING_MODE_2_0", "CODING_MODE_5_1"), "SampleRate": (48000,)}
    for name, value in _mapping(codec.get("AacSettings") or {}, f"{where}CodecSettings.AacSettings").items():
        if name != "Bitrate" and value not in known.get(name, ()):
            raise Unsupported(
                f"{where}CodecSettings.AacSettings.{name}",
                f"got {value}; it is chosen by the source's channels",
            )


def _automatic(given: Any, where: str) -> dict[str, Any]:
    rules = _mapping(_mapping(given, where).get("AbrSettings"), f"{where}AbrSettings")
    _only(given, ("AbrSettings",), where)
    _only(rules, ("MaxAbrBitrate", "MinAbrBitrate", "MaxRenditions"), f"{where}AbrSettings.")
    found: dict[str, Any] = {"ladder": "auto"}
    if "MaxAbrBitrate" in rules:
        found["max_kbps"] = f"{rules['MaxAbrBitrate'] / 1000:g}"
    if "MinAbrBitrate" in rules:
        found["min_kbps"] = f"{rules['MinAbrBitrate'] / 1000:g}"
    if "MaxRenditions" in rules:
        found["max_renditions"] = int(rules["MaxRenditions"])
    return found


def _no_choice(given: Mapping[str, Any], where: str) -> None:
    for name, wanted in NO_CHOICE.items():
        if name not in given:
            continue
        if isinstance(wanted, dict):
            _only(_mapping(given[name], f"{where}{name}"), tuple(wanted), f"{where}{name}.")
            pairs = [(f"{name}.{inner}", value, wanted[inner]) for inner, value in given[name].items()]
        else:
            pairs = [(name, given[name], wanted)]
        for path, value, allowed in pairs:
            if value not in allowed:
                raise Unsupported(f"{where}{path}", f"got {value}; wanted {' or '.join(map(str, allowed))}")


def _only(given: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise Unsupported(f"{where}{name}", "is not carried out here; leave it out")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Unsupported(where, f"wanted an object, got {type(value).__name__}")
    return value


def _one(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, list) or len(value) != 1:
        raise Unsupported(
            where, f"wanted exactly one, got {len(value) if isinstance(value, list) else 'none'}"
        )
    return _mapping(value[0], f"{where}[0]")
