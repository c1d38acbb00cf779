"""Captions of a MediaConvert job: which subtitle tracks and files its descriptions take. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.mediaconvert.checks import Fields, mapping, mappings, only, same
from pipelines.mediaconvert.errors import Unsupported

FILES = ("SRT", "WEBVTT")
TRACKS = (*FILES, "TT_3GPP", "IMSC")
"""Types of sources that name a track of the input; pictures and formats that are no text are refused when they are met."""


@dataclass(slots=True)
class _Found:
    """What descriptions took so far: words for tracks, and (input, language, URL) of files."""

    tracks: list[str] = field(default_factory=list)
    files: list[tuple[int, str, str]] = field(default_factory=list)


def captions_of(
    outputs: Sequence[tuple[str, Fields]], inputs: Sequence[tuple[str, Fields]], *, single: bool
) -> tuple[dict[str, Any], list[str]]:
    """The settings `subtitles` and `captions`, and the URLs of the files."""
    found = _Found()
    for where, output in outputs:
        for at, described in mappings(output.get("CaptionDescriptions"), f"{where}.CaptionDescriptions"):
            if single:
                raise Unsupported(at, "a single file takes no WebVTT; wanted a CMAF, DASH or HLS group")
            _described(described, inputs, f"{at}.", found)
    files = list(dict.fromkeys(found.files))
    params = {"subtitles": ",".join(dict.fromkeys(found.tracks)) or "none"}
    if files:
        params["captions"] = ",".join(f"{place}@{language}" for place, language, _ in files)
    return params, [url for _, _, url in files]


def _described(described: Fields, inputs: Sequence[tuple[str, Fields]], where: str, found: _Found) -> None:
    only(described, ("CaptionSelectorName", "DestinationSettings", "LanguageCode"), where)
    _check_destination(described, where)
    name = described.get("CaptionSelectorName")
    taken = [_source(each, str(name), at) for at, each in inputs]
    files = [(place, *source) for place, source in enumerate(taken, 1) if isinstance(source, tuple)]
    words = [source for source in taken if isinstance(source, str) and source]
    if not files and not words:
        raise Unsupported(f"{where}CaptionSelectorName", f"no input has a caption selector {name!r}")
    if files and words:
        raise Unsupported(
            f"{where}CaptionSelectorName", f"{name!r} is a file of one input and a track of another"
        )
    language = str(described.get("LanguageCode", "")).lower()
    if words:
        if language:
            raise Unsupported(f"{where}LanguageCode", "a track keeps its language; leave it out")
        found.tracks.append(
            same([source if isinstance(source, str) and source else "none" for source in taken])
        )
    known = next((code for _, code, _ in files if code), "und")
    found.files += [(place, language or code or known, url) for place, code, url in files]


def _check_destination(described: Fields, where: str) -> None:
    at = f"{where}DestinationSettings"
    given = mapping(described.get("DestinationSettings"), at)
    only(given, ("DestinationType", "WebvttDestinationSettings"), f"{at}.")
    if given.get("DestinationType") != "WEBVTT":
        raise Unsupported(f"{at}.DestinationType", f"got {given.get('DestinationType')}; wanted WEBVTT")
    only(mapping(given.get("WebvttDestinationSettings") or {}, at), (), f"{at}.WebvttDestinationSettings.")


def _source(each: Fields, name: str, where: str) -> str | tuple[str, str]:
    """(language, URL) of a file, or the number of a track; empty where the input has no such selector."""
    selectors = mapping(each.get("CaptionSelectors") or {}, f"{where}.CaptionSelectors")
    if name not in selectors:
        return ""
    at = f"{where}.CaptionSelectors.{name}"
    selector = mapping(selectors[name], at)
    only(selector, ("LanguageCode", "SourceSettings"), f"{at}.")
    source = mapping(selector.get("SourceSettings"), f"{at}.SourceSettings")
    only(source, ("SourceType", "FileSourceSettings", "TrackSourceSettings"), f"{at}.SourceSettings.")
    kind = source.get("SourceType")
    if kind == "NULL_SOURCE":
        return ""
    if "FileSourceSettings" in source and kind in FILES:
        return str(selector.get("LanguageCode", "")).lower(), _file(source, f"{at}.SourceSettings.")
    if "TrackSourceSettings" in source and kind in TRACKS:
        return _track(source, f"{at}.SourceSettings.")
    wanted = f"{' or '.join(FILES)} with FileSourceSettings, or {', '.join(TRACKS)} with TrackSourceSettings"
    raise Unsupported(f"{at}.SourceSettings.SourceType", f"got {kind}; wanted {wanted}")


def _file(source: Fields, where: str) -> str:
    given = mapping(source["FileSourceSettings"], f"{where}FileSourceSettings")
    only(given, ("SourceFile",), f"{where}FileSourceSettings.")
    url = given.get("SourceFile")
    if not isinstance(url, str) or not url:
        raise Unsupported(f"{where}FileSourceSettings.SourceFile", "wanted the URL of a subtitle file")
    return url


def _track(source: Fields, where: str) -> str:
    given = mapping(source["TrackSourceSettings"], f"{where}TrackSourceSettings")
    only(given, ("TrackNumber",), f"{where}TrackSourceSettings.")
    number = given.get("TrackNumber")
    if not isinstance(number, int) or number < 1:
        raise Unsupported(f"{where}TrackSourceSettings.TrackNumber", f"got {number}; wanted one from 1 on")
    return str(number)
