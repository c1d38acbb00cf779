"""What a user asks of the main job, and the pure rules that turn it into settings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from encoder import EncodeSettings
from pipelines.encode.errors import BadSetting

AudioCodec = Literal["aac", "opus"]
SINGLE = (".mkv", ".mp4")


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
        segment_s: wanted length of a segment of a package, seconds, as decimal text.
        drm: `cenc` or `cbcs` to encrypt a package; empty for a clear one.
        key_set: id of the key set that encrypts it; public.
        clear_lead_s: seconds at the beginning of an encrypted package that stay clear, as decimal text.
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
    segment_s: str = "4"
    drm: Literal["", "cenc", "cbcs"] = ""
    key_set: str = ""
    clear_lead_s: str = "0"
    single: str = ""

    @property
    def settings(self) -> EncodeSettings:
        """How chunks are encoded; `crf` is empty where it is still to be found."""
        return EncodeSettings(
            codec=self.codec,
            crf=self.crf,
            preset=self.preset,
            params=self.encoder_params,
            gop_s=self.gop_s,
            threads=self.threads,
        )


def single_of(output: str) -> str:
    """`mkv` or `mp4` where an output is one file by its name; empty for a package."""
    suffix = Path(output).suffix.lower()
    return suffix[1:] if suffix in SINGLE else ""


def checked(request: EncodeRequest, *, both: bool = False) -> EncodeRequest:
    """The request, if every setting is one that can be carried out.

    Args:
        request: what was asked.
        both: the user named a target and a constant quality.

    Raises:
        BadSetting, BadOption, BadLadder, UnknownModel: name the option, what was got and what is wanted.
    """
    from encoder.codecs import codec_named
    from encoder.ladder import check_ladder
    from vmaf import model_named

    if both:
        raise BadSetting(
            "--crf", request.crf, f"contradicts --target-vmaf {request.target_vmaf}; give one of them"
        )
    codec = codec_named(request.codec)
    if not 0 < Decimal(request.target_vmaf) <= 100:
        raise BadSetting("--target-vmaf", request.target_vmaf, "wanted a VMAF above 0, up to 100, as 93")
    codec.check(crf=request.crf, preset=request.preset, encoder_params=request.encoder_params)
    check_ladder(request.ladder)
    if request.single and "," in request.ladder:
        raise BadSetting("--ladder", request.ladder, "one file holds one rung; name one, or a folder as -o")
    if request.single and request.drm:
        raise BadSetting("--drm", request.drm, "one file is not encrypted; name a folder as -o")
    model_named(request.model)
    return request
