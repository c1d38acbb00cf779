"""Whose jobs a caller reaches; to everybody else a job is one that does not exist."""

from __future__ import annotations

from archer.api.auth import Caller
from archer.api.services import Services
from archer.errors import UnknownJob
from archer.store.history import JobRow


def job_of(parts: Services, caller: Caller, job: str) -> JobRow:
    """A job that the caller may know of. Raises UnknownJob where there is none, or where it is somebody else's."""
    row = parts.queue.get(job)
    if not caller.reaches(row.owner):
        raise UnknownJob(job)
    return row
