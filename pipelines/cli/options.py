"""Options that several commands share."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])

workers_option = click.option(
    "--workers", type=click.IntRange(min=1), help="Worker processes; default: the cores this process may use."
)
executor_option = click.option(
    "--executor",
    default="local",
    show_default=True,
    help="Where tasks run: local, inline, ray, or an installed one.",
)
work_dir_option = click.option(
    "--work-dir",
    type=click.Path(file_okay=False),
    help="Where unfinished work is kept, so that it can go on.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print events and the result as NDJSON on stdout."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
key_store_option = click.option(
    "--key-store",
    type=click.Path(dir_okay=False),
    help="Encrypted file with the content keys; default: $CINEMILL_KEY_STORE.",
)
key_file_option = click.option(
    "--key-store-key",
    type=click.Path(dir_okay=False, exists=True),
    help="File with the key of the key store; default: $CINEMILL_KEY_STORE_KEY or _KEY_FILE.",
)


class NewFile(click.Path):
    """A file that is written once the work is done: what is wrong with its folder is said before."""

    def __init__(self, *, path_type: type[str | Path] = str) -> None:
        super().__init__(dir_okay=False, path_type=path_type)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, where its folder is there and may be written to."""
        found = super().convert(value, param, ctx)
        folder = Path(os.fsdecode(found)).absolute().parent
        if not folder.is_dir():
            self.fail(f"{value}: the folder {folder} does not exist; make it first", param, ctx)
        if not os.access(folder, os.W_OK):
            self.fail(f"{value}: no permission to write in {folder}", param, ctx)
        return found


class Place(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """An output of `cinemill encode`: a path that exists, or a URL, which is looked at when it is read; as text.

    Args:
        folder: a path is that of a folder.
    """

    name = "place"

    def __init__(self, *, folder: bool) -> None:
        self._path = click.Path(exists=True, file_okay=not folder)

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The value, checked where it is a path; one file stands for the folder with its report."""
        from pipelines.encode.place import report_place

        text = str(value)
        folder = report_place(text)
        if "://" in text or (folder != text and Path(folder).is_dir()):
            return text
        if folder != text and Path(text).is_file():
            self.fail(f"{text}: there is no {folder}; encode it with --report", param, ctx)
        return str(self._path.convert(text, param, ctx))


FOLDER = Place(folder=True)


class Numbers(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """A number, or several separated by commas; as text."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Each in its shortest form."""
        try:
            numbers = [float(part) for part in str(value).split(",")]
        except ValueError:
            numbers = [math.nan]
        if not all(map(math.isfinite, numbers)):
            self.fail(f"{value!r} is not a valid number; wanted 24, or 24,40", param, ctx)
        return ",".join(f"{number:g}" for number in numbers)


class Real(click.FloatRange):
    """A number in a range; `nan`, which is in no range, is refused, too."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a valid number", param, ctx)
        return number


NUMBERS = Numbers()
SECONDS = Real(min=0.1, max=3600)


def package_options(command: Command) -> Command:
    """Options of what becomes a package: segments and encryption."""
    for option in reversed(
        (
            click.option(
                "--segment-s", type=SECONDS, default=4, show_default=True, help="Length of segments, seconds."
            ),
            click.option(
                "--ts", is_flag=True, help="Also transport streams (H.264, AAC) for old HLS players, in ts/."
            ),
            click.option("--drm", type=click.Choice(["cenc", "cbcs"]), help="Encrypt, with a key per track."),
            click.option(
                "--clear-lead-s",
                type=Real(min=0, max=3600),
                default=0,
                show_default=True,
                help="Seconds at the beginning that stay clear, with --drm.",
            ),
            click.option("--key-set", default="", metavar="NAME", help="Whose keys; default: the title's."),
            key_store_option,
            key_file_option,
        )
    ):
        command = option(command)
    return command


def report_options(command: Command) -> Command:
    """Options of what is looked at beside encoding, for the report, or for a gate before it."""
    for option in reversed(
        (
            click.option(
                "--proxies/--no-proxies",
                default=True,
                show_default=True,
                help="Make the videos that the report's A/B player shows.",
            ),
            click.option(
                "--qc/--no-qc", default=False, help="Look for faults in the pictures, for the report."
            ),
            click.option(
                "--qc-gate",
                type=click.Choice(["none", "info", "warning", "error"]),
                default="none",
                show_default=True,
                help="Refuse INPUT before its chunks are encoded, where a fault is that bad or worse.",
            ),
            click.option(
                "--qc-profile",
                type=click.Path(dir_okay=False, exists=True, path_type=Path),
                help="YAML file of thresholds for --qc and --qc-gate; default: the usual ones.",
            ),
        )
    ):
        command = option(command)
    return command
