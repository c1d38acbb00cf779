"""Bring finished artifacts to where the user wants them: all at once, manifest last, never half."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import mezzfs
from pipelines.encode.errors import OutputExists, OutputFailed

MANIFEST = "manifest.json"
BLOCK = 1 << 20


def is_remote(out: str) -> bool:
    """True for an fsspec URL of anything but the local file system."""
    return "://" in out and not out.startswith("file://")


def local_path(out: str) -> Path:
    """The path of a local output, given as path or `file://` URL."""
    return Path(out.removeprefix("file://"))


def publish_folder(files: Mapping[str, Path], texts: Mapping[str, bytes], out: Path, *, link: bool) -> None:
    """Make the folder `out` hold exactly `files` and `texts`, by one rename at the end.

    Args:
        files: relative path in the output -> file in the store.
        texts: relative path -> content of what is about the files: the manifest, and what it does not list.
        out: the folder; what is there is replaced, so ask first.
        link: share the bytes with the store (right where the store is about to go) instead of copying.

    Raises:
        OutputFailed: the folder cannot be written; nothing that looks finished is left.
    """
    partial, previous = out.with_name(f".{out.name}.partial"), out.with_name(f".{out.name}.previous")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        for name, source in files.items():
            _place(source, partial / name, link=link)
        for name, content in texts.items():
            _write(partial / name, content)
        shutil.rmtree(previous, ignore_errors=True)
        if out.exists():
            out.rename(previous)
        partial.rename(out)
        shutil.rmtree(previous, ignore_errors=True)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise OutputFailed(str(out), _why(error)) from error


def publish_file(source: Path, out: Path, *, link: bool) -> None:
    """Put one finished file at `out`, whole or not at all.

    Raises:
        OutputFailed: it cannot be written.
    """
    partial = out.with_name(f".{out.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        _place(source, partial, link=link)
        partial.rename(out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputFailed(str(out), _why(error)) from error


def write_whole(out: Path, content: bytes) -> None:
    """Make a local file hold this content, whole or not at all.

    Raises:
        OutputFailed: it cannot be written.
    """
    partial = out.with_name(f".{out.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(out)
    except OSError as error:
        raise OutputFailed(str(out), _why(error)) from error
    finally:
        partial.unlink(missing_ok=True)


def publish_remote(files: Mapping[str, Path], texts: Mapping[str, bytes], url: str) -> None:
    """Upload `files` and `texts` below `url`, the manifest last: a folder without one is not finished.

    Args:
        files: relative path below `url` -> file; an empty path is `url` itself.
        texts: relative path -> content, with `manifest.json` where there is one.
        url: any URL that `mezzfs.put` can write.

    Raises:
        OutputFailed: the store refused or could not be reached.
    """
    base = url.rstrip("/")
    try:
        for name, source in files.items():
            with source.open("rb") as file:
                mezzfs.put(f"{base}/{name}".rstrip("/"), file)
        for name in sorted(texts, key=lambda name: name == MANIFEST):
            mezzfs.put(f"{base}/{name}", io.BytesIO(texts[name]))
    except (mezzfs.MezzError, OSError) as error:
        raise OutputFailed(url, f"cannot be written: {error or type(error).__name__}") from error


@contextlib.contextmanager
def _looking(url: str) -> Iterator[None]:
    """Whatever a store refuses is an OutputFailed; that nothing, or nothing but a name, is there is left to the caller."""
    try:
        yield
    except (mezzfs.NotFound, mezzfs.NotAFile, mezzfs.EmptyObject):
        raise
    except mezzfs.MezzError as error:
        raise OutputFailed(url, f"cannot be looked at: {error or type(error).__name__}") from error


def read_remote(url: str, name: str = "") -> bytes | None:
    """The object at `url`, or below it under `name`; None where there is none.

    Raises:
        OutputFailed: the store refused or could not be reached.
    """
    try:
        with _looking(url), mezzfs.open(f"{url.rstrip('/')}/{name}".rstrip("/")) as file:
            return file.read()
    except mezzfs.EmptyObject:
        return b""
    except (mezzfs.NotFound, mezzfs.NotAFile):
        return None


def check_remote(url: str) -> None:
    """Refuse the URL of an object that cannot be written, before any work is done.

    Raises:
        OutputFailed: its protocol is unknown or read-only, or its server refuses.
    """
    try:
        mezzfs.check_put(url)
    except (mezzfs.MezzError, OSError) as error:
        raise OutputFailed(url, f"cannot be written: {getattr(error, 'reason', '') or error}") from error


def is_there(url: str) -> bool:
    """Whether there is an object at `url`; none of its content is read.

    Raises:
        OutputFailed: the store refused or could not be reached.
    """
    try:
        with _looking(url):
            mezzfs.open(url).close()
    except mezzfs.EmptyObject:
        return True
    except (mezzfs.NotFound, mezzfs.NotAFile):
        return False
    return True


def holds(url: str, source: Path) -> bool:
    """Whether the object at `url`, a path or a URL, has the content of a file; read as far as they are alike.

    Raises:
        OutputFailed: the store refused or could not be reached.
    """
    try:
        with _looking(url), mezzfs.open(url) as there, source.open("rb") as here:
            while block := here.read(BLOCK):
                if there.read(len(block)) != block:
                    return False
            return not there.read(1)
    except (mezzfs.NotFound, mezzfs.NotAFile, mezzfs.EmptyObject):
        return False


def check_free(out: Path, *, force: bool) -> None:
    """Refuse to overwrite what is not ours, before any work is done.

    Raises:
        OutputExists: there is something else at `out` and `force` is off.
        OutputFailed: the parent folder is missing or not writable.
    """
    parent = out.absolute().parent
    if not parent.is_dir():
        raise OutputFailed(str(out), f"the folder {parent} does not exist; make it first")
    if not os.access(parent, os.W_OK):
        raise OutputFailed(str(out), f"no permission to write in {parent}")
    if force or not out.exists():
        return
    if out.is_dir() and not any(out.iterdir()):
        return
    raise OutputExists(str(out))


def check_apart(out: Path, inputs: Iterable[str]) -> None:
    """Refuse to replace what the output is made from, or the folder that the user is in, even where that is asked for.

    Args:
        out: the output; what is there goes as a whole.
        inputs: paths or URLs.

    Raises:
        OutputFailed: an input is the output or lies in it, or the current folder does.
    """
    place = os.path.realpath(out)
    for url in inputs:
        if not is_remote(url) and Path(os.path.realpath(local_path(url))).is_relative_to(place):
            raise OutputFailed(
                str(out), f"the input {url} is there, and would be replaced; choose another -o"
            )
    if Path(os.path.realpath(".")).is_relative_to(place):
        raise OutputFailed(str(out), "you are in this folder, which would be replaced; name one inside it")


def _why(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no space left; free some, then run the same command"
    return error.strerror or str(error)


def _place(source: Path, target: Path, *, link: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if link:
        try:
            target.hardlink_to(source)
        except OSError:  # another file system, or one without links
            shutil.copyfile(source, target)
    else:
        shutil.copyfile(source, target)
    target.chmod(0o644)


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
