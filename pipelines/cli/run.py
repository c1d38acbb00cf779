"""`cinemill run`: a job from a spec file; `resume` and `retry`: one that a work folder knows, again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.jobs import ask_queue, ask_server
from pipelines.cli.options import executor_option, json_option, quiet_option, workers_option
from pipelines.cli.remote import remote, server_options
from pipelines.cli.work import artifacts_option, execute, folder_option, job_argument

if TYPE_CHECKING:
    from archer import JobSpec


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@folder_option
@executor_option
@workers_option
@artifacts_option
@json_option
@quiet_option
def run(spec: Path, **options: Any) -> int:
    """Run the job in SPEC, a YAML or JSON file.

    \b
    nodes:
      ingest: {stage: ingest, inputs: {asset: title.mov}}
      shots:  {stage: shots, inputs: {asset: title.mov, media: ingest.media}}
    limits: {budget_cpu_s: 3600}

    Exit codes: 0 done, 3 partial (some items failed that the spec lets it spare), 1 failed, 130 interrupted.
    """
    from archer.spec import read_spec

    return execute(read_spec(spec), **options)


@click.command()
@job_argument
@folder_option
@server_options
@executor_option
@workers_option
@artifacts_option
@json_option
@quiet_option
def resume(job: str, work_dir: Path, server: str, key: str, **options: Any) -> int:
    """Go on with JOB (the beginning of its id; the latest by default), which was interrupted, cancelled or has failed.

    What is committed is not done again. At a server (`--server`) it runs there.
    """
    if remote(server):
        return ask_server(server, key, job, "resume")
    if submitted := _submitted(work_dir, job):
        return ask_queue(work_dir, submitted, "resume")
    return execute(_known(work_dir, job), work_dir, **options)


@click.command()
@job_argument
@folder_option
@server_options
@executor_option
@workers_option
@artifacts_option
@json_option
@quiet_option
def retry(job: str, work_dir: Path, server: str, key: str, **options: Any) -> int:
    """Try the failed tasks of JOB again (the beginning of its id; the latest by default).

    A job without failed tasks is left alone. At a server (`--server`) it runs there.
    """
    if remote(server):
        return ask_server(server, key, job, "retry")
    if submitted := _submitted(work_dir, job):
        return ask_queue(work_dir, submitted, "retry")
    from archer.store import History

    with History(work_dir) as history:
        row = history.job(job)
        failed = history.counts(row.id).get("poisoned", 0)
    if not failed and row.state in ("done", "running", "paused"):
        click.echo(f"job {row.id[:12]} is {row.state} and has no failed tasks")
        return 0
    return execute(_known(work_dir, row.id), work_dir, **options)


def _submitted(work_dir: Path, job: str) -> str:
    """Id of the job where it was submitted, and is its scheduler's to run; empty otherwise."""
    from archer.store import History

    with History(work_dir) as history:
        row = history.job(job)
    return row.id if row.submitted_ms else ""


def _known(work_dir: Path, job: str) -> JobSpec:
    from archer.errors import SpecError
    from archer.spec import spec_from_text
    from archer.store import History

    with History(work_dir) as history:
        row = history.job(job)
    if not row.spec:
        raise SpecError(
            "job", f"{row.id[:12]} was made by an older version, which kept no spec; run its command again"
        )
    return spec_from_text(row.spec)
