"""`cinemill jobs`, `logs`, `cost`: what a work folder knows, also while a job runs there; `cancel`: a wish to it; `gc`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.work import folder_option, job_argument, store_option

if TYPE_CHECKING:
    from archer.store.history import AttemptRow, JobRow

json_lines = click.option("--json", "as_json", is_flag=True, help="Print NDJSON.")


@click.command()
@folder_option
@json_lines
def jobs(work_dir: Path, as_json: bool) -> None:
    """List the jobs of a work folder, the latest first."""
    from archer.store import History

    with History(work_dir) as history:
        for row in history.jobs():
            counts = history.counts(row.id)
            if as_json:
                click.echo(json.dumps({**asdict(row), "spec": None, "tasks": counts}))
            else:
                click.echo(_job_line(row, counts))


def _job_line(row: JobRow, counts: dict[str, int]) -> str:
    begun = datetime.fromtimestamp(row.begun_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    tasks = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "no tasks yet"
    return f"{row.id[:12]}  {row.state:<11} {begun}  runs {row.runs}  {tasks}"


@click.command()
@job_argument
@folder_option
@click.option("--task", default="", help="Only the tries of this task: `encode/map/chunk-00003/720p`.")
@click.option("--events", "show_events", is_flag=True, help="Print the job's events as NDJSON instead.")
@json_lines
def logs(job: str, work_dir: Path, task: str, show_events: bool, as_json: bool) -> None:
    """Print what the tasks of JOB logged, and why tries failed."""
    from archer.store import History

    with History(work_dir) as history:
        row = history.job(job)
        after = 0
        if show_events:
            while page := history.events(row.id, after=after, limit=1000):
                after = page[-1].seq
                for event in page:
                    click.echo(event.to_json())
            return
        if task:
            _show_attempts(history.attempts(row.id, task), as_json)
            return
        while rows := history.logs(row.id, after=after, limit=1000):
            after = rows[-1].token
            _show_attempts(rows, as_json)


def _show_attempts(rows: list[AttemptRow], as_json: bool) -> None:
    for row in rows:
        if as_json:
            click.echo(json.dumps(asdict(row)))
            continue
        click.echo(f"{row.name} try {row.number}: {row.state}" + (f": {row.error}" if row.error else ""))
        for line in row.log.splitlines():
            click.echo(f"    {line}")


@click.command()
@job_argument
@folder_option
def cards(job: str, work_dir: Path) -> None:
    """List the cards of JOB, which its tasks made for people to look at, and where they lie."""
    from archer.store import ArtifactStore, History

    store = ArtifactStore(work_dir)
    with History(work_dir) as history:
        for row in history.cards(history.job(job).id):
            click.echo(f"{row.task}  {row.name}  {store.path(row.artifact)}")


@click.command()
@job_argument
@folder_option
@json_lines
def cost(job: str, work_dir: Path, as_json: bool) -> None:
    """Say what each stage of JOB cost, and what failed tries cost."""
    from archer.store import History

    with History(work_dir) as history:
        rows = history.costs(history.job(job).id)
    if as_json:
        for row in rows:
            click.echo(json.dumps(asdict(row)))
        return
    click.echo(
        f"{'node':<16} {'stage':<16} {'tries':>6} {'wall s':>9} {'CPU s':>9} {'wasted':>7} {'wasted s':>9}"
    )
    for row in rows:
        click.echo(
            f"{row.node:<16} {row.stage:<16} {row.tries:>6} {row.wall_ms / 1000:>9.1f} {row.cpu_ms / 1000:>9.1f} "
            f"{row.wasted:>7} {row.wasted_ms / 1000:>9.1f}"
        )
    total = sum(row.cpu_ms for row in rows) / 1000
    click.echo(f"{'together':<16} {'':<16} {sum(row.tries for row in rows):>6} {'':>9} {total:>9.1f}")


@click.command()
@job_argument
@folder_option
@click.option("--pause", "wish", flag_value="pause", help="Only start nothing more.")
@click.option("--continue", "wish", flag_value="continue", help="Go on after a pause.")
def cancel(job: str, work_dir: Path, wish: str | None) -> int:
    """Stop JOB, which runs in another process; what is committed is kept, `cinemill resume` goes on."""
    from archer.control import ask
    from archer.store import History

    with History(work_dir) as history:
        row = history.job(job)
    if row.state not in ("running", "paused"):
        click.echo(f"job {row.id[:12]} is {row.state}; there is nothing to stop", err=True)
        return 1
    wanted: Any = wish or "cancel"
    ask(work_dir, row.id, wanted)
    click.echo(f"asked job {row.id[:12]} to {wanted}; it does within a second or two")
    return 0


@click.command()
@folder_option
@click.option(
    "--older-than", type=click.IntRange(min=0), metavar="DAYS", help="Forget jobs that ended longer ago."
)
@click.option("--artifacts", default="", metavar="URL", help="Tidy up at this URL too.")
@store_option
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def gc(work_dir: Path, older_than: int | None, artifacts: str, store: str | None, dry_run: bool) -> None:
    """Remove from a work folder what no job and no remembered result needs."""
    from archer.store.garbage import collect_garbage

    if store:
        from archer.store.database import Database

        database = Database(store)
    else:
        database = None
    gone = collect_garbage(
        work_dir, dry_run=dry_run, older_than_days=older_than, remote=artifacts, database=database
    )
    would = "would remove" if dry_run else "removed"
    click.echo(
        f"{would} {gone.blobs} blobs, {gone.size / 1e6:.1f} MB; {len(gone.jobs)} jobs, {gone.results} results forgotten"
    )
