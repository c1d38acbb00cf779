"""What a manifest says, and the record of its run where it lies beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archer.errors import SpecError
from archer.params import build
from pipelines.encode.manifest import SCHEMA
from pipelines.encode.record import RECORD
from pipelines.encode.request import EncodeRequest
from pipelines.reproduce.errors import ManifestUnusable

FIELDS = {
    "job": str,
    "title": str,
    "command": str,
    "input": dict,
    "settings": dict,
    "versions": dict,
    "stages": dict,
    "renditions": list,
    "files": dict,
}
"""What must be there, as what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A manifest, checked.

    Attributes:
        path: where it was read.
        manifest: its content.
        request: the settings it holds.
        run: content of `run.json` beside it; empty where there is none that belongs to it.
    """

    path: Path
    manifest: Mapping[str, Any]
    request: EncodeRequest
    run: Mapping[str, Any]

    @property
    def source(self) -> str:
        """Where the source was; empty where nobody wrote it down."""
        return str(self.run.get("source", ""))

    @property
    def captions(self) -> str:
        """Where subtitle files were that came beside it; empty where there were none."""
        return str(self.run.get("captions", ""))

    @property
    def folder(self) -> Path:
        """Where the files of the manifest lie, if they are there at all."""
        return self.path.parent


def read_recorded(path: Path) -> Recorded:
    """Read a manifest, or that of an output folder.

    Raises:
        ManifestUnusable: it cannot be read, is damaged, of another version, or something else.
    """
    path = path / "manifest.json" if path.is_dir() else path
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        why = "there is none; name an output of cinemill encode (one file has one if it was encoded with --report)"
        raise ManifestUnusable(str(path), why) from error
    except OSError as error:
        raise ManifestUnusable(str(path), f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ManifestUnusable(str(path), f"damaged: not JSON ({error}); get another copy of it") from error
    _check_schema(path, found)
    for name, kind in FIELDS.items():
        if not isinstance(found.get(name), kind):
            raise ManifestUnusable(
                str(path), f"damaged: {name!r} is missing or no {kind.__name__}; get another copy of it"
            )
    if not all(isinstance(entry, dict) and entry.get("sha256") for entry in found["files"].values()):
        raise ManifestUnusable(str(path), "damaged: a file without its hash; get another copy of it")
    return Recorded(
        path=path, manifest=found, request=_request(path, found), run=read_run(path, found["job"])
    )


def read_run(manifest: Path, job: str) -> Mapping[str, Any]:
    """The record beside a manifest; empty where there is none of the same job."""
    try:
        found = json.loads((manifest.parent / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("job") == job else {}


def _check_schema(path: Path, found: Any) -> None:
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema == SCHEMA:
        return
    name, _, number = str(schema).partition("@")
    ours = SCHEMA.partition("@")
    if name != ours[0] or not number.isdigit():
        raise ManifestUnusable(
            str(path), f"not one of cinemill encode: wanted schema {SCHEMA}, got {schema!r}"
        )
    if int(number) > int(ours[2]):
        raise ManifestUnusable(str(path), f"schema {schema} is newer than ours, {SCHEMA}; update cinemill")
    raise ManifestUnusable(
        str(path),
        f"schema {schema} is older than {SCHEMA} and does not hold all that a repetition needs "
        "(the command, and what each stage computed with); encode the title once more to get one that does",
    )


def _request(path: Path, found: Mapping[str, Any]) -> EncodeRequest:
    try:
        request = build(EncodeRequest, found["settings"], "settings")
    except SpecError as error:
        by = found["versions"].get("cinemill", "unknown")
        raise ManifestUnusable(
            str(path), f"{error}; it was written by cinemill {by}: repeat it with that version"
        ) from error
    assert isinstance(request, EncodeRequest)  # noqa: S101  `build` gives what it is asked for
    return request
