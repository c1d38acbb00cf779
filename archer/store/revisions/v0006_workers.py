"""Where tasks run, and tries ran."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0006", "0005"
TABLES = ("tasks", "attempts")


def upgrade() -> None:
    """Add it; nobody knows of what ran before."""
    for table in TABLES:
        op.add_column(table, sa.Column("worker", sa.String(100), nullable=False, server_default=""))


def downgrade() -> None:
    """Forget it."""
    for table in TABLES:
        op.drop_column(table, "worker")
