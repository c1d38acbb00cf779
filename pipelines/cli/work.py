"""What the commands that look after jobs share: the work folder, and running a spec in it to an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.progress import watching

if TYPE_CHECKING:
    from archer import JobResult, JobSpec

INTERRUPTED = 130
CODES = {"done": 0, "partial": 3, "cancelled": 1, "failed": 1}
folder_option = click.option(
    "-w",
    "--work-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".cinemill"),
    show_default=True,
    envvar="CINEMILL_WORK_DIR",
    help="Where jobs and their artifacts are kept.",
)
artifacts_option = click.option(
    "--artifacts",
    default="",
    metavar="URL",
    help="Keep artifacts at this fsspec URL too (s3://bucket/prefix).",
)
store_option = click.option(
    "--store",
    envvar="CINEMILL_STORE",
    metavar="URL",
    help="Database of the jobs: postgresql://user@host/name, sqlite:///path; default: the work folder's.",
)
job_argument = click.argument("job", required=False, default="")


def execute(spec: JobSpec, work_dir: Path, *, as_json: bool, quiet: bool, **options: Any) -> int:
    """Run a spec in a work folder, show its progress and what came of it; returns the exit code."""
    from archer import run

    with watching(as_json=as_json, quiet=quiet) as watch:
        result = run(spec, work_dir=work_dir, on_event=watch, **options)
    if not quiet:
        _show(result, work_dir, as_json=as_json)
    return CODES.get(result.state, 1)


def _show(result: JobResult, work_dir: Path, *, as_json: bool) -> None:
    import json

    from archer.store import ArtifactStore

    store = ArtifactStore(work_dir)
    if as_json:
        outputs = {name: artifact.to_json() for name, artifact in result.outputs.items()}
        line = {"type": "result", "job": result.job, "state": result.state, "outputs": outputs}
        click.echo(json.dumps(line))
        return
    click.echo(f"job {result.job[:12]}: {result.state}")
    for name, artifact in result.outputs.items():
        place = store.path(artifact) if store.has(artifact) else artifact.hash
        click.echo(f"  {name:<24} {artifact.kind:<20} {place}")
    for failure in result.failures:
        click.echo(f"failed: {failure}", err=True)
    if result.state == "failed":
        click.echo(
            f"what was done is kept; go on with: cinemill retry {result.job[:12]} -w {work_dir}", err=True
        )
