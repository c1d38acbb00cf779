"""Join coded chunks into a rendition with exactly the source's frames and presentation times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archer.media import FrameRange, MediaInfo
from encoder.boxes import add_static_hdr, vpcc_record
from encoder.carried import Captions
from encoder.chunk_check import UNLOOKED
from encoder.codec_string import codec_string
from encoder.errors import ChunkBroken
from encoder.filters import static_hdr
from encoder.ladder import Rung
from encoder.vbv import ABOVE, NOTHING, WINDOW_S, Cap, fullness, heaviest_run, part_times
from encoder.vbv import Coded as Loaded

if TYPE_CHECKING:
    from av.packet import Packet


@dataclass(frozen=True, slots=True, kw_only=True)
class RenditionFacts:
    """What a rendition is.

    Attributes:
        name: its rung.
        width, height: samples, square.
        frames: pictures shown.
        keyframes: number of key frames.
        size: bytes of the file.
        bitrate_kbps: mean over its duration, rounded.
        peak_kbps: of the largest GOP, rounded.
        codec: RFC 6381 codec string.
        frame_rate: nominal, `num/den`.
        cap_kbps, buffer_kbits: the peak rate and buffer that it keeps to; 0 where none was asked for.
        run_kbps: the heaviest run of GOPs of about a segment's length, see `encoder.vbv`.
        buffer_low: least share of the buffer that a player has left behind a picture; 1 without one.
        captions: its pictures carry closed captions.
        notices: what is not as it was asked for, for people.
    """

    name: str
    width: int
    height: int
    frames: int
    keyframes: int
    size: int
    bitrate_kbps: int
    peak_kbps: int
    codec: str
    frame_rate: str
    cap_kbps: int = 0
    buffer_kbits: int = 0
    run_kbps: int = 0
    buffer_low: float = 1.0
    captions: bool = False
    notices: tuple[str, ...] = ()


@dataclass(slots=True)
class _Coded:
    """Size, key flag and number in presentation order of a packet, in decoding order."""

    size: int
    key: bool
    rank: int


def assemble(
    chunks: Sequence[Path],
    info: MediaInfo,
    rung: Rung,
    out: Path,
    *,
    captions: Mapping[int, bytes] | None = None,
    window_s: float = WINDOW_S,
) -> RenditionFacts:
    """Join chunks into one mp4 file without sound, ready for streaming (index first).

    Frame k of the rendition gets the time of frame k of the source, counted from its first frame. Decoding times
    are made anew over the whole title, so they rise across chunk borders.

    Args:
        chunks: files of `encode_chunk` at one rung with one set of settings, in order.
        info: the source.
        rung: their size, and the peak rate that they keep to.
        out: the file to write.
        captions: closed captions by frame, see `encoder.cea`; put into the pictures of codecs that carry them.
        window_s: length of a segment, seconds; the peak is that of runs of about one.

    Raises:
        ChunkBroken: the chunks do not hold exactly the source's frames, or were encoded differently.
    """
    carried = Captions.of(chunks[0], captions or {})
    coded = list(_survey(chunks, carried))
    if len(coded) != info.frame_count:
        raise ChunkBroken(out.name, f"the source has {info.frame_count} frames, its chunks {len(coded)}")
    times = [int(pts) - int(info.index.pts[0]) for pts in info.index.pts]
    codec = _write(chunks, coded, times, _decoding_times(coded, times, info), info, out, carried)
    if (hdr := static_hdr(info)) is not None:
        add_static_hdr(out, hdr)
    return RenditionFacts(
        name=rung.name,
        width=rung.width,
        height=rung.height,
        size=out.stat().st_size,
        codec=codec,
        frame_rate=str(info.video.frame_rate),
        captions=bool(carried.frames),
        **_rates(coded, times, info),
        **_kept(coded, info, rung, window_s, _uncarried(captions, carried, rung)),
    )


def _rates(coded: Sequence[_Coded], times: Sequence[int], info: MediaInfo) -> dict[str, Any]:
    seconds = float(info.duration)
    return {
        "frames": len(coded),
        "keyframes": sum(packet.key for packet in coded),
        "bitrate_kbps": round(sum(packet.size for packet in coded) * 8 / seconds / 1000),
        "peak_kbps": _peak(coded, times, info.video.time_base, seconds),
    }


def _uncarried(captions: Mapping[int, bytes] | None, carried: Captions, rung: Rung) -> tuple[str, ...]:
    if not captions or carried.frames:
        return ()
    return (f"rung {rung.name}: closed captions are not carried in its pictures, but in H.264 and HEVC",)


def _kept(
    coded: Sequence[_Coded], info: MediaInfo, rung: Rung, window_s: float, notices: tuple[str, ...]
) -> dict[str, Any]:
    """How the whole keeps to the peak rate: chunks keep to it by themselves, and were made to with their neighbours."""
    pictures = Loaded(
        sizes=[packet.size for packet in coded],
        times=part_times(info, FrameRange(0, len(coded))),
        keys=[place for place, packet in enumerate(coded) if packet.key],
    )
    run = heaviest_run(pictures, window_s)
    cap = Cap.of(rung.peak_kbps, rung.buffer_kbits, window_s)
    if cap is None:
        return {"run_kbps": round(run), "notices": notices}
    low, _ = fullness(pictures, cap)
    found: dict[str, Any] = {
        "cap_kbps": cap.kbps, "buffer_kbits": cap.buffer_kbits, "run_kbps": round(run), "buffer_low": round(low, 4),
        "notices": notices,
    }  # fmt: skip
    shown = ceil(run) if run > cap.kbps * ABOVE else 0
    above = [f"segments of up to {shown} kb/s" if shown else ""]
    above += [f"a buffer of {cap.buffer_kbits} kbit runs dry" if low < -NOTHING else ""]
    if any(above):
        text = (
            f"rung {rung.name}: {' and '.join(filter(None, above))}, with a peak of {cap.kbps} kb/s asked for"
        )
        found["notices"] = (*notices, text)
    return found


def _survey(chunks: Sequence[Path], carried: Captions) -> Iterator[_Coded]:
    """Every packet of every chunk in decoding order, numbered in presentation order over the whole title."""
    first = 0
    for chunk in chunks:
        packets = list(_packets(chunk))
        ranks = {pts: rank for rank, pts in enumerate(sorted(packet.pts or 0 for packet in packets))}
        for packet in packets:
            rank = first + ranks[packet.pts or 0]
            yield _Coded(packet.size + carried.size(rank), packet.is_keyframe, rank)
        first += len(packets)


def _packets(chunk: Path, extradata: bytes | None = None) -> Iterator[Packet[Any]]:
    """Packets of a file, which is refused where its headers are not the given ones."""
    import av

    with av.open(str(chunk), options=UNLOOKED) as container:
        stream = container.streams.video[0]
        if extradata is not None and bytes(stream.codec_context.extradata or b"") != extradata:
            raise ChunkBroken(
                chunk.name, "its stream headers differ from the first chunk's; the encoder changed in between"
            )
        yield from (packet for packet in container.demux(stream) if packet.size)


def _decoding_times(coded: Sequence[_Coded], times: Sequence[int], info: MediaInfo) -> list[int]:
    """Decoding times that rise and never pass the presentation time.

    The i-th decoded picture is due when the picture `delay` places before the i-th shown one is shown; `delay` is the
    least that suffices, 0 without B-frames.
    """
    delay = max(place - packet.rank for place, packet in enumerate(coded))
    step = max(1, round(1 / info.video.frame_rate / info.video.time_base))
    lead = [times[0] - step * (delay - place) for place in range(min(delay, len(coded)))]
    return [*lead, *times[: len(coded) - len(lead)]]


def _write(
    chunks: Sequence[Path],
    coded: Sequence[_Coded],
    times: Sequence[int],
    due: Sequence[int],
    info: MediaInfo,
    out: Path,
    carried: Captions,
) -> str:
    import av

    scale, time_base = _timescale(info.video.time_base)
    options = {
        "movflags": "+faststart",
        "video_track_timescale": str(scale),
        "fflags": "+bitexact",
    }
    with av.open(str(out), "w", format="mp4", options=options) as target:
        with av.open(str(chunks[0])) as first:
            template = first.streams.video[0]
            stream = target.add_stream_from_template(template, opaque=True)
            extradata = bytes(template.codec_context.extradata or b"")
            record = extradata or vpcc_record(chunks[0])
            codec = codec_string(template.codec_context.name, record)
        if codec.startswith("hvc1"):
            stream.codec_context.codec_tag = (
                "hvc1"  # headers stand in the sample description alone; Apple wants it said
            )
        stream.time_base = time_base
        place = 0
        for chunk in chunks:
            for coded_packet in _packets(chunk, extradata):
                rank = coded[place].rank
                packet = carried.put(coded_packet, rank)
                packet.stream, packet.time_base = stream, time_base
                packet.pts, packet.dts = times[rank], due[place]
                packet.duration = _duration(times, rank, info)
                target.mux(packet)
                place += 1
    return codec


def _timescale(time_base: Fraction) -> tuple[int, Fraction]:
    """Ticks per second of the track, and the time base in which packets are handed over."""
    return time_base.denominator, time_base


def _duration(times: Sequence[int], rank: int, info: MediaInfo) -> int:
    if rank + 1 < len(times):
        return times[rank + 1] - times[rank]
    return max(1, round(1 / info.video.frame_rate / info.video.time_base))


def _peak(coded: Sequence[_Coded], times: Sequence[int], time_base: Fraction, total_s: float) -> int:
    """Highest mean rate of a GOP in kb/s: what a player must be able to load."""
    starts = [place for place, packet in enumerate(coded) if packet.key]
    best = 0.0
    for start, end in zip(starts, [*starts[1:], len(coded)], strict=True):
        until = times[coded[end].rank] * time_base if end < len(coded) else total_s
        seconds = float(until) - float(times[coded[start].rank] * time_base)
        best = max(best, sum(packet.size for packet in coded[start:end]) * 8 / max(seconds, 1e-3) / 1000)
    return round(best)


def check_rendition(path: Path, info: MediaInfo) -> None:
    """Compare the presentation times of a rendition, one by one, with the source's.

    Every chunk was decoded when it was made (`check_chunk`), begins with a key frame and shares its headers with the
    others (`assemble`), so that joined they decode as they did apart.

    Args:
        path: what `assemble` wrote.
        info: the source.

    Raises:
        ChunkBroken: names the first frame that is off.
    """
    wanted = [(int(pts) - int(info.index.pts[0])) * info.video.time_base for pts in info.index.pts]
    got = sorted(Fraction(packet.pts or 0) * Fraction(packet.time_base or 1) for packet in _packets(path))
    for frame, (time, due) in enumerate(zip(got, wanted, strict=False)):
        if time != due:
            text = f"frame {frame} is at {float(time):.4f} s, the source's at {float(due):.4f} s"
            raise ChunkBroken(path.name, text)
    if len(got) != len(wanted):
        raise ChunkBroken(path.name, f"{len(wanted)} frames wanted, it holds {len(got)}")
