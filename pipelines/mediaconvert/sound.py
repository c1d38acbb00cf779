"""Audio of a MediaConvert job: which tracks its descriptions take of each input, and how they are coded. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipelines.mediaconvert.checks import Fields, check_choices, mapping, mappings, only, same
from pipelines.mediaconvert.errors import Unsupported

FIRST = "Audio Selector 1"
"""What a description takes that names no selector."""
CODECS = {"AAC": "aac", "OPUS": "opus"}
NO_CHOICE: dict[str, dict[str, tuple[object, ...]]] = {
    "AAC": {
        "CodingMode": ("CODING_MODE_1_0", "CODING_MODE_2_0", "CODING_MODE_5_1"),
        "SampleRate": (48000,),
        "CodecProfile": ("LC",),
        "RateControlMode": ("CBR",),
        "RawFormat": ("NONE",),
        "Specification": ("MPEG4",),
        "AudioDescriptionBroadcasterMix": ("NORMAL",),
    },
    "OPUS": {"SampleRate": (48000,)},
}
"""Channels, rates and bit rates follow the source; these are the values that do not contradict that."""
FOLLOWS = {"LanguageCodeControl": ("FOLLOW_INPUT",), "AudioTypeControl": ("FOLLOW_INPUT",)}
SELECTOR = ("DefaultSelection", "LanguageCode", "Tracks", "SelectorType", "Offset", "ProgramSelection")


def audio_of(outputs: Sequence[tuple[str, Fields]], inputs: Sequence[tuple[str, Fields]]) -> dict[str, Any]:
    """The settings `audio` and `audio_codec`."""
    words: list[str] = []
    codecs: dict[str, None] = {}
    for where, output in outputs:
        for at, described in mappings(output.get("AudioDescriptions"), f"{where}.AudioDescriptions"):
            codecs[_codec(described, f"{at}.")] = None
            words.append(_word(str(described.get("AudioSourceName", FIRST)), inputs, at))
            if len(codecs) > 1:
                raise Unsupported(
                    f"{at}.CodecSettings.Codec", "differs from the first one's; all tracks share it"
                )
    coded = {"audio_codec": "opus"} if "opus" in codecs else {}
    return {"audio": ",".join(dict.fromkeys(words)) or "none", **coded}


def _codec(described: Fields, where: str) -> str:
    only(described, ("CodecSettings", "AudioSourceName", *FOLLOWS), where)
    check_choices(described, where, FOLLOWS)
    codec = mapping(described.get("CodecSettings") or {"Codec": "AAC"}, f"{where}CodecSettings")
    name = str(codec.get("Codec"))
    if name not in CODECS:
        raise Unsupported(f"{where}CodecSettings.Codec", f"got {name}; wanted {' or '.join(CODECS)}")
    settings = f"{name.title()}Settings"
    only(codec, ("Codec", settings), f"{where}CodecSettings.")
    at = f"{where}CodecSettings.{settings}."
    given = mapping(codec.get(settings) or {}, at)
    ours = ("Bitrate", "Channels") if name == "OPUS" else ("Bitrate",)
    only(given, (*ours, *NO_CHOICE[name]), at)
    check_choices(given, at, NO_CHOICE[name])
    return CODECS[name]


def _word(name: str, inputs: Sequence[tuple[str, Fields]], where: str) -> str:
    """Which track of each input; where there is no such selector, that of the default one, else silence."""
    words = list(_words(name, inputs))
    if not any(words):
        raise Unsupported(f"{where}.AudioSourceName", f"no input has an audio selector {name!r}")
    return same([word or "none" for word in words])


def _words(name: str, inputs: Sequence[tuple[str, Fields]]) -> Iterator[str]:
    for where, each in inputs:
        if "AudioSelectors" not in each:
            yield "default" if name == FIRST else ""
            continue
        found = mapping(each["AudioSelectors"], f"{where}.AudioSelectors")
        selectors = {
            key: _selected(mapping(value, f"{where}.AudioSelectors.{key}"), f"{where}.AudioSelectors.{key}.")
            for key, value in found.items()
        }
        fallback = [
            selectors[key] for key, value in found.items() if value.get("DefaultSelection") == "DEFAULT"
        ]
        yield selectors.get(name) or next(iter(fallback), "")


def _selected(given: Fields, where: str) -> str:
    only(given, SELECTOR, where)
    check_choices(given, where, {"Offset": (0,), "ProgramSelection": (0, 1)})
    check_choices(given, where, {"DefaultSelection": ("DEFAULT", "NOT_DEFAULT")})
    check_choices(given, where, {"SelectorType": ("TRACK", "LANGUAGE_CODE")})
    kind = given.get("SelectorType", "LANGUAGE_CODE" if "LanguageCode" in given else "TRACK")
    if kind == "LANGUAGE_CODE":
        if "LanguageCode" not in given or "Tracks" in given:
            raise Unsupported(f"{where}LanguageCode", "wanted a language, and no Tracks beside it")
        return str(given["LanguageCode"]).lower()
    tracks = given.get("Tracks")
    if tracks is None:
        return "default"
    if not isinstance(tracks, list) or len(tracks) != 1 or not isinstance(tracks[0], int) or tracks[0] < 1:
        raise Unsupported(f"{where}Tracks", f"got {tracks}; wanted one track, counted from 1")
    return str(tracks[0])
