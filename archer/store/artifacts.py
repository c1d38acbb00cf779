"""Content-addressed artifacts in a folder: written beside, then renamed, so a name never holds half of its bytes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archer.artifact import Artifact
from archer.errors import BlobDamaged, DiskFull
from archer.stage import Part
from archer.wire import part_from_json, part_to_json

PARTS = "parts@1"


class ArtifactStore:
    """Artifacts below a work folder: `objects/` for blobs, `trees/` for folders, `scratch/` for what is being made.

    Safe for any number of processes: equal content meets under one name, and the last rename wins with equal bytes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, artifact: Artifact) -> Path:
        """Where the content is; a directory for a tree. Read-only by agreement.

        Raises:
            BlobDamaged: it is not there.
        """
        path = self._place(artifact)
        if not path.exists():
            raise BlobDamaged(artifact.hash, str(path))
        return path

    def has(self, artifact: Artifact) -> bool:
        """True where the content is there, in its size."""
        path = self._place(artifact)
        return path.is_dir() if artifact.is_tree else path.is_file() and path.stat().st_size == artifact.size

    def put_file(self, path: Path, *, kind: str, suffix: str = "", move: bool = False) -> Artifact:
        """Take a finished file in: a copy of it, or the file itself by a rename (`move`, as from a task's scratch).

        Raises:
            DiskFull: no space is left.
        """
        if not move:
            copy = self.scratch(f"copy-{os.getpid()}-{id(path)}") / "copy"
            with full_disk_named(self.root):
                shutil.copyfile(path, copy)
            try:
                return self.put_file(copy, kind=kind, suffix=suffix, move=True)
            finally:
                shutil.rmtree(copy.parent, ignore_errors=True)
        with full_disk_named(self.root):
            with path.open("rb") as file:
                hexdigest = hashlib.file_digest(file, "sha256").hexdigest()
                os.fsync(file.fileno())
            artifact = Artifact(kind=kind, hash=f"sha256:{hexdigest}", size=path.stat().st_size, suffix=suffix)
            place = self._place(artifact)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
        return artifact

    def put_tree(self, folder: Path, *, kind: str) -> Artifact:
        """Take a finished folder in by renaming it; its name is the hash of the listing of its files."""
        listing: dict[str, dict[str, Any]] = {}
        for path in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
            with path.open("rb") as file:
                hexdigest = hashlib.file_digest(file, "sha256").hexdigest()
            listing[path.relative_to(folder).as_posix()] = {"hash": f"sha256:{hexdigest}", "size": path.stat().st_size}
        text = json.dumps(listing, sort_keys=True).encode()
        total = sum(entry["size"] for entry in listing.values())
        artifact = Artifact(kind=kind, hash=f"sha256:{hashlib.sha256(text).hexdigest()}", size=total)
        place = self._place(artifact)
        with full_disk_named(self.root):
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists():
                shutil.rmtree(folder)
            else:
                folder.rename(place)
        return artifact

    def put_json(self, value: Any, *, kind: str) -> Artifact:
        """Store a JSON value in its canonical text."""
        scratch = self.scratch(f"json-{os.getpid()}-{id(value)}")
        with full_disk_named(self.root):
            (scratch / "value").write_bytes(json_bytes(value))
        artifact = self.put_file(scratch / "value", kind=kind, suffix=".json", move=True)
        scratch.rmdir()
        return artifact

    def read_json(self, artifact: Artifact) -> Any:
        """The parsed content of a JSON artifact."""
        return json.loads(self.path(artifact).read_bytes())

    def put_parts(self, parts: Sequence[Part]) -> Artifact:
        """Store the parts of a stage as one `parts@1` artifact."""
        return self.put_json([part_to_json(part) for part in parts], kind=PARTS)

    def read_parts(self, artifact: Artifact) -> list[Part]:
        """The parts behind a `parts@1` artifact."""
        return [part_from_json(value) for value in self.read_json(artifact)]

    def scratch(self, name: str) -> Path:
        """An empty folder on the store's file system."""
        folder = self.root / "scratch" / name
        shutil.rmtree(folder, ignore_errors=True)
        with full_disk_named(self.root):
            folder.mkdir(parents=True)
        return folder

    def _place(self, artifact: Artifact) -> Path:
        hexdigest = artifact.hash.removeprefix("sha256:")
        folder = "trees" if artifact.is_tree else "objects"
        return self.root / folder / hexdigest[:2] / f"{hexdigest[2:]}{artifact.suffix}"


def json_bytes(value: Any) -> bytes:
    """Canonical JSON text: sorted keys, no spaces, UTF-8, newline at the end. Measured numbers may be floats."""
    return (json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n").encode()


@contextmanager
def full_disk_named(place: Path) -> Iterator[None]:
    """Turn "no space left" into `DiskFull`, which says where and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(str(place)) from error
        raise


def outputs_to_json(outputs: Mapping[str, Artifact]) -> dict[str, Any]:
    """Outputs of a task as a JSON object."""
    return {name: artifact.to_json() for name, artifact in outputs.items()}


def outputs_from_json(value: Mapping[str, Any]) -> dict[str, Artifact]:
    """The outputs that `outputs_to_json` wrote."""
    return {name: Artifact.from_json(entry) for name, entry in value.items()}
