"""Stage `packaging`: the ladder and its sound as a package for players."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from archer.process import packager_path, tool_version
from archer.stage import Item, Resources, Stage, TaskContext, Trial
from pipelines.encode.embedded import channels
from pipelines.packaging.build import SEGMENT_S, build_package
from pipelines.packaging.errors import CannotPackage
from pipelines.packaging.keys import Protection
from pipelines.packaging.keystore import open_store
from pipelines.packaging.tracks import AudioTrack, TextTrack, VideoTrack
from pipelines.packaging.transport import write_transport
from pipelines.score.stage import scores_by_rendition
from vmaf.scores import read_parquet


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagingParams:
    """Settings of packaging.

    Attributes:
        segment_s: wanted length of a segment, seconds; a multiple of the distance of key frames.
        images: write sheets of pictures for trick play.
        ts: also write transport streams, for players older than CMAF; clear only.
        scheme: `cenc` or `cbcs`; empty for a clear package.
        key_set: id of the key set that encrypts it, in the key store that the worker's environment names.
        clear_lead_s: seconds at the beginning that stay clear.
    """

    segment_s: Decimal = SEGMENT_S
    images: bool = True
    ts: bool = False
    scheme: Literal["", "cenc", "cbcs"] = ""
    key_set: str = ""
    clear_lead_s: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Raises: CannotPackage: transport streams would lie in the clear beside encrypted segments."""
        if self.ts and self.scheme:
            raise CannotPackage(
                "ts", f"encrypted packages ({self.scheme}) have no transport streams; leave ts out"
            )


class Packaging(Stage[PackagingParams]):
    """Segments every track once and lists them for HLS and for DASH.

    With `shots`, segments begin with them where they can. Parts of `subtitles` hold one WebVTT file each, as output `text`.
    With `scores`, the index of segments has the VMAF of each.
    """

    name, version, params = "packaging", 4, PackagingParams
    inputs = MappingProxyType(
        {
            "renditions": "parts@1",
            "audio": "parts@1",
            "subtitles": "parts@1?",
            "scores": "frame-scores@1?",
            "shots": "shots@1?",
            "embedded": "embedded@1?",
        }
    )
    outputs = MappingProxyType({"package": "tree/package@1"})

    def resources(self, params: PackagingParams) -> Resources:
        """Copying packets needs little."""
        return Resources(memory_mb=1024)

    def fingerprint(self, params: PackagingParams) -> str:
        """The packager's build."""
        return tool_version(packager_path())

    def trial(self) -> Trial:
        """Picture, sound and text."""
        feeds = {"renditions": "assemble.parts", "audio": "audio.parts", "subtitles": "subtitles.parts"}
        return Trial(feeds=feeds)

    def map(self, ctx: TaskContext, item: Item, params: PackagingParams) -> None:
        """Write the package: manifests, and a folder of segments per track."""
        tracks = list(_videos(ctx)), list(_audios(ctx)), list(_texts(ctx))
        out = ctx.out_tree("package")
        build_package(
            *tracks,
            out=out,
            scratch=ctx.scratch,
            segment_s=params.segment_s,
            protection=protection_of(params),
            images=params.images,
            vmaf=_vmaf(ctx),
            shots=shot_starts(ctx.inputs.json("shots")) if "shots" in ctx.inputs else (),
            log=ctx.log,
        )
        if params.ts:
            write_transport(*tracks, out=out, scratch=ctx.scratch, segment_s=params.segment_s)


def _videos(ctx: TaskContext) -> Iterator[VideoTrack]:
    there = channels(ctx.inputs.json("embedded")) if "embedded" in ctx.inputs else ()
    for part in ctx.inputs.parts("renditions"):
        carried = bool(there) and ctx.inputs.read(part.outputs["facts"]).get("captions", False)
        path = ctx.path(part.outputs["rendition"])
        yield VideoTrack(name=part.item.variant, path=path, captions=there if carried else ())


def _audios(ctx: TaskContext) -> Iterator[AudioTrack]:
    for part in ctx.inputs.parts("audio"):
        values = part.item.values
        yield AudioTrack(
            name=part.item.variant,
            path=ctx.path(part.outputs["audio"]),
            language=str(values.get("language", "und")),
            label=str(values.get("title", "")),
            default=bool(values.get("default", False)),
            roles=_roles(values),
        )


def _texts(ctx: TaskContext) -> Iterator[TextTrack]:
    for part in ctx.inputs.parts("subtitles") if "subtitles" in ctx.inputs else ():
        values = part.item.values
        if not _is_empty(ctx.path(part.outputs["text"])):
            yield TextTrack(
                name=part.item.variant,
                path=ctx.path(part.outputs["text"]),
                language=str(values.get("language", "und")),
                label=str(values.get("title", "")),
                default=bool(values.get("default", False)),
                roles=_roles(values),
            )


def shot_starts(shots: Mapping[str, Any]) -> list[int]:
    """Frames at which shots begin, of a `shots@1` object."""
    return [int(shot["start"]) for shot in shots["shots"]]


def _roles(values: Mapping[str, str | int]) -> tuple[str, ...]:
    return tuple(filter(None, str(values.get("roles", "")).split(";")))


def _is_empty(path: Path) -> bool:
    """No cue in it: players would show a track that says nothing."""
    return "-->" not in path.read_text(encoding="utf-8")


def protection_of(params: PackagingParams) -> Protection | None:
    """How a package is encrypted; None for a clear one. Raises KeyStoreError where the key set cannot be had."""
    if not params.scheme:
        return None
    keys = open_store().get(params.key_set)
    return Protection(scheme=params.scheme, keys=keys, clear_lead_s=params.clear_lead_s)


def _vmaf(ctx: TaskContext) -> dict[str, Any]:
    if "scores" not in ctx.inputs:
        return {}
    scores = scores_by_rendition(read_parquet(ctx.inputs.path("scores")))
    return {name: found.columns["vmaf"] for name, found in scores.items()}
