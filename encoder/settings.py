"""Settings of one encode."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeSettings:
    """How a chunk is encoded; the same settings on the same frames give the same bytes.

    Attributes:
        codec: name in the codec registry.
        crf: constant quality in the codec's scale, decimal text.
        preset: speed preset; empty for the codec's default.
        params: further encoder options, `key=value:key=value`.
        gop_s: distance of key frames, seconds, decimal text.
        threads: threads of the encoder; part of the result, since x264's output depends on it.
        depth: bits per sample that are asked for, `8` or `10`; empty for those of the source, where the codec takes them.
        ten_bit: code 10 bits per sample, where the codec does so for players.
        pixel_format: ffmpeg's name of what to code; empty for 4:2:0 of 8 or 10 bits, by `ten_bit`.
        grain: strength of the film grain that is taken out and described by tables, 0 (none) to 50.
        peak_kbps: peak rate of a player's buffer, see `encoder.vbv`; 0 for none.
        buffer_kbits: size of that buffer; 0 for two seconds of the peak rate.
    """

    codec: str = "x264"
    crf: str = "23"
    preset: str = ""
    params: str = ""
    gop_s: str = "2"
    threads: int = 1
    depth: str = ""
    ten_bit: bool = False
    pixel_format: str = ""
    grain: int = 0
    peak_kbps: int = 0
    buffer_kbits: int = 0
