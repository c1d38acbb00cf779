"""Options of `cinemill encode` about how the title is looked at and heard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

PICTURE_FIELDS = ("deinterlace", "crop", "pad", "fps", "dynamic_range", "bit_depth", "grain", "loudness")
"""Fields of `EncodeRequest` that these options fill."""
_OPTIONS = (
    click.option(
        "--deinterlace",
        type=click.Choice(["auto", "bwdif", "film", "off"]),
        default="auto",
        show_default=True,
        help="Interlaced titles: bwdif keeps the frame count, whatever they are marked as; "
        "film undoes 3:2 pull-down (4/5 of the frames).",
    ),
    click.option(
        "--crop",
        default="",
        metavar="auto|W:H:X:Y",
        help="Cut black borders off, or keep one part of the picture.",
    ),
    click.option(
        "--pad", default="", metavar="W:H", help="Add black until the picture has this shape, as 16:9."
    ),
    click.option(
        "--fps",
        default="",
        metavar="RATE",
        help="Convert to a constant frame rate; default: the source's times.",
    ),
    click.option(
        "--dynamic-range",
        default="auto",
        show_default=True,
        metavar="RANGE",
        help="HDR titles: hdr keeps, sdr tone-maps, auto keeps where every codec can; "
        "hdr,sdr, one for each codec, makes ladders in both.",
    ),
    click.option(
        "--bit-depth",
        type=click.Choice(["auto", "8", "10"]),
        default="auto",
        show_default=True,
        help="Bits per sample; auto: the source's, 10 at most, where the codec's players take them.",
    ),
    click.option(
        "--grain",
        type=click.IntRange(0, 50),
        default=0,
        show_default=True,
        help="Film grain by tables instead of pixels, for AV1: strength.",
    ),
    click.option(
        "--scenes",
        "scenes_file",
        type=click.Path(exists=True, dir_okay=False),
        help="Shots from a file instead of detection: Av1an .json, PySceneDetect .csv, .edl, .otio, or ours.",
    ),
    click.option(
        "--zones",
        "zones_file",
        type=click.Path(exists=True, dir_okay=False),
        help="Other settings for ranges of frames: lines of START END crf=18.",
    ),
    click.option(
        "--loudness",
        default="",
        metavar="LUFS",
        help="Bring audio to this loudness (EBU R128), as -23; default: only measured.",
    ),
)


def files_of(scenes: str | None, zones: str | None) -> dict[str, Any]:
    """Fields of `EncodeRequest` with the texts of the files that the user named.

    Raises:
        ShotFileError: a file cannot be read, or its format is not known.
    """
    from pipelines.shots.errors import ShotFileError
    from pipelines.shots.formats.registry import format_of

    fields: dict[str, Any] = {}
    try:
        if zones:
            fields["zones"] = Path(zones).read_text(encoding="utf-8-sig")
        if scenes:
            text = Path(scenes).read_text(encoding="utf-8-sig")
            kind = (
                "av1an"
                if '"split_scenes"' in text or '"start_frame"' in text
                else format_of(Path(scenes)).name
            )
            fields |= {"scenes": text, "scenes_format": kind}
    except (OSError, UnicodeDecodeError) as error:
        raise ShotFileError(str(scenes or zones), f"cannot be read: {error}") from error
    return fields


def picture_options(command: Command) -> Command:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
