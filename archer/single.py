"""Run one stage by itself: for tests of stages, and for a look at what one does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from archer.artifact import Artifact
from archer.driver import run
from archer.events import Event
from archer.executors.base import Executor
from archer.media.asset import Asset
from archer.plan import JobSpec, Node
from archer.stage import Part, Stage
from archer.store import ArtifactStore


def run_stage(
    stage: str | type[Stage[Any]],
    *,
    work_dir: Path,
    inputs: Mapping[str, Asset | Artifact | Sequence[Part]] | None = None,
    params: Any = None,
    executor: str | Executor = "inline",
    on_event: Callable[[Event], None] | None = None,
) -> dict[str, Artifact]:
    """Run one stage on given inputs; returns its outputs, which lie in `ArtifactStore(work_dir)`.

        store = ArtifactStore(tmp_path)
        media = store.put_json(probe(url).to_json(), kind="media@1")
        outputs = run_stage("shots", inputs={"asset": identify(url), "media": media}, work_dir=tmp_path)
        found = store.read_json(outputs["shots"])

    Args:
        stage: name of an installed stage, `module:Class`, or the class.
        work_dir: where the inputs' artifacts lie and the outputs go.
        inputs: assets, artifacts of the folder's store, or parts (which are stored as `parts@1`).
        params: an instance of its params or a mapping of its fields; None for the defaults.
        executor: see `run`; `inline` lets a debugger in.
        on_event: see `run`.

    Raises:
        Exception: whatever the stage raised (with another executor than `inline`: `JobFailed` that tells of it).
    """
    store = ArtifactStore(work_dir)
    bound = {
        name: value if isinstance(value, Asset | Artifact) else store.put_parts(value)
        for name, value in (inputs or {}).items()
    }
    node = Node(id="stage", stage=stage, params={} if params is None else params, inputs=bound)
    result = run(JobSpec(nodes=[node]), work_dir=work_dir, executor=executor, on_event=on_event)
    if result.failures and result.failures[0].__cause__ is not None:
        raise result.failures[0].__cause__
    result.raise_for_state()
    return {name.partition(".")[2]: artifact for name, artifact in result.outputs.items()}
