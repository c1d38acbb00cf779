"""Cursors of pages: where the last page ended, as text that clients hand back and do not read."""

from __future__ import annotations

import base64
import binascii
import json

from archer.api.problems import FieldProblem, Problem


def encode(kind: str, after: str | int) -> str:
    """The cursor behind an entry of a list of one kind."""
    return base64.urlsafe_b64encode(json.dumps([kind, after]).encode()).decode().rstrip("=")


def decode(kind: str, cursor: str) -> str | int:
    """The entry that a cursor stands behind. Raises Problem where it is none, or of another list."""
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        found = None
    valid = isinstance(found, list) and len(found) == 2 and found[0] == kind
    after = found[1] if valid else None
    if isinstance(after, str) and "\0" not in after:
        return after
    if isinstance(after, int) and not isinstance(after, bool) and 0 <= after < 1 << 62:
        return after
    problem = FieldProblem(pointer="cursor", detail="wanted the `next` of an earlier page of this list")
    raise Problem("invalid-request", "the cursor is none of this list", errors=[problem])


def text_after(kind: str, cursor: str | None) -> str:
    """The text behind which a page begins; empty for the first page."""
    found = decode(kind, cursor) if cursor else ""
    return found if isinstance(found, str) else ""


def number_after(kind: str, cursor: str | None) -> int:
    """The number behind which a page begins; 0 for the first page."""
    found = decode(kind, cursor) if cursor else 0
    return found if isinstance(found, int) else 0
