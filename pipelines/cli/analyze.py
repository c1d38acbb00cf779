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


@click.command()
@click.argument("source", metavar="INPUT")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for frames.parquet, shots.parquet, qc.json and pictures/.",
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
    "--pictures/--no-pictures", default=True, show_default=True, help="Write a picture of each finding."
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
    from pipelines.qc.profile import Profile
    from pipelines.qc.stage import QcParams

    text = profile.read_text(encoding="utf-8") if profile else ""
    Profile.of(text)  # a wrong profile is said before the work
    asset = identify(source)
    spec = analyze_job(asset, QcParams(profile=text))
    with run_job(spec, work_dir=work_dir, workers=workers, as_json=as_json, quiet=quiet) as done:
        report, media = _taken(done, output)
    if pictures:
        from archer.media import MediaInfo
        from pipelines.qc.pictures import write_pictures

        write_pictures(output / "pictures", asset, MediaInfo.from_json(media), report["findings"])
    _say(report, as_json=as_json, quiet=quiet)
    return _verdict(report, gate)


def _taken(done: Done, output: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Put the results into the folder; the report and the media facts."""
    output.mkdir(parents=True, exist_ok=True)
    for artifact, name in (("vision.frames", "frames.parquet"), ("vision.shots", "shots.parquet")):
        shutil.copyfile(done.path(artifact), output / name)
    report = done.json("qc.report")
    (output / "qc.json").write_text(
        json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return report, done.json("ingest.media")


def _say(report: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        click.echo(json.dumps({"type": "result", **report}))
    elif not quiet:
        for each in report["findings"]:
            click.echo(
                f"{each['severity']:<8} {each['kind']:<12} {each['start']:>7} - {each['end'] - 1:<7} {each['message']}"
            )
        click.echo(f"{report['frames']} frames, {len(report['findings'])} findings: {report['verdict']}")


def _verdict(report: dict[str, Any], gate: str) -> int:
    from pipelines.qc.finding import at_least

    if gate == "none":
        return 0
    return int(any(at_least(each["severity"], gate) for each in report["findings"]))
