"""Run one task: in this process (`execute`), or in a loop behind a pipe (`serve`)."""

from __future__ import annotations

import errno
import os
import pickle
import resource
import socket
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from archer.artifact import Artifact
from archer.context import Reporter, StoredContext, StoredInputs
from archer.errors import Category, DiskFull, StageError, TaskFailure, ToolTimeout
from archer.stage import Emit, Item, Stage
from archer.store.artifacts import ArtifactStore
from archer.task import PARTS, Progress, Report, TaskCall, TaskDone
from cinemill_native.errors import CinemillError

REPORT_EVERY_S = 0.1
LABEL_LENGTH = 150
ALLOCATORS_MB = 1024
"""Address space that allocators of libraries take beside what a task uses; on top of its declared memory."""


def execute(call: TaskCall, report: Reporter) -> TaskDone:
    """Run a task and take its outputs into the store. Raises whatever the stage raises."""
    store, began, at = ArtifactStore(call.root, remote=call.remote), _cpu_s(), time.monotonic()
    inputs = StoredInputs(store, call.inputs, call.assets)
    if call.task.phase == "split":
        outputs = {"items": _items(store, call.stage.split(inputs, call.params), "split")}
        return TaskDone(outputs=outputs, cpu_ms=_since_ms(began))
    done = _in_scratch(call, store, inputs, report)
    return replace(done, cpu_ms=_since_ms(began), wall_ms=round(1000 * (time.monotonic() - at)))


def _in_scratch(call: TaskCall, store: ArtifactStore, inputs: StoredInputs, report: Reporter) -> TaskDone:
    task = call.task
    kinds = _kinds(call.stage) if task.phase == "map" else call.stage.outputs
    scratch, threads = scratch_name(call.ticket), call.resources.cpu
    with closing(
        StoredContext(store, inputs, kinds, scratch=scratch, threads=threads, report=report)
    ) as context:
        outputs = _worked(call, store, context)
        return TaskDone(outputs=outputs, log=tuple(context.messages), cards=context.cards())


def _worked(call: TaskCall, store: ArtifactStore, context: StoredContext) -> dict[str, Artifact]:
    if call.task.phase == "map":
        call.stage.map(context, call.task.item, call.stage.settings_of(call.params, call.task.item))
        return context.outputs()
    assert call.parts is not None  # noqa: S101  the scheduler stores them before it launches a collect
    more = call.stage.collect(context, store.read_parts(call.parts, call.assets), call.params)
    if isinstance(more, Emit):
        return {"items": _items(store, more.items, "collect")}
    return context.outputs()


def _kinds(stage: Stage[Any]) -> Mapping[str, str]:
    """What a map writes: the parts of what is collected or handed on, else the outputs themselves."""
    joined = type(stage).collect is not Stage.collect or dict(stage.outputs) == {"parts": PARTS}
    return stage.parts if joined or stage.parts else stage.outputs


def scratch_name(ticket: int) -> str:
    """Name of the scratch folder of a try."""
    return f"try-{ticket}"


def _items(store: ArtifactStore, items: Sequence[Item], phase: str) -> Artifact:
    labels = [item.label for item in items]
    if len(set(labels)) != len(labels):
        twice = sorted({label for label in labels if labels.count(label) > 1})
        raise StageError(
            f"{phase} gave several items named {', '.join(twice)}; tell them apart by chunk or variant"
        )
    long = [label for label in labels if len(label) > LABEL_LENGTH]
    if long:
        raise StageError(
            f"{phase} gave an item named {long[0][:40]}...; wanted at most {LABEL_LENGTH} characters"
        )
    if phase == "collect" and not items:
        raise StageError("collect asked for no items; return None and write the outputs instead")
    return store.put_items(items)


