"""One task of a job in this process, as often as it takes to understand it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archer.artifact import Artifact
from archer.driver import run
from archer.errors import SpecError, TaskFailure
from archer.executors.inline import InlineExecutor
from archer.plan import JobSpec
from archer.task import Report, TaskCall
from archer.worker import execute, failure_of

Enter = Callable[[BaseException], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the task did.

    Attributes:
        outputs: what it wrote. log: what it logged.
        failure: why it failed; None where it did not.
    """

    outputs: Mapping[str, Artifact]
    log: Sequence[str] = ()
    failure: TaskFailure | None = None


class _Reached(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__("the task has run")
        self.outcome = outcome


class _DebugExecutor(InlineExecutor):
    """Runs tasks here until the one that is looked for, and no further."""

    def __init__(self, task: str, enter: Enter | None) -> None:
        super().__init__()
        self._task, self._enter = task, enter

    def _reports(self, call: TaskCall) -> list[Report]:
        if call.task.name != self._task:
            return super()._reports(call)
        try:
            done = execute(call, lambda _done, _total: None)
        except (Exception, SystemExit) as error:
            if self._enter is not None:
                self._enter(error)
            raise _Reached(Outcome(outputs={}, failure=failure_of(call, error))) from error
        raise _Reached(Outcome(outputs=done.outputs, log=done.log))


def debug_task(spec: JobSpec, task: str, *, work_dir: Path, enter: Enter | None = None) -> Outcome:
    """Run one task of a job again, here; what it needs and is not there runs first, and is committed.

    Args:
        spec: the job.
        task: name of the task, `node/map/label`.
        work_dir: its work folder; no other process may work there.
        enter: called with the exception that the task raises, while its frames are alive.

    Raises:
        SpecError: the job ended without coming to the task.
    """
    try:
        run(spec, work_dir=work_dir, executor=_DebugExecutor(task, enter), afresh=frozenset({task}))
    except _Reached as reached:
        return reached.outcome
    raise SpecError("task", f"the job ended without {task!r}; `cinemill logs` names tasks")
