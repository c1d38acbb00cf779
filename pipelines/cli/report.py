"""`cinemill report`: the report of a package or a job, made again from what is there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import click

from pipelines.cli.options import FOLDER, NewFile, json_option, quiet_option


@click.command()
@click.argument("output_folder", metavar="DIR", type=FOLDER)
@click.option(
    "-o",
    "--output",
    type=NewFile(path_type=Path),
    help="Write it there; default: DIR/report.html, whose hash in the manifest is kept up.",
)
@click.option("--source", default="", metavar="INPUT", help="Where the source is now; default: where it was.")
@click.option(
    "--job", default="", help="Of a work folder: the beginning of the job's id; default: the latest."
)
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write every plot of an output folder there, as SVG and PNG.",
)
@json_option
@quiet_option
def report(
    output_folder: str,
    output: Path | None,
    source: str,
    job: str,
    plots: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make the report of DIR again: of an output folder, or of a job in a work folder. Nothing is encoded.

    \b
    cinemill report out/
    cinemill report out/ --plots pictures/
    cinemill report title.mkv
    cinemill report .out.cinemill -o report.html

    It is made from the renditions, scores and decisions that are there, and from pictures of the source; of an output
    folder its plots and tables of scores, too. If nothing changed, all have the same bytes.
    """
    from pipelines.cli.progress import watching
    from pipelines.encode.place import report_place
    from pipelines.encode.publish import is_remote, local_path
    from pipelines.report.remake import remade

    if is_remote(output_folder):
        raise click.UsageError(f"{output_folder}: a report is made in a folder of this machine; copy it here")
    folder = local_path(report_place(output_folder))
    place = output or folder / "report.html"
    before = place.read_bytes() if place.is_file() else None
    with (
        watching(as_json=as_json, quiet=quiet) as watch,
        remade(folder, source=source, job=job, on_event=watch) as made,
    ):
        content = made.page.read_bytes()
        _write(folder, output, content, {name: path.read_bytes() for name, path in made.beside.items()})
    drawn = [] if plots is None else _draw(folder, plots)
    state = "new" if before is None else "same" if before == content else "changed"
    result = {"report": str(place), "state": state, "bytes": len(content), "plots": drawn}
    _tell(result, as_json=as_json, quiet=quiet)


def _write(folder: Path, output: Path | None, content: bytes, beside: dict[str, bytes]) -> None:
    """The page where it was asked for, or a package's page and what lies beside it, with the manifest kept up."""
    from pipelines.encode.manifest import read_manifest
    from pipelines.encode.publish import write_whole

    manifest = {} if output is not None else read_manifest(folder)
    files = {"report.html": content, **(beside if "files" in manifest else {})}
    if output is not None:
        write_whole(output, content)
        return
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        write_whole(folder / name, text)
    if "files" in manifest:
        _keep_up(folder, manifest, files)


def _draw(folder: Path, place: Path) -> list[str]:
    """Raises: CannotLoad: `folder` is no output of cinemill encode. ToolMissing: Pillow is not installed."""
    from pipelines.report import load

    found = load(folder).plots
    place.mkdir(parents=True, exist_ok=True)
    files = [place / f"{name}.{kind}" for name in found for kind in ("svg", "png")]
    for file in files:
        found[file.stem].save(file)
    return [str(file) for file in files]


def _tell(result: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        click.echo(json.dumps({"type": "result", **result}))
    elif not quiet:
        words = {"new": "new", "same": "the same bytes as before", "changed": "differs from the one before"}
        click.echo(f"report: {result['report']} ({words[result['state']]})")
        if result["plots"]:
            click.echo(f"plots: {len(result['plots'])} pictures in {Path(result['plots'][0]).parent}")


def _keep_up(folder: Path, manifest: dict[str, Any], files: dict[str, bytes]) -> None:
    """Let the manifest of a package say what its report is now."""
    from pipelines.encode.manifest import dump
    from pipelines.encode.publish import write_whole

    known = dict(manifest["files"])
    for name, content in files.items():
        now = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        manifest["files"][name] = {**manifest["files"].get(name, {}), **now}
    if manifest["files"] != known:
        write_whole(folder / "manifest.json", dump(manifest))
