"""Kinds of jobs that are submitted by name run as their commands do."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

from archer.artifact import Artifact
from archer.service import SchedulerService, Service
from archer.spec import spec_from_text
from archer.store import ArtifactStore, History, JobQueue
from archer.store.database import Database
from vmaf.scores import read_parquet


def test_score_and_encode_are_submitted_and_done(tiny: Path, tmp_path: Path) -> None:
    database = Database(tmp_path)
    queue, stop = JobQueue(database), threading.Event()
    inputs = {"reference": str(tiny), "distorted": str(tiny)}
    params = {"single": "mkv", "crf": 30, "preset": "ultrafast"}
    documents = [
        {"job": "score", "input": inputs},
        {"job": "encode", "input": str(tiny), "params": params},
        {"job": "encode", "input": str(tiny), "params": params | {"drm": "cenc"}},
    ]
    ids = [queue.submit(json.dumps(document))[0].id for document in documents]
    service = SchedulerService(database, tmp_path, Service(workers=2))
    worker = threading.Thread(target=service.run, args=(stop,))
    worker.start()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and any(queue.get(job).ended_ms is None for job in ids):
        time.sleep(0.1)
    stop.set()
    worker.join()
    states = [queue.get(job).state for job in ids]
    with History(database) as history:
        told = [history.events(job, limit=1000)[-1].payload for job in ids]
        assert states == ["done", "done", "failed"], told
        assert "--drm" in told[2]["failures"][0]
        scores = outputs(history, ids[0])["score.scores"]
        assert outputs(history, ids[1])["mux.file"].suffix == ".mkv"
    table = read_parquet(ArtifactStore(tmp_path).path(scores))
    assert table.num_rows == 12
    assert min(table["vmaf"].to_pylist()) > 90
    report = {node.id: node for node in spec_from_text(queue.get(ids[1]).spec).nodes}
    assert report["encode"].params["settings"]["crf"] == "30"
    database.close()


def outputs(history: History, job: str) -> dict[str, Artifact]:
    """Outputs of a job by `node.output`, from the tasks that gave them."""
    return {
        f"{task.node}.{name}": artifact
        for task in history.tasks(job, limit=10_000)
        for name, artifact in task.outputs.items()
    }
