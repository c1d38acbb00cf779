"""`cinemill scheduler`: work off the queue of submitted jobs."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import executor_option, workers_option
from pipelines.cli.work import artifacts_option, folder_option

if TYPE_CHECKING:
    from archer.events import Event


@click.command()
@click.option(
    "--store",
    envvar="CINEMILL_STORE",
    metavar="URL",
    help="Database of the jobs: postgresql://user@host/name, sqlite:///path; default: the work folder's.",
)
@folder_option
@artifacts_option
@executor_option
@workers_option
@click.option(
    "--jobs", type=click.IntRange(1), default=16, show_default=True, help="Most jobs under way at once."
)
@click.option(
    "--queue", "queues", multiple=True, metavar="NAME", help="Take from this queue only; repeatable."
)
@click.option("--name", default="", help="What it is called in events; default: host and process.")
@click.option(
    "--lease-s",
    type=click.FloatRange(1, 3600),
    default=15,
    show_default=True,
    help="Seconds after which others take the jobs of a scheduler that went silent.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but warnings.")
def scheduler(
    store: str | None,
    work_dir: Path,
    artifacts: str,
    executor: str,
    workers: int | None,
    jobs: int,
    queues: tuple[str, ...],
    name: str,
    lease_s: float,
    quiet: bool,
) -> int:
    """Run submitted jobs until SIGTERM or Ctrl-C; what is unfinished then goes back into the queue.

    \b
    cinemill scheduler -w work                                        one machine, SQLite in the work folder
    cinemill scheduler --store postgresql://cinemill@db/cinemill -w /var/lib/cinemill --artifacts s3://bucket/work

    With PostgreSQL any number of schedulers share the jobs. On several machines they need --artifacts.
    The password is better kept in ~/.pgpass or $PGPASSWORD than in the URL.
    """
    from archer.service import SchedulerService, Service
    from archer.store.database import Database

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    database = Database(store or work_dir.absolute())
    try:
        service = SchedulerService(
            database,
            work_dir.absolute(),
            Service(
                name=name,
                executor=executor,
                workers=workers,
                artifacts=artifacts,
                jobs=jobs,
                queues=queues,
                lease_s=lease_s,
                tell=_quiet if quiet else _say,
            ),
        )
        if not quiet:
            click.echo(f"scheduler {service.name}: takes jobs from {database.place}")
        service.run(stop)
    finally:
        database.close()
    return 0


def _say(event: Event) -> None:
    """Begin and end of jobs, and tries that failed; all else is in the store."""
    if event.type.startswith("job-") or event.type in ("task-retry", "task-failed"):
        what = " ".join(filter(None, (event.node, event.item, event.payload.get("error"))))
        click.echo(f"job {event.job[:16]}: {event.type}{': ' * bool(what)}{what}")


def _quiet(_event: Event) -> None:
    """Nothing."""
