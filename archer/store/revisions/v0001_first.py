"""Jobs, nodes, tasks, attempts, events, memo."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make them."""
    op.create_table("meta", _key("name", 32), _text("value", 200))
    op.create_table(
        "jobs",
        _key("id", 64),
        _text("state", 16),
        _number("runs", sa.Integer),
        _number("begun_ms"),
        sa.Column("ended_ms", sa.BigInteger),
    )
    op.create_table("nodes", _key("job", 64), _key("node", 64), *_of_nodes())
    op.create_table("tasks", _key("job", 64), _key("name", 300), *_of_tasks())
    op.create_table("attempts", *_of_attempts())
    op.create_table("events", *_of_events())
    op.create_index("events_by_job", "events", ["job", "seq"])
    op.create_table("memo", _key("key", 64), _text("outputs"))


def downgrade() -> None:
    """Remove them."""
    for table in ("memo", "events", "attempts", "tasks", "nodes", "jobs", "meta"):
        op.drop_table(table)


def _of_nodes() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        _number("place", sa.Integer),
        _text("stage", 100),
        _number("version", sa.Integer),
        _text("state", 16),
        _number("items", sa.Integer),
        _number("weight"),
        _text("outputs"),
    ]


def _of_tasks() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        _text("node", 64),
        _text("phase", 8),
        _text("label", 200),
        _number("weight"),
        _text("state", 16),
        _number("token"),
        _number("until_ms"),
        _text("outputs"),
    ]


def _of_attempts() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("token", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("job", 64),
        _text("name", 300),
        _number("number", sa.Integer),
        _text("state", 16),
        _number("ended_ms"),
        _number("wall_ms"),
        _number("cpu_ms"),
        _text("error"),
        _text("log"),
    ]


def _of_events() -> list[sa.Column[str] | sa.Column[int]]:
    place = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return [
        sa.Column("seq", place, primary_key=True, autoincrement=False),
        _number("at_ms"),
        _text("job", 64),
        _text("type", 32),
        _text("node", 64),
        _text("item", 200),
        _number("attempt", sa.Integer),
        _text("payload"),
    ]


def _key(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), primary_key=True)


def _text(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text if length is None else sa.String(length), nullable=False)


def _number(name: str, kind: type[sa.Integer] = sa.BigInteger) -> sa.Column[int]:
    return sa.Column(name, kind, nullable=False)
