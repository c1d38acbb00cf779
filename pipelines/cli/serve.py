"""`cinemill serve`: the API and, beside it, a scheduler that runs what is submitted; `serve keys`: who may use it."""

from __future__ import annotations

import json
import logging
import time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.remote import HINT
from pipelines.cli.work import artifacts_option, folder_option, store_option

if TYPE_CHECKING:
    from archer.api.settings import Settings
    from archer.store.keys import KeyRows

DAY_MS = 24 * 3600 * 1000


@click.group(invoke_without_command=True)
@folder_option
@store_option
@artifacts_option
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where it listens; others need a key first."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any that is free."
)
@click.option(
    "--name", "names", multiple=True, metavar="HOST", help="Host that it answers for, behind a proxy."
)
@click.option(
    "--allow-input",
    "inputs",
    multiple=True,
    metavar="PREFIX",
    help="What may be read: a folder, https://, s3://bucket/prefix/. Default: web addresses on the public internet.",
)
@click.option(
    "--allow-output",
    "outputs",
    multiple=True,
    metavar="PREFIX",
    help="Where jobs may write results: a folder, s3://bucket/prefix/. Default: nowhere but the work folder.",
)
@click.option("--allow-private", is_flag=True, help="Inputs and webhooks may be on private networks.")
@click.option(
    "--allow-stage", "stages", multiple=True, metavar="NAME", help="Allow a stage that runs any program."
)
@click.option(
    "--rate", default="200/second", show_default=True, help="Requests of one address; empty for any number."
)
@click.option(
    "--max-body", type=click.IntRange(1024), default=1 << 20, show_default=True, help="Bytes of a request."
)
@click.option("--price-core-hour", default="0", metavar="DECIMAL", help="For costs.")
@click.option("--price-gb", default="0", metavar="DECIMAL", help="Of results, for costs.")
@click.option("--currency", default="USD", show_default=True)
@click.option(
    "--scheduler/--no-scheduler",
    default=True,
    help="Run jobs here too, or leave them to `cinemill scheduler`.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), help="Worker processes of the scheduler; default: all cores."
)
@click.option("--executor", default="local", show_default=True, help="Where the scheduler runs tasks.")
@click.option("-v", "--verbose", is_flag=True, help="A line per request on stderr.")
@click.pass_context
def serve(context: click.Context, /, **options: Any) -> int:
    """Serve jobs: an HTTP API to submit, watch and fetch, and a scheduler that runs them.

    \b
    cinemill serve --allow-input .                      then: cinemill submit shots title.mov --watch
    cinemill serve keys add me                          a key; then all requests need one
    cinemill serve --host 0.0.0.0 --store postgresql://...

    Stop it with Ctrl-C: jobs go on when it is started again.
    """
    if context.invoked_subcommand is not None:
        context.obj = options
        return 0
    try:
        from archer.api.server import serve as run
    except ImportError as error:
        raise click.ClickException(f"{error.name}: not installed; {HINT}") from error
    level = logging.INFO if options["verbose"] else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = _settings(options)
    from pipelines.cli.scheduling import scheduler_beside

    with scheduler_beside(options, settings):
        run(settings, ready=_ready)
    return 0


def _ready(url: str) -> None:
    click.echo(f"listening on {url}")
    click.echo(
        "pages for people and the API for programs are there; Ctrl-C ends it, jobs go on when it starts again",
        err=True,
    )


def _settings(options: dict[str, Any]) -> Settings:
    from archer.api.settings import Settings

    more = {"inputs": options["inputs"]} if options["inputs"] else {}
    return Settings(
        work_dir=options["work_dir"].absolute(),
        database=options["store"] or "",
        artifacts=options["artifacts"],
        host=options["host"],
        port=options["port"],
        names=options["names"],
        outputs=options["outputs"],
        private_hosts=options["allow_private"],
        stages=options["stages"],
        most_body=options["max_body"],
        rate=options["rate"],
        price_core_h=_decimal("--price-core-hour", options["price_core_hour"]),
        price_gb=_decimal("--price-gb", options["price_gb"]),
        currency=options["currency"],
        **more,
    )


def _decimal(option: str, text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise click.UsageError(f"{option} {text}: wanted a decimal, as 0.04") from error
    if not found.is_finite() or found < 0:
        raise click.UsageError(f"{option} {text}: wanted 0 or more")
    return found


@serve.group()
def keys() -> None:
    """Who may use the API of a work folder or database."""


@keys.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, default=["*"], show_default=True, help="What it may do.")
@click.option("--days", type=click.IntRange(min=1), help="How long it is valid; for ever by default.")
@click.pass_context
def add(context: click.Context, name: str, scopes: tuple[str, ...], days: int | None) -> int:
    """Make a key for NAME and print it: once, it is kept as a hash.

    Scopes: jobs:read, jobs:write, results:read, webhooks:write, metrics:read, jobs:all for the jobs of others, * for everything.
    Keys of one name are one person's, so a key can be replaced by a new one of the same name.
    """
    from archer.api.keys import mint

    now = time.time_ns() // 1_000_000
    try:
        text, key = mint(name[:200], scopes, now_ms=now, expires_ms=now + days * DAY_MS if days else 0)
    except ValueError as error:
        raise click.UsageError(f"--scope: {error}") from error
    from dataclasses import asdict

    _rows(context).add(asdict(key))
    click.echo(text)
    return 0


@keys.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print NDJSON.")
@click.pass_context
def list_(context: click.Context, as_json: bool) -> int:
    """List keys: ids, names, scopes; what is secret is not kept."""
    for row in _rows(context).all():
        shown = {name: value for name, value in row.items() if name != "hash"}
        if as_json:
            click.echo(json.dumps(shown))
            continue
        until = time.strftime("%Y-%m-%d", time.gmtime(row["expires_ms"] / 1000)) if row["expires_ms"] else "-"
        state = "revoked" if row["revoked_ms"] else until
        click.echo(f"{row['id']}  {state:<10}  {row['name']:<20}  {', '.join(row['scopes'])}")
    return 0


@keys.command()
@click.argument("key")
@click.pass_context
def revoke(context: click.Context, key: str) -> int:
    """Make KEY (its id, or the key itself) invalid at once."""
    identity = key.split("_")[1] if key.startswith("cmk_") and key.count("_") >= 2 else key
    if not _rows(context).revoke(identity, time.time_ns() // 1_000_000):
        click.echo(f"{identity}: no such key, or revoked before", err=True)
        return 1
    click.echo(f"revoked {identity}")
    return 0


def _rows(context: click.Context) -> KeyRows:
    from archer.store import JobQueue
    from archer.store.database import Database
    from archer.store.keys import KeyRows

    options = context.find_root().params if context.obj is None else context.obj
    folder: Path = options["work_dir"]
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(options["store"] or folder.absolute())
    JobQueue(database)  # makes the tables
    context.call_on_close(database.close)
    return KeyRows(database)
