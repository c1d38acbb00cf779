"""Encode one audio track over the whole title, in sync with its first video frame to the sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from archer.media import AudioStream, MediaInfo
from archer.media.language import three_letters
from archer.process import Child, ffmpeg_path
from encoder.loudness import METER, Loudness, Meter, gain_db
from encoder.soundtrack import soundtrack

KBPS_PER_CHANNEL = {1: 80, 2: 64}
KBPS_MORE = 64
CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6, "5.1(side)": 6, "7.1": 8}
"""Layouts that players take, and their channels."""
SURROUND = {"7.1", "7.1(wide)", "7.1(wide-side)", "6.1", "6.1(back)", "6.1(front)"}
"""Layouts that become 5.1 where they are not taken."""
LOSSLESS = {**CHANNELS, "3.0": 3, "quad": 4, "5.0": 5, "5.0(side)": 5, "6.1": 7}
"""The same of FLAC, which only single files hold: nothing is lost of these."""
ENCODERS = {
    "aac": ["-c:a", "aac"],
    "opus": ["-c:a", "libopus"],
    "flac": ["-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24"],
}
CODES = {"aac": "mp4a.40.2", "opus": "opus", "flac": "fLaC"}
"""RFC 6381."""
RATES = {"aac": (48000, 44100, 32000), "opus": (48000,), "flac": ()}
"""Samples per second that players take; of `flac`, which only single files hold, any."""


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
        bitrate_kbps: aimed at; 0 where nothing is lost.
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
    streams: Sequence[AudioStream | None] = (),
    on_sample: Callable[[int], None] | None = None,
) -> AudioFacts:
    """Encode a track to a mp4 file whose sample 0 is heard when the first video frame is shown.

    Late sound gets silence before it, sound from before the first frame is cut, holes are filled with silence.

    Args:
        url, info, track, out, name: the title, its facts, which track of it; the file to write, and the rendition's name.
        codec, loudness: `aac`, `opus` or `flac`; LUFS to bring it to, decimal text, empty only measures.
        streams: the track's stream in each input of a title that is put together of several; empty for `track` alone.
        on_sample: called with the number of samples handed over so far; in both passes where loudness is corrected.

    Raises:
        ToolFailed: the encoder failed.
    """
    layout, rate = _layout(track, codec), _rate(track, codec)
    kbps = _kbps(codec, layout)
    sound = _Sound(url, info, track, layout, tuple(streams or [track]), on_sample)
    gain, remark = sound.gain_to(loudness) if loudness else ("0", "")
    samples, heard = sound.through(_coding(track, codec, rate, kbps, gain, out))
    return AudioFacts(
        name=name,
        language=track.language,
        title=track.title,
        default=track.default,
        codec=CODES[codec],
        rate=rate,
        channels=LOSSLESS[layout],
        samples=round(Fraction(samples * rate, track.rate)),
        bitrate_kbps=kbps,
        size=out.stat().st_size,
        notices=(*_notices(track, layout, rate, gain, remark), *_silences(track, streams)),
        loudness=heard,
        gain_db=gain,
    )


def _rate(track: AudioStream, codec: str) -> int:
    """The track's samples per second where players take them in this codec."""
    return track.rate if track.rate in RATES[codec] or codec == "flac" else 48000


def _kbps(codec: str, layout: str) -> int:
    channels = LOSSLESS[layout]
    return 0 if codec == "flac" else channels * KBPS_PER_CHANNEL.get(channels, KBPS_MORE)


