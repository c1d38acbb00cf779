"""`cinemill reproduce`: run again what a manifest says, and report what differs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.keys import use_store
from pipelines.cli.options import (
    Place,
    executor_option,
    json_option,
    key_file_option,
    key_store_option,
    quiet_option,
    workers_option,
)

if TYPE_CHECKING:
    from pipelines.reproduce.environment import Difference
    from pipelines.reproduce.files import FileResult
    from pipelines.reproduce.recorded import Recorded
    from pipelines.reproduce.run import Reproduction, SourceResult

SHOWN = 20
"""Files that differ which are listed for people; `--json` has all."""


@click.command()
@click.argument("manifest", type=Place(folder=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the new package in this folder; it must not exist. Default: it is compared and removed.",
)
@click.option("--source", default="", metavar="INPUT", help="Where the source is now; default: where it was.")
@key_store_option
@key_file_option
@workers_option
@executor_option
@json_option
@quiet_option
def reproduce(
    manifest: str,
    output: Path | None,
    source: str,
    key_store: str | None,
    key_store_key: str | None,
    **options: Any,
) -> int:
    """Encode again exactly what MANIFEST (or an output) says, and report what differs.

    \b
    cinemill reproduce out/manifest.json
    cinemill reproduce out/manifest.json -o again --source /media/title.mov
    cinemill reproduce s3://titles/film

    Everything is computed anew, in a work folder of its own: source by its content hash, all settings, then every
    output by its hash. Exit codes: 0 all outputs are the same, 1 something differs or failed, 2 usage.
    """
    use_store({"key_store": key_store, "key_store_key": key_store_key})
    try:
        with _recorded(manifest) as recorded, _places(output, recorded) as (out, work_dir):
            found = _reproduced(recorded, out, work_dir, source, kept=output is not None, **options)
    except (KeyboardInterrupt, click.Abort):
        if output is not None:
            raise
        click.echo("interrupted: nothing is kept; name -o, and the same command goes on", err=True)
        return 130
    if options["as_json"]:
        click.echo(json.dumps({"type": "result", **found.to_json()}))
    elif not options["quiet"]:
        _show(found)
    return 0 if found.same else 1


def _reproduced(
    recorded: Recorded, out: Path, work_dir: Path, source: str, *, kept: bool, **options: Any
) -> Reproduction:
    from dataclasses import replace

    from pipelines.reproduce.run import reproduce as run_again

    found = run_again(recorded, out=out, work_dir=work_dir, source=source, **options)
    return found if kept else replace(found, output="")


@contextmanager
def _recorded(place: str) -> Iterator[Recorded]:
    """The manifest at a path or a URL. Raises: UsageError: it does not say what to repeat."""
    from pipelines.encode.fetch import output_folder
    from pipelines.encode.place import report_place
    from pipelines.encode.publish import is_remote
    from pipelines.reproduce.errors import ManifestUnusable
    from pipelines.reproduce.recorded import read_recorded

    with output_folder(place) if is_remote(place) else nullcontext(Path(report_place(place))) as path:
        try:
            recorded = read_recorded(path)
        except ManifestUnusable as error:
            raise click.UsageError(str(error)) from error
        yield recorded


@contextmanager
def _places(output: Path | None, recorded: Recorded) -> Iterator[tuple[Path, Path]]:
    """Folders for the package and for the work; both go where the user did not name one.

    Raises:
        UsageError: the folder that was named is taken, or cannot be written.
    """
    from pipelines.encode.errors import OutputExists, OutputFailed
    from pipelines.encode.publish import check_free

    if output is None:
        folder = Path(mkdtemp(prefix="cinemill-reproduce-"))
        try:
            yield folder / "out", folder / "work"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        check_free(output, force=False)
    except OutputExists as error:
        why = f"output {output}: exists; a repetition goes to a folder of its own, choose another -o"
        raise click.UsageError(why) from error
    except OutputFailed as error:
        raise click.UsageError(str(error)) from error
    job = str(recorded.manifest["job"])[:12]
    yield output, output.absolute().parent / f".{output.name}.{job}.reproduce"


def _show(found: Reproduction) -> None:
    for line in (*_source_lines(found.source), *(_captions_lines(found.captions) if found.captions else ())):
        click.echo(line)
    for line in difference_lines((*found.environment, *found.decisions)):
        click.echo(line)
    apart = [result for result in found.files if result.state != "same"]
    if apart:
        click.echo(
            click.style(f"{'output':<28} {'state':<8} {'bytes then':>12} {'now':>12}  where", bold=True)
        )
    for result in apart[:SHOWN]:
        click.echo(_file_line(result))
    if len(apart) > SHOWN:
        click.echo(f"and {len(apart) - SHOWN} more; --json lists all")
    for rung in found.quality:
        most = f", at most {rung.most:.4f} (frame {rung.frame})" if rung.most is not None else ""
        click.echo(f"VMAF of {rung.name}: was {rung.recorded:.4f}, is {rung.now:.4f}{most}")
    click.echo(_verdict(found, len(apart)))
    if found.output:
        click.echo(f"output: {found.output}")


def difference_lines(found: Sequence[Difference]) -> Iterator[str]:
    """A line each; stages of the same version that only compute with another build share one."""
    built = [
        one for one in found if one.what.startswith("stage ") and _stage(one.recorded) == _stage(one.here)
    ]
    for one in found:
        if one not in built:
            yield f"differs: {one.what}: was {_short(one.recorded)}; is {_short(one.here)}"
    if built:
        names = ", ".join(one.what.removeprefix("stage ") for one in built)
        yield f"differs: other builds compute in {names}"


def _stage(text: str) -> str:
    """`encode@2` of a stage with its fingerprint."""
    return text.partition(",")[0]


def _short(text: str) -> str:
    """What a tool says of itself, without its copyright."""
    return re.sub(r" +(https?:\S+ +)?Copyright .*?(?= #|$)", "", text)


def _source_lines(source: SourceResult) -> Iterator[str]:
    if source.state == "same":
        yield f"source: {source.place}, content as recorded ({source.recorded[:19]})"
    elif source.state == "changed":
        yield f"source: {source.place} has changed: was {source.recorded}, is {source.identity}"
    elif source.state == "missing":
        yield f"source: {source.place} cannot be read: {source.reason}"
        yield f"name where it is with --source; its content must be {source.recorded}"
    else:
        yield "source: nobody recorded where it was (run.json is not beside the manifest)"
        yield f"name where it is with --source; its content must be {source.recorded}"


def _captions_lines(texts: SourceResult) -> Iterator[str]:
    if texts.state == "same":
        yield f"subtitles: {texts.place}, content as recorded"
    elif texts.state == "changed":
        yield f"subtitles: {texts.place} has changed: was {texts.recorded}, is {texts.identity}; put the recorded one there"
    elif texts.state == "missing":
        yield f"subtitles: {texts.place} cannot be read: {texts.reason}; put it there again"
    else:
        yield "subtitles: nobody recorded where they were (run.json is not beside the manifest)"


def _file_line(result: FileResult) -> str:
    sizes = (f"{'-' if size is None else size:>12}" for size in (result.recorded_bytes, result.bytes))
    return f"{result.name:<28} {result.state:<8} {' '.join(sizes)}  {result.detail}".rstrip()


def _verdict(found: Reproduction, apart: int) -> str:
    if not found.files:
        lost = "source" if found.source.state != "same" else "subtitles"
        return f"not reproduced: without its {lost} nothing was encoded"
    if found.same:
        return f"same: all {len(found.files)} outputs have the recorded hashes"
    return f"differs: {apart} of {len(found.files)} outputs"
