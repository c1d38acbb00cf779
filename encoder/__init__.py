"""Frames in, coded shots out: codecs, ladders, chunk encoding, frame-exact assembly, audio.

from encoder import EncodeSettings, assemble, default_ladder, encode_chunk

ladder = default_ladder(info.video)
settings = EncodeSettings(codec="x264", crf="23")
encode_chunk(frames(asset, part, info=info), info, ladder[0], settings, Path("chunk-0.mp4"))
facts = assemble([Path("chunk-0.mp4")], info, ladder[0], Path("720p.mp4"))
print(facts.frames, facts.bitrate_kbps)
"""

from __future__ import annotations

from encoder.assemble import RenditionFacts as RenditionFacts
from encoder.assemble import assemble as assemble
from encoder.assemble import check_rendition as check_rendition
from encoder.audio import AudioFacts as AudioFacts
from encoder.audio import encode_audio as encode_audio
from encoder.chunk import encode_chunk as encode_chunk
from encoder.chunk_check import ChunkFacts as ChunkFacts
from encoder.codecs import Codec as Codec
from encoder.codecs import codec_named as codec_named
from encoder.errors import BadLadder as BadLadder
from encoder.errors import BadOption as BadOption
from encoder.errors import CannotCode as CannotCode
from encoder.errors import ChunkBroken as ChunkBroken
from encoder.errors import EncoderError as EncoderError
from encoder.ladder import Rung as Rung
from encoder.ladder import default_ladder as default_ladder
from encoder.ladder import ladder_text as ladder_text
from encoder.ladder import parse_ladder as parse_ladder
from encoder.mux import mark_of as mark_of
from encoder.mux import mux_single as mux_single
from encoder.settings import EncodeSettings as EncodeSettings

__all__ = [
    "AudioFacts",
    "BadLadder",
    "BadOption",
    "CannotCode",
    "ChunkBroken",
    "ChunkFacts",
    "Codec",
    "EncodeSettings",
    "EncoderError",
    "RenditionFacts",
    "Rung",
    "assemble",
    "check_rendition",
    "codec_named",
    "default_ladder",
    "encode_audio",
    "encode_chunk",
    "ladder_text",
    "mark_of",
    "mux_single",
    "parse_ladder",
]
