"""What the commands that talk to a server share: which one, with which key, and whether they do at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from archer.client import Client

Command = TypeVar("Command", bound=Callable[..., object])
SERVER, KEY = "CINEMILL_SERVER", "CINEMILL_KEY"
PATIENCE_S = 3.0
"""People who wait at a terminal want to know soon that no server is there."""
HINT = "needs the clients' library: pip install 'cinemill[serve]'"


def server_options(command: Command) -> Command:
    """`--server` and `--key`."""
    key = click.option("--key", envvar=KEY, default="", help=f"Key of the server's API; better in ${KEY}.")
    server = click.option(
        "--server", envvar=SERVER, default="", metavar="URL", help=f"Ask this server; default: ${SERVER}."
    )
    return server(key(command))


def remote(server: str) -> bool:
    """True where a command is about a server: it is named, and no work folder is named on the command line."""
    context = click.get_current_context()
    named = context.get_parameter_source("work_dir") == ParameterSource.COMMANDLINE
    if named and context.get_parameter_source("server") == ParameterSource.COMMANDLINE:
        raise click.UsageError("--server, --work-dir: a job is at one or in the other; name one")
    return bool(server) and not named


def named(server: str) -> str:
    """How further commands name the server: not at all where the environment does."""
    source = click.get_current_context().get_parameter_source("server")
    return "" if source == ParameterSource.ENVIRONMENT else f" --server {server}"


def client_for(server: str, key: str) -> Client:
    """A client of the server; of the one that `cinemill serve` starts, where none is named."""
    try:
        from archer.client import Client
    except ImportError as error:
        raise click.ClickException(f"{error.name}: not installed; {HINT}") from error
    return Client(server or None, key=key or None, patience_s=PATIENCE_S)


def job_of(client: Client, prefix: str) -> str:
    """The id of the one job that begins so; the latest for an empty prefix."""
    if len(prefix) == 32:
        return prefix
    found = [row["id"] for row in client.jobs() if row["id"].startswith(prefix)]
    if not found:
        raise click.ClickException(
            f"no job {prefix!r} at {client.url}; `cinemill jobs --server ...` lists them"
        )
    if prefix and len(found) > 1:
        raise click.ClickException(f"{prefix!r} may be {', '.join(found[:5])}; write more of it")
    return str(found[0])


def lines(values: Iterable[Mapping[str, Any]]) -> None:
    """Print NDJSON."""
    for value in values:
        click.echo(json.dumps(value, ensure_ascii=False))
