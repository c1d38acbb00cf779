"""Stage `repackage`: renditions that exist become a package; and the kind of job, `package`, that runs it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import mezzfs
from archer.errors import ToolFailed
from archer.media.asset import Asset, joined
from archer.media.container import FORMATS
from archer.plan import JobSpec, Node, Source
from archer.process import ffmpeg, packager_path, tool_version
from archer.stage import TITLE, Item, Resources, Stage, TaskContext, Trial
from archer.templates import Assets, JobTemplate, numbered
from pipelines.packaging.build import build_package
from pipelines.packaging.closed import with_closed
from pipelines.packaging.errors import CannotPackage
from pipelines.packaging.stage import PackagingParams, protection_of
from pipelines.packaging.tracks import AUDIO_ROLES, TEXT_ROLES, AudioTrack, TextTrack, VideoTrack
from pipelines.packaging.transport import write_transport
from pipelines.publish.stage import PublishParams

KINDS = ("video", "audio", "text")
PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
FIELDS = ("name", "lang", "label", "role")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepackageParams(PackagingParams):
    """Settings of packaging, and what the files are.

    Attributes:
        video, audio, text: fields of each file of this kind, in their order: `name=720p`, `lang=en,role=commentary,default`.
    """

    video: Sequence[str] = ()
    audio: Sequence[str] = ()
    text: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Fields of one file."""

    name: str = ""
    lang: str = "und"
    label: str = ""
    role: str = ""
    default: bool = False

    @classmethod
    def of(cls, text: str) -> Words:
        """From `name=720p,lang=en,default`. Raises CannotPackage where a field is none."""
        found: dict[str, str] = {}
        words = [word.strip() for word in text.split(",") if word.strip()]
        for word in words:
            name, _, value = word.partition("=")
            if word != "default" and (name not in FIELDS or not value):
                raise CannotPackage(text, f"{word} is no field; wanted {'=, '.join(FIELDS)}= or default")
            found |= {name: value} if word != "default" else {}
        return cls(default="default" in words, **found)


class Repackage(Stage[RepackageParams]):
    """Takes one track of each file, as it is coded, and packages them together: HLS and DASH over the same segments.

    Renditions must have key frames at the same times. Of a file with several tracks its first of the kind is taken. Players
    are told of the closed captions that pictures carry.
    """

    name, version, params = "repackage", 2, RepackageParams
    inputs = MappingProxyType({"video": "asset", "audio": "asset?", "text": "asset?"})
    outputs = MappingProxyType({"package": "tree/package@1"})

    def resources(self, params: RepackageParams) -> Resources:
        """Copying packets needs little."""
        return Resources(memory_mb=1024)

    def fingerprint(self, params: RepackageParams) -> str:
        """The packager's build."""
        return tool_version(packager_path())

    def trial(self) -> Trial:
        """Picture and sound of one title."""
        params = RepackageParams(video=("name=all",), audio=("name=sound,lang=en",), images=False)
        return Trial(params=params, feeds={"audio": TITLE})

    def map(self, ctx: TaskContext, item: Item, params: RepackageParams) -> None:
        """Bring the files here, then package them.

        Raises:
            CannotPackage: a file has no such track, its codec goes into no package, or they do not fit together.
        """
        files = {kind: list(_files(ctx, kind, getattr(params, kind))) for kind in KINDS}
        tracks = (
            with_closed(VideoTrack(name=words.name, path=path) for words, path in files["video"]),
            [AudioTrack(path=path, **_said(words, AUDIO_ROLES)) for words, path in files["audio"]],
            [TextTrack(path=path, **_said(words, TEXT_ROLES)) for words, path in files["text"]],
        )
        out = ctx.out_tree("package")
        build_package(
            *tracks,
            out=out,
            scratch=ctx.scratch,
            segment_s=params.segment_s,
            protection=protection_of(params),
            images=params.images,
            log=ctx.log,
        )
        if params.ts:
            write_transport(*tracks, out=out, scratch=ctx.scratch, segment_s=params.segment_s)


