"""Options of `cinemill encode` about what goes in: ranges, several inputs, tracks, subtitle files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from archer.media.asset import Asset

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--clip",
        "clips",
        multiple=True,
        metavar="[N@]START-END[+]",
        help="Only these frames of input N, by seconds, HH:MM:SS.fff, HH:MM:SS:FF or 300f; END only with +. Repeatable.",
    ),
    click.option(
        "--join", "joins", multiple=True, metavar="INPUT", help="A further input, shown behind. Repeatable."
    ),
    click.option(
        "--timecode",
        default="",
        metavar="zero|embedded|HH:MM:SS:FF",
        help="Timecode of the first frame of inputs; default: zero. embedded: the file's own, zero where it has none.",
    ),
    click.option(
        "--audio",
        multiple=True,
        metavar="LANG|N",
        help="Audio tracks that go out, or none; default: all. Repeatable.",
    ),
    click.option(
        "--subtitles",
        multiple=True,
        metavar="LANG|N",
        help="Subtitle tracks that go out, or none; default: all. Repeatable.",
    ),
    click.option(
        "--captions",
        multiple=True,
        metavar="[N@]LANG=FILE",
        help="A subtitle file (SubRip, WebVTT) of input N, with times from its first frame. Repeatable.",
    ),
)


def inputs_options(command: Command) -> Command:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `EncodeRequest` that these options fill."""
    return {
        "clips": ",".join(options["clips"]),
        "timecode": options["timecode"],
        "audio": ",".join(options["audio"]),
        "subtitles": ",".join(options["subtitles"]),
        "captions": ",".join(word.partition("=")[0] for word in options["captions"]),
    }


def assets_of(source: str, options: Mapping[str, Any]) -> tuple[Asset, Asset | None]:
    """The inputs as one asset, and the subtitle files.

    Raises:
        BadSetting: a word of `--captions` names no file. mezzfs.MezzError: something cannot be read.
    """
    from archer.media import identify
    from archer.media.asset import joined
    from pipelines.encode.errors import BadSetting

    for word in options["captions"]:
        if not all(word.partition("=")[::2]):
            raise BadSetting("--captions", word, "wanted [INPUT@]LANGUAGE=FILE, as eng=title.srt")
    files = [identify(word.partition("=")[2]) for word in options["captions"]]
    asset = joined([identify(url) for url in (source, *options["joins"])])
    return asset, joined(files) if files else None


def words_of(options: Mapping[str, Any]) -> list[str]:
    """The options as they are given again, files by their names."""
    from pipelines.encode.manifest import file_name

    words = [word for clip in options["clips"] for word in ("--clip", clip)]
    words += [word for url in options["joins"] for word in ("--join", file_name(url))]
    words += ["--timecode", options["timecode"]] if options["timecode"] else []
    for name in ("audio", "subtitles"):
        words += [word for track in options[name] for word in (f"--{name}", track)]
    for caption in options["captions"]:
        language, _, url = caption.partition("=")
        words += ["--captions", f"{language}={file_name(url)}"]
    return words
