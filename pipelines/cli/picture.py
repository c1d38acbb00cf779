"""Options of `cinemill encode` about how the title is looked at and heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

PICTURE_FIELDS = ("deinterlace", "crop", "pad", "fps", "dynamic_range", "grain", "loudness")
"""Fields of `EncodeRequest` that these options fill."""
_OPTIONS = (
    click.option(
        "--deinterlace",
        type=click.Choice(["auto", "bwdif", "film", "off"]),
        default="auto",
        show_default=True,
        help="Interlaced titles: bwdif keeps the frame count, film undoes 3:2 pull-down (4/5 of the frames).",
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
        type=click.Choice(["auto", "hdr", "sdr"]),
        default="auto",
        show_default=True,
        help="HDR titles: keep, or tone-map to SDR; auto keeps where the codec can.",
    ),
    click.option(
        "--grain",
        type=click.IntRange(0, 50),
        default=0,
        show_default=True,
        help="Film grain by tables instead of pixels, for AV1: strength.",
    ),
    click.option(
        "--loudness",
        default="",
        metavar="LUFS",
        help="Bring audio to this loudness (EBU R128), as -23; default: only measured.",
    ),
)


def picture_options(command: Command) -> Command:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
