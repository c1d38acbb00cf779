"""`cinemill score`: VMAF and other metrics of a distorted file, frame by frame."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import NewFile, json_option, quiet_option

if TYPE_CHECKING:
    from vmaf import FrameScores, Scorer

POOLS = ("mean", "harmonic", "min", "p5", "max")
PICTURES = (".html", ".png")


def _pool(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    import numpy as np

    from vmaf import pooled_by

    for way in values:
        try:
            pooled_by(np.zeros(1), way)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    return values or POOLS


@click.command()
@click.argument("reference", metavar="REF")
@click.argument("distorted", metavar="DIST")
@click.option(
    "--model",
    default="vmaf_v0.6.1",
    show_default=True,
    help="VMAF model, by name or JSON file, or `advise` for the v1 model that fits; 93 differs between them.",
)
@click.option(
    "--viewing",
    type=click.Choice(["tv", "desk", "phone"]),
    default="tv",
    show_default=True,
    help="Where it is watched, for --model advise.",
)
@click.option(
    "--also", multiple=True, metavar="MODEL", help="Score another model in the same pass; repeatable."
)
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="Further metrics; default: psnr. Repeatable."
)
@click.option(
    "--frames", default="", metavar="A:B", help="Score frames A up to B (0-based, B left out) only."
)
@click.option(
    "--subsample", type=click.IntRange(1), default=1, show_default=True, help="Score every n-th frame."
)
@click.option(
    "--offset", default="0", metavar="N|auto", help="DIST's frame n + N shows REF's frame n; auto finds it."
)
@click.option(
    "--ignore-times", is_flag=True, help="Match by number even where a variable frame rate says no."
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
    "--pool",
    "pools",
    multiple=True,
    callback=_pool,
    metavar="WAY",
    help="Column of the table: mean, harmonic, min, max, median, or a percentile as p5. Repeatable.",
)
@click.option(
    "--shots", default="", metavar="FILE|A,B", help="Also per shot: a file of shots, or their first frames."
)
@click.option("--window", type=click.IntRange(1), help="Also the worst run of this many frames.")
@click.option("--costs", is_flag=True, help="Say what each feature cost.")
@click.option(
    "-o",
    "--output",
    type=NewFile(),
    help="Write per-frame scores: .json, .xml or .csv in libvmaf's layout, .parquet, or a plot: .html, .png.",
)
@click.option(
    "--maps",
    type=click.Path(file_okay=False),
    help="Draw where the worst frames lose: heat maps of VIF, ADM and CAMBI, and a page, into this folder.",
)
@click.option(
    "--map-frame", "map_frames", multiple=True, type=int, metavar="N", help="Draw this frame; repeatable."
)
@json_option
@quiet_option
def score(reference: str, distorted: str, **options: Any) -> None:
    """Score every frame of DIST (a path or URL) against REF, at the model's display size.

    \b
    cinemill score title.mov out.mkv
    cinemill score title.mov out.mkv --also vmaf_v1.0.16_3d0h -o scores.json
    cinemill score title.mov out.mkv --model advise --metric psnr --metric cambi
    cinemill score ref.yuv dist.yuv --size 1920x1080 --pix-fmt yuv420p10le

    Both sides are turned upright, made square-pixel and scaled (bicubic); frames are matched by number.
    """
    from pipelines.cli import score_view

    _check(options)
    found = _raw(reference, distorted, options) if options["size"] else _files(reference, distorted, options)
    starts = _starts(options["shots"], reference, found)
    if options["as_json"]:
        result = score_view.result(found, options["pools"], starts, options["window"])
        click.echo(json.dumps({"type": "result", **result}))
    elif not options["quiet"]:
        score_view.show(found, options["pools"], starts, options["window"])
    if options["output"]:
        _write(found, Path(options["output"]))
    if options["maps"]:  # last, so that an error here takes no scores along
        _map(reference, distorted, options, found)


def _map(reference: str, distorted: str, options: dict[str, Any], scores: FrameScores) -> None:
    from pipelines.cli.score_maps import write_maps

    model = scores.model if options["model"] == "advise" else options["model"]
    page = write_maps((reference, distorted), options, scores, model, int(options["offset"]))
    click.echo(f"note: maps: {page}", err=True)


def _threads(options: dict[str, Any]) -> int:
    import os

    return int(options["threads"] or len(os.sched_getaffinity(0)))


def _metrics(options: dict[str, Any]) -> tuple[str, ...]:
    return options["metrics"] or ("psnr",)


def _files(reference: str, distorted: str, options: dict[str, Any]) -> FrameScores:
    from archer.media import probe
    from pipelines.cli.progress import counting
    from vmaf import FFmpegScorer, NativeScorer, model_named
    from vmaf import score as score_files
    from vmaf.ffmpeg import ONLY_BY_FFMPEG

    if any(probe(side).video.colour.is_hdr for side in (reference, distorted)):
        caveat = "HDR video: VMAF's models were trained on SDR; scores compare encodes of one title at best"
        if not options["hdr"]:
            raise click.UsageError(f"{caveat}. Add --hdr to score it all the same.")
        click.echo(f"note: {caveat}", err=True)
    model = _advised(reference, options) if options["model"] == "advise" else options["model"]
    metrics = _metrics(options)
    if options["scorer"] == "ffmpeg":
        scorer: Scorer = FFmpegScorer(metrics)
        by_ffmpeg: tuple[str, ...] = ()
    else:
        by_ffmpeg = tuple(name for name in metrics if name in ONLY_BY_FFMPEG)
        ours = tuple(name for name in metrics if name not in by_ffmpeg)
        also = [model_named(name) for name in options["also"]]
        scorer = NativeScorer(also, metrics=ours, on_costs=_say_costs if options["costs"] else None)
    offset = _offset(reference, distorted, options["offset"])
    options["offset"] = str(offset)
    with counting("score", show=not (options["as_json"] or options["quiet"])) as count:
        return score_files(
            reference,
            distorted,
            model=model,
            part=_part(options["frames"]),
            threads=_threads(options),
            subsample=options["subsample"],
            offset=offset,
            times=not options["ignore_times"],
            scorer=scorer,
            by_ffmpeg=by_ffmpeg,
            on_frame=count,
        )


def _say_costs(costs: Mapping[str, float]) -> None:
    whole = sum(costs.values()) or 1.0
    parts = (
        f"{name} {cost:.2f} s ({cost / whole:.0%})"
        for name, cost in sorted(costs.items(), key=lambda item: -item[1])
    )
    click.echo(f"note: processor time of the features: {', '.join(parts)}", err=True)


def _advised(reference: str, options: dict[str, Any]) -> str:
    """The model that fits the reference; says why."""
    from archer.media import display_size, probe
    from vmaf import advised_model

    video = probe(reference).video
    advice = advised_model(
        *display_size(video),
        video.frame_rate,
        bit_depth=video.format.bit_depth,
        hdr=video.colour.is_hdr,
        viewing=options["viewing"],
    )
    click.echo(f"note: {advice.model.name}: {advice.reason}", err=True)
    for caveat in advice.caveats:
        click.echo(f"note: {caveat}", err=True)
    return advice.model.name


def _offset(reference: str, distorted: str, text: str) -> int:
    from vmaf import alignment_of

    if text != "auto":
        try:
            return int(text)
        except ValueError as error:
            raise click.BadParameter(
                f"{text}: wanted a number of frames, or auto", param_hint="--offset"
            ) from error
    found = alignment_of(reference, distorted)
    click.echo(
        f"note: offset {found.offset} (differs by {found.difference:.2f}, others by {found.runner_up:.2f})",
        err=True,
    )
    return found.offset


def _raw(reference: str, distorted: str, options: dict[str, Any]) -> FrameScores:
    from itertools import islice

    from vmaf import raw_pictures, score_planes

    if options["model"] == "advise" or options["offset"] == "auto":
        raise click.UsageError(
            "--model advise and --offset auto need media files; name a model, and a number"
        )
    width, _, height = options["size"].partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise click.BadParameter(f"{options['size']}: wanted WxH, as 1920x1080", param_hint="--size")
    part, offset = _part(options["frames"]), _offset(reference, distorted, options["offset"])
    first, last = (part.start, part.end) if part else (max(0, -offset), None)
    ref, dist = (
        islice(
            raw_pictures(path, int(width), int(height), options["pix_fmt"]),
            first + ahead,
            None if last is None else last + ahead,
        )
        for path, ahead in ((reference, 0), (distorted, offset))
    )
    if offset:
        ref, dist = _shorter(ref, dist)
    return score_planes(
        ref,
        dist,
        model=options["model"],
        also=options["also"],
        metrics=_metrics(options),
        threads=_threads(options),
        first=first,
        subsample=options["subsample"],
        on_costs=_say_costs if options["costs"] else None,
    )


def _shorter(ref: Any, dist: Any) -> tuple[Any, Any]:
    """Both sides as long as the shorter one."""
    from itertools import tee

    one, other = tee(zip(ref, dist, strict=False))
    return (pair[0] for pair in one), (pair[1] for pair in other)


def _part(text: str) -> Any:
    from archer.media import FrameRange

    if not text:
        return None
    first, _, last = text.partition(":")
    try:
        return FrameRange(int(first), int(last))
    except ValueError as error:
        raise click.BadParameter(f"{text}: wanted A:B, as 0:240 ({error})", param_hint="--frames") from error


def _starts(text: str, reference: str, scores: FrameScores) -> list[int]:
    """First frames of the shots, of which the first is the first frame that was scored; none without --shots."""
    if not text:
        return []
    if all(part.strip().isdigit() for part in text.split(",")):
        starts = sorted({int(part) for part in text.split(",")})
    else:
        from archer.media import probe
        from pipelines.shots.formats import read_shots

        found = read_shots(Path(text), frame_rate=probe(reference).video.frame_rate)
        starts = [int(shot["start"]) for shot in found["shots"]]
    first = int(scores.frames[0]) if len(scores) else 0
    return [first, *(start for start in starts if start > first)]


def _check(options: dict[str, Any]) -> None:
    from vmaf.logs import SUFFIXES

    if options["scorer"] == "ffmpeg" and (options["metrics"] or options["also"]):
        raise click.UsageError(
            "--scorer ffmpeg gives one model and PSNR only; leave --metric and --also to cinemill"
        )
    if options["map_frames"] and not options["maps"]:
        raise click.UsageError("--map-frame needs --maps FOLDER")
    if options["maps"]:
        try:
            Path(options["maps"]).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            text = f"{options['maps']}: {error.strerror}; wanted a folder that can be made or written"
            raise click.BadParameter(text, param_hint="--maps") from None
    output = options["output"]
    if output and Path(output).suffix not in (*SUFFIXES, *PICTURES):
        wanted = ", ".join((*SUFFIXES, *PICTURES))
        raise click.BadParameter(f"{output}: wanted a name ending in {wanted}", param_hint="-o")


def _write(scores: FrameScores, path: Path) -> None:
    from vmaf import write_log
    from vmaf.plot import html_plot
    from vmaf.png import png_plot

    if path.suffix == ".html":
        path.write_text(html_plot(scores), encoding="utf-8")
    elif path.suffix == ".png":
        path.write_bytes(png_plot(scores))
    else:
        write_log(scores, path)
