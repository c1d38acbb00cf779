"""Encode one audio track over the whole title, in sync with its first video frame to the sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from archer.media import AudioStream, MediaInfo
from archer.media.container import opened
from archer.process import Child, ffmpeg_path
from encoder.loudness import METER, Loudness, Meter, gain_db

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

KBPS_PER_CHANNEL = {1: 80, 2: 64}
KBPS_MORE = 64
CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6, "5.1(side)": 6, "7.1": 8}
"""Layouts that players take, and their channels."""
ENCODERS = {"aac": ["-c:a", "aac"], "opus": ["-c:a", "libopus"]}
RATES = {"aac": (48000, 44100, 32000), "opus": (48000,)}
SLACK_S = Fraction(1, 50)
"""Container times are rounded to its ticks; only a larger difference is a real hole or overlap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFacts:
    """What an audio rendition is.

    Attributes:
        name: `audio-0-eng`.
        language, title: of the track; `und` and empty where unknown.
        default: the track that players choose.
        codec: RFC 6381 codec string.
        rate: samples per second.
        channels: number of channels.
        samples: length at that rate, without the encoder's priming.
        bitrate_kbps: aimed at.
        size: bytes of the file.
        notices: what was changed about the sound.
        loudness: of the rendition, measured by EBU R128.
        gain_db: by which it was changed, decimal text; `0` where it was only measured.
    """

    name: str
    language: str
    title: str
    default: bool
    codec: str
    rate: int
    channels: int
    samples: int
    bitrate_kbps: int
    size: int
    notices: tuple[str, ...] = ()
    loudness: Loudness = field(default_factory=Loudness)
    gain_db: str = "0"


def encode_audio(
    url: str,
    info: MediaInfo,
    track: AudioStream,
    out: Path,
    *,
    name: str,
    codec: str = "aac",
    loudness: str = "",
    on_sample: Callable[[int], None] | None = None,
) -> AudioFacts:
    """Encode a track to a mp4 file whose sample 0 is heard when the first video frame is shown.

    Late sound gets silence before it, sound from before the first frame is cut, holes are filled with silence.

    Args:
        url, info: the title and its facts.
        track: which track of it.
        out, name: the file to write, and the name of the rendition.
        codec: `aac` or `opus`.
        loudness: LUFS to bring it to, decimal text; empty only measures.
        on_sample: called with the number of samples handed over so far; in both passes where loudness is corrected.

    Raises:
        ToolFailed: the encoder failed.
    """
    layout, rate = _layout(track), track.rate if track.rate in RATES[codec] else 48000
    sound, kbps = _Sound(url, info, track, on_sample), _kbps(CHANNELS[layout])
    gain, remark = sound.gain_to(loudness) if loudness else ("0", "")
    samples, heard = sound.through(_coding(track, codec, rate, kbps, gain, out))
    return AudioFacts(
        name=name,
        language=track.language,
        title=track.title,
        default=track.default,
        codec={"aac": "mp4a.40.2", "opus": "opus"}[codec],
        rate=rate,
        channels=CHANNELS[layout],
        samples=round(Fraction(samples * rate, track.rate)),
        bitrate_kbps=kbps,
        size=out.stat().st_size,
        notices=tuple(_notices(track, layout, rate, gain, remark)),
        loudness=heard,
        gain_db=gain,
    )


def _kbps(channels: int) -> int:
    return channels * KBPS_PER_CHANNEL.get(channels, KBPS_MORE)


