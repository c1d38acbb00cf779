"""Keys of the API, webhooks and what is to be told to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0005", "0004"
Column = sa.Column[str] | sa.Column[int]


def upgrade() -> None:
    """Add them."""
    _table(
        "api_keys",
        _key(16),
        _text("name", 200),
        _text("hash", 64),
        _text("scopes"),
        *_times("made", "expires", "revoked"),
    )
    hook: tuple[Column, ...] = (
        _text("owner", 200),
        _text("url"),
        _text("events"),
        _text("secret", 100),
        *_times("made"),
    )
    _table("webhooks", _key(32), *hook, _number("seen"))
    what: tuple[Column, ...] = (
        _text("hook", 32),
        _number("seq"),
        _text("type", 32),
        _text("body"),
        _text("state", 16),
    )
    how: tuple[Column, ...] = (
        _number("tries", sa.Integer),
        *_times("next"),
        _number("status", sa.Integer),
        _text("error"),
        *_times("made"),
    )
    _table("deliveries", _key(64), *what, *how)
    op.create_index("deliveries_by_time", "deliveries", ["state", "next_ms"])
    op.create_index("deliveries_by_hook", "deliveries", ["hook", "id"])


def downgrade() -> None:
    """Remove them."""
    for name in ("deliveries", "webhooks", "api_keys"):
        op.drop_table(name)


def _table(name: str, *columns: Column) -> None:
    op.create_table(name, *columns)


def _key(length: int) -> sa.Column[str]:
    return sa.Column("id", sa.String(length), primary_key=True)


def _text(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text if length is None else sa.String(length), nullable=False)


def _number(name: str, kind: type[sa.Integer] = sa.BigInteger) -> sa.Column[int]:
    return sa.Column(name, kind, nullable=False)


def _times(*names: str) -> list[Column]:
    return [_number(f"{name}_ms") for name in names]
