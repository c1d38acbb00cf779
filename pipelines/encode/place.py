"""Where a job writes: the output, and the folder for unfinished work."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipelines.encode.publish import is_remote, local_path


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlace:
    """Where the result goes.

    Attributes:
        out: path or fsspec URL of a folder, or of one file.
        work_dir: where unfinished work lives.
        keep: leave the work folder when the job is done.
        force: replace what is at `out`.
    """

    out: str
    work_dir: Path
    keep: bool = False
    force: bool = False

    @classmethod
    def of(cls, output: str, *, work_dir: str | None, keep: bool, force: bool) -> Self:
        """The place of an output; the default work folder is `.NAME.cinemill` beside it, or here for a URL."""
        out = output.rstrip("/") or output
        name = out.rpartition("/")[2] or "out"
        parent = Path() if is_remote(out) else local_path(out).parent
        folder = Path(work_dir) if work_dir else parent / f".{name}.cinemill"
        return cls(out=out, work_dir=folder, keep=keep, force=force)

    @property
    def remote(self) -> bool:
        """The output is an object store's."""
        return is_remote(self.out)

    @property
    def path(self) -> Path:
        """The local path of the output; for a remote one, where it is made before it is uploaded."""
        return self.work_dir / "upload" if self.remote else local_path(self.out)

    def clean(self) -> None:
        """Remove the work folder, unless it is to be kept."""
        if not self.keep:
            shutil.rmtree(self.work_dir, ignore_errors=True)
