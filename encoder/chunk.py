"""Encode one chunk: frames go through a pipe into an encoder process, and what comes out is checked at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from archer.media import MediaInfo
from archer.media.convert import Converter, scaler_version
from archer.media.layout import layout_named
from archer.media.nut import write_nut
from archer.process import Child, Limits, ffmpeg_path, tool_build
from cinemill_native.frames import Frame
from encoder.chunk_check import ChunkFacts, Expected, check_chunk
from encoder.codecs import codec_named
from encoder.filters import colour_filter, colour_tags, static_hdr
from encoder.ladder import Rung
from encoder.settings import EncodeSettings

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

QUIET = ["-hide_banner", "-nostdin", "-loglevel", "error"]
COMMANDS = 2
"""Counted up when the same settings give other bits than before."""
BITEXACT = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"]


def chunk_coder() -> str:
    """What makes chunks, for memo keys: the encoder's build, the scaler before it, and how both are asked."""
    return f"{tool_build(ffmpeg_path())}; {scaler_version()}; commands {COMMANDS}"


def gop_frames(settings: EncodeSettings, info: MediaInfo) -> int:
    """Distance of key frames in frames, at least 1."""
    return max(
        1,
        round(Decimal(settings.gop_s) * info.video.frame_rate.numerator / info.video.frame_rate.denominator),
    )


def encode_chunk(
    frames: Iterable[Frame],
    info: MediaInfo,
    rung: Rung,
    settings: EncodeSettings,
    out: Path,
    *,
    on_frame: Callable[[int], None] | None = None,
    on_picture: Callable[[int, VideoFrame], None] | None = None,
    limits: Limits | None = None,
) -> ChunkFacts:
    """Encode `frames` at a rung to a mp4 file without sound, and check it by decoding it.

    Pictures are scaled in this process, so that only what is coded goes through the pipe. They are numbered, not
    timed (see `archer.media.nut`); `assemble` gives them the source's times.

    Args:
        frames: all of one source, in order, at least one.
        info: the source.
        rung: the size to encode at.
        settings: how.
        out: the file to write.
        on_frame: called with the number of frames handed over so far.
        on_picture: see `check_chunk`; the file is complete by then.
        limits: what the encoder process may use.

    Raises:
        CannotCode: the codec does not take such pictures.
        ToolFailed: the encoder failed; its own last words.
        ChunkBroken: it did not give exactly the frames that went in.
    """
    codec = codec_named(settings.codec)
    codec.check_picture(rung.width, rung.height, settings)
    pixels = layout_named(codec.pixel_format(settings))
    shown = Converter(info, rung.width, rung.height, pixels, kernel="lanczos")
    counted: list[int] = []

    def write(file: BinaryIO) -> None:
        counted.append(write_nut(file, frames, info.video, convert=shown, on_frame=on_frame))

    with Child(_argv(info, settings, out), feeds=1, limits=limits) as child:
        child.feed(0, write)
        child.finish()
    return check_chunk(out, Expected.of(info, rung, pixels.name, frames=sum(counted)), on_picture)


def _argv(info: MediaInfo, settings: EncodeSettings, out: Path) -> list[str | Path]:
    codec, rate = codec_named(settings.codec), str(info.video.frame_rate)
    coding = codec.command(settings, gop_frames(settings, info), hdr=static_hdr(info))
    return [
        ffmpeg_path(), *QUIET, "-protocol_whitelist", "pipe,file", "-xerror", "-threads", "1", "-r", rate, "-f", "nut",
        "-i", Child.feed_url(0), "-vf", f"setsar=1,{colour_filter(info)}", "-fps_mode", "passthrough", "-an", "-sn",
        *coding, "-pix_fmt", codec.pixel_format(settings), *colour_tags(info), *BITEXACT, "-f", "mp4", "-y", out,
    ]  # fmt: skip
