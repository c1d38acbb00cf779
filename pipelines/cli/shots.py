"""`cinemill shots`: the shots of a title."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.cli.options import json_option, quiet_option, work_dir_option, workers_option


@click.command()
@click.argument("source", metavar="INPUT")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="Write here: .json, or .csv as PySceneDetect does.",
)
@workers_option
@work_dir_option
@json_option
@quiet_option
def shots(
    source: str, output: str | None, workers: int | None, work_dir: str | None, as_json: bool, quiet: bool
) -> None:
    """Find the shots of INPUT (a path or URL) and print them.

    Frame numbers are 0-based and half-open; the CSV of -o FILE.csv is 1-based and inclusive, as PySceneDetect writes it.
    """
    from archer.media import identify
    from pipelines.cli.session import run_job
    from pipelines.shots.job import shots_job

    with run_job(
        shots_job(identify(source)), work_dir=work_dir, workers=workers, as_json=as_json, quiet=quiet
    ) as done:
        found, media = done.json("shots.shots"), done.json("ingest.media")
    if output:
        _write(Path(output), found, media)
    if as_json:
        click.echo(json.dumps({"type": "result", **found}))
    elif not quiet:
        _table(found, media)


def _write(path: Path, found: dict[str, object], media: dict[str, object]) -> None:
    from pipelines.shots.formats import write_shots

    write_shots(path, found, media)


def _table(found: dict[str, object], media: dict[str, object]) -> None:
    from pipelines.shots.formats import table_rows

    for row in table_rows(found, media):
        click.echo(row)
