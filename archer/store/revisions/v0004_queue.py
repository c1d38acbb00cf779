"""Submitted jobs, their queues and leases; numbers that are given under a lock."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0004", "0003"
EVENTS = "INSERT INTO counters SELECT 'event', COALESCE(MAX(seq), 0) FROM events"
TOKENS = """INSERT INTO counters SELECT 'token', MAX(found) FROM (
    SELECT COALESCE(MAX(token), 0) AS found FROM attempts
    UNION ALL SELECT COALESCE(MAX(token), 0) FROM tasks
    UNION ALL SELECT COALESCE(MAX(copy_token), 0) FROM tasks) AS given"""


def upgrade() -> None:
    """Add them; numbers go on from the greatest."""
    for column in _columns():
        op.add_column("jobs", column)
    op.create_index("jobs_by_key", "jobs", ["owner", "submit_key"], unique=True)
    op.create_index("jobs_by_state", "jobs", ["state", "id"])
    op.create_index("jobs_by_owner", "jobs", ["owner", "id"])
    op.create_table(
        "queues",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("most", sa.Integer),
        sa.Column("paused", sa.Integer, nullable=False, server_default=sa.text("0")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.execute(EVENTS)
    op.execute(TOKENS)


def downgrade() -> None:
    """Remove them, and jobs that never ran: nothing below this version could run them."""
    op.drop_table("counters")
    op.drop_table("queues")
    for index in ("jobs_by_owner", "jobs_by_state", "jobs_by_key"):
        op.drop_index(index, "jobs")
    op.execute("DELETE FROM jobs WHERE submitted_ms > 0 AND runs = 0")
    for column in _columns():
        op.drop_column("jobs", column.name)


def _columns() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        _number("submitted_ms"),
        _text("request", None),
        _text("notes", None, "{}"),
        _text("owner", 200),
        sa.Column("submit_key", sa.String(200)),
        _text("body", 64),
        _text("queue", 64, "default"),
        _number("priority", sa.Integer),
        sa.Column("deadline_ms", sa.BigInteger),
        _text("holder", 200),
        _number("token"),
        _number("until_ms"),
        _text("wanted", 16),
        _number("commits"),
    ]


def _text(name: str, length: int | None, default: str = "") -> sa.Column[str]:
    kind = sa.Text() if length is None else sa.String(length)
    return sa.Column(name, kind, nullable=False, server_default=default)


def _number(name: str, kind: type[sa.Integer] = sa.BigInteger) -> sa.Column[int]:
    return sa.Column(name, kind, nullable=False, server_default=sa.text("0"))
