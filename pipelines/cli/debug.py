"""`cinemill debug`: one task of a job, in this process, with a debugger where it fails."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipelines.cli.work import folder_option


@click.command()
@click.argument("job")
@click.argument("task")
@folder_option
@click.option(
    "--pdb/--no-pdb", default=None, help="Enter the debugger where it fails; default: on a terminal."
)
def debug(job: str, task: str, work_dir: Path, pdb: bool | None) -> int:
    """Run TASK of JOB again in this process: its name as `cinemill logs` prints it, `encode/map/chunk-00003/720p`.

    What it needs and is not there is computed first. Nothing is committed of the task itself.
    """
    from archer.debugging import debug_task
    from archer.spec import spec_from_text
    from archer.store import History

    with History(work_dir) as history:
        row = history.job(job)
        history.task(row.id, task)
    wanted = sys.stdin.isatty() if pdb is None else pdb
    outcome = debug_task(spec_from_text(row.spec), task, work_dir=work_dir, enter=_enter if wanted else None)
    for line in outcome.log:
        click.echo(f"    {line}")
    if outcome.failure is not None:
        click.echo(outcome.failure.traceback, err=True)
        click.echo(f"failed: {outcome.failure}", err=True)
        return 1
    for name, artifact in outcome.outputs.items():
        click.echo(f"{name}: {artifact.kind} {artifact.hash}")
    return 0


def _enter(error: BaseException) -> None:
    import pdb

    click.echo(f"{type(error).__name__}: {error}", err=True)
    pdb.post_mortem(error.__traceback__)
