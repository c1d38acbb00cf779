"""Addresses that carry the right to read one object for a while."""

from __future__ import annotations

from mezzfs.stores import store_for


def signed(url: str, seconds: int) -> str:
    """An https address where anybody may read the object at `url` for some seconds; empty where its store gives none.

    Nothing is asked of the store: whether the object is there shows when it is read.

    Raises:
        MissingExtra: the package that the store needs is not installed.
    """
    sign = getattr(store_for(url), "signed", None)
    return str(sign(url, seconds)) if sign is not None else ""