def _files(ctx: TaskContext, kind: str, given: Sequence[str]) -> Iterator[tuple[Words, Path]]:
    """The files of one kind with their fields, each as a file of this one track."""
    urls = ctx.inputs.asset(kind).urls if kind in ctx.inputs else ()
    for place, url in enumerate(urls):
        words = Words.of(given[place]) if place < len(given) else Words()
        words = words if words.name else Words.of(f"name={kind}-{place + 1},{given[place] if given else ''}")
        near = ctx.scratch / f"{kind}-{place}"
        with mezzfs.open(url) as source, near.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
        yield words, near if kind == "text" else _alone(near, kind, words.name)


def _alone(file: Path, kind: str, name: str) -> Path:
    """A file's first track of a kind as an mp4 file of its own."""
    out = file.with_suffix(".mp4")
    held = ("-protocol_whitelist", "file", "-format_whitelist", FORMATS)  # lists would name other files
    exact = ("-map_metadata", "-1", "-fflags", "+bitexact", "-f", "mp4")
    try:
        ffmpeg(["-y", *held, "-i", file, "-map", f"0:{kind[0]}:0", "-c", "copy", *exact, out])
    except ToolFailed as error:
        if error.retryable:
            raise
        raise CannotPackage(name, f"no {kind} of it can be put into mp4: {error}") from error
    file.unlink()
    return out


def _said(words: Words, roles: Sequence[str]) -> dict[str, Any]:
    if words.role and words.role not in roles:
        raise CannotPackage(words.name, f"role {words.role} is unknown; wanted {', '.join(roles)}")
    return {
        "name": words.name,
        "language": words.lang,
        "label": words.label,
        "default": words.default,
        "roles": (words.role,) if words.role else (),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedPackage(RepackageParams):
    """The settings of a submitted job.

    Attributes:
        output: folder or URL where the package goes as well; empty for nowhere else.
        order: names the order; see `pipelines.publish`.
    """

    output: str = ""
    order: str = ""


def package_job(assets: Assets, given: SubmittedPackage) -> JobSpec:
    """The job that packages files; its result is `package.package`. Raises CannotPackage where fields do not fit."""
    found = {kind: numbered(assets, kind) for kind in KINDS}
    settings = {field.name: getattr(given, field.name) for field in fields(RepackageParams)}
    settings |= {kind: _named(kind, found[kind], settings[kind]) for kind in KINDS}
    inputs: dict[str, Source] = {kind: joined(files) for kind, files in found.items() if files}
    nodes = [Node(id="package", stage="repackage", params=RepackageParams(**settings), inputs=inputs)]
    if given.output:
        params = PublishParams(url=given.output, order=given.order)
        nodes.append(
            Node(id="publish", stage="publish", params=params, inputs={"package": "package.package"})
        )
    return JobSpec(nodes=nodes)


def _named(kind: str, files: Sequence[Asset], given: Sequence[str]) -> tuple[str, ...]:
    """Fields of all files of a kind; a name where none is given, from the file's or from the language."""
    if len(given) > len(files):
        raise CannotPackage(kind, f"fields of {len(given)} files are given, for {len(files)}")
    named = []
    for place, asset in enumerate(files):
        text = given[place] if place < len(given) else ""
        words = Words.of(text)
        stem = asset.url.partition("?")[0].rpartition("/")[2].partition(".")[0]
        other = "-".join(filter(None, (kind, words.lang, words.role)))
        name = words.name or (PLAIN.sub("-", stem) if kind == "video" else other)
        named.append(text if words.name else ",".join(filter(None, (f"name={name}", text))))
    return tuple(named)


TEMPLATE = JobTemplate(
    name="package",
    summary="Package renditions that exist for HLS and DASH, as they are coded.",
    params=SubmittedPackage,
    build=package_job,
    inputs=("video",),
    more=KINDS,
)
