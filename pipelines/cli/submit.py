"""`cinemill submit`, `watch`, `results`: jobs at a server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import json_option, quiet_option
from pipelines.cli.remote import client_for, job_of, lines, named, server_options
from pipelines.cli.work import CODES, INTERRUPTED

if TYPE_CHECKING:
    from archer.client import Client, Job


@click.command()
@click.argument("job")
@click.argument("source", metavar="[INPUT]", required=False)
@server_options
@click.option(
    "--param", "-p", "params", multiple=True, metavar="NAME=VALUE", help="A setting; VALUE is YAML."
)
@click.option(
    "--input", "-i", "inputs", multiple=True, metavar="NAME=URL", help="One of several inputs, by its name."
)
@click.option("--queue", help="Whose limit it counts against.")
@click.option("--priority", type=click.IntRange(-1000, 1000), help="Greater goes first.")
@click.option("--deadline", metavar="TIME", help="Earliest goes first: 2026-12-01T06:00:00Z.")
@click.option("--tag", "tags", multiple=True, metavar="NAME=TEXT", help="Kept with the job.")
@click.option("--idempotency-key", help="One job, however often it is submitted with this key.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and at what cost.")
@click.option("--watch", "stay", is_flag=True, help="Stay until it is over; exit codes as `cinemill run`.")
@json_option
@quiet_option
def submit(job: str, source: str | None, server: str, key: str, **options: Any) -> int:
    """Submit JOB to a server: a template (encode, shots, analyze ...) with INPUT, or a spec file of nodes.

    \b
    cinemill submit encode https://media.example/title.mov -p ladder=720p,360p -p target_vmaf=95 --watch
    cinemill submit shots title.mov
    cinemill submit score -i reference=title.mov -i distorted=copy.mp4
    cinemill submit job.yaml --dry-run

    Prints the job's id.
    """
    document = _document(job, source, options["params"], options["inputs"])
    with client_for(server, key) as client:
        if options["dry_run"]:
            return _preview(client.preview(document), as_json=options["as_json"])
        names = ("queue", "priority", "deadline")
        made = client.submit(
            document,
            key=options["idempotency_key"],
            tags=_pairs(options["tags"], "--tag") or None,
            **{name: options[name] for name in names},
        )
        if not options["stay"]:
            click.echo(json.dumps(made.document) if options["as_json"] else made.id)
            return 0
        return _follow(made, client.url, as_json=options["as_json"], quiet=options["quiet"], named_first=True)


@click.command()
@click.argument("job", required=False, default="")
@server_options
@json_option
@quiet_option
def watch(job: str, server: str, key: str, as_json: bool, quiet: bool) -> int:
    """Watch JOB of a server (the beginning of its id; the latest by default) until it is over.

    A lost connection is made again, and nothing is missed.
    """
    with client_for(server, key) as client:
        return _follow(client.job(job_of(client, job)), client.url, as_json=as_json, quiet=quiet)


@click.command()
@click.argument("job", required=False, default="")
@click.argument("output", required=False, default="")
@server_options
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where it goes; default: its name, here.")
@click.option("--json", "as_json", is_flag=True, help="Print NDJSON.")
def results(job: str, output: str, server: str, key: str, out: Path | None, as_json: bool) -> int:
    """List the outputs of JOB of a server, or bring one here: OUTPUT is `node.output`, as `packaging.package`.

    What is brought is verified; an interrupted download goes on.
    """
    with client_for(server, key) as client:
        found = client.job(job_of(client, job))
        if output:
            place = found.fetch(output, out or Path(output))
            click.echo(str(place))
            return 0
        rows = found.outputs()
        if as_json:
            lines(rows)
            return 0
        for row in rows:
            click.echo(f"{row['name']:<28} {row['kind']:<22} {row['size']:>14,}  {row['hash'][:19]}")
        return 0


def _document(job: str, source: str | None, params: Sequence[str], inputs: Sequence[str]) -> dict[str, Any]:
    """What is submitted: a template with its input or inputs, or what is in a file."""
    from archer.errors import SpecError

    if inputs and source is not None:
        raise click.UsageError(f"--input: wanted either {source}, or inputs by their names")
    if inputs:
        named = {name: _input(url) for name, url in _pairs(inputs, "--input").items()}
        return {"job": job, "input": named, "params": _settings(params)}
    if source is not None:
        return {"job": job, "input": _input(source), "params": _settings(params)}
    path = Path(job)
    if not path.is_file():
        raise click.UsageError(
            f"{job}: no such spec file; a template needs an INPUT: cinemill submit {job} INPUT"
        )
    import yaml

    try:
        value = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(str(path), f"not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise SpecError(str(path), f"wanted an object, got {type(value).__name__}")
    if params:
        value = {**value, "params": {**(value.get("params") or {}), **_settings(params)}}
    return value


def _input(source: str) -> str:
    """A file of this machine by its whole path: a server on it may be allowed to read it."""
    local = Path(source)
    return str(local.absolute()) if "://" not in source and local.exists() else source


def _settings(params: Sequence[str]) -> dict[str, Any]:
    import yaml

    found = {}
    for name, text in _pairs(params, "--param").items():
        try:
            found[name] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise click.UsageError(f"--param {name}: not YAML: {' '.join(str(error).split())}") from error
    return found


def _pairs(words: Sequence[str], option: str) -> dict[str, str]:
    for word in words:
        if "=" not in word:
            raise click.UsageError(f"{option} {word}: wanted NAME=VALUE")
    return dict(word.split("=", 1) for word in words)


def _preview(found: Mapping[str, Any], *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps(found))
        return 0
    click.echo(f"{'node':<16} {'stage':<16} {'known':>6} {'missing':>8} {'core s':>9}  basis")
    for row in found["nodes"]:
        missing = f"{row['missing']}{'' if row['whole'] else '+'}"
        click.echo(
            f"{row['node']:<16} {row['stage']:<16} {row['known']:>6} {missing:>8} {row['core_s']:>9.1f}  {row['basis']}"
        )
    click.echo(
        f"together: {found['core_s']:.1f} core seconds, {found['cost']} {found['currency']}; + more tasks appear later"
    )
    return 0


def _follow(job: Job, server: str, *, as_json: bool, quiet: bool, named_first: bool = False) -> int:
    """Show a job until it is over; whoever leaves before, at any moment, is told how to come back."""
    try:
        if named_first:
            click.echo(f"job {job.id}", err=True)
        from pipelines.cli.progress import watching

        with watching(as_json=as_json, quiet=quiet) as show:
            for event in job.watch():
                show(event)
        document = job.refresh().document
    except KeyboardInterrupt:
        click.echo(
            f"the job goes on at the server: `cinemill watch {job.id}{named(server)}` follows it, "
            f"`cinemill cancel {job.id}{named(server)}` stops it",
            err=True,
        )
        return INTERRUPTED
    if as_json:
        click.echo(json.dumps({"type": "result", **document}))
    elif not quiet:
        _show(document, job.outputs(), server)
    return CODES.get(job.state, 1)


def _show(document: Mapping[str, Any], outputs: Sequence[Mapping[str, Any]], server: str) -> None:
    click.echo(f"job {document['id']}: {document['state']}")
    for row in outputs:
        click.echo(f"  {row['name']:<28} {row['kind']:<22} {row['size']:>14,} bytes")
    for failure in document["failures"]:
        click.echo(f"failed: {failure}", err=True)
    if document["state"] == "failed":
        click.echo(
            f"what was done is kept; go on with: cinemill retry {document['id']}{named(server)}", err=True
        )


def client_job(server: str, key: str, job: str) -> tuple[Client, Job]:
    """A client and the job that is meant; the client is the caller's to close."""
    client = client_for(server, key)
    return client, client.job(job_of(client, job))
