"""Run one task: in this process (`execute`), or in a loop behind a pipe (`python -m archer.worker FD`)."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any

from archer.artifact import Artifact
from archer.context import Reporter, StoredContext, StoredInputs
from archer.errors import TaskFailure
from archer.registry import load_stage
from archer.stage import Emit, Item, Stage
from archer.store.artifacts import ArtifactStore
from archer.task import Progress, TaskCall, TaskDone
from archer.wire import item_to_json

HEARTBEAT_S = 5.0
REPORT_EVERY_S = 0.1
ITEMS = "items@1"


def execute(call: TaskCall, report: Reporter) -> TaskDone:
    """Run a task and take its outputs into the store. Raises whatever the stage raises."""
    import shutil

    store = ArtifactStore(call.root)
    stage = load_stage(call.stage)
    inputs = StoredInputs(store, call.inputs)
    if call.task.phase == "split":
        return TaskDone(outputs={"items": _put_items(store, stage.split(inputs, call.params))})
    scratch = store.scratch(f"task-{os.getpid()}-{threading.get_ident()}")
    mapping = call.task.phase == "map"
    kinds = stage.parts if mapping and stage.parts else stage.outputs
    context = StoredContext(store, inputs, kinds, scratch=scratch, threads=call.threads, report=report)
    try:
        if mapping:
            stage.map(context, call.task.item, call.params)
        else:
            more = stage.collect(context, call.parts, call.params)
            if isinstance(more, Emit):
                return TaskDone(outputs={"emit": _put_items(store, more.items)}, log=tuple(context.messages))
        return TaskDone(outputs=context.outputs(), log=tuple(context.messages))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _put_items(store: ArtifactStore, items: Any) -> Artifact:
    labels = [item.label for item in items]
    if len(set(labels)) != len(labels):
        raise RuntimeError(f"split gave items with equal labels: {sorted({x for x in labels if labels.count(x) > 1})}")
    return store.put_json([item_to_json(item) for item in items], kind=ITEMS)


def collects(stage: Stage[Any]) -> bool:
    """True where the stage has a `collect` of its own."""
    return type(stage).collect is not Stage.collect


def splits(stage: Stage[Any]) -> bool:
    """True where the stage has a `split` of its own."""
    return type(stage).split is not Stage.split


def failure_of(call: TaskCall, error: BaseException) -> TaskFailure:
    """An exception as data that crosses processes."""
    from cinemill_native.errors import CinemillError

    item: Item = call.task.item
    where = f"{call.task.node} {item.label}" if call.task.phase == "map" else f"{call.task.node} ({call.task.phase})"
    text = str(error) if isinstance(error, CinemillError | OSError) else f"{type(error).__name__}: {error}"
    retryable = bool(getattr(error, "retryable", False))
    trace = "".join(traceback.format_exception(error))
    return TaskFailure(where, type(error).__name__, " ".join(text.split()), trace, retryable=retryable)


def serve(connection: Connection) -> None:
    """Run tasks as they come through the pipe until it closes, with a sign of life while one runs."""
    lock = threading.Lock()

    def send(message: Any) -> None:
        with lock:
            connection.send(message)

    def beat() -> None:
        while True:
            time.sleep(HEARTBEAT_S)
            send(Progress())

    threading.Thread(target=beat, daemon=True).start()
    while True:
        try:
            call: TaskCall = connection.recv()
        except (EOFError, ConnectionResetError):
            return
        try:
            send(execute(call, _rarely(send)))
        except Exception as error:  # noqa: BLE001  whatever a stage raises is data for the scheduler
            send(failure_of(call, error))


def _rarely(send: Any) -> Reporter:
    last = 0.0

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= REPORT_EVERY_S:
            last = now
            send(Progress(done=done, total=total))

    return report


def main() -> None:
    """Entry point of a worker process; the pipe's descriptor is its only argument."""
    logging.basicConfig(level=logging.WARNING)
    try:
        serve(Connection(int(sys.argv[1])))
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)  # the scheduler is gone: nobody wants the rest
    os._exit(0)


if __name__ == "__main__":
    main()
