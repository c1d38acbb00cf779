"""`cinemill debug`: one task of a job, in this process, with a debugger where it fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.remote import client_for, job_of, remote, server_options
from pipelines.cli.work import folder_option

if TYPE_CHECKING:
    from archer import JobSpec


@click.command()
@click.argument("job")
@click.argument("task")
@folder_option
@server_options
@click.option(
    "--pdb/--no-pdb", default=None, help="Enter the debugger where it fails; default: on a terminal."
)
def debug(job: str, task: str, work_dir: Path, server: str, key: str, pdb: bool | None) -> int:
    """Run TASK of JOB again in this process: its name as `cinemill logs` prints it, `encode/map/chunk-00003/720p`.

    What it needs and is not there is computed first. Nothing is committed of the task itself. A job of a server (`--server`) is
    made again here, in the work folder, from what was submitted: its inputs must be readable from here.
    """
    from archer.debugging import debug_task

    spec = _at_server(server, key, job) if remote(server) else _in_folder(work_dir, job, task)
    wanted = sys.stdin.isatty() if pdb is None else pdb
    outcome = debug_task(spec, task, work_dir=work_dir, enter=_enter if wanted else None)
    for line in outcome.log:
        click.echo(f"    {line}")
    if outcome.failure is not None:
        click.echo(outcome.failure.traceback, err=True)
        click.echo(f"failed: {outcome.failure}", err=True)
        return 1
    for name, artifact in outcome.outputs.items():
        click.echo(f"{name}: {artifact.kind} {artifact.hash}")
    return 0


def _in_folder(work_dir: Path, job: str, task: str) -> JobSpec:
    from archer.spec import spec_from_text
    from archer.store import History

    with History(work_dir) as history:
        row = history.job(job)
        history.task(row.id, task)
    return spec_from_text(row.spec)


def _at_server(server: str, key: str, job: str) -> JobSpec:
    from archer.templates import read_order

    with client_for(server, key) as client:
        found = client.job(job_of(client, job))
    return read_order(found.document["request"]).spec()


def _enter(error: BaseException) -> None:
    import pdb

    click.echo(f"{type(error).__name__}: {error}", err=True)
    pdb.post_mortem(error.__traceback__)
