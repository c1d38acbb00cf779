"""Chunks that keep to a peak rate: coded, looked at, and coded again with less where they do not.

The encoders that know a buffer are told of it; since they promise nothing of what they leave for the next chunk, and some
know none, what came out is measured (see `encoder.vbv`), and coded again with less until it fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import ROUND_UP, Decimal
from functools import partial
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING

from archer.media import FrameRange, MediaInfo
from archer.process import Limits
from cinemill_native.frames import Frame
from encoder.chunk_check import UNLOOKED, Broken, ChunkFacts
from encoder.codec_string import is_high_tier, level_of
from encoder.codecs import codec_named
from encoder.errors import PeakBroken
from encoder.unbroken import encode_unbroken
from encoder.vbv import WINDOW_S, Cap, Coded, fitting, part_times

if TYPE_CHECKING:
    from encoder.codecs import Codec
    from encoder.ladder import Rung
    from encoder.settings import EncodeSettings

TRIES, CRF_AFTER = 8, 3
"""Encodes of a chunk, at most; how many of an encoder that knows a buffer go by before its quality value changes, too."""
MARGIN = 0.98


def encode_capped(
    pictures: Callable[[], Iterable[Frame]],
    info: MediaInfo,
    part: FrameRange,
    rung: Rung,
    settings: EncodeSettings,
    out: Path,
    *,
    window_s: float = WINDOW_S,
    fits: Callable[[Coded], float] | None = None,
    broken: Sequence[Broken] = (),
    on_frame: Callable[[int], None] | None = None,
    limits: Limits | None = None,
) -> ChunkFacts:
    """Encode a chunk so that it keeps to the peak rate of its settings, if they have one.

    Args:
        pictures, info, rung, settings, out, broken, on_frame, limits: see `encoder.unbroken`.
        part: which frames of the title they are; their times count.
        window_s: length of a segment, seconds; see `encoder.vbv`.
        fits: the share of its bytes that fits; `encoder.vbv.fitting` of the peak rate unless said otherwise: then it was
            coded before, is to have less now, and no better value is tried.

    Returns: the facts, with the quality value that it has now, and those that broke.

    Raises: PeakBroken: it does not fit. NoneRight: the encoder gave no right stream.
    """
    cap = Cap.of(settings.peak_kbps, settings.buffer_kbits, window_s)
    times, share = part_times(info, part), 1.0
    encode = partial(encode_unbroken, frame=part.start, on_frame=on_frame, limits=limits)
    for tried in range(TRIES):
        better = tried == 0 and fits is None
        facts = encode(pictures, info, rung, settings, out, broken=broken, better=better)
        if cap is None:
            return facts
        coded = coded_file(out, times)
        share = fits(coded) if fits else fitting(coded, cap)
        if share == 1:
            return facts
        broken, before = facts.broken, replace(settings, crf=facts.crf)
        less = _tighter(before, cap, share, out, tried)
        if less == before:
            break
        settings = less
    raise PeakBroken(rung.name, part.start, cap.kbps if cap else 0, share)


def _tighter(settings: EncodeSettings, cap: Cap, share: float, coded: Path, tried: int) -> EncodeSettings:
    """Settings that give about this share: a buffer that fills slower, or a poorer quality, too.

    All chunks share their headers, and encoders choose level and tier by the rate: the level that was coded is kept, and where
    it is of the high tier, which cannot be kept, the rate is.
    """
    told, codec = Cap.of(settings.peak_kbps, settings.buffer_kbits) or cap, codec_named(settings.codec)
    name, headers = _headers(coded)
    slower = codec.vbv and not is_high_tier(name, headers)
    if slower:
        settings = replace(
            settings,
            peak_kbps=max(1, int(told.kbps * share * MARGIN)),
            buffer_kbits=max(1, int(told.buffer_kbits * share * MARGIN)),
            params=_with_level(settings.params, codec.level, level_of(name, headers)),
        )
    if not slower or tried >= CRF_AFTER:
        settings = replace(settings, crf=f"{poorer(codec, Decimal(settings.crf), share):f}")
    return settings


def _with_level(params: str, name: str, level: int) -> str:
    """Parameters with a level, where they name none."""
    named = not level or any(entry.startswith(f"{name}=") for entry in params.split(":"))
    return params if named else ":".join([*filter(None, [params]), f"{name}={level}"])


def _headers(coded: Path) -> tuple[str, bytes]:
    """FFmpeg's name of the codec of a file, and its configuration record."""
    import av

    with av.open(str(coded), options=UNLOOKED) as container:
        context = container.streams.video[0].codec_context
        return context.name, bytes(context.extradata or b"")


def poorer(codec: Codec, crf: Decimal, share: float) -> Decimal:
    """A quality value that gives this share of the bytes: they halve, more or less, between the codec's first guesses."""
    good, less = (Decimal(guess) for guess in codec.first_guesses)
    further = (less - good) * Decimal(-log2(max(share, 1e-3)))
    steps = (max(further, codec.step) / codec.step).to_integral_value(rounding=ROUND_UP)
    return min(codec.quality[1], crf + steps * codec.step)


def coded_file(path: Path, times: Sequence[float]) -> Coded:
    """The pictures of a file of `encode_chunk`, of which these are the times."""
    import av

    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
        keys = [place for place, packet in enumerate(packets) if packet.is_keyframe]
        return Coded(sizes=[packet.size for packet in packets], times=times, keys=keys)
