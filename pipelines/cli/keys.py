"""Content keys from the command line: which store, which set. Keys themselves are never arguments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click


def use_store(options: Mapping[str, Any]) -> None:
    """Name the key store in our environment, where workers find it too; it holds paths, never keys."""
    from pipelines.packaging.keystore import KEY_FILE_VARIABLE, KEY_VARIABLE, STORE_VARIABLE

    if options["key_store"]:
        os.environ[STORE_VARIABLE] = str(Path(options["key_store"]).absolute())
    if options["key_store_key"]:
        os.environ.pop(KEY_VARIABLE, None)
        os.environ[KEY_FILE_VARIABLE] = str(Path(options["key_store_key"]).absolute())


def key_set_of(title: str, options: Mapping[str, Any]) -> str:
    """Id of the key set that `--drm` asks for, made now if the store has none of that name; empty without `--drm`.

    Raises:
        UsageError: options of encryption without --drm. KeyStoreError: the store cannot be used.
    """
    if not options["drm"]:
        given = next((name for name in ("key_set", "key_store", "key_store_key") if options[name]), None)
        if given or options["clear_lead_s"]:
            raise click.UsageError(
                f"--{(given or 'clear_lead_s').replace('_', '-')}: says how to encrypt; add --drm"
            )
        return ""
    from pipelines.packaging.keystore import open_store

    use_store(options)
    return open_store().obtain(options["key_set"] or title).id
