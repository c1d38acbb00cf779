"""Memo keys of what the scheduler looks up: a run and its preview must name the same results."""

from __future__ import annotations

from archer.canonical import memo_key
from archer.plan import Plan
from archer.scheduler.actions import LookUp


def memo_keys(plan: Plan, action: LookUp) -> dict[str, str]:
    """The key of each task of a look-up, by the task's name."""
    node = plan.by_id[action.tasks[0].node]
    return {
        task.name: memo_key(
            node.identity_of(task.phase, task.item),
            task.phase,
            task.item,
            action.inputs if task.item.uses is None else task.item.uses,
            action.parts,
        )
        for task in action.tasks
    }
