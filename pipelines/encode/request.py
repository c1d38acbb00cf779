"""What a user asks of the main job, and the pure rules that turn it into settings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pipelines.encode.errors import BadSetting

AudioCodec = Literal["aac", "opus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeRequest:
    """The settings of `cinemill encode`, without where to read and write.

    Attributes:
        codec: name in the codec registry.
        ladder: rungs as text (`720p,360p`), empty for the default ladder of the source's size.
        target_vmaf: mean VMAF that the top rung aims at, 0 to 100, as decimal text; unused where `crf` is set.
        crf: constant quality of every rung, in the codec's own scale, as decimal text; empty: search for it.
        preset: the codec's speed preset; empty for its default.
        encoder_params: further options of the encoder, `key=value:key=value`.
        model: VMAF model that decides and scores.
        audio_codec: codec of the audio renditions of a package.
        gop_s: distance of forced key frames, seconds, as decimal text.
        chunk_s: longest chunk, seconds, as decimal text.
        threads: threads of one encoder process; part of what is encoded, since x264's output depends on it.
        single: `mkv` or `mp4` for one file with everything kept, empty for a package.
    """

    codec: str = "x264"
    ladder: str = ""
    target_vmaf: str = "93"
    crf: str = ""
    preset: str = ""
    encoder_params: str = ""
    model: str = "vmaf_v0.6.1"
    audio_codec: AudioCodec = "aac"
    gop_s: str = "2"
    chunk_s: str = "8"
    threads: int = 1
    single: str = ""


def checked(request: EncodeRequest, *, both: bool = False) -> EncodeRequest:
    """The request, if every setting is one that can be carried out.

    Args:
        request: what was asked.
        both: the user named a target and a constant quality.

    Raises:
        BadSetting: names the option, what was got and what is wanted.
    """
    from encoder.codecs import codec_named

    if both:
        raise BadSetting(
            "--crf", request.crf, f"contradicts --target-vmaf {request.target_vmaf}; give one of them"
        )
    codec = codec_named(request.codec)
    if not 0 < Decimal(request.target_vmaf) <= 100:
        raise BadSetting("--target-vmaf", request.target_vmaf, "wanted a VMAF between 0 and 100, as 93")
    codec.check(crf=request.crf, preset=request.preset, encoder_params=request.encoder_params)
    return request
