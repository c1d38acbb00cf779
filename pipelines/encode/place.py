"""Where a job writes: the output, and the folder for unfinished work."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from archer.store.discard import discard
from pipelines.encode.publish import is_remote, local_path
from pipelines.encode.request import single_of

REPORT = ".report"


def report_place(place: str) -> str:
    """The folder that tells about an output: a package itself; of one file the folder beside it, see `--report`."""
    return f"{place}{REPORT}" if single_of(place) else place


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlace:
    """Where the result goes.

    Attributes:
        out: path or fsspec URL of a folder, or of one file.
        work_dir: where unfinished work lives.
        named: the user chose the work folder, so other jobs may be in it.
        keep: leave the work folder when the job is done.
        force: replace what is at `out`.
    """

    out: str
    work_dir: Path
    named: bool = False
    keep: bool = False
    force: bool = False

    @classmethod
    def of(cls, output: str, *, work_dir: str | None, keep: bool, force: bool) -> Self:
        """The place of an output; the default work folder is `.NAME.cinemill` beside it, or here for a URL.

        A link to a folder stands for that folder: it stays, and what it leads to is filled or replaced.
        """
        out = output.rstrip("/") or output
        if not is_remote(out) and not single_of(out):
            path = local_path(out)
            out = os.path.realpath(path) if path.is_symlink() or path.name in ("", "..") else out
        name = out.rpartition("/")[2] or "out"
        parent = Path() if is_remote(out) else local_path(out).parent
        folder = Path(work_dir) if work_dir else parent / f".{name}.cinemill"
        return cls(out=out, work_dir=folder, named=bool(work_dir), keep=keep, force=force)

    @property
    def remote(self) -> bool:
        """The output is an object store's."""
        return is_remote(self.out)

    @property
    def path(self) -> Path:
        """The path of a local output."""
        return local_path(self.out)

    @property
    def report(self) -> str:
        """Path or URL of the folder with the report."""
        return report_place(self.out)

    def clean(self, job: str) -> None:
        """Give back the work folder that `job` was done in, unless it is to be kept; see `archer.store.discard`."""
        if not self.keep:
            discard(self.work_dir, job=job if self.named else "")
