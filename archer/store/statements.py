"""The statements of the job store, built once: compiling them costs more than running them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from archer.store.schema import attempts, cards, events, memo, nodes, tasks


class Statements:
    """Prepared SQL of one database; every one takes a list of rows.

    Attributes:
        plan: tasks that are (again) pending.
        settle: tasks whose state changes without a lease: found in the memo, refused.
        lease: tasks given to a worker, by a new token.
        copy: leased tasks given to a second worker beside the first, by a token of its own.
        close: leased tasks that end or wait for the next try; changes only rows that still hold `old_token`.
        renew: leases that run longer.
        attempt, event: rows that are only added.
        remember: results by memo key. touch: when they were found last.
        card: what tasks show of themselves.
        node, node_state: where nodes stand.
    """

    def __init__(self, dialect: str) -> None:
        insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[dialect]
        self.plan = _upsert(insert(tasks), ["job", "name"], ["weight", "state", "until_ms"])
        self.settle = _upsert(insert(tasks), ["job", "name"], ["state", "outputs"])
        self.lease = _upsert(insert(tasks), ["job", "name"], ["state", "token", "until_ms"])
        one = (tasks.c.job == sa.bindparam("old_job"), tasks.c.name == sa.bindparam("old_name"))
        own: Any = sa.bindparam("old_token")
        self.copy = sa.update(tasks).where(*one).values(copy_token=own)
        self.close = (
            sa.update(tasks)
            .where(*one, tasks.c.state == "leased")
            .where((tasks.c.token == own) | (tasks.c.copy_token == own))
            .values(
                {**{name: sa.bindparam(name) for name in ("state", "until_ms", "outputs")}, "copy_token": 0}
            )
        )
        self.renew = (
            sa.update(tasks)
            .where(tasks.c.job == sa.bindparam("old_job"), tasks.c.name == sa.bindparam("old_name"))
            .where(tasks.c.token == sa.bindparam("old_token"))
            .values(until_ms=sa.bindparam("until_ms"))
        )
        self.attempt = sa.insert(attempts)
        self.event = sa.insert(events)
        self.remember = _upsert(insert(memo), ["key"], ["outputs", "used_ms"])
        self.card = _upsert(insert(cards), ["job", "task", "name"], ["artifact"])
        self.touch = (
            sa.update(memo)
            .where(memo.c.key == sa.bindparam("old_key"))
            .values(used_ms=sa.bindparam("used_ms"))
        )
        kept = ["place", "state", "items", "weight", "outputs", "identity"]
        self.node = _upsert(insert(nodes), ["job", "node"], kept)
        self.node_state = (
            sa.update(nodes)
            .where(nodes.c.job == sa.bindparam("old_job"), nodes.c.node == sa.bindparam("old_node"))
            .values(
                state=sa.bindparam("state"),
                items=nodes.c["items"] + sa.bindparam("more_items"),
                weight=nodes.c.weight + sa.bindparam("more_weight"),
                outputs=sa.bindparam("outputs"),
            )
        )


def _upsert(insert: Any, keys: list[str], changed: list[str]) -> Any:
    return insert.on_conflict_do_update(
        index_elements=keys, set_={name: insert.excluded[name] for name in changed}
    )
