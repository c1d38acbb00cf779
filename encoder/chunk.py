"""Encode one chunk: frames go through a pipe into an encoder process, and what comes out is checked at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

from archer.media import MediaInfo
from archer.media.nut import write_nut
from archer.media.picture import picture_filters
from archer.process import Child, Limits, ffmpeg_path
from cinemill_native.frames import Frame
from encoder.codecs import codec_named
from encoder.filters import colour_filter, colour_tags, static_hdr
from encoder.ladder import Rung
from encoder.settings import EncodeSettings
from encoder.verify import ChunkFacts, Expected, verify_chunk

QUIET = ["-hide_banner", "-nostdin", "-loglevel", "error"]
BITEXACT = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"]


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
    limits: Limits | None = None,
) -> ChunkFacts:
    """Encode `frames` at a rung to a mp4 file without sound.

    The frames are numbered, not timed (see `archer.media.nut`); `assemble` gives them the source's times.

    Args:
        frames: all of one source, in order, at least one.
        info: the source.
        rung: the size to encode at.
        settings: how.
        out: the file to write.
        on_frame: called with the number of frames handed over so far.
        limits: what the encoder process may use.

    Raises:
        CannotCode: the codec does not take such pictures.
        ToolFailed: the encoder failed; its own last words.
        ChunkBroken: it did not give exactly the frames that went in.
    """
    codec = codec_named(settings.codec)
    codec.check_picture(rung.width, rung.height, settings)
    counted: list[int] = []
    with Child(_argv(info, rung, settings, out), feeds=1, limits=limits) as child:
        child.feed(0, lambda file: counted.append(write_nut(file, frames, info.video, on_frame=on_frame)))
        child.finish()
    expected = Expected(
        frames=counted[0] if counted else 0,
        width=rung.width,
        height=rung.height,
        pixel_format=codec.pixel_format(settings),
        frame_rate=info.video.frame_rate,
        colour=info.video.colour,
    )
    return verify_chunk(out, expected)


def _argv(info: MediaInfo, rung: Rung, settings: EncodeSettings, out: Path) -> list[str | Path]:
    codec = codec_named(settings.codec)
    pixel_format = codec.pixel_format(settings)
    scaling = picture_filters(info, rung.width, rung.height, pixel_format, kernel="lanczos")
    filters = f"{scaling},{colour_filter(info)}"
    rate = str(info.video.frame_rate)
    coding = codec.command(settings, gop_frames(settings, info), hdr=static_hdr(info))
    return [
        ffmpeg_path(), *QUIET, "-protocol_whitelist", "pipe,file", "-xerror", "-threads", "1", "-r", rate, "-f", "nut",
        "-i", Child.feed_url(0), "-vf", filters, "-filter_threads", "1", "-fps_mode", "passthrough", "-an", "-sn",
        *coding, "-pix_fmt", pixel_format, *colour_tags(info),
        *BITEXACT, "-f", "mp4", "-y", out,
    ]  # fmt: skip