def failure_of(call: TaskCall, error: BaseException) -> TaskFailure:
    """An exception as data that crosses processes."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        error = DiskFull(str(call.root)).with_traceback(error.__traceback__)
    trace = "".join(traceback.format_exception(error))
    return TaskFailure(
        call.task.title, type(error).__name__, _message(call, error), trace, category=category_of(error)
    )


def _message(call: TaskCall, error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return f"it needs more memory than the {call.resources.memory_mb} MiB that its stage declares"
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001  an exception of the user's that cannot even say what it is
        text = "(its text cannot be made)"
    return text if isinstance(error, CinemillError | OSError) else f"{type(error).__name__}: {text}"


def category_of(error: BaseException) -> Category:
    """What trying again may do about an exception."""
    match error:
        case DiskFull():
            return "disk"
        case MemoryError():
            return "memory"
        case ToolTimeout():
            return "timeout"
        case CinemillError():
            return "transient" if error.retryable else "user"
        case ConnectionError() | TimeoutError():
            return "transient"
    return "user"


def answer(main: str | None, pickled: bytes, report: Reporter) -> TaskDone | TaskFailure:
    """Run a pickled `TaskCall` in a worker process; whatever goes wrong comes back as data.

    Args:
        main: path of the script that started the job, where it defines the stage; None otherwise.
        pickled: the call.
        report: takes (done, total), rarely or often.
    """
    try:
        _adopt_main(main)
        call: TaskCall = pickle.loads(pickled)  # noqa: S301  our own scheduler wrote it
    except Exception as error:  # noqa: BLE001  code of the user is run by this
        problem = f"its stage cannot be imported by a worker: {type(error).__name__}: {error}"
        return TaskFailure(
            "worker", type(error).__name__, problem, "".join(traceback.format_exception(error))
        )
    try:
        _bound_memory(call.resources.memory_mb)
        return execute(call, report)
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a stage raises is data for the scheduler
        return failure_of(call, error)


def serve(connection: Connection) -> None:
    """Run tasks as they come through the pipe until it closes.

    A message in is (ticket, path of the main script or None, pickled `TaskCall`); messages out are `Report` of
    `Progress`, at most ten per second, and one of `TaskDone` or `TaskFailure` per task.
    """
    lock = threading.Lock()

    def send(report: Report) -> None:
        with lock:  # stages report progress from threads of their own
            connection.send(report)

    while True:
        try:
            ticket, main, pickled = connection.recv()
        except (EOFError, ConnectionResetError):
            return
        send(Report(ticket, answer(main, pickled, _rarely(ticket, send)), worker_name()))


def worker_name(pid: int = 0) -> str:
    """What a process of this machine is called where it is told what ran where; this one by default."""
    return f"{socket.gethostname()}/{pid or os.getpid()}"


def _rarely(ticket: int, send: Callable[[Report], None]) -> Reporter:
    """A reporter that may be called per frame, from any thread; a thread that outlives its task still names it."""
    last = 0.0

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= REPORT_EVERY_S:
            last = now
            send(Report(ticket, Progress(done=done, total=total), worker_name()))

    return report


def _bound_memory(memory_mb: int) -> None:
    """Hold private writable memory of this process to what the stage declares; children have bounds of their own."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, ((memory_mb + ALLOCATORS_MB) << 20, hard))


def _since_ms(began: float) -> int:
    return round(1000 * (_cpu_s() - began))


def _cpu_s() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


importing_main = False
"""True while a worker imports the user's script: a job started by that is a mistake, which `run` refuses."""


def _adopt_main(path: str | None) -> None:
    """Make classes of the script that started the job importable, as `__main__`, without running its guarded part."""
    global importing_main
    if path is None or getattr(sys.modules["__main__"], "__file__", None) == path:
        return
    import runpy

    importing_main = True
    try:
        names = runpy.run_path(path, run_name="__cinemill_worker__")
    finally:
        importing_main = False
    module = types.ModuleType("__main__")
    module.__dict__.update(names, __file__=path)
    sys.modules["__main__"] = module
