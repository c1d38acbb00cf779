"""Content-addressed artifacts in a folder: written beside, then renamed, so no name holds half of its bytes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

from archer.artifact import Artifact
from archer.errors import BlobDamaged, DiskFull, StageError
from archer.media.asset import Asset
from archer.stage import Item, Part
from archer.store.remote import RemoteBlobs, blob_name
from archer.task import ITEMS, PARTS
from archer.wire import item_from_json, item_to_json, part_from_json, part_to_json

_names = count()


class ArtifactStore:
    """Artifacts of a work folder: `objects/` for blobs, `trees/` for folders, `scratch/` for what is being made.

    Safe for any number of threads and processes: equal content meets under one name, and the last rename wins with
    equal bytes. A blob is on the disk before its name is there.

    Args:
        root: the work folder.
        remote: an fsspec URL where every artifact goes too, so that other machines and later jobs find it; the folder
            then is a cache, from which anything may be missing. Empty for none.
    """

    def __init__(self, root: Path, *, remote: str = "") -> None:
        self.root = Path(root).absolute()
        self._remote = _remote(remote) if remote else None

    def path(self, artifact: Artifact) -> Path:
        """Where the content is; a directory for a tree. Read-only by agreement.

        Raises:
            BlobDamaged: it is not there.
        """
        path = self._place(artifact)
        if not path.exists():
            self._fetch(artifact, path)
        return path

    def has(self, artifact: Artifact) -> bool:
        """True where the content is there, in its size; `verify` also reads it."""
        path = self._place(artifact)
        try:
            here = path.is_dir() if artifact.is_tree else path.stat().st_size == artifact.size
        except FileNotFoundError:
            here = False
        if here or self._remote is None:
            return here
        if artifact.is_tree:
            return self._remote.has(blob_name(artifact.hash, ".json"))
        return self._remote.has(blob_name(artifact.hash, artifact.suffix), artifact.size)

    def _fetch(self, artifact: Artifact, path: Path) -> None:
        """Get what the folder lacks."""
        if self._remote is None:
            raise BlobDamaged(artifact.hash, str(path))
        with full_disk_named(self.root):
            if not artifact.is_tree:
                self._remote.fetch(blob_name(artifact.hash, artifact.suffix), artifact.hash, path)
                return
            listing = Artifact(kind="listing@1", hash=artifact.hash, size=0, suffix=".json")
            self._remote.fetch_tree(self.path(listing), path)

    def _share(self, artifact: Artifact) -> None:
        """Put what the folder has where others find it; a tree's files before its listing."""
        if self._remote is None:
            return
        path = self._place(artifact)
        if not artifact.is_tree:
            self._remote.put(path, blob_name(artifact.hash, artifact.suffix))
            return
        listing = self._place(Artifact(kind="listing@1", hash=artifact.hash, size=0, suffix=".json"))
        files = json.loads(listing.read_bytes())
        self._remote.put_tree(path, files, listing, blob_name(artifact.hash, ".json"))

    def signed(self, artifact: Artifact, seconds: int = 900) -> str:
        """An address where anybody may read a blob for a while; empty where its store gives none."""
        if self._remote is None or artifact.is_tree:
            return ""
        return self._remote.signed(blob_name(artifact.hash, artifact.suffix), seconds)

    def verify(self, artifact: Artifact) -> None:
        """Read the content and compare it with its name.

        Raises:
            BlobDamaged: it is not there or not what the name says.
        """
        path = self.path(artifact)
        found = _digest(_listing_bytes(_listing(path))) if artifact.is_tree else _file_digest(path)
        if found != artifact.hash:
            raise BlobDamaged(artifact.hash, str(path))

    def put_file(self, path: Path, *, kind: str, suffix: str = "", move: bool = False) -> Artifact:
        """Take a finished file in.

        Args:
            path: the file.
            kind: what it is, with the version of its schema.
            suffix: file name suffix that tools need to recognise it.
            move: take the file itself, by a rename (from a task's scratch); otherwise a copy of it.

        Raises:
            DiskFull: no space is left.
        """
        if not move:
            with self._copied(path) as copy:
                return self.put_file(copy, kind=kind, suffix=suffix, move=True)
        with full_disk_named(self.root):
            artifact = Artifact(kind=kind, hash=_file_digest(path), size=path.stat().st_size, suffix=suffix)
            _to_disk(path)
            place = self._place(artifact)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
        self._share(artifact)
        return artifact

    def put_tree(self, folder: Path, *, kind: str, move: bool = False) -> Artifact:
        """Take a finished folder in; its name is the hash of the listing of its files.

        Args:
            folder: the folder; holds files and folders, no links.
            kind: begins with `tree/`.
            move: take the folder itself; otherwise a copy of it.

        Raises:
            DiskFull: no space is left.
            StageError: it holds something else than files and folders.
        """
        if not move:
            with self._copied(folder) as copy:
                return self.put_tree(copy, kind=kind, move=True)
        with full_disk_named(self.root):
            listing = _listing(folder)
            for name in listing:
                _to_disk(folder / name)
            text = _listing_bytes(listing)
            total = sum(entry["size"] for entry in listing.values())
            artifact = Artifact(kind=kind, hash=_digest(text), size=total)
            self._write(text, kind="listing@1", suffix=".json")
            place = self._place(artifact)
            place.parent.mkdir(parents=True, exist_ok=True)
            _rename_tree(folder, place)
        self._share(artifact)
        return artifact

    def put_bytes(self, content: bytes, *, kind: str, suffix: str = "") -> Artifact:
        """Store bytes.

        Raises:
            DiskFull: no space is left.
        """
        artifact = self._write(content, kind=kind, suffix=suffix)
        self._share(artifact)
        return artifact

    def _write(self, content: bytes, *, kind: str, suffix: str) -> Artifact:
        artifact = Artifact(kind=kind, hash=_digest(content), size=len(content), suffix=suffix)
        if not _is_there(self._place(artifact), len(content)):
            place = self._place(artifact)
            beside = place.with_name(f".{place.name}.{os.getpid()}-{next(_names)}")
            with full_disk_named(self.root):
                place.parent.mkdir(parents=True, exist_ok=True)
                try:
                    beside.write_bytes(content)
                    _to_disk(beside)
                    beside.replace(place)
                except BaseException:
                    beside.unlink(missing_ok=True)
                    raise
        return artifact

    def put_json(self, value: Any, *, kind: str) -> Artifact:
        """Store a JSON value in its canonical text."""
        return self.put_bytes(json_bytes(value), kind=kind, suffix=".json")

    def put_items(self, items: Sequence[Item]) -> Artifact:
        """Store the items of a split, or those a collect asks for, as one `items@1` artifact."""
        return self.put_json([item_to_json(item) for item in items], kind=ITEMS)

    def put_parts(self, parts: Sequence[Part]) -> Artifact:
        """Store the parts of a stage as one `parts@1` artifact."""
        return self.put_json([part_to_json(part) for part in parts], kind=PARTS)

    def read_json(self, artifact: Artifact) -> Any:
        """The parsed content of a JSON artifact.

        Raises:
            BlobDamaged: it is not there, or not JSON any more.
        """
        path = self.path(artifact)
        try:
            return json.loads(path.read_bytes())
        except ValueError as error:
            raise BlobDamaged(artifact.hash, str(path)) from error

    def discard(self, artifact: Artifact) -> None:
        """Take damaged content away, so that the same work makes it again."""
        place = self._place(artifact)
        if artifact.is_tree:
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)

    def read_items(self, artifact: Artifact, assets: Sequence[Asset] = ()) -> list[Item]:
        """The items behind an `items@1` artifact; an asset they use that is not in `assets` has an empty URL."""
        known = {asset.identity: asset for asset in assets}
        return [item_from_json(value, known) for value in self.read_json(artifact)]

    def read_parts(self, artifact: Artifact, assets: Sequence[Asset] = ()) -> list[Part]:
        """The parts behind a `parts@1` artifact; an asset they use that is not in `assets` has an empty URL."""
        known = {asset.identity: asset for asset in assets}
        return [part_from_json(value, known) for value in self.read_json(artifact)]

    def scratch(self, name: str) -> Path:
        """An empty folder on the store's file system, by a name that nobody else uses."""
        folder = self.root / "scratch" / name
        with full_disk_named(self.root):
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                shutil.rmtree(folder)
                folder.mkdir()
        return folder

    def sweep(self) -> None:
        """Remove everything that was being made when its makers died. Only for who holds the folder's lock."""
        shutil.rmtree(self.root / "scratch", ignore_errors=True)

    @contextmanager
    def _copied(self, path: Path) -> Iterator[Path]:
        folder = self.scratch(f"copy-{os.getpid()}-{next(_names)}")
        try:
            with full_disk_named(self.root):
                if path.is_dir():
                    shutil.copytree(path, folder / "copy", symlinks=True)
                else:
                    shutil.copyfile(path, folder / "copy")
            yield folder / "copy"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _place(self, artifact: Artifact) -> Path:
        hexdigest = artifact.hash.removeprefix("sha256:")
        folder = "trees" if artifact.is_tree else "objects"
        return self.root / folder / hexdigest[:2] / f"{hexdigest[2:]}{artifact.suffix}"


@lru_cache(maxsize=8)
def _remote(url: str) -> RemoteBlobs:
    return RemoteBlobs(url)


def _is_there(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def json_bytes(value: Any) -> bytes:
    """Canonical JSON text: sorted keys, no spaces, UTF-8, newline at the end. Measured numbers may be floats."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


@contextmanager
def full_disk_named(place: Path) -> Iterator[None]:
    """Turn "no space left" into `DiskFull`, which says where and what to do."""
    try:
        yield
    except DiskFull:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(str(place)) from error
        raise


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _listing(folder: Path) -> dict[str, dict[str, Any]]:
    """Relative path -> hash and size of every file below a folder, sorted."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise StageError(f"tree: {name} is neither a file nor a folder; write copies, not links")
        if path.is_file():
            found[name] = {"hash": _file_digest(path), "size": path.stat().st_size}
    return found


def _listing_bytes(listing: Mapping[str, Any]) -> bytes:
    return json_bytes(listing)


def _to_disk(path: Path) -> None:
    """Bytes first, names after: a power cut must not leave a name of bytes that were never written."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rename_tree(folder: Path, place: Path) -> None:
    try:
        folder.rename(place)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        shutil.rmtree(folder)  # the same content is there already
