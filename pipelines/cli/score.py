"""`cinemill score`: VMAF and PSNR of a distorted file, frame by frame."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import json_option, quiet_option

if TYPE_CHECKING:
    from vmaf import FrameScores

SHOWN = ("vmaf", "psnr_y", "psnr_cb", "psnr_cr")


@click.command()
@click.argument("reference", metavar="REF")
@click.argument("distorted", metavar="DIST")
@click.option(
    "--model", default="vmaf_v0.6.1", show_default=True, help="VMAF model; 93 differs between them."
)
@click.option(
    "--frames", default="", metavar="A:B", help="Score frames A up to B (0-based, B left out) only."
)
@click.option("--threads", type=click.IntRange(1, 64), help="Threads of the metric; default: the cores.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="Write per-frame scores: .json in libvmaf's layout, or .parquet.",
)
@json_option
@quiet_option
def score(
    reference: str,
    distorted: str,
    model: str,
    frames: str,
    threads: int | None,
    output: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    r"""Score every frame of DIST (a path or URL) against REF, at the model's display size.

    \b
    cinemill score title.mov out.mkv
    cinemill score title.mov out.mkv --model vmaf_v0.6.1neg -o scores.json

    Both sides are turned upright, made square-pixel and scaled (bicubic); frames are matched by number.
    """
    import os

    from pipelines.cli.progress import counting
    from vmaf import score as score_files

    part = _part(frames)
    _check(output)
    with counting("score", show=not (as_json or quiet)) as count:
        scores = score_files(
            reference,
            distorted,
            model=model,
            part=part,
            threads=threads or len(os.sched_getaffinity(0)),
            on_frame=count,
        )
    if output:
        _write(scores, Path(output))
    if as_json:
        click.echo(json.dumps({"type": "result", **_result(scores)}))
    elif not quiet:
        _table(scores)


def _part(text: str) -> Any:
    from archer.media import FrameRange

    if not text:
        return None
    first, _, last = text.partition(":")
    try:
        return FrameRange(int(first), int(last))
    except ValueError as error:
        raise click.BadParameter(f"{text}: wanted A:B, as 0:240 ({error})", param_hint="--frames") from error


def _check(output: str | None) -> None:
    if output and Path(output).suffix not in (".json", ".parquet"):
        raise click.BadParameter(f"{output}: wanted a name ending in .json or .parquet", param_hint="-o")


def _write(scores: FrameScores, path: Path) -> None:
    from vmaf.scores import libvmaf_log, write_parquet

    if path.suffix == ".parquet":
        write_parquet(scores.table(), path)
    else:
        path.write_text(json.dumps(libvmaf_log(scores), indent=2) + "\n", encoding="utf-8")


def _result(scores: FrameScores) -> dict[str, Any]:
    pooled = {name: asdict(scores.pooled(name)) for name in scores.columns}
    return {"model": scores.model, "scorer": scores.scorer, "frames": len(scores), "pooled": pooled}


def _table(scores: FrameScores) -> None:
    head = f"{'metric':<10} {'mean':>8} {'harmonic':>9} {'min':>8} {'5 %':>8} {'max':>8}"
    click.echo(click.style(head, bold=True))
    for name in (name for name in SHOWN if name in scores.columns):
        pooled = scores.pooled(name)
        row = (pooled.mean, pooled.harmonic_mean, pooled.min, pooled.p5, pooled.max)
        click.echo(f"{name:<10} {row[0]:>8.3f} {row[1]:>9.3f} {row[2]:>8.3f} {row[3]:>8.3f} {row[4]:>8.3f}")
    click.echo(f"{len(scores)} frames, model {scores.model}, {scores.scorer}")
