"""Keys of the API as rows: hashes, scopes, expiry; never the keys themselves."""

from __future__ import annotations

import json
import time
from typing import Any

import sqlalchemy as sa

from archer.store.database import Database
from archer.store.schema import api_keys

FRESH_S = 1.0


class KeyRows:
    """Rows of keys of one store, as mappings of the columns of `api_keys`.

    Args:
        database: the store, whose tables are prepared.
    """

    def __init__(self, database: Database) -> None:
        self._db, self._none_until = database, 0.0

    def add(self, row: dict[str, Any]) -> None:
        """Keep a key; `scopes` is a list of names."""
        values = {**row, "scopes": json.dumps(list(row["scopes"]))}
        self._db.write(lambda connection: connection.execute(sa.insert(api_keys).values(values)))

    def get(self, identity: str) -> dict[str, Any] | None:
        """One key by its id."""
        found = self._rows(sa.select(api_keys).where(api_keys.c.id == identity))
        return found[0] if found else None

    def person(self, identity: str) -> list[dict[str, Any]]:
        """A key with all others of its name, the oldest first: they are one person's. None where it is not known."""
        name = sa.select(api_keys.c.name).where(api_keys.c.id == identity).scalar_subquery()
        query = sa.select(api_keys).where(api_keys.c.name == name)
        return self._rows(query.order_by(api_keys.c.made_ms, api_keys.c.id))

    def all(self) -> list[dict[str, Any]]:
        """All keys, the latest first."""
        return self._rows(sa.select(api_keys).order_by(api_keys.c.made_ms.desc(), api_keys.c.id))

    def any(self) -> bool:
        """True where a key was ever made, valid or not; one that is made elsewhere is noticed within a second."""
        if time.monotonic() < self._none_until:
            return False
        found = bool(self._rows(sa.select(api_keys).limit(1)))
        if not found:
            self._none_until = time.monotonic() + FRESH_S
        return found

    def revoke(self, identity: str, now_ms: int) -> bool:
        """Make a key invalid from now; False where there is none, or where it is invalid already."""
        change = sa.update(api_keys).where(api_keys.c.id == identity, api_keys.c.revoked_ms == 0)
        done = self._db.write(lambda connection: connection.execute(change.values(revoked_ms=now_ms)))
        return bool(done.rowcount)

    def _rows(self, query: Any) -> list[dict[str, Any]]:
        rows = self._db.read(lambda connection: connection.execute(query).all())
        return [{**row._mapping, "scopes": tuple(json.loads(row.scopes))} for row in rows]
