"""Run a job from the command line: progress shown, work kept where it can go on, removed when it is done."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from pipelines.cli.progress import watching

if TYPE_CHECKING:
    from archer import JobResult, JobSpec
    from archer.artifact import Artifact
    from archer.events import Event
    from archer.stage import Part
    from archer.store import ArtifactStore


@dataclass(frozen=True, slots=True)
class Done:
    """A finished job and the store that holds its outputs."""

    result: JobResult
    store: ArtifactStore

    def artifact(self, output: str) -> Artifact:
        """The artifact of `node.output`."""
        return self.result.outputs[output]

    def path(self, output: str) -> Path:
        """Its local path."""
        return self.store.path(self.artifact(output))

    def json(self, output: str) -> Any:
        """Its parsed content."""
        return self.store.read_json(self.artifact(output))

    def parts(self, output: str) -> Sequence[Part]:
        """The parts behind a `parts@1` output."""
        return self.store.read_parts(self.artifact(output))


def _each(*told: Callable[[Event], None] | None) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        for one in filter(None, told):
            one(event)

    return tell


@contextmanager
def run_job(
    spec: JobSpec,
    *,
    work_dir: str | None,
    workers: int | None,
    executor: str = "local",
    as_json: bool,
    quiet: bool,
    keep: bool = False,
    on_event: Callable[[Event], None] | None = None,
) -> Iterator[Done]:
    """Run `spec` to its end and yield it; the work folder goes when the block ends well, unless it is to be kept.

    Args:
        spec: the job.
        work_dir: where unfinished work lives; None for a temporary folder that never outlives this call.
        workers: worker processes; None for the cores this process may use.
        executor: name of an installed executor.
        as_json, quiet: how progress is shown.
        keep: leave the work folder in place.
        on_event: told every event, beside what shows them.

    Raises:
        JobFailed: a task failed for good; what was done stays in the work folder.
    """
    from archer import run
    from archer.store import ArtifactStore
    from archer.store.discard import discard

    temporary = work_dir is None
    folder = Path(mkdtemp(prefix="cinemill-")) if work_dir is None else Path(work_dir)
    try:
        with watching(as_json=as_json, quiet=quiet) as watch:
            result = run(
                spec, work_dir=folder, workers=workers, executor=executor, on_event=_each(watch, on_event)
            )
        result.raise_for_state()
        yield Done(result, ArtifactStore(folder))
        if not keep and not temporary:
            discard(folder, job=result.job)
    finally:
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)
