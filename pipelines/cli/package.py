"""`cinemill package`: tracks that exist become one package."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import json_option, package_options, quiet_option

if TYPE_CHECKING:
    from pipelines.packaging.keys import Protection
    from pipelines.packaging.tracks import AudioTrack, TextTrack, VideoTrack

LISTED = "cinemill-package@1"
FIELDS = "FILE[,name=,lang=,role=,label=,default]"


@dataclass(frozen=True, slots=True)
class Given:
    """A file and its fields, as an option gives them."""

    path: Path
    fields: dict[str, str]

    def field(self, name: str, otherwise: str = "") -> str:
        """A field's text."""
        return self.fields.get(name, otherwise)


class GivenTrack(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """`FILE,key=value,...,default`."""

    name = "track"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Given:
        """Split it, and refuse fields that mean nothing."""
        if isinstance(value, Given):
            return value
        place, *words = str(value).split(",")
        fields = dict(word.partition("=")[::2] for word in words)
        unknown = set(fields) - {"name", "lang", "role", "label", "default"}
        if unknown:
            self.fail(f"{value}: {', '.join(sorted(unknown))} is no field; wanted {FIELDS}", param, ctx)
        if not Path(place).is_file():
            self.fail(f"{place}: there is no such file", param, ctx)
        return Given(Path(place), fields)


@click.command()
@click.argument("encoded", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of the package.")
@click.option(
    "--video", "videos", type=GivenTrack(), multiple=True, metavar="FILE[,name=]", help="An mp4 rendition."
)
@click.option(
    "--audio", "audios", type=GivenTrack(), multiple=True, metavar=FIELDS, help="An mp4 audio track."
)
@click.option("--text", "texts", type=GivenTrack(), multiple=True, metavar=FIELDS, help="A WebVTT file.")
@click.option("--images/--no-images", default=True, show_default=True, help="Pictures for trick play.")
@package_options
@click.option("--force", is_flag=True, help="Replace what is at OUT.")
@json_option
@quiet_option
def package(encoded: tuple[Path, ...], output: Path, **options: Any) -> None:
    """Package renditions, audio and subtitles for HLS and DASH: those of ENCODED folders, and files.

    \b
    cinemill package h264/ av1/ -o both/ --text en.vtt,lang=en --text de.vtt,lang=de,role=caption
    cinemill package -o out/ --video 720p.mp4 --video 360p.mp4 --audio en.mp4,lang=en,default --drm cbcs

    ENCODED are outputs of `cinemill encode`; several may hold one title in several codecs; sound and
    subtitles are the first one's.
    Roles of audio: dub, commentary, description; of text: caption, forced-subtitle, commentary.
    """
    from pipelines.cli.keys import key_set_of
    from pipelines.encode.publish import check_apart, check_free
    from pipelines.packaging.closed import with_closed
    from pipelines.packaging.sources import encoded_audios, encoded_texts, encoded_videos, named_apart

    given = [*options["videos"], *options["audios"], *options["texts"]]
    check_apart(output, [str(path) for path in (*encoded, *(track.path for track in given))])
    check_free(output, force=options["force"])
    if options["ts"] and options["drm"]:
        raise click.UsageError("--ts: transport streams are not encrypted; leave out --drm")
    videos = with_closed([*encoded_videos(encoded), *map(_video, options["videos"])])
    sound = [*(encoded_audios(encoded[0]) if encoded else ()), *map(_audio, options["audios"])]
    texts = [*(encoded_texts(encoded[0]) if encoded else ()), *map(_text, options["texts"])]
    key_set = key_set_of(output.absolute().name, options)
    remarks = _write(output, (videos, named_apart(sound), named_apart(texts)), encoded, key_set, options)
    if options["as_json"]:
        click.echo(json.dumps({"type": "result", "output": str(output), "notices": remarks}))
    elif not options["quiet"]:
        for remark in remarks:
            click.echo(f"note: {remark}")
        click.echo(f"output: {output}")


def _write(
    output: Path,
    tracks: tuple[Sequence[VideoTrack], Sequence[AudioTrack], Sequence[TextTrack]],
    encoded: Sequence[Path],
    key_set: str,
    options: dict[str, Any],
) -> list[str]:
    """Make it beside the output, and put it there when it is whole; returns remarks."""
    from pipelines.packaging.build import build_package
    from pipelines.packaging.sources import encoded_shots, encoded_vmaf
    from pipelines.packaging.transport import write_transport

    remarks: list[str] = []
    with TemporaryDirectory(prefix=f".{output.name}.", dir=output.absolute().parent) as folder:
        made, scratch = Path(folder) / "package", Path(folder) / "scratch"
        made.mkdir()
        scratch.mkdir()
        build_package(
            *tracks,
            out=made,
            scratch=scratch,
            segment_s=Decimal(f"{options['segment_s']:g}"),
            protection=_protection(key_set, options),
            images=options["images"],
            vmaf=encoded_vmaf(encoded, tracks[0]),
            shots=encoded_shots(encoded[0]) if encoded else (),
            log=remarks.append,
        )
        if options["ts"]:
            write_transport(
                *tracks, out=made, scratch=scratch, segment_s=Decimal(f"{options['segment_s']:g}")
            )
        _list_files(made)
        if output.exists():
            shutil.rmtree(output)
        made.rename(output)
    return remarks


def _list_files(package: Path) -> None:
    """Write `manifest.json`: hash and size of every file, which is what a signature is for."""
    from pipelines.encode.manifest import dump, file_table

    files = {path.relative_to(package).as_posix(): path for path in package.rglob("*") if path.is_file()}
    (package / "manifest.json").write_bytes(dump({"schema": LISTED, "files": file_table(files, {})}))


def _protection(key_set: str, options: dict[str, Any]) -> Protection | None:
    if not key_set:
        return None
    from pipelines.packaging.keys import Protection
    from pipelines.packaging.keystore import open_store

    lead = Decimal(f"{options['clear_lead_s']:g}")
    return Protection(scheme=options["drm"], keys=open_store().get(key_set), clear_lead_s=lead)


def _video(given: Given) -> VideoTrack:
    from pipelines.packaging.tracks import VideoTrack

    return VideoTrack(name=given.field("name", given.path.stem), path=given.path)


def _audio(given: Given) -> AudioTrack:
    from pipelines.packaging.tracks import AUDIO_ROLES, AudioTrack

    language = given.field("lang", "und")
    return AudioTrack(
        name=given.field("name", f"audio-{language}"),
        path=given.path,
        language=language,
        label=given.field("label"),
        roles=_roles(given, AUDIO_ROLES),
        default="default" in given.fields,
    )


def _text(given: Given) -> TextTrack:
    from pipelines.packaging.tracks import TEXT_ROLES, TextTrack

    language = given.field("lang", "und")
    roles = _roles(given, TEXT_ROLES)
    return TextTrack(
        name=given.field("name", "-".join(["text", language, *roles])),
        path=given.path,
        language=language,
        label=given.field("label"),
        roles=roles,
        default="default" in given.fields,
    )


def _roles(given: Given, known: Sequence[str]) -> tuple[str, ...]:
    """The role that is given, if it is one."""
    role = given.field("role")
    if role and role not in known:
        raise click.BadParameter(f"{given.path.name}: role {role} is unknown; wanted {', '.join(known)}")
    return (role,) if role else ()
