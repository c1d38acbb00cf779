"""Job templates and presets as rows: parts of orders that are kept under a name, each person's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from archer.store.database import Database
from archer.store.schema import recipes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One of them.

    Attributes:
        kind: `JobTemplate` or `Preset`.
        name: unique among those of its owner and kind.
        category: the owner's own word.
        body: what was given, JSON.
        made_ms, changed_ms: when, milliseconds since 1970.
    """

    kind: str
    name: str
    category: str
    body: Mapping[str, Any]
    made_ms: int
    changed_ms: int


class RecipeRows:
    """Recipes of one store; any number of servers share it.

    Args:
        database: the store, whose tables are prepared.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, owner: str, kind: str, name: str, category: str, body: Mapping[str, Any]) -> bool:
        """Keep one; False where the name is taken."""

        def insert(connection: sa.Connection) -> None:
            now = self._db.now_ms(connection)
            values = {"owner": owner, "kind": kind, "name": name, "made_ms": now, "changed_ms": now}
            connection.execute(sa.insert(recipes).values(**values, category=category, body=json.dumps(body)))

        try:
            self._db.write(insert)
        except sa.exc.IntegrityError:
            return False
        return True

    def change(self, owner: str, kind: str, name: str, category: str, body: Mapping[str, Any]) -> bool:
        """Replace one; False where there is none."""

        def update(connection: sa.Connection) -> int:
            values = {
                "category": category,
                "body": json.dumps(body),
                "changed_ms": self._db.now_ms(connection),
            }
            return connection.execute(
                sa.update(recipes).where(*_one(owner, kind, name)).values(values)
            ).rowcount

        return bool(self._db.write(update))

    def remove(self, owner: str, kind: str, name: str) -> bool:
        """Forget one; False where there is none."""
        query = sa.delete(recipes).where(*_one(owner, kind, name))
        return bool(self._db.write(lambda connection: connection.execute(query).rowcount))

    def get(self, owner: str, kind: str, name: str) -> Recipe | None:
        """One by its name; None where there is none."""
        query = sa.select(recipes).where(*_one(owner, kind, name))
        row = self._db.read(lambda connection: connection.execute(query).first())
        return None if row is None else _recipe(row)

    def page(
        self, owner: str, kind: str, after: str, most: int, *, category: str | None = None, down: bool = False
    ) -> list[Recipe]:
        """Those behind a name, in the order of their names.

        Args:
            owner, kind: whose, of what kind.
            after: the name behind which the page begins; empty for the first page.
            most: rows at most.
            category: only of this one.
            down: from the last name to the first.
        """
        name = recipes.c.name
        query = sa.select(recipes).where(recipes.c.owner == owner, recipes.c.kind == kind)
        if after:
            query = query.where(name < after if down else name > after)
        if category is not None:
            query = query.where(recipes.c.category == category)
        query = query.order_by(name.desc() if down else name).limit(most)
        return [_recipe(row) for row in self._db.read(lambda connection: connection.execute(query).all())]


def _one(owner: str, kind: str, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return recipes.c.owner == owner, recipes.c.kind == kind, recipes.c.name == name


def _recipe(row: sa.Row[Any]) -> Recipe:
    return Recipe(
        kind=row.kind,
        name=row.name,
        category=row.category,
        body=json.loads(row.body),
        made_ms=row.made_ms,
        changed_ms=row.changed_ms,
    )
