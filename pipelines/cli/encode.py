"""`cinemill encode`: the main job."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import executor_option, json_option, quiet_option, workers_option
from pipelines.cli.picture import PICTURE_FIELDS, files_of, picture_options

if TYPE_CHECKING:
    from pipelines.encode.request import EncodeRequest


SECONDS = click.FloatRange(min=0.1, max=3600)
OPTION_FIELDS = frozenset(
    {
        "codec",
        "ladder",
        "target_vmaf",
        "crf",
        "preset",
        "encoder_params",
        "model",
        "audio_codec",
        "gop_s",
        "chunk_s",
        "threads",
        *PICTURE_FIELDS,
    }
)


@click.command()
@click.argument("source", metavar="INPUT")
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    required=True,
    help="A folder for a package, or one file: NAME.mkv, NAME.mp4.",
)
@click.option(
    "--codec", default="x264", show_default=True, help="Video codec: x264, x265, svtav1, aom or vp9."
)
@click.option(
    "--ladder",
    default="",
    metavar="RUNGS",
    help="Rungs: 720p,540p,360p@crf26 or a JSON file. Default: by the source's size.",
)
@click.option(
    "--target-vmaf",
    type=float,
    help="Mean VMAF the top rung aims at (default 93); all rungs get the CRF found.",
)
@click.option("--crf", type=float, help="Constant quality instead of a target.")
@click.option("--preset", default="", help="Speed preset of the codec; default: the codec's.")
@click.option("--encoder-params", default="", metavar="K=V:K=V", help="Further options of the encoder.")
@click.option("--model", default="vmaf_v0.6.1", show_default=True, help="VMAF model that decides and scores.")
@click.option("--audio-codec", type=click.Choice(["aac", "opus"]), default="aac", show_default=True)
@click.option(
    "--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="Threads of one encoder."
)
@click.option("--gop-s", type=SECONDS, default=2, show_default=True, help="Distance of key frames, seconds.")
@click.option("--chunk-s", type=SECONDS, default=8, show_default=True, help="Longest chunk, seconds.")
@click.option("--title", default="", help="Name shown in the report; default: the file's.")
@picture_options
@workers_option
@executor_option
@click.option(
    "--work-dir",
    type=click.Path(file_okay=False),
    help="Where unfinished work is kept; default: .OUT.cinemill beside OUT.",
)
@click.option("--keep", is_flag=True, help="Keep the work folder, so that other settings can re-use it.")
@click.option("--force", is_flag=True, help="Replace what is at OUT.")
@json_option
@quiet_option
def encode(
    source: str, output: str, title: str, workers: int | None, work_dir: str | None, **options: Any
) -> int:
    """Encode INPUT (a path or URL) to OUT: a package that plays, or a single file.

    \b
    cinemill encode title.mov -o out/ --codec svtav1 --target-vmaf 95
    cinemill encode title.mov -o out/ --ladder 1080p,720p,480p@crf28 --crf 24
    cinemill encode title.mov -o out.mkv --crf 22 --preset slow

    Interrupt it at any time: the same command goes on, and encodes no finished chunk again.
    """
    from archer.media import identify
    from pipelines.encode.place import OutputPlace
    from pipelines.encode.run import EncodeOrder, execute

    request = _request(output, options)
    order = EncodeOrder(
        asset=identify(source),
        request=request,
        title=title or Path(source.rstrip("/")).stem,
        command=_command(source, request),
        place=OutputPlace.of(output, work_dir=work_dir, keep=options["keep"], force=options["force"]),
    )
    shown = {"as_json": options["as_json"], "quiet": options["quiet"]}
    summary = execute(order, workers=workers, executor=options["executor"], **shown)
    if options["as_json"]:
        click.echo(json.dumps({"type": "result", **summary}))
    elif not options["quiet"]:
        _show(summary)
    return 0


def _request(output: str, options: dict[str, Any]) -> EncodeRequest:
    from encoder import ladder_text
    from pipelines.encode.request import EncodeRequest, checked, single_of

    target, crf = options["target_vmaf"], options["crf"]
    texts: dict[str, Any] = files_of(options["scenes_file"], options["zones_file"])
    return checked(
        EncodeRequest(
            codec=options["codec"],
            ladder=ladder_text(options["ladder"]),
            target_vmaf=_decimal(93 if target is None else target),
            crf="" if crf is None else _decimal(crf),
            preset=options["preset"],
            encoder_params=options["encoder_params"],
            model=options["model"],
            audio_codec=options["audio_codec"],
            gop_s=_decimal(options["gop_s"]),
            chunk_s=_decimal(options["chunk_s"]),
            threads=options["threads"],
            single=single_of(output),
            **{name: options[name] for name in PICTURE_FIELDS},
            **texts,
        ),
        both=target is not None and crf is not None,
    )


def _command(source: str, request: EncodeRequest) -> str:
    """The command that makes it again, without places of this machine: settings that are not the defaults."""
    from dataclasses import fields

    words = ["cinemill", "encode", Path(source.rstrip("/")).name, "-o", "OUT"]
    for field in fields(request):
        value = getattr(request, field.name)
        if value != field.default and field.name in OPTION_FIELDS:
            words += [f"--{field.name.replace('_', '-')}", str(value)]
    return shlex.join(words)


def _decimal(value: float) -> str:
    return f"{value:g}"


def _show(summary: dict[str, Any]) -> None:
    for notice in summary["notices"]:
        click.echo(f"note: {notice}")
    head = f"{'rendition':<12} {'size':>10} {'CRF':>6} {'kb/s':>8} {'VMAF mean':>10} {'harmonic':>9} {'min':>6} {'frames':>7}"
    click.echo(click.style(head, bold=True))
    for row in summary["renditions"]:
        click.echo(
            f"{row['name']:<12} {row['width']:>5}x{row['height']:<4} {row['crf']:>6} {row['bitrate_kbps']:>8} "
            f"{row['vmaf_mean']:>10.2f} {row['vmaf_harmonic_mean']:>9.2f} {row['vmaf_min']:>6.1f} {row['frames']:>7}"
        )
    click.echo(f"scores: model {summary['model']}, at its display size, {summary['scorer']}")
    if summary["up_to_date"]:
        click.echo("up to date: nothing had to be done")
    click.echo(f"output: {summary['output']}")
    click.echo(f"report: {summary['report']}")
