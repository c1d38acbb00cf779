"""Inputs of a MediaConvert job: titles, clippings, timecodes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipelines.mediaconvert.checks import NO_CHOICE, Fields, check_choices, mappings, only, same
from pipelines.mediaconvert.errors import Unsupported

KNOWN = (
    "FileInput",
    "AudioSelectors",
    "CaptionSelectors",
    "InputClippings",
    "TimecodeSource",
    "TimecodeStart",
    *NO_CHOICE,
)
MOST = 150
"""Inputs of a job, as AWS allows."""
TIMECODE = re.compile(r"\d\d:\d\d:\d\d[:;]\d\d")


def inputs_of(given: Any) -> list[tuple[str, Fields]]:
    """Each input with its path, checked."""
    found = mappings(given, "Settings.Inputs")
    if not 1 <= len(found) <= MOST:
        raise Unsupported("Settings.Inputs", f"wanted 1 to {MOST}, got {len(found) or 'none'}")
    for where, each in found:
        only(each, KNOWN, f"{where}.")
        check_choices(each, f"{where}.")
        if not isinstance(each.get("FileInput"), str) or not each["FileInput"]:
            raise Unsupported(f"{where}.FileInput", "wanted the URL of a title")
    return found


def clipped(inputs: Sequence[tuple[str, Fields]]) -> dict[str, Any]:
    """The settings `clips` and `timecode`, where a part of an input is wanted."""
    clips = [
        f"{place}@{words}"
        for place, (where, each) in enumerate(inputs, 1)
        for words in _clippings(each, f"{where}.InputClippings")
    ]
    bases = same([_base(each, where) for where, each in inputs])
    return {"clips": ",".join(clips), "timecode": bases} if clips else {}


def _clippings(given: Fields, where: str) -> Iterator[str]:
    for at, clip in mappings(given.get("InputClippings"), where):
        only(clip, ("StartTimecode", "EndTimecode"), f"{at}.")
        start, end = (_timecode(clip, name, at) for name in ("StartTimecode", "EndTimecode"))
        if not start and not end:
            raise Unsupported(at, "wanted a StartTimecode, an EndTimecode, or both")
        yield f"{start}-{end}{'+' if end else ''}"  # the frame at the end is in the clip


def _timecode(given: Fields, name: str, where: str) -> str:
    text = given.get(name, "")
    if text and not (isinstance(text, str) and TIMECODE.fullmatch(text)):
        raise Unsupported(f"{where}.{name}", f"got {text}; wanted HH:MM:SS:FF or HH:MM:SS;FF")
    return str(text)


def _base(given: Fields, where: str) -> str:
    """What the first frame of an input counts as."""
    source = given.get("TimecodeSource", "EMBEDDED")
    if source == "SPECIFIEDSTART":
        start = _timecode(given, "TimecodeStart", where)
        if not start:
            raise Unsupported(f"{where}.TimecodeStart", "wanted the timecode of the first frame")
        return start
    if "TimecodeStart" in given:
        raise Unsupported(f"{where}.TimecodeStart", f"goes with TimecodeSource SPECIFIEDSTART, got {source}")
    names = {"EMBEDDED": "embedded", "ZEROBASED": "zero"}
    if source not in names:
        wanted = ", ".join((*names, "SPECIFIEDSTART"))
        raise Unsupported(f"{where}.TimecodeSource", f"got {source}; wanted {wanted}")
    return names[source]
