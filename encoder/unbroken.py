"""Chunks that an encoder breaks at a quality value: coded again at one near it, instead of failing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from archer.media import MediaInfo
from archer.process import Limits
from cinemill_native.frames import Frame
from encoder.chunk import encode_chunk
from encoder.chunk_check import Broken, ChunkFacts
from encoder.codecs import codec_named
from encoder.errors import ChunkBroken, NoneRight
from encoder.usable import instead, plain, tried_text

if TYPE_CHECKING:
    from encoder.ladder import Rung
    from encoder.settings import EncodeSettings


def encode_unbroken(
    pictures: Callable[[], Iterable[Frame]],
    info: MediaInfo,
    rung: Rung,
    settings: EncodeSettings,
    out: Path,
    *,
    frame: int,
    broken: Sequence[Broken] = (),
    better: bool = True,
    on_frame: Callable[[int], None] | None = None,
    limits: Limits | None = None,
) -> ChunkFacts:
    """Encode a chunk at the quality value of its settings, or at the first one near it that gives a right stream.

    Encoders are asked for the same in the same order each time, so that a chunk that is made again is the same again.

    Args:
        pictures: gives the frames of the chunk, as often as it is asked.
        info, rung, settings, out, on_frame, limits: see `encode_chunk`.
        frame: at which it begins, for an error.
        broken: values that broke before; they are passed over.
        better: values on the better side are tried, too, and first.

    Returns: the facts, with the quality value that it has, and everything that broke, what was known before first.

    Raises:
        NoneRight: all of them broke.
    """
    codec, found = codec_named(settings.codec), list(broken)
    wanted = Decimal(settings.crf)
    others = [plain(crf) for crf in instead(codec, wanted, better=better)]
    for crf in (settings.crf, *others):
        if any(Decimal(one.crf) == Decimal(crf) for one in found):
            continue
        try:
            facts = encode_chunk(
                pictures(), info, rung, replace(settings, crf=crf), out, on_frame=on_frame, limits=limits
            )
        except ChunkBroken as error:
            found.append(Broken(crf=crf, problem=error.problem))
        else:
            return replace(facts, crf=crf, broken=tuple(found))
    raise NoneRight(rung.name, frame, codec.name, tried_text(map(asdict, found)))
