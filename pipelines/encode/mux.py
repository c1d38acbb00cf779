"""Stage `mux`: one file with the coded video and every other track of the source."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from archer.process import ffmpeg_path, tool_build
from archer.stage import Item, Resources, Stage, TaskContext, Trial
from encoder import mux_single


@dataclass(frozen=True, slots=True, kw_only=True)
class MuxParams:
    """Settings of the file.

    Attributes:
        container: `mkv` or `mp4`.
        mark: names the order that the file fulfils; written into it, so that the same order finds it done.
    """

    container: str = "mkv"
    mark: str = ""


class Mux(Stage[MuxParams]):
    """Audio, subtitles, chapters and attachments are kept as they are, where the container takes them."""

    name, version, params = "mux", 1, MuxParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1", "renditions": "parts@1"})
    outputs = MappingProxyType({"file": "single@1", "facts": "single-facts@1"})

    def resources(self, params: MuxParams) -> Resources:
        """Copying packets needs little memory."""
        return Resources(memory_mb=1024)

    def fingerprint(self, params: MuxParams) -> str:
        """The build of ffmpeg, which writes the file."""
        return tool_build(ffmpeg_path())

    def trial(self) -> Trial:
        """The one rung of the title that is tried."""
        return Trial(feeds={"renditions": "assemble.parts"})

    def map(self, ctx: TaskContext, item: Item, params: MuxParams) -> None:
        """Write the file, and what had to be changed or left out."""
        info = ctx.inputs.media()
        (part,) = ctx.inputs.parts("renditions")
        out = ctx.out("file", f".{params.container}")
        notices = mux_single(
            ctx.path(part.outputs["rendition"]),
            ctx.inputs.asset().url,
            info,
            out,
            scratch=ctx.scratch,
            mark=params.mark,
        )
        ctx.out_json("facts", {"notices": list(notices)})
