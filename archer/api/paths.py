"""Parameters in paths: what does not look like one is no address of ours, so it is 404 and reaches no code."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from starlette.convertors import CONVERTOR_TYPES, StringConvertor, register_url_convertor


class _Job(StringConvertor):
    regex = "[0-9a-f]{32}"


class _Word(StringConvertor):
    regex = "[A-Za-z0-9_-]+(?:[.][A-Za-z0-9_-]+)*"


JobId = Annotated[str, Path(alias="job", pattern=r"^[0-9a-f]{32}$", description="Id of a job.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Entries of a page at most.")]
CursorParam = Annotated[
    str | None, Query(max_length=2000, description="`next` of the page before; none for the first.")
]


def register() -> None:
    """Make the kinds known to the router; again and again does no harm."""
    for name, convertor in (("job", _Job()), ("word", _Word())):
        if name not in CONVERTOR_TYPES:
            register_url_convertor(name, convertor)
