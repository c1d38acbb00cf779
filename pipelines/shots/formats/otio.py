"""OpenTimelineIO's JSON: a timeline of one video track, a clip per shot. Details are metadata under `cinemill`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from pipelines.shots.formats.base import Format, Found, Media, details, found, known_rate


class Otio(Format):
    """Timelines of OpenTimelineIO."""

    name, suffix = "otio", ".otio"

    def write(self, shots: Found, media: Media) -> str:
        """A `Timeline.1`. Its times have the rate as a float, as the format wants; the exact rate is in the metadata."""
        rate = float(Fraction(shots["frame_rate"]))
        whole = _range(0, shots["frames"], rate)
        clips = [_clip(number, shot, whole, rate) for number, shot in enumerate(shots["shots"], 1)]
        track = {"OTIO_SCHEMA": "Track.1", "name": "shots", "kind": "Video", "children": clips}
        value = {
            "OTIO_SCHEMA": "Timeline.1",
            "name": "shots",
            "global_start_time": None,
            "metadata": {"cinemill": {"frame_rate": shots["frame_rate"]}},
            "tracks": {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track]},
        }
        return json.dumps(value, indent=1) + "\n"

    def read(self, text: str, frame_rate: Fraction | None) -> Found:
        """Clips of the first video track in the order in which they are shown, whatever they were cut from; so are gaps.

        Raises:
            ValueError: no timeline with a video track, one that holds others than clips, or the frame rate is not known.
        """
        value = json.loads(text)
        tracks = value["tracks"]["children"]
        video = next((track for track in tracks if track.get("kind", "Video") == "Video"), None)
        if video is None:
            raise ValueError("wanted a video track")
        rate = known_rate(value.get("metadata", {}).get("cinemill", {}).get("frame_rate"), frame_rate)
        return found(_shots(video["children"], rate), rate)


def _shots(children: Iterable[dict[str, Any]], rate: Fraction) -> Iterator[tuple[int, int, dict[str, Any]]]:
    at = 0
    for child in children:
        kind = str(child["OTIO_SCHEMA"]).partition(".")[0]
        if kind == "Transition":  # it lies over the clips, which last as long with it
            continue
        if kind not in ("Clip", "Gap"):
            raise ValueError(f"a {kind} in the video track: wanted clips")
        length = _frames(child["source_range"]["duration"], rate)
        yield at, at + length, child.get("metadata", {}).get("cinemill", {})
        at += length


def _frames(time: dict[str, Any], rate: Fraction) -> int:
    """A time in frames of the title, whose rate may be written as the next whole number.

    Raises:
        ValueError: it is no whole number of frames.
    """
    same = round(time.get("rate", rate)) == round(rate)
    value = time["value"] * (1 if same else float(rate) / time["rate"])
    count: int = round(value)
    if abs(count - value) > 1e-3:
        raise ValueError(f"time {time['value']}: wanted a whole number of frames")
    return count


def _clip(number: int, shot: dict[str, Any], whole: dict[str, Any], rate: float) -> dict[str, Any]:
    media = {"OTIO_SCHEMA": "MissingReference.1", "name": "source", "available_range": whole}
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": f"shot {number:04d}",
        "enabled": True,
        "source_range": _range(shot["start"], shot["end"] - shot["start"], rate),
        "media_references": {"DEFAULT_MEDIA": media},
        "active_media_reference_key": "DEFAULT_MEDIA",
        "metadata": {"cinemill": details(shot)},
    }


def _range(start: int, duration: int, rate: float) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": {"OTIO_SCHEMA": "RationalTime.1", "value": start, "rate": rate},
        "duration": {"OTIO_SCHEMA": "RationalTime.1", "value": duration, "rate": rate},
    }
