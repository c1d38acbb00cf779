"""What can be asked of a job as it stands; pure."""

from __future__ import annotations

from archer.errors import IllegalTransition
from archer.store.history import JobRow
from archer.store.transitions import ACTIONS, Action, change_for


def possible(row: JobRow) -> list[Action]:
    """What can be asked of a job and would change something; `resume` only where it is no second name of `retry`."""
    found = [action for action in ACTIONS if _changes(row, action) and not _is_so(row, action)]
    return [action for action in found if not (action == "resume" and "retry" in found)]


def _changes(row: JobRow, action: Action) -> bool:
    try:
        change = change_for(row.id, row.state, action, held=bool(row.holder), wanted=row.wanted)
    except IllegalTransition:
        return False
    wanted = row.wanted if change.wanted is None else change.wanted
    return (change.state or row.state, wanted) != (row.state, row.wanted)


def _is_so(row: JobRow, action: Action) -> bool:
    """It is paused, or goes on, and nobody has asked for anything else."""
    match action:
        case "pause":
            return row.state == "paused" and row.wanted != "resume"
        case "resume":
            return row.state in ("queued", "running") and row.wanted != "pause"
    return False
