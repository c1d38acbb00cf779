"""Forms as browsers send them."""

from __future__ import annotations

import urllib.parse

from fastapi import Request

from archer.api.problems import Problem

KIND = "application/x-www-form-urlencoded"


async def form_of(request: Request) -> dict[str, str]:
    """Fields of a form, the last value of each, without white space at their ends. Raises Problem where there is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != KIND:
        raise Problem("bad-request", f"wanted a form ({KIND})")
    body = (await request.body()).decode("ascii", "replace")
    try:
        pairs = urllib.parse.parse_qsl(body, keep_blank_values=True, max_num_fields=500, errors="strict")
    except ValueError as error:
        raise Problem("bad-request", "the form is none, or has more than 500 fields") from error
    if any("\0" in text for pair in pairs for text in pair):
        raise Problem("bad-request", "text with NUL cannot be kept")
    return {name: value.strip() for name, value in pairs}
