"""Specs of jobs, identities of nodes, second tries, when results were used last, cards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    """Add them."""
    op.add_column("jobs", sa.Column("spec", sa.Text, nullable=False, server_default=""))
    op.add_column("nodes", sa.Column("identity", sa.String(64), nullable=False, server_default=""))
    op.add_column(
        "tasks", sa.Column("copy_token", sa.BigInteger, nullable=False, server_default=sa.text("0"))
    )
    op.add_column("memo", sa.Column("used_ms", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.create_table(
        "cards",
        sa.Column("job", sa.String(64), primary_key=True),
        sa.Column("task", sa.String(300), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("artifact", sa.Text, nullable=False),
    )
    op.create_index("tasks_by_state", "tasks", ["job", "state", "name"])
    op.create_index("attempts_by_task", "attempts", ["job", "name"])


def downgrade() -> None:
    """Remove them; what they held is lost."""
    op.drop_index("attempts_by_task", "attempts")
    op.drop_index("tasks_by_state", "tasks")
    op.drop_table("cards")
    for table, column in (
        ("memo", "used_ms"),
        ("tasks", "copy_token"),
        ("nodes", "identity"),
        ("jobs", "spec"),
    ):
        op.drop_column(table, column)
