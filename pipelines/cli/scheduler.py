"""`cinemill scheduler`: work off the queue of submitted jobs."""

from __future__ import annotations

import logging
import signal
import threading
from _thread import start_new_thread
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import executor_option, workers_option
from pipelines.cli.work import artifacts_option, folder_option, store_option

if TYPE_CHECKING:
    from archer.events import Event


@click.command()
@store_option
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
def scheduler(store: str | None, work_dir: Path, quiet: bool, queues: tuple[str, ...], **options: Any) -> int:
    """Run submitted jobs until SIGTERM or Ctrl-C; what is unfinished then goes back into the queue.

    \b
    cinemill scheduler -w work                                   one machine, SQLite in the work folder
    cinemill scheduler --store postgresql://cinemill@db/cinemill -w work --artifacts s3://bucket/work

    With PostgreSQL any number of schedulers share the jobs. On several machines they need --artifacts.
    The password is better kept in ~/.pgpass or $PGPASSWORD than in the URL.
    """
    from archer.service import SchedulerService, Service
    from archer.store.database import Database

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    # By a thread: a handler may run where the main one holds the event's lock.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: start_new_thread(stop.set, ()))
    database, root = Database(store or work_dir.absolute()), work_dir.absolute()
    try:
        how = Service(queues=queues, tell=_quiet if quiet else _say, **options)
        service = SchedulerService(database, root, how)
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
