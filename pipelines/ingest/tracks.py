"""Which audio or subtitle tracks of a title go out, by number or language; and which ones of several inputs belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Generic, Literal, TypeVar

from archer.media import AudioStream, MediaInfo, MediaProblem, TextStream
from pipelines.ingest.params import BadView
from pipelines.packaging.languages import shortest_tag

Stream = TypeVar("Stream", AudioStream, TextStream)
NONE, ALL, DEFAULT = "none", "all", "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Track(Generic[Stream]):
    """A track of the title.

    Attributes:
        shown: what it is: the stream of the first input that has one.
        streams: the stream of each input; None where it has none, and the track is silent or empty.
    """

    shown: Stream
    streams: tuple[Stream | None, ...]


def audio_tracks(info: MediaInfo, wanted: str) -> tuple[Track[AudioStream], ...]:
    """Audio tracks by what was asked for; see `chosen`. Raises: BadView."""
    return chosen([source.audio for source in info.sources], wanted, "--audio")


def text_tracks(info: MediaInfo, wanted: str) -> tuple[Track[TextStream], ...]:
    """Subtitle tracks by what was asked for; see `chosen`. Raises: BadView."""
    return chosen([source.subtitles for source in info.sources], wanted, "--subtitles")


def check_tracks(info: MediaInfo, audio: str, subtitles: str) -> None:
    """Refuse to look for tracks that are not there. Raises: BadView."""
    audio_tracks(info, audio)
    text_tracks(info, subtitles)


def unheard(info: MediaInfo, audio: str, subtitles: str) -> tuple[MediaProblem, ...]:
    """Tracks that only a later input has, where all were wanted: there is nothing before them that they could continue."""
    texts = [
        *(left_out([source.audio for source in info.sources], "--audio") if audio in ("", ALL) else ()),
        *(
            left_out([source.subtitles for source in info.sources], "--subtitles")
            if subtitles in ("", ALL)
            else ()
        ),
    ]
    return tuple(MediaProblem(code="track left out", message=text, fatal=False) for text in texts)


def left_out(inputs: Sequence[Sequence[Stream]], option: Literal["--audio", "--subtitles"]) -> Iterator[str]:
    """Says for each track that none of all tracks goes through where it is, and how to have it."""
    tracks = chosen(inputs, ALL, option)
    for place, streams in enumerate(inputs):
        through = [track.streams[place] for track in tracks]
        for number, stream in enumerate(streams, 1):
            if stream not in through:
                way = f"{NONE}|" * place + str(number)
                yield (
                    f"{option[2:]} track {number} ({stream.language}) of input {place + 1} continues none of the inputs before; "
                    f"{option} 'all,{way}' makes a track of its own of it"
                )


def chosen(
    inputs: Sequence[Sequence[Stream]], wanted: str, option: Literal["--audio", "--subtitles"]
) -> tuple[Track[Stream], ...]:
    """The tracks of a title.

    Args:
        inputs: tracks of each input, in their order.
        wanted: words separated by commas: a number from 1, a language (all its tracks), `default` or `all`; empty is `all`.
            A word may be several, for one input each and the last for all further ones: `2|eng`, `none|1`. `none`: no track.
        option: named in errors.

    Raises:
        BadView: no input has such a track.
    """
    if wanted == NONE:
        return ()
    found: list[Track[Stream]] = []
    for word in wanted.split(",") if wanted else [ALL]:
        tracks = list(_joined(inputs, word.strip()))
        if not tracks and word.strip() != ALL:
            raise BadView(option, word, f"no input has such a track; {_there(inputs)}")
        known = [each.streams for each in found]
        found += [track for track in tracks if track.streams not in known]
    if wanted and found and not any(track.shown.default for track in found):
        found[0] = Track(shown=replace(found[0].shown, default=True), streams=found[0].streams)
    return tuple(found)


def _joined(inputs: Sequence[Sequence[Stream]], word: str) -> Iterator[Track[Stream]]:
    """Tracks that a word names: the n-th of each input belong together, of all tracks those of one language first."""
    words = word.split("|")
    lists = [_named(tracks, words[min(place, len(words) - 1)]) for place, tracks in enumerate(inputs)]
    leading = next((tracks for tracks in lists if tracks), [])
    columns = [_counterparts(leading, tracks) for tracks in lists]
    for place, stream in enumerate(leading):
        yield Track(shown=stream, streams=tuple(column[place] for column in columns))


def _counterparts(leading: Sequence[Stream], tracks: Sequence[Stream]) -> list[Stream | None]:
    """The track that continues each leading one: the first free one of its language, of what is left the first free one."""
    free, found = list(tracks), dict[int, Stream]()
    for same in (True, False):
        for place, stream in enumerate(leading):
            fitting = [each for each in free if not same or _kind(each) == _kind(stream)]
            if place not in found and fitting:
                found[place] = fitting[0]
                free.remove(fitting[0])
    return [found.get(place) for place in range(len(leading))]


def _kind(stream: AudioStream | TextStream) -> tuple[str, tuple[str, ...]]:
    return stream.language, stream.roles


def _named(tracks: Sequence[Stream], word: str) -> list[Stream]:
    if word == NONE:
        return []
    if word == ALL:
        return list(tracks)
    if word == DEFAULT:
        return list(islice(chain((track for track in tracks if track.default), tracks), 1))
    if word.isdecimal():
        return list(tracks[int(word) - 1 : int(word)]) if int(word) else []
    return [track for track in tracks if _same_language(track.language, word)]


def _same_language(code: str, word: str) -> bool:
    short = shortest_tag(word)
    return code.lower() == word.lower() or (bool(short) and shortest_tag(code).lower() == short.lower())


def _there(inputs: Sequence[Sequence[Stream]]) -> str:
    lists = [
        ", ".join(f"{number} {track.language}" for number, track in enumerate(tracks, 1)) or "none"
        for tracks in inputs
    ]
    if len(lists) == 1:
        return f"there are: {lists[0]}"
    return "; ".join(f"input {place} has: {words}" for place, words in enumerate(lists, 1))
