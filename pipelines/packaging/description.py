"""`tracks.json`: what went into a package, as its maker meant it; conformance compares the manifests with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.packaging.keys import Protection
from pipelines.packaging.tracks import AudioTrack, TextTrack, VideoTrack

NAME, SCHEMA = "tracks.json", "tracks@1"


def description(
    videos: Sequence[VideoTrack],
    audios: Sequence[AudioTrack],
    texts: Sequence[TextTrack],
    *,
    packets: Mapping[str, int],
    protection: Protection | None,
) -> dict[str, Any]:
    """The description; it holds key ids, never a key.

    Args:
        videos, audios, texts: the tracks as they are listed.
        packets: number of packets that went into each, by folder.
        protection: how they are encrypted.
    """
    tracks: list[dict[str, Any]] = [{"kind": "video", "folder": track.folder} for track in videos]
    tracks += [{"kind": "audio", "folder": track.folder, **_facts(track)} for track in audios]
    tracks += [{"kind": "text", "folder": track.folder, **_facts(track)} for track in texts]
    for track in tracks:
        if track["folder"] in packets:
            track["packets"] = packets[track["folder"]]
        if protection and track["kind"] != "text":
            track["key_id"] = protection.keys.key(track["folder"]).key_id.hex()
    found: dict[str, Any] = {"schema": SCHEMA, "tracks": tracks}
    if protection:
        found["protection"] = {"scheme": protection.scheme, "key_set": protection.keys.id}
    return found


def write_description(value: Mapping[str, Any], out: Path) -> None:
    """Write it into a package; the same value gives the same bytes."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    (out / NAME).write_text(text + "\n", encoding="utf-8")


def read_description(out: Path) -> dict[str, Any]:
    """The description of a package; empty where there is none."""
    try:
        found = json.loads((out / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("schema") == SCHEMA else {}


def _facts(track: AudioTrack | TextTrack) -> dict[str, Any]:
    return {
        "language": track.language,
        "label": track.label,
        "roles": list(track.roles),
        "default": track.default,
    }
