"""`manifest.json`: what is in a package, what it was made from and with, and how to make it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from archer.media.asset import Asset
from archer.plan import Plan
from pipelines.encode.request import EncodeRequest

SCHEMA = "cinemill-manifest@2"
"""Version 2 has everything that a repetition needs: the command, and each stage's version and fingerprint."""


def file_table(files: Mapping[str, Path], frames: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Hash, size and, where it is known, frame count of every file, by its path in the output."""
    table: dict[str, dict[str, Any]] = {}
    for name, path in sorted(files.items()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        table[name] = {"sha256": digest, "bytes": path.stat().st_size}
        if name in frames:
            table[name]["frames"] = frames[name]
    return table


def versions_here() -> dict[str, str]:
    """Versions of the programs that compute the outputs, ours first."""
    import av

    from archer.process import ffmpeg_path, packager_path, tool_build, tool_version

    return {
        "cinemill": version("cinemill"),
        "ffmpeg": tool_build(ffmpeg_path()),
        "packager": tool_version(packager_path()),
        "pyav": av.__version__,
    }


def stage_table(plan: Plan) -> dict[str, dict[str, Any]]:
    """Stage, its version and the fingerprint of what it computes with, by node of the job."""
    return {
        node.id: {
            "stage": node.stage.name,
            "version": node.stage.version,
            "fingerprint": node.stage.fingerprint(node.params),
        }
        for node in plan.nodes
    }


def manifest(
    *,
    plan: Plan,
    asset: Asset,
    captions: Asset | None = None,
    title: str,
    command: str,
    request: EncodeRequest,
    facts: Mapping[str, Any],
    files: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """The manifest as a JSON object; the same work gives the same bytes, so it holds no date, machine or local path.

    Args:
        plan: the job; its identity is the same for the same input, settings and versions.
        asset: the mezzanine.
        captions: subtitle files that came beside it.
        title: its name for people.
        command: the command line that makes it again.
        request: the user's settings.
        facts: what was found and decided: media facts, quality, renditions, audio, notices.
        files: see `file_table`.
    """
    return {
        "schema": SCHEMA,
        "job": plan.job,
        "title": title,
        "command": command,
        "input": _named(asset),
        **({"captions": _named(captions)} if captions else {}),
        "settings": asdict(request),
        "versions": versions_here(),
        "stages": stage_table(plan),
        **facts,
        "files": files,
    }


def _named(asset: Asset) -> dict[str, Any]:
    return {
        "identity": asset.identity,
        "bytes": asset.size,
        "name": ", ".join(file_name(url) for url in asset.urls),
    }


def file_name(url: str) -> str:
    """The last part of a path or URL, without a query: a name for people, which names no place."""
    return url.partition("?")[0].rstrip("/").rpartition("/")[2]


def dump(value: Mapping[str, Any]) -> bytes:
    """Canonical text of a manifest: sorted keys, two spaces, UTF-8, newline at the end."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read_manifest(out: Path) -> dict[str, Any]:
    """The manifest of a package; empty where there is none that can be read."""
    try:
        return parsed((out / "manifest.json").read_bytes())
    except OSError:
        return {}


def parsed(text: bytes) -> dict[str, Any]:
    """A manifest from its text; empty where it is something else."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def belongs(out: Path, job: str) -> bool:
    """True where `out` holds a result of this very job, whole or not."""
    return read_manifest(out).get("job") == job


def is_current(out: Path, job: str) -> bool:
    """True where `out` holds the whole result of this very job: its manifest, and every file in its size."""
    try:
        files = read_manifest(out)["files"]
        whole = all((out / name).stat().st_size == entry["bytes"] for name, entry in files.items())
    except (OSError, KeyError, TypeError, AttributeError):
        return False
    return whole and belongs(out, job)
