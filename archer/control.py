"""How one process asks the scheduler of a running job to pause, go on or stop: a note in the work folder.

Only the scheduler writes the job store; whoever else wants something leaves `control/<job>` for it, which it reads
about once a second and takes away.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal, cast, get_args

Wish = Literal["pause", "continue", "cancel"]


def ask(root: Path, job: str, wish: Wish) -> None:
    """Leave a wish for whoever runs the job; a later one replaces an earlier one."""
    folder = root / "control"
    folder.mkdir(exist_ok=True)
    beside = folder / f".{job}.new"
    beside.write_text(wish)
    beside.replace(folder / job)


def asked(root: Path, job: str) -> Wish | None:
    """Take the wish for a job, if there is one."""
    path = root / "control" / job
    with suppress(FileNotFoundError):
        wish = path.read_text()
        path.unlink()
        return cast("Wish", wish) if wish in get_args(Wish) else None
    return None