@dataclass(frozen=True, slots=True)
class _Sound:
    """A track, ready to go through ffmpeg as often as needed."""

    url: str
    info: MediaInfo
    track: AudioStream
    on_sample: Callable[[int], None] | None

    def gain_to(self, loudness: str) -> tuple[str, str]:
        """See `gain_db`; goes through the whole track once."""
        _, measured = self.through(["-af", METER, "-f", "null", "-"])
        return gain_db(measured, loudness)

    def through(self, output: Sequence[str | Path]) -> tuple[int, Loudness]:
        """Samples handed over per channel, and the loudness that a meter among the filters of `output` measured."""
        written: list[int] = []
        meter = Meter()
        labelled = _layout(self.track).removesuffix(
            "(side)"
        )  # the same order of channels; encoders know this name
        rate = str(self.track.rate)
        argv: list[str | Path] = [
            ffmpeg_path(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info", "-protocol_whitelist", "pipe,file",
            "-f", "f32le", "-ar", rate, "-ch_layout", labelled, "-i", Child.feed_url(0), *output,
        ]  # fmt: skip
        with Child(argv, feeds=1, on_stderr_line=meter.line) as child:
            child.feed(
                0,
                lambda file: written.append(_write(file, self.url, self.info, self.track, self.on_sample)),
            )
            child.finish()
        return written[0], meter.loudness


def _layout(track: AudioStream) -> str:
    """The track's channel layout where players take it, else stereo."""
    return track.layout if track.layout in CHANNELS else "stereo"


def _coding(track: AudioStream, codec: str, rate: int, kbps: int, gain: str, out: Path) -> list[str | Path]:
    filters = METER if Decimal(gain) == 0 else f"volume={gain}dB:precision=double,{METER}"
    coded = ["-af", filters, *ENCODERS[codec], "-b:a", f"{kbps}k", "-ar", str(rate), "-threads", "1"]
    tags = ["-map_metadata", "-1", "-metadata:s:a:0", f"language={track.language}"]
    exact = ["-fflags", "+bitexact", "-flags:a", "+bitexact"]
    return [*coded, *tags, *exact, "-movflags", "+faststart", "-f", "mp4", "-y", out]


def _write(
    file: BinaryIO, url: str, info: MediaInfo, track: AudioStream, on_sample: Callable[[int], None] | None
) -> int:
    """Write interleaved 32-bit float samples; returns how many per channel."""
    layout = _layout(track)
    channels, written = CHANNELS[layout], 0
    for start, samples in placed(url, info, track, layout):
        if start > written:
            _silence(file, (start - written) * channels * 4)
            written = start
        overlap = written - start
        file.write(samples[overlap:].tobytes())
        written += max(0, len(samples) - overlap)
        if on_sample is not None:
            on_sample(written)
    if written == 0:  # a track without a single sample: the encoder wants at least something
        _silence(file, track.rate // 10 * channels * 4)
        written = track.rate // 10
    return written


def placed(url: str, info: MediaInfo, track: AudioStream, layout: str) -> Iterator[tuple[int, Any]]:
    """Blocks of decoded sound as (place of the first sample, (n, channels) float32), counted from the first video frame.

    Blocks follow each other without rounding gaps; only a difference above 20 ms moves one.
    """
    import av
    import numpy as np

    zero = int(info.index.pts[0]) * info.video.time_base
    resampler = av.AudioResampler(format="flt", layout=layout, rate=track.rate)
    following: int | None = None
    for frame in _decoded(url, track.index):
        stated = (
            None
            if frame.pts is None
            else round((frame.pts * Fraction(frame.time_base or 0) - zero) * track.rate)
        )
        place = following if following is not None else (stated or 0)
        if stated is not None and abs(stated - place) > SLACK_S * track.rate:
            place = stated
        for block in resampler.resample(frame):
            samples = np.frombuffer(bytes(block.planes[0]), np.float32)[
                : block.samples * len(block.layout.channels)
            ]
            shaped = samples.reshape(block.samples, -1)
            following = place + block.samples
            if following > 0:
                cut = max(0, -place)
                yield place + cut, shaped[cut:]
            place = following


def _decoded(url: str, stream: int) -> Iterator[AudioFrame]:
    import av

    with opened(url) as container:
        for packet in container.demux(container.streams[stream]):
            try:
                yield from packet.decode()  # type: ignore[misc]  # an audio stream gives audio frames
            except av.FFmpegError:
                continue  # the hole is filled with silence


def _silence(file: BinaryIO, size: int) -> None:
    block = bytes(1 << 16)
    file.writelines(block for _ in range(size // len(block)))
    file.write(block[: size % len(block)])


def _notices(track: AudioStream, layout: str, rate: int, gain: str, remark: str) -> Iterator[str]:
    if layout != track.layout:
        yield f"audio {track.language}: {track.layout} mixed down to {layout}"
    if rate != track.rate:
        yield f"audio {track.language}: resampled from {track.rate} to {rate} Hz"
    if Decimal(gain) != 0:
        yield f"audio {track.language}: loudness corrected by {Decimal(gain):+} dB"
    if remark:
        yield f"audio {track.language}: {remark}"
