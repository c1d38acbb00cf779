"""`cinemill replay`: logs of `cinemill mount --record`, shown and done again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mezzfs.replay import Result

LOG = click.Path(exists=True, dir_okay=False, path_type=Path)
source_option = click.option(
    "--source",
    required=True,
    metavar="URL",
    help="Read from this; with / at its end, look the name up below it.",
)
against_option = click.option("--against", metavar="URL", help="Compare every byte with this copy.")
speed_option = click.option("--at-least", type=float, metavar="MB/S", help="Fail below this speed.")
fetch_option = click.option(
    "--over-fetch", type=float, metavar="RATIO", help="Fail above so many bytes fetched per byte read."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def replay() -> None:
    """Show what readers of a mount did and what it cost, or do it again."""


@replay.command()
@click.argument("log", type=LOG)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a picture (SVG): bytes over time; requested, fetched, cached, wasted.",
)
@json_option
def show(log: Path, output: Path | None, as_json: bool) -> None:
    """Requested, fetched and wasted bytes of each file in LOG."""
    from mezzfs.replay import picture, read_log, statistics, summarise

    records = list(read_log(log))
    files, engine = summarise(records), statistics(records)
    if output is not None:
        output.write_text(picture(files))
    for file in files:
        facts = {
            "name": file.name,
            "size": file.size,
            "reads": len(file.reads),
            "hits": file.hits,
            "requested_bytes": file.requested_bytes,
            "fetches": len(file.fetches),
            "fetched_bytes": file.fetched_bytes,
            "wasted_bytes": file.wasted_bytes,
            "kept_bytes": file.kept_bytes,
            "evicted_bytes": file.evicted_bytes,
            "failures": file.failures,
        }
        if as_json:
            click.echo(json.dumps(facts))
            continue
        click.echo(
            f"{file.name}: {len(file.reads)} reads of {file.requested_bytes:,} bytes, {file.hits} of them there already; "
            f"{len(file.fetches)} fetches of {file.fetched_bytes:,} bytes ({file.over_fetch:.2f}x), "
            f"{file.wasted_bytes:,} for nobody; {file.kept_bytes:,} from the disk cache; {file.evicted_bytes:,} evicted; "
            f"{file.failures} failures"
        )
    if engine and as_json:
        click.echo(json.dumps({"engine": engine}))
    elif engine:
        click.echo("engine: " + ", ".join(f"{name} {value:,}" for name, value in engine.items()))


@replay.command()
@click.argument("log", type=LOG)
@source_option
@against_option
@speed_option
@fetch_option
@json_option
def run(
    log: Path,
    source: str,
    against: str | None,
    at_least: float | None,
    over_fetch: float | None,
    as_json: bool,
) -> int:
    """Do again what LOG tells. Exit code 1 where bytes differ or a limit is missed."""
    return _again(log, source, against, (at_least, over_fetch), as_json)


@replay.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@source_option
@against_option
@speed_option
@fetch_option
@json_option
def batch(
    folder: Path,
    source: str,
    against: str | None,
    at_least: float | None,
    over_fetch: float | None,
    as_json: bool,
) -> int:
    """Do again every .mzr in FOLDER: a gate for builds. Exit code 1 where one fails."""
    logs = sorted(folder.glob("*.mzr"))
    if not logs:
        raise click.ClickException(f"{folder}: no .mzr files; record some with: cinemill mount --record")
    return max(_again(log, source, against, (at_least, over_fetch), as_json) for log in logs)


def _again(
    log: Path, source: str, against: str | None, limits: tuple[float | None, float | None], as_json: bool
) -> int:
    import mezzfs
    from mezzfs.replay import Result, read_log
    from mezzfs.replay import run as run_log

    try:
        result = run_log(read_log(log), source, reference=against)
        failed = _missed(result, *limits)
    except mezzfs.MezzError as error:
        result, failed = Result(), str(error)
    facts = {
        "log": log.name,
        "reads": result.reads,
        "read_bytes": result.read_bytes,
        "requests": result.requests,
        "over_fetch": round(result.over_fetch, 3),
        "mb_per_s": round(result.mb_per_s, 1),
        "failed": failed,
    }
    if as_json:
        click.echo(json.dumps(facts))
    else:
        click.echo(
            f"{log.name}: {failed or 'ok'}: {result.reads} reads, {result.read_bytes:,} bytes, {result.requests} requests, "
            f"{result.over_fetch:.2f}x, {result.mb_per_s:.0f} MB/s"
        )
    return 1 if failed else 0


def _missed(result: Result, at_least: float | None, over_fetch: float | None) -> str:
    if at_least is not None and result.mb_per_s < at_least:
        return f"{result.mb_per_s:.0f} MB/s, wanted at least {at_least:g}"
    if over_fetch is not None and result.over_fetch > over_fetch:
        return f"{result.over_fetch:.2f} bytes fetched per byte read, wanted at most {over_fetch:g}"
    return ""
