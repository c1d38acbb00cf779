"""`cinemill analyze`: what is in the pictures of a title, and what is wrong with them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import json_option, quiet_option, work_dir_option, workers_option

if TYPE_CHECKING:
    from pipelines.cli.session import Done

Columns = dict[str, list[Any]]


@click.command()
@click.argument("source", metavar="INPUT")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for the tables (frames, shots, stills, faces, tracks), qc.json and pictures/.",
)
@click.option(
    "--profile",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="YAML file of thresholds; default: the usual ones.",
)
@click.option(
    "--gate",
    type=click.Choice(["none", "info", "warning", "error"]),
    default="none",
    show_default=True,
    help="Fail where a finding is that bad or worse.",
)
@click.option(
    "--faces-per-second",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Frames of a second in which faces are looked for, to follow them; 0 for none.",
)
@click.option(
    "--pictures/--no-pictures",
    default=True,
    show_default=True,
    help="Write a picture of each finding, and of key frames.",
)
@workers_option
@work_dir_option
@json_option
@quiet_option
def analyze(
    source: str,
    output: Path,
    profile: Path | None,
    gate: str,
    faces_per_second: int,
    pictures: bool,
    workers: int | None,
    work_dir: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Look at the pictures of INPUT (a path or URL): features per frame and shot as Parquet, and quality control."""
    from archer.media import identify
    from pipelines.cli.session import run_job
    from pipelines.qc.job import analyze_job
    from pipelines.qc.profile import Profile, profile_text
    from pipelines.qc.stage import QcParams
    from pipelines.vision.tracks import TracksParams

    text = profile_text(profile)
    Profile.of(text)  # a wrong profile is said before the work
    asset = identify(source)
    spec = analyze_job(asset, QcParams(profile=text), tracks=TracksParams(per_second=faces_per_second))
    with run_job(spec, work_dir=work_dir, workers=workers, as_json=as_json, quiet=quiet) as done:
        report, media, shots = _taken(done, output)
    stills, tracks = _rows(output, "stills.stills"), _rows(output, "tracks.tracks")
    if pictures:
        from archer.media import MediaInfo
        from pipelines.qc.pictures import write_pictures
        from pipelines.vision.contact import write_stills

        folder, info = output / "pictures", MediaInfo.from_json(media)
        write_pictures(folder, asset, info, report["findings"])
        write_stills(folder, asset, info, shots, stills)
    _say(report, stills, tracks, as_json=as_json, quiet=quiet)
    return _verdict(report, gate)


TABLES = {
    "vision.frames": "frames.parquet",
    "vision.shots": "shots.parquet",
    "stills.stills": "stills.parquet",
    "tracks.faces": "faces.parquet",
    "tracks.tracks": "tracks.parquet",
}


def _taken(done: Done, output: Path) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Put the results into the folder; the report, the media facts and the shots."""
    output.mkdir(parents=True, exist_ok=True)
    for artifact, name in TABLES.items():
        shutil.copyfile(done.path(artifact), output / name)
    report = done.json("qc.report")
    (output / "qc.json").write_text(
        json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return report, done.json("ingest.media"), done.json("shots.shots")["shots"]


def _rows(output: Path, artifact: str) -> Columns:
    from pipelines.vision.columns import STILLS_SCHEMA, TRACKS_SCHEMA
    from pipelines.vision.table import read_rows

    schema = {"stills.stills": STILLS_SCHEMA, "tracks.tracks": TRACKS_SCHEMA}[artifact]
    return read_rows(output / TABLES[artifact], schema)


def _say(report: dict[str, Any], stills: Columns, tracks: Columns, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        tables = {
            name: [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
            for name, table in (("stills", stills), ("tracks", tracks))
        }
        click.echo(json.dumps({"type": "result", **report, **tables}))
    elif not quiet:
        _say_stills(stills)
        if tracks["track"]:
            shots = len(set(tracks["shot"]))
            click.echo(f"{len(tracks['track'])} tracks of faces in {shots} shots: {TABLES['tracks.tracks']}")
        for each in report["findings"]:
            click.echo(
                f"{each['severity']:<8} {each['kind']:<12} {each['start']:>7} - {each['end'] - 1:<7} {each['message']}"
            )
        click.echo(f"{report['frames']} frames, {len(report['findings'])} findings: {report['verdict']}")


SHOWN = 20
"""Shots of the table that is shown; all of them are in stills.parquet."""


def _say_stills(stills: Columns) -> None:
    from pipelines.vision.models import missing

    click.echo("shot  key frame  banding  interest      text  faces")
    names = ("shot", "frame", "banding", "interest_x", "interest_y", "text", "faces")
    for shot, frame, banding, x, y, text, faces in list(zip(*(stills[name] for name in names), strict=True))[
        :SHOWN
    ]:
        place = "-" if x is None else f"{100 * x:.0f} % {100 * y:.0f} %"
        value = "-" if banding is None else f"{banding:.2f}"
        counts = ["-" if found is None else str(len(found)) for found in (text, faces)]
        click.echo(f"{shot:>4}  {frame:>9}  {value:>7}  {place:<12}  {counts[0]:>4}  {counts[1]:>5}")
    if len(stills["shot"]) > SHOWN:
        click.echo(f"... {len(stills['shot']) - SHOWN} more shots in {TABLES['stills.stills']}")
    for notice in missing():
        click.echo(notice, err=True)


def _verdict(report: dict[str, Any], gate: str) -> int:
    from pipelines.qc.finding import at_least

    if gate == "none":
        return 0
    return int(any(at_least(each["severity"], gate) for each in report["findings"]))
