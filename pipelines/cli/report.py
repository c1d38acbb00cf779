"""`cinemill report`: the report of a package or a job, made again from what is there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import click

from pipelines.cli.options import json_option, quiet_option


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it there; default: DIR/report.html, whose hash in the manifest is kept up.",
)
@click.option("--source", default="", metavar="INPUT", help="Where the source is now; default: where it was.")
@click.option(
    "--job", default="", help="Of a work folder: the beginning of the job's id; default: the latest."
)
@json_option
@quiet_option
def report(folder: Path, output: Path | None, source: str, job: str, as_json: bool, quiet: bool) -> None:
    """Make the report of DIR again: of an output folder, or of a job in a work folder. Nothing is encoded.

    \b
    cinemill report out/
    cinemill report .out.cinemill -o report.html

    It is made from the renditions, scores and decisions that are there, and from pictures of the source. If nothing
    changed, it has the same bytes.
    """
    from pipelines.cli.progress import watching
    from pipelines.encode.publish import write_whole
    from pipelines.report.remake import remade

    place = output or folder / "report.html"
    before = place.read_bytes() if place.is_file() else None
    with (
        watching(as_json=as_json, quiet=quiet) as watch,
        remade(folder, source=source, job=job, on_event=watch) as made,
    ):
        content = made.read_bytes()
    write_whole(place, content)
    if output is None:
        _keep_up(folder, content)
    state = "new" if before is None else "same" if before == content else "changed"
    _tell({"report": str(place), "state": state, "bytes": len(content)}, as_json=as_json, quiet=quiet)


def _tell(result: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        click.echo(json.dumps({"type": "result", **result}))
    elif not quiet:
        words = {"new": "new", "same": "the same bytes as before", "changed": "differs from the one before"}
        click.echo(f"report: {result['report']} ({words[result['state']]})")


def _keep_up(folder: Path, content: bytes) -> None:
    """Let the manifest of a package say what its report is now."""
    from pipelines.encode.manifest import dump, read_manifest
    from pipelines.encode.publish import write_whole

    found = read_manifest(folder)
    entry = found.get("files", {}).get("report.html")
    digest = hashlib.sha256(content).hexdigest()
    if entry is None or entry["sha256"] == digest:
        return
    entry |= {"sha256": digest, "bytes": len(content)}
    write_whole(folder / "manifest.json", dump(found))
