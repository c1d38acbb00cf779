"""`cinemill conformance`: prove that a package plays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import json_option, key_file_option, key_store_option, quiet_option

if TYPE_CHECKING:
    from pipelines.conformance.results import Result, Verdict
    from pipelines.packaging.keys import KeySet

MARKS = {"passed": "green", "failed": "red", "flaky": "yellow", "skipped": "yellow"}


@click.command()
@click.argument("package", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for report and evidence; default: PACKAGE.conformance.",
)
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="NAME",
    help="A device, repeatable; default: all that are known.",
)
@click.option(
    "--devices-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="More devices, a JSON list of records.",
)
@click.option(
    "--test",
    "tests",
    multiple=True,
    metavar="PATTERN",
    help="Only these tests (play, seek, 'd*'); repeatable.",
)
@click.option(
    "--rendition", "renditions", multiple=True, metavar="PATTERN", help="Only these renditions ('video-*')."
)
@click.option(
    "--source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The mezzanine, as truth for pictures; default: the package's own.",
)
@click.option(
    "--budget-s",
    type=click.FloatRange(min=0),
    default=0,
    help="Begin no test after so many seconds; what failed last comes first.",
)
@click.option(
    "--whole",
    is_flag=True,
    help="Watch every frame of the title, not only parts: takes its length for each rendition and player.",
)
@click.option("--list", "listed", is_flag=True, help="List the devices, and test nothing.")
@key_store_option
@key_file_option
@json_option
@quiet_option
def conformance(package: Path, output: Path | None, **options: Any) -> int:
    """Prove that PACKAGE plays: device profiles decide on paper; decoders and real browsers play it.

    \b
    cinemill conformance out/ --source title.mov
    cinemill conformance out/ --device chromium-hls --device firefox-dash --test 'seek'

    Exit code 0: publish; 1: do not; 3: nothing speaks against it, but not all was tried (a missing browser, no time).
    Pictures that were seen, and what players complained about, are kept beside the report.
    """
    from pipelines.conformance.devices import devices_named, read_devices
    from pipelines.conformance.report import write_report
    from pipelines.conformance.run import Order, run_conformance

    more = read_devices(options["devices_file"]) if options["devices_file"] else []
    devices = devices_named(options["devices"], more)
    if options["listed"]:
        for device in devices:
            click.echo(f"{device.name:<16} {device.title}")
        return 0
    out = output or package.absolute().with_name(f"{package.absolute().name}.conformance")
    order = Order(
        package=package,
        devices=devices,
        out=out,
        source=options["source"],
        keys=_key_set(package, options),
        tests=options["tests"],
        renditions=options["renditions"],
        budget_s=options["budget_s"],
        whole=options["whole"],
        told=lambda result: _tell(result, options),
    )
    verdict = run_conformance(order)
    report = write_report(verdict, out, title=package.absolute().name)
    _say(verdict, report, options)
    return verdict.exit_code


def _key_set(package: Path, options: dict[str, Any]) -> KeySet | None:
    from pipelines.cli.keys import use_store
    from pipelines.packaging.description import read_description
    from pipelines.packaging.keystore import open_store

    protection = read_description(package).get("protection")
    if not protection:
        return None
    use_store(options)
    return open_store().get(protection["key_set"])


def _tell(result: Result, options: dict[str, Any]) -> None:
    if options["as_json"]:
        line = {"type": "case", "case": result.case.label, "state": result.state, "message": result.message}
        click.echo(json.dumps({**line, "measured": dict(result.measured), "seconds": result.seconds}))
    elif not options["quiet"]:
        state = click.style(f"{result.state:<8}", fg=MARKS[result.state])
        click.echo(f"{state} {result.case.label:<48} {result.message}".rstrip())


def _say(verdict: Verdict, report: Path, options: dict[str, Any]) -> None:
    if options["as_json"]:
        summary = {
            "publish": verdict.publish,
            "counts": verdict.counts,
            "unplayable": dict(verdict.unplayable),
        }
        click.echo(json.dumps({"type": "result", **summary, "report": str(report)}))
        return
    if options["quiet"]:
        return
    for device, reason in verdict.unplayable.items():
        click.echo(f"{device}: {reason}")
    counts = ", ".join(f"{count} {state}" for state, count in verdict.counts.items() if count)
    said = "publish" if verdict.publish else "do not publish"
    if verdict.publish and verdict.untested:
        said = "nothing speaks against it, but not all was tried"
    click.echo(f"verdict: {said} ({counts})")
    click.echo(f"report: {report}")