@dataclass(frozen=True, slots=True)
class _Sound:
    """A track, ready to go through ffmpeg as often as needed."""

    url: str
    info: MediaInfo
    track: AudioStream
    layout: str
    streams: tuple[AudioStream | None, ...]
    on_sample: Callable[[int], None] | None

    def gain_to(self, loudness: str) -> tuple[str, str]:
        """See `gain_db`; goes through the whole track once."""
        _, measured = self.through(["-af", METER, "-f", "null", "-"])
        return gain_db(measured, loudness)

    def through(self, output: Sequence[str | Path]) -> tuple[int, Loudness]:
        """Samples handed over per channel, and the loudness that a meter among the filters of `output` measured."""
        written: list[int] = []
        meter = Meter()
        labelled = self.layout.removesuffix("(side)")  # the same order of channels; encoders know this name
        rate = str(self.track.rate)
        argv: list[str | Path] = [
            ffmpeg_path(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info", "-protocol_whitelist", "pipe,file",
            "-f", "f32le", "-ar", rate, "-ch_layout", labelled, "-i", Child.feed_url(0), *output,
        ]  # fmt: skip
        with Child(argv, feeds=1, on_stderr_line=meter.line) as child:
            child.feed(0, lambda file: written.append(self._write(file)))
            child.finish()
        return written[0], meter.loudness

    def _write(self, file: BinaryIO) -> int:
        """Write interleaved 32-bit float samples; returns how many per channel."""
        blocks = soundtrack(self.url, self.info, self.streams, self.layout, self.track.rate)
        return _write(file, blocks, LOSSLESS[self.layout], self.track.rate, self.on_sample)


def _layout(track: AudioStream, codec: str) -> str:
    """The track's channel layout where players take it, or FLAC does, else 5.1 or stereo.

    AAC has 7.1 only with a description of its own in the stream (a PCE), which packagers and many players cannot read.
    """
    taken = set(LOSSLESS if codec == "flac" else CHANNELS) - ({"7.1"} if codec == "aac" else set())
    if track.layout in taken:
        return track.layout
    return "5.1" if track.layout in SURROUND else "stereo"


def _coding(track: AudioStream, codec: str, rate: int, kbps: int, gain: str, out: Path) -> list[str | Path]:
    filters = METER if Decimal(gain) == 0 else f"volume={gain}dB:precision=double,{METER}"
    aimed = ["-b:a", f"{kbps}k"] if kbps else []
    coded = ["-af", filters, *ENCODERS[codec], *aimed, "-ar", str(rate), "-threads", "1"]
    tags = ["-map_metadata", "-1", "-metadata:s:a:0", f"language={three_letters(track.language)}"]
    exact = ["-fflags", "+bitexact", "-flags:a", "+bitexact"]
    return [*coded, *tags, *exact, "-movflags", "+faststart", "-f", "mp4", "-y", out]


def _write(
    file: BinaryIO,
    blocks: Iterator[tuple[int, Any]],
    channels: int,
    rate: int,
    on_sample: Callable[[int], None] | None,
) -> int:
    """Write blocks at their places, with silence where there is none; returns how many samples per channel."""
    written = 0
    for start, samples in blocks:
        if start > written:
            _silence(file, (start - written) * channels * 4)
            written = start
        overlap = written - start
        file.write(samples[overlap:].tobytes())
        written += max(0, len(samples) - overlap)
        if on_sample is not None:
            on_sample(written)
    if written == 0:  # a track without a single sample: the encoder wants at least something
        _silence(file, rate // 10 * channels * 4)
        written = rate // 10
    return written


def _silence(file: BinaryIO, size: int) -> None:
    block = bytes(1 << 16)
    file.writelines(block for _ in range(size // len(block)))
    file.write(block[: size % len(block)])


def _silences(track: AudioStream, streams: Sequence[AudioStream | None]) -> Iterator[str]:
    for place, stream in enumerate(streams, 1):
        if stream is None:
            yield f"audio {track.language}: input {place} has no such track and is silent"


def _notices(track: AudioStream, layout: str, rate: int, gain: str, remark: str) -> Iterator[str]:
    if layout != track.layout:
        yield f"audio {track.language}: {track.layout} mixed down to {layout}"
    if rate != track.rate:
        yield f"audio {track.language}: resampled from {track.rate} to {rate} Hz"
    if Decimal(gain) != 0:
        yield f"audio {track.language}: loudness corrected by {Decimal(gain):+} dB"
    if remark:
        yield f"audio {track.language}: {remark}"
