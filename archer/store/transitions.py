"""What may be asked of a submitted job, by where it stands; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

from archer.errors import IllegalTransition

Action = Literal["cancel", "pause", "resume", "retry"]
ACTIONS: tuple[Action, ...] = get_args(Action)
STATES = ("queued", "running", "paused", "done", "partial", "failed", "interrupted", "cancelled")
OVER = frozenset({"done", "partial", "failed", "interrupted", "cancelled"})
"""States in which nothing of a job runs or waits to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What follows from a request.

    Attributes:
        state: where the job stands now; None: where it stood.
        wanted: what its holder is asked for; None: nothing changes.
    """

    state: str | None = None
    wanted: str | None = None


def change_for(job: str, state: str, action: str, *, held: bool, wanted: str = "") -> Change:
    """What a request changes: at once where nobody holds the job, by its holder otherwise. Asking twice changes nothing more.

    Args:
        job: id, for the error.
        state: where the job stands.
        action: what is asked for.
        held: a living scheduler has it.
        wanted: what that one was asked for and has not done yet.

    Raises:
        IllegalTransition: a job in this state cannot do it.
    """
    stands = "being cancelled" if wanted == "cancel" and held else state
    match cast("Action", action):
        case "cancel" if state == "cancelled" or stands == "being cancelled":
            return Change()
        case "cancel" if state in ("running", "paused") and held:
            return Change(wanted="cancel")
        case "cancel" if state in ("queued", "running", "paused", "interrupted"):
            return Change(state="cancelled", wanted="")
        case "pause" | "resume" if stands in ("queued", "running", "paused") and held:
            return Change(wanted=action)
        case "pause" if state in ("queued", "running", "interrupted") and not held:
            return Change(state="paused", wanted="")
        case "pause" if state == "paused" and not held:
            return Change()
        case "resume" if state in ("queued", "running") and not held:
            return Change(wanted="")
        case "resume" if state in ("paused", "interrupted", "cancelled", "failed") and not held:
            return Change(state="queued", wanted="")
        case "retry" if state in ("failed", "partial", "cancelled", "interrupted"):
            return Change(state="queued", wanted="")
        case _:
            raise IllegalTransition(job, stands, action)
