"""Tracks for a package from what `cinemill encode` wrote before: ladders of several codecs become one package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.packaging.description import read_description
from pipelines.packaging.errors import CannotPackage
from pipelines.packaging.extras import TEXT_FILE
from pipelines.packaging.tracks import AudioTrack, Named, TextTrack, VideoTrack
from pipelines.score.rows import rendition_rows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def encoded_videos(folders: Sequence[Path]) -> list[VideoTrack]:
    """The renditions of all folders, in their order; a name that is taken gets the codec's name added.

    Raises:
        CannotPackage: a folder is no output of `cinemill encode`.
    """
    tracks: list[VideoTrack] = []
    for folder in folders:
        known = _manifest(folder)
        codecs = {
            str(rung["name"]): str(rung.get("codec", "")) for rung in known["decision"].get("rungs", ())
        }
        for row in known["renditions"]:
            name = str(row["name"])
            taken = name in {track.name for track in tracks}
            codec = codecs.get(name) or known["decision"]["codec"]
            path = folder / "renditions" / f"{name}.mp4"
            tracks.append(VideoTrack(name=f"{name}-{codec}" if taken else name, path=path))
    return tracks


def encoded_audios(folder: Path) -> list[AudioTrack]:
    """The audio renditions of a folder.

    Raises:
        CannotPackage: it is no output of `cinemill encode`.
    """
    return [
        AudioTrack(
            name=str(row["name"]),
            path=folder / "renditions" / f"{row['name']}.mp4",
            language=str(row["language"]),
            label=str(row["title"]),
            default=bool(row["default"]),
        )
        for row in _manifest(folder)["audio"]
    ]


def encoded_texts(folder: Path) -> list[TextTrack]:
    """The subtitles of a folder's package."""
    return [
        TextTrack(
            name=str(row["folder"]),
            path=folder / row["folder"] / TEXT_FILE,
            language=str(row["language"]),
            label=str(row["label"]),
            default=bool(row["default"]),
            roles=tuple(row["roles"]),
        )
        for row in read_description(folder).get("tracks", ())
        if row["kind"] == "text"
    ]


def encoded_shots(folder: Path) -> list[int]:
    """Frames at which shots begin, as the folder's encode found them; none where it does not say."""
    try:
        found = json.loads((folder / "shots.json").read_text(encoding="utf-8"))
        return [int(shot["start"]) for shot in found["shots"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def encoded_vmaf(folders: Sequence[Path], videos: Sequence[VideoTrack]) -> dict[str, npt.NDArray[np.float64]]:
    """VMAF per frame of each rendition, by its name in the new package; none of folders that were not scored."""
    import pyarrow.parquet as pq

    found: dict[str, npt.NDArray[np.float64]] = {}
    for folder in folders:
        if not (folder / "features.parquet").is_file():
            continue
        table = pq.ParquetFile(folder / "features.parquet").read(["rendition", "frame", "vmaf"])
        for track in videos:
            if track.path.parent.parent == folder:
                found[track.name] = rendition_rows(table, track.path.stem)["vmaf"].to_numpy()
    return found


def named_apart(tracks: Sequence[Named]) -> list[Named]:
    """The tracks with names that differ: a number is added where one is taken."""
    names: list[str] = []
    for track in tracks:
        name = track.name
        while name in names:
            name = f"{track.name}-{len(names)}"
        names.append(name)
    return [replace(track, name=name) for track, name in zip(tracks, names, strict=True)]


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if {"renditions", "audio", "decision"} <= set(found):
            return dict(found)
    except (OSError, ValueError, TypeError) as error:
        raise CannotPackage(
            str(folder), "it has no manifest.json that can be read; name an output of cinemill encode"
        ) from error
    raise CannotPackage(
        str(folder), "its manifest.json is not one of a package; name an output of cinemill encode"
    )
