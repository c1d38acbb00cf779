"""Counts beside the rows, and an index of the tries that say something."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"
SAID = sa.text("log != '' OR error != ''")
TASKS = """INSERT INTO tallies SELECT job, 'task', node, phase, state, COUNT(*), 0, 0, 0
    FROM tasks GROUP BY job, node, phase, state"""
TRIES = """INSERT INTO tallies SELECT tasks.job, 'try', tasks.node, tasks.phase, attempts.state, COUNT(*),
    SUM(attempts.wall_ms), SUM(attempts.cpu_ms), SUM(tasks.weight)
    FROM attempts JOIN tasks ON tasks.job = attempts.job AND tasks.name = attempts.name
    GROUP BY tasks.job, tasks.node, tasks.phase, attempts.state"""


def upgrade() -> None:
    """Make them, and count what is there."""
    op.create_index(
        "attempts_that_say", "attempts", ["job", "token"], sqlite_where=SAID, postgresql_where=SAID
    )
    sizes = {"job": 64, "counts": 8, "node": 64, "phase": 8, "state": 16}
    op.create_table(
        "tallies",
        *(sa.Column(name, sa.String(size), primary_key=True) for name, size in sizes.items()),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("number", "wall_ms", "cpu_ms", "weight")
        ),
    )
    op.execute(TASKS)
    op.execute(TRIES)


def downgrade() -> None:
    """Remove them."""
    op.drop_table("tallies")
    op.drop_index("attempts_that_say", "attempts")
