"""Several inputs, or parts of one, as one title: what it looks like, and how each input is made to fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from archer.media import Chapter, MediaInfo, VideoStream, display_size
from archer.media.edit import Edit, Piece, Span
from archer.media.fit import fits, matrix
from archer.media.range import FrameRange
from archer.media.rate import frame_rate
from archer.media.view import hdr_kind
from cinemill_native.frames import Colour
from pipelines.ingest.clips import clip_range, parse_clips
from pipelines.ingest.params import BadView, IngestParams
from pipelines.ingest.refusal import RefusedInput

WIDE = 9
"""Code point of the primaries of BT.2020."""
RATE_PARTS = 2000
"""Rates that differ by less than such a part are one: 24 and 24000/1001 differ by twice as much."""
LEAST_TICK = Fraction(1, 2**31 - 1)
"""Seconds: a mp4 file counts no finer."""


def pieces_of(sources: Sequence[MediaInfo], params: IngestParams) -> tuple[Piece, ...]:
    """The frames that are wanted of each input, all where nothing is said of it.

    Raises:
        BadView: a range does not fit its input, or there is no such input.
    """
    clips = parse_clips(params.clips)
    for clip in clips:
        if clip.source >= len(sources):
            raise BadView("--clip", clip.text, f"there are {len(sources)} inputs; add --join for more")
    found, bases = list[Piece](), params.timecode.split("|")
    for place, info in enumerate(sources):
        base = bases[min(place, len(bases) - 1)]
        ranges = [clip_range(clip, info, base) for clip in clips if clip.source == place]
        found += [Piece(source=place, frames=part) for part in ranges or [FrameRange(0, info.frame_count)]]
    return tuple(found)


def edited(sources: Sequence[MediaInfo], pieces: Sequence[Piece]) -> MediaInfo:
    """The title that the pieces make; it looks as the first input does, upright and in square pixels where others must fit it.

    Raises:
        RefusedInput: an input cannot be made to fit.
    """
    for place, source in enumerate(sources[1:], 2):
        _check(place, source.video, sources[0].video)
    first = sources[0]
    video = _picture([source.video for source in sources])
    edit = Edit(
        sources=tuple(sources),
        pieces=tuple(pieces),
        notes=tuple(_notes([each.video for each in sources], video)),
    )
    index, tick = edit.index()
    if tick < LEAST_TICK:
        text = "the inputs count time in ticks that have no common one; bring them to one rate and container first"
        raise RefusedInput(text)
    rate, vfr = frame_rate(index, tick, first.video.frame_rate)
    video = replace(video, time_base=tick, frame_rate=rate, vfr=vfr, frames=len(index), hidden=0)
    return MediaInfo(
        container=first.container,
        video=video,
        audio=next((source.audio for source in sources if source.audio), ()),
        subtitles=next((source.subtitles for source in sources if source.subtitles), ()),
        attachments=(),
        chapters=tuple(_chapters(edit)),
        index=index,
        problems=tuple(problem for source in sources for problem in source.problems),
        edit=edit,
    )


def same_rate(one: VideoStream, other: VideoStream) -> bool:
    """Both keep to one constant frame rate, but for what counting in a container's ticks makes of it."""
    apart = abs(one.frame_rate - other.frame_rate)
    return not one.vfr and not other.vfr and apart * RATE_PARTS < other.frame_rate


def _check(place: int, video: VideoStream, first: VideoStream) -> None:
    """Refuse colours that would need more than a matrix to fit."""
    if hdr_kind(video) != hdr_kind(first):
        kinds = [hdr_kind(each) or "SDR" for each in (video, first)]
        text = f"input {place} is {kinds[0]}, the first one {kinds[1]}; add --dynamic-range sdr to tone-map to SDR"
        raise RefusedInput(text)
    if (video.colour.primaries == WIDE) != (first.colour.primaries == WIDE):
        raise RefusedInput(
            f"input {place} and the first one have other primaries (BT.2020 and not); convert one of them first"
        )


def _picture(videos: Sequence[VideoStream]) -> VideoStream:
    """What the title looks like: as all inputs do, else as the first one is shown."""
    first = videos[0]
    if all(fits(video, first) for video in videos):
        return first
    width, height = (side + side % 2 for side in display_size(first))
    colour = replace(first.colour, full_range=False)
    return replace(
        first,
        width=width,
        height=height,
        sar=Fraction(1),
        rotation=0,
        mirrored=False,
        colour=_named(colour, matrix(first)),
        field_order="progressive",
    )


def _named(colour: Colour, name: str) -> Colour:
    """The colours with the matrix that inputs are converted to, where the first one does not say."""
    return colour if colour.matrix != 2 else replace(colour, matrix={"bt709": 1, "bt601": 6}[name])


def _notes(videos: Sequence[VideoStream], title: VideoStream) -> Iterator[str]:
    for place, video in enumerate(videos, 1):
        words = []
        if display_size(video) != (title.width, title.height) and not fits(video, title):
            words.append(f"fitted into {title.width}x{title.height}")
        if video.format.name != title.format.name:
            words.append(f"{video.format.name} converted to {title.format.name}")
        if matrix(video) != matrix(title):
            words.append(f"matrix {matrix(video)} converted to {matrix(title)}")
        if words:
            yield f"input {place} ({video.width}x{video.height}): {', '.join(words)}"


def _chapters(edit: Edit) -> Iterator[Chapter]:
    """Chapters of the inputs, where they are in the title."""
    for span in edit.spans():
        source = edit.sources[span.source]
        for chapter in source.chapters:
            start, end = _within(span, chapter.start - source.zero, chapter.end - source.zero)
            if start < end:
                yield Chapter(start=start, end=end, title=chapter.title)


def _within(span: Span, start: Fraction, end: Fraction) -> tuple[Fraction, Fraction]:
    """Times of a file as times of the title."""
    shift = span.at - span.start
    return max(start, span.start) + shift, min(end, span.end) + shift
