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
IDENTICAL_DB = 60.0
"""PSNR from which luma is equal (libvmaf's limit for 8 bits; that of more bits is higher)."""


@click.command()
@click.argument("reference", metavar="REF")
@click.argument("distorted", metavar="DIST")
@click.option(
    "--model",
    default="vmaf_v0.6.1",
    show_default=True,
    help="VMAF model, by name or JSON file; 93 differs between them.",
)
@click.option(
    "--also", multiple=True, metavar="MODEL", help="Score another model in the same pass; repeatable."
)
@click.option(
    "--frames", default="", metavar="A:B", help="Score frames A up to B (0-based, B left out) only."
)
@click.option(
    "--subsample", type=click.IntRange(1), default=1, show_default=True, help="Score every n-th frame."
)
@click.option("--threads", type=click.IntRange(1, 64), help="Threads of the metric; default: the cores.")
@click.option(
    "--size", default="", metavar="WxH", help="Both files are raw pictures of this size; no scaling."
)
@click.option(
    "--pix-fmt", default="yuv420p", show_default=True, help="Layout of raw pictures: yuv420p10le ..."
)
@click.option("--hdr", is_flag=True, help="Score PQ or HLG video, for which no VMAF model was made.")
@click.option(
    "--scorer",
    type=click.Choice(["cinemill", "ffmpeg"]),
    default="cinemill",
    show_default=True,
    help="Our kernels, or ffmpeg's libvmaf as a cross-check.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="Write per-frame scores: .json, .xml or .csv in libvmaf's layout, .parquet, or .html with a plot.",
)
@json_option
@quiet_option
def score(reference: str, distorted: str, **options: Any) -> None:
    r"""Score every frame of DIST (a path or URL) against REF, at the model's display size.

    \b
    cinemill score title.mov out.mkv
    cinemill score title.mov out.mkv --also vmaf_v0.6.1neg -o scores.json
    cinemill score ref.yuv dist.yuv --size 1920x1080 --pix-fmt yuv420p10le

    Both sides are turned upright, made square-pixel and scaled (bicubic); frames are matched by number.
    """
    _check(options["output"])
    scores = _raw(reference, distorted, options) if options["size"] else _files(reference, distorted, options)
    if options["output"]:
        _write(scores, Path(options["output"]))
    if options["as_json"]:
        click.echo(json.dumps({"type": "result", **_result(scores)}))
    elif not options["quiet"]:
        _table(scores)
        _explain(scores)


def _threads(options: dict[str, Any]) -> int:
    import os

    return int(options["threads"] or len(os.sched_getaffinity(0)))


def _files(reference: str, distorted: str, options: dict[str, Any]) -> FrameScores:
    from archer.media import probe
    from pipelines.cli.progress import counting
    from vmaf import FFmpegScorer, NativeScorer, model_named
    from vmaf import score as score_files

    if any(probe(side).video.colour.is_hdr for side in (reference, distorted)):
        caveat = "HDR video: VMAF's models were trained on SDR; scores compare encodes of one title at best"
        if not options["hdr"]:
            raise click.UsageError(f"{caveat}. Add --hdr to score it all the same.")
        click.echo(f"note: {caveat}", err=True)
    native = NativeScorer([model_named(name) for name in options["also"]])
    with counting("score", show=not (options["as_json"] or options["quiet"])) as count:
        return score_files(
            reference,
            distorted,
            model=options["model"],
            part=_part(options["frames"]),
            threads=_threads(options),
            subsample=options["subsample"],
            scorer=native if options["scorer"] == "cinemill" else FFmpegScorer(),
            on_frame=count,
        )


def _raw(reference: str, distorted: str, options: dict[str, Any]) -> FrameScores:
    from itertools import islice

    from vmaf import raw_pictures, score_planes

    width, _, height = options["size"].partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise click.BadParameter(f"{options['size']}: wanted WxH, as 1920x1080", param_hint="--size")
    part = _part(options["frames"])
    first, last = (part.start, part.end) if part else (0, None)
    sides = (
        raw_pictures(path, int(width), int(height), options["pix_fmt"]) for path in (reference, distorted)
    )
    ref, dist = (islice(side, first, last) for side in sides)
    return score_planes(
        ref,
        dist,
        model=options["model"],
        also=options["also"],
        threads=_threads(options),
        first=first,
        subsample=options["subsample"],
    )


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
    from vmaf.logs import SUFFIXES

    if output and Path(output).suffix not in (*SUFFIXES, ".html"):
        wanted = ", ".join((*SUFFIXES, ".html"))
        raise click.BadParameter(f"{output}: wanted a name ending in {wanted}", param_hint="-o")


def _write(scores: FrameScores, path: Path) -> None:
    from vmaf import write_log
    from vmaf.plot import html_plot

    if path.suffix == ".html":
        path.write_text(html_plot(scores), encoding="utf-8")
    else:
        write_log(scores, path)


def _explain(scores: FrameScores) -> None:
    """Say why equal pictures are not at 100."""
    if not len(scores) or "psnr_y" not in scores.columns:
        return
    equal = (scores.columns["psnr_y"] >= IDENTICAL_DB) & (scores.columns["vmaf"] < 100)
    if equal.any():
        click.echo(
            f"{int(equal.sum())} frames are equal to their reference and still below 100: the model rates the features of "
            "equal pictures, motion among them, and gives still ones about 97"
        )


def _result(scores: FrameScores) -> dict[str, Any]:
    pooled = {name: asdict(scores.pooled(name)) for name in scores.columns}
    return {"model": scores.model, "scorer": scores.scorer, "frames": len(scores), "pooled": pooled}


def _table(scores: FrameScores) -> None:
    head = f"{'metric':<10} {'mean':>8} {'harmonic':>9} {'min':>8} {'5 %':>8} {'max':>8}"
    click.echo(click.style(head, bold=True))
    for name in (name for name in scores.columns if name in SHOWN or name.startswith("vmaf_")):
        pooled = scores.pooled(name)
        row = (pooled.mean, pooled.harmonic_mean, pooled.min, pooled.p5, pooled.max)
        click.echo(f"{name:<10} {row[0]:>8.3f} {row[1]:>9.3f} {row[2]:>8.3f} {row[3]:>8.3f} {row[4]:>8.3f}")
    click.echo(f"{len(scores)} frames, model {scores.model}, {scores.scorer}")
