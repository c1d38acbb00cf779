"""`cinemill jobs`, `logs`, `cost`: what a work folder or a server knows, while a job runs too; `cancel`: a wish to it; `gc`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.remote import client_for, job_of, lines, remote, server_options
from pipelines.cli.work import folder_option, job_argument, store_option

if TYPE_CHECKING:
    from archer.store.history import AttemptRow, JobRow

json_lines = click.option("--json", "as_json", is_flag=True, help="Print NDJSON.")


@click.command()
@folder_option
@server_options
@json_lines
def jobs(work_dir: Path, server: str, key: str, as_json: bool) -> None:
    """List the jobs of a work folder or of a server, the latest first."""
    if remote(server):
        _remote_jobs(server, key, as_json)
        return
    from archer.store import History

    with History(work_dir) as history:
        for row in history.jobs():
            counts = history.counts(row.id)
            if as_json:
                click.echo(json.dumps({**asdict(row), "spec": None, "tasks": counts}))
            else:
                click.echo(_job_line(row, counts))


def _remote_jobs(server: str, key: str, as_json: bool) -> None:
    with client_for(server, key) as client:
        rows = client.jobs()
    if as_json:
        lines(rows)
        return
    for row in rows:
        tags = ", ".join(f"{name}={value}" for name, value in row["tags"].items())
        click.echo(
            f"{row['id']}  {row['state']:<11} {row['submitted']}  runs {row['runs']}  {row['queue']}  {tags}"
        )


def _job_line(row: JobRow, counts: dict[str, int]) -> str:
    begun = (
        datetime.fromtimestamp((row.begun_ms or row.submitted_ms) / 1000)
        .astimezone()
        .strftime("%Y-%m-%d %H:%M:%S")
    )
    tasks = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "no tasks yet"
    return f"{row.id[:12]}  {row.state:<11} {begun}  runs {row.runs}  {tasks}"


@click.command()
@job_argument
@folder_option
@server_options
@click.option("--task", default="", help="Only the tries of this task: `encode/map/chunk-00003/720p`.")
@click.option("--events", "show_events", is_flag=True, help="Print the job's events as NDJSON instead.")
@json_lines
def logs(
    job: str, work_dir: Path, server: str, key: str, task: str, show_events: bool, as_json: bool
) -> None:
    """Print what the tasks of JOB logged, and why tries failed."""
    if remote(server):
        _remote_logs(server, key, job, task, show_events, as_json)
        return
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


def _remote_logs(server: str, key: str, job: str, task: str, show_events: bool, as_json: bool) -> None:
    with client_for(server, key) as client:
        found = client.job(job_of(client, job))
        if show_events:
            for event in found.watch(follow=False):
                click.echo(event.to_json())
            return
        rows = found.attempts(task) if task else found.logs()
    if as_json:
        lines(rows)
        return
    for row in rows:
        _show_attempt(row["task"], row["number"], row["state"], row["worker"], row["error"], row["log"])


def _show_attempts(rows: list[AttemptRow], as_json: bool) -> None:
    for row in rows:
        if as_json:
            click.echo(json.dumps(asdict(row)))
        else:
            _show_attempt(row.name, row.number, row.state, row.worker, row.error, row.log)


def _show_attempt(name: str, number: int, state: str, worker: str, error: str, log: str) -> None:
    where = f" on {worker}" if worker else ""
    click.echo(f"{name} try {number}: {state}{where}" + (f": {error}" if error else ""))
    for line in log.splitlines():
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
@server_options
@json_lines
def cost(job: str, work_dir: Path, server: str, key: str, as_json: bool) -> None:
    """Say what each stage of JOB cost, and what failed tries cost; at a server also in its currency."""
    if remote(server):
        _remote_cost(server, key, job, as_json)
        return
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


def _remote_cost(server: str, key: str, job: str, as_json: bool) -> None:
    with client_for(server, key) as client:
        usage = client.job(job_of(client, job)).usage()
    if as_json:
        click.echo(json.dumps(usage))
        return
    unit = usage["currency"]
    click.echo(
        f"{'node':<16} {'stage':<16} {'tries':>6} {'wall s':>9} {'CPU s':>9} {'wasted':>7} {'MB':>9} {unit:>12}"
    )
    for row in usage["nodes"]:
        click.echo(
            f"{row['node']:<16} {row['stage']:<16} {row['tries']:>6} {row['wall_s']:>9.1f} {row['core_s']:>9.1f} "
            f"{row['wasted_tries']:>7} {row['output_bytes'] / 1e6:>9.1f} {row['cost']:>12}"
        )
    size = usage["output_bytes"] / 1e6
    click.echo(
        f"{'together':<16} {'':<16} {'':>6} {'':>9} {usage['core_s']:>9.1f} {'':>7} {size:>9.1f} {usage['cost']:>12}"
    )


@click.command()
@job_argument
@folder_option
@server_options
@click.option("--pause", "wish", flag_value="pause", help="Only start nothing more.")
@click.option("--continue", "wish", flag_value="continue", help="Go on after a pause.")
def cancel(job: str, work_dir: Path, server: str, key: str, wish: str | None) -> int:
    """Stop JOB, which runs in another process or at a server; what is committed is kept, `cinemill resume` goes on."""
    if remote(server):
        return ask_server(server, key, job, {"continue": "resume"}.get(wish or "", wish or "cancel"))
    from archer.control import ask
    from archer.store import History

    with History(work_dir) as history:
        row = history.job(job)
    if row.submitted_ms:
        return ask_queue(work_dir, row.id, {"continue": "resume"}.get(wish or "", wish or "cancel"))
    if row.state not in ("running", "paused"):
        click.echo(f"job {row.id[:12]} is {row.state}; there is nothing to stop", err=True)
        return 1
    wanted: Any = wish or "cancel"
    ask(work_dir, row.id, wanted)
    click.echo(f"asked job {row.id[:12]} to {wanted}; it does within a second or two")
    return 0


def ask_queue(work_dir: Path, job: str, action: str) -> int:
    """Ask something of a job that was submitted to a folder's queue; returns the exit code."""
    from archer.store import JobQueue

    queue = JobQueue(work_dir)
    row = queue.request(job, action)
    queue.close()
    wanted = f", asked to {row.wanted}" if row.wanted else ""
    click.echo(f"job {row.id} is {row.state}{wanted}")
    return 0


def ask_server(server: str, key: str, job: str, action: str) -> int:
    """Ask something of a job of a server, and say where it stands then; returns the exit code."""
    with client_for(server, key) as client:
        found = client.ask(job_of(client, job), action)
    wanted = f", asked to {found.document['wanted']}" if found.document["wanted"] else ""
    click.echo(f"job {found.id} is {found.state}{wanted}")
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
