"""`cinemill encode`: the main job."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.inputs import assets_of, inputs_options, settings_of, words_of
from pipelines.cli.optimizer import optimizer_options, plan_lines
from pipelines.cli.options import (
    NUMBERS,
    SECONDS,
    executor_option,
    json_option,
    package_options,
    quiet_option,
    report_options,
    workers_option,
)
from pipelines.cli.picture import PICTURE_FIELDS, files_of, picture_options

if TYPE_CHECKING:
    from pipelines.encode.request import EncodeRequest
    from pipelines.encode.run import EncodeOrder


OPTIONS = {
    **{
        name: name
        for name in ("codec", "ladder", "mode", "target_vmaf", "crf", "preset", "encoder_params", "model")
    },
    **{
        name: name
        for name in ("audio_codec", "gop_s", "chunk_s", "threads", "pool", "shot_floor", "shot_ceiling")
    },
    **{name: name for name in ("max_renditions", "rung_step", "segment_s", "ts", "drm", "clear_lead_s")},
    **{name: name for name in ("proxies", "qc", "qc_gate", "report", "score")},
    **{name: name for name in PICTURE_FIELDS},
    "target_kbps": "target_bitrate",
    "target_bytes": "target_size",
    "peak_kbps": "peak_bitrate",
    "buffer_kbits": "buffer_size",
    "min_kbps": "min_bitrate",
    "max_kbps": "max_bitrate",
}
"""Field of the request -> its option."""
PLAIN = (
    *("codec", "pool", "max_renditions", "preset", "encoder_params", "model", "audio_codec", "threads", "ts"),
)
"""Fields that are what their options are."""


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
    "--codec",
    default="x264",
    show_default=True,
    help="Video codec: x264, x265, svtav1, aom or vp9; several, as x264,svtav1, for a ladder in each.",
)
@click.option(
    "--ladder",
    default="",
    metavar="RUNGS",
    help="Rungs: 720p,540p@1500k,360p@vmaf80,240p@crf26, a JSON or YAML file, or auto. Default: by the source's size.",
)
@optimizer_options
@click.option(
    "--crf", type=NUMBERS, help="Constant quality instead of a target; of several codecs, one each: 24,40."
)
@click.option(
    "--preset", default="", help="Speed preset of the codec (or one of each: fast,10); default: the codec's."
)
@click.option("--encoder-params", default="", metavar="K=V:K=V", help="Further options of the encoder.")
@click.option("--model", default="vmaf_v0.6.1", show_default=True, help="VMAF model that decides and scores.")
@click.option("--audio-codec", type=click.Choice(["aac", "opus"]), default="aac", show_default=True)
@click.option(
    "--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="Threads of one encoder."
)
@click.option("--gop-s", type=SECONDS, default=2, show_default=True, help="Distance of key frames, seconds.")
@click.option("--chunk-s", type=SECONDS, default=8, show_default=True, help="Longest chunk, seconds.")
@click.option("--title", default="", help="Name shown in the report; default: the file's.")
@inputs_options
@package_options
@report_options
@picture_options
@workers_option
@executor_option
@click.option(
    "--work-dir",
    type=click.Path(file_okay=False),
    help="Where unfinished work is kept; default: .OUT.cinemill beside OUT.",
)
@click.option("--keep", is_flag=True, help="Keep the work folder, so that other settings can re-use it.")
@click.option(
    "--plan",
    is_flag=True,
    help="Analyse and decide, print what encoding would take and give, and stop there.",
)
@click.option(
    "--report",
    is_flag=True,
    help="Of one file: its report, scores and manifest, too, in the folder OUT.report; a package has them in any case.",
)
@click.option(
    "--score/--no-score",
    default=True,
    show_default=True,
    help="Score every frame of every rung; without, there is no report.",
)
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
    cinemill encode title.mov -o out/ --ladder auto --max-bitrate 4M
    cinemill encode title.mov -o out/ --codec x264,svtav1 --target-vmaf 95
    cinemill encode title.mov -o out.mkv --target-size 700M
    cinemill encode title.mov -o out.mkv --crf 22 --preset slow
    cinemill encode a.mov -o out/ --clip 10-20 --join b.mov --clip 2@00:00:05:00-00:00:09:12 --audio eng

    Interrupt it at any time: the same command goes on, and encodes no finished chunk again.
    """
    from pipelines.encode.manifest import file_name
    from pipelines.encode.request import check_name

    check_name(output)
    name = title or Path(file_name(source)).stem
    request = _request(output, name, options)
    asset, captions = assets_of(source, options)
    from pipelines.encode.place import OutputPlace  # here: a refusal needs no job store
    from pipelines.encode.run import EncodeOrder, execute

    order = EncodeOrder(
        asset=asset,
        captions=captions,
        request=request,
        title=name,
        command=_command(source, request, options),
        place=OutputPlace.of(output, work_dir=work_dir, keep=options["keep"], force=options["force"]),
    )
    shown = {"as_json": options["as_json"], "quiet": options["quiet"]}
    if options["plan"]:
        return _plan(order, workers, options["executor"], **shown)
    summary = execute(order, workers=workers, executor=options["executor"], **shown)
    if options["as_json"]:
        click.echo(json.dumps({"type": "result", **summary}))
    elif not options["quiet"]:
        _show(summary)
    return 0


