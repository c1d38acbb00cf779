"""The scheduler: a pure state machine, state + happening + now -> actions. No I/O, no clock, no threads.

    from archer.scheduler import Begin, Capacity, Finished, Launch, LookUp, Looked, Scheduler

    scheduler = Scheduler(plan, capacity=Capacity(cpu=2))
    (planned, look_up) = scheduler.handle(Begin(), now=0.0)
    (launch,) = scheduler.handle(Looked(asked=look_up.tasks, hits={}), now=0.0)
    actions = scheduler.handle(Finished(ticket=launch.ticket, result=result), now=12.5)

Whoever drives it carries the actions out in order and tells it what comes of them: the driver of `archer.run`
with real executors, tests and a simulator with a virtual clock.
"""

from __future__ import annotations

from archer.scheduler.actions import Abandon as Abandon
from archer.scheduler.actions import Action as Action
from archer.scheduler.actions import Commit as Commit
from archer.scheduler.actions import Dropped as Dropped
from archer.scheduler.actions import Ended as Ended
from archer.scheduler.actions import Launch as Launch
from archer.scheduler.actions import LookUp as LookUp
from archer.scheduler.actions import NodeDone as NodeDone
from archer.scheduler.actions import Paused as Paused
from archer.scheduler.actions import Planned as Planned
from archer.scheduler.actions import Poison as Poison
from archer.scheduler.actions import Recall as Recall
from archer.scheduler.actions import Renew as Renew
from archer.scheduler.actions import Retry as Retry
from archer.scheduler.actions import StoreParts as StoreParts
from archer.scheduler.happenings import Alive as Alive
from archer.scheduler.happenings import Begin as Begin
from archer.scheduler.happenings import Continue as Continue
from archer.scheduler.happenings import Failed as Failed
from archer.scheduler.happenings import Finished as Finished
from archer.scheduler.happenings import Happening as Happening
from archer.scheduler.happenings import Looked as Looked
from archer.scheduler.happenings import PartsStored as PartsStored
from archer.scheduler.happenings import Pause as Pause
from archer.scheduler.happenings import Resized as Resized
from archer.scheduler.happenings import Result as Result
from archer.scheduler.happenings import Stop as Stop
from archer.scheduler.happenings import Tick as Tick
from archer.scheduler.machine import Scheduler as Scheduler
from archer.scheduler.policy import Capacity as Capacity
from archer.scheduler.policy import Policy as Policy
from archer.scheduler.queue import Pool as Pool

__all__ = [
    "Abandon",
    "Action",
    "Alive",
    "Begin",
    "Capacity",
    "Commit",
    "Continue",
    "Dropped",
    "Ended",
    "Failed",
    "Finished",
    "Happening",
    "Launch",
    "LookUp",
    "Looked",
    "NodeDone",
    "PartsStored",
    "Pause",
    "Paused",
    "Planned",
    "Poison",
    "Policy",
    "Pool",
    "Recall",
    "Renew",
    "Resized",
    "Result",
    "Retry",
    "Scheduler",
    "Stop",
    "StoreParts",
    "Tick",
]