def _plan(order: EncodeOrder, workers: int | None, executor: str, *, as_json: bool, quiet: bool) -> int:
    from pipelines.encode.forecast import forecast

    found = forecast(order, workers=workers, executor=executor, as_json=as_json, quiet=quiet)
    click.echo(json.dumps(found) if as_json else "\n".join(plan_lines(found)))
    return 0


def _request(output: str, title: str, options: dict[str, Any]) -> EncodeRequest:
    from encoder import ladder_text
    from pipelines.cli.keys import key_set_of
    from pipelines.encode.request import EncodeRequest, checked, single_of

    target = options["target_vmaf"]
    picture: dict[str, Any] = {name: options[name] for name in (*PICTURE_FIELDS, *PLAIN)}
    picture |= {name: options[name].replace(" ", "") for name in ("codec", "dynamic_range")}
    picture |= files_of(options["scenes_file"], options["zones_file"]) | settings_of(options)
    return checked(
        EncodeRequest(
            ladder=ladder_text(options["ladder"]),
            mode=options["mode"] or "",
            target_vmaf=_decimal(93 if target is None else target),
            target_kbps=options["target_bitrate"],
            target_bytes=options["target_size"],
            shot_floor=_text(options["shot_floor"]),
            shot_ceiling=_text(options["shot_ceiling"]),
            peak_kbps=options["peak_bitrate"],
            buffer_kbits=options["buffer_size"],
            min_kbps=options["min_bitrate"],
            max_kbps=options["max_bitrate"],
            rung_step=_decimal(options["rung_step"]),
            crf=options["crf"] or "",
            gop_s=_decimal(options["gop_s"]),
            chunk_s=_decimal(options["chunk_s"]),
            segment_s=_decimal(options["segment_s"]),
            drm=options["drm"] or "",
            key_set=key_set_of(title, options),
            clear_lead_s=_decimal(options["clear_lead_s"]),
            single=single_of(output),
            report=options["report"] and bool(single_of(output)),  # a package has one in any case
            **picture,
            **_looked_at(options),
        ),
        both=target is not None,
    )


def _looked_at(options: dict[str, Any]) -> dict[str, Any]:
    """What is looked at beside encoding."""
    from pipelines.qc.profile import profile_text

    text = profile_text(options["qc_profile"])
    return {name: options[name] for name in ("proxies", "qc", "qc_gate", "score")} | {"qc_profile": text}


def _command(source: str, request: EncodeRequest, options: dict[str, Any]) -> str:
    """The command that makes it again, without places of this machine: settings that are not the defaults."""
    from dataclasses import fields

    from pipelines.encode.manifest import file_name

    words = ["cinemill", "encode", file_name(source), "-o", "OUT", *words_of(options)]
    for option, given in (("scenes", "scenes_file"), ("zones", "zones_file"), ("qc-profile", "qc_profile")):
        words += [f"--{option}", file_name(str(options[given]))] if options[given] else []
    for field in fields(request):
        value = getattr(request, field.name)
        if value != field.default and field.name in OPTIONS:
            words += _words(
                OPTIONS[field.name].replace("_", "-"),
                value,
                "k" if field.name.endswith(("kbps", "kbits")) else "",
            )
    return shlex.join(words)


def _words(option: str, value: Any, unit: str) -> list[str]:
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    return [f"--{option}", f"{value}{unit}"]


def _text(value: float | None) -> str:
    return "" if value is None else _decimal(value)


def _decimal(value: float) -> str:
    return f"{value:g}"


def _show(summary: dict[str, Any]) -> None:
    for notice in summary["notices"]:
        click.echo(f"note: {notice}")
    scored = bool(summary["scorer"])
    pooled = f" {'VMAF mean':>10} {'harmonic':>9} {'min':>6}" if scored else ""
    head = f"{'rendition':<12} {'size':>10} {'CRF':>6} {'kb/s':>8}{pooled} {'frames':>7}"
    click.echo(click.style(head, bold=True))
    for row in summary["renditions"]:
        click.echo(
            f"{row['name']:<12} {row['width']:>5}x{row['height']:<4} {row['crf']:>6} {row['bitrate_kbps']:>8}"
            f"{_pooled(row) if scored else ''} {row['frames']:>7}"
        )
    if scored:
        click.echo(f"scores: model {summary['model']}, at its display size, {summary['scorer']}")
    if summary["up_to_date"]:
        click.echo("up to date: nothing had to be done")
    click.echo(f"output: {summary['output']}")
    if summary["report"]:
        click.echo(f"report: {summary['report']}")


def _pooled(row: dict[str, Any]) -> str:
    return f" {row['vmaf_mean']:>10.2f} {row['vmaf_harmonic_mean']:>9.2f} {row['vmaf_min']:>6.1f}"
