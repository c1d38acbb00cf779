"""What can be said about a package without playing it: files, manifests and media headers agree with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipelines.conformance.codecs import codec_of, same_codec
from pipelines.conformance.listing import Kind, Listed, Listing, init_bytes
from pipelines.packaging.argv import PLAYLIST
from pipelines.packaging.bandwidth import Bandwidth, bandwidth
from pipelines.packaging.boxes import Fragment, Init, read_fragment, read_init
from pipelines.packaging.index import INDEX, file_hash, read_index
from pipelines.packaging.languages import shortest_tag
from pipelines.packaging.manifests import read_playlist
from pipelines.packaging.webvtt import read_cues

APART = Fraction(1, 4)
"""Seconds by which sound and playlist may differ from the media's own clock: segments of sound end where its frames do."""
LENGTHS = Fraction(1, 2)
"""Seconds by which tracks of one title may differ in length."""
Problems = Iterator[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One static test.

    Attributes:
        name: what it is called.
        kinds: of renditions that it is about.
        run: yields what is wrong, in words.
        title: what it holds, for people.
        streams: it is also about transport streams; the others read fragments of mp4, and the MPD.
    """

    name: str
    kinds: frozenset[Kind]
    run: Callable[[Listing, Listed], Problems]
    title: str
    streams: bool = False


@dataclass(frozen=True, slots=True)
class _Media:
    init: Init
    fragments: list[Fragment] = field(default_factory=list)

    def start(self, place: int) -> Fraction:
        """When a segment is decoded, seconds."""
        return Fraction(self.fragments[place].start, self.init.timescale)

    def end(self, place: int) -> Fraction:
        """When it ends, seconds."""
        part = self.fragments[place]
        return Fraction(part.start + part.duration, self.init.timescale)


def files(listing: Listing, each: Listed) -> Problems:
    """Every segment that a manifest names is there, with the bytes that the packager wrote."""
    folder = listing.folder(each)
    names = [*each.segments, *(["init.mp4"] if each.kind != "text" and not each.streams else [])]
    for name in names:
        if not (folder / name).is_file():
            yield f"{each.name}/{name} is missing"
    rows = _index(listing.root)
    for row in rows:
        path = listing.root / row["file"]
        if row["track"] == each.name and path.is_file():
            if path.stat().st_size != row["bytes"]:
                yield f"{row['file']} has {path.stat().st_size} bytes, the index says {row['bytes']}"
            elif file_hash(path) != row["sha256"]:
                yield f"{row['file']} has another hash than the index says"


def whole(listing: Listing, each: Listed) -> Problems:
    """Every segment is a whole one, with the packets that went in."""
    try:
        media = _media(listing, each)
    except (ValueError, OSError) as error:
        yield f"a segment cannot be read: {error}"
        return
    samples = sum(part.samples for part in media.fragments)
    if each.meant.get("packets", samples) != samples:
        yield f"{each.meant['packets']} packets went in, the segments hold {samples}"


def manifests(_: Listing, each: Listed) -> Problems:
    """HLS and DASH list the same rendition, cut at the same times."""
    if each.hls is None:
        yield "the HLS master playlist does not list it"
    if each.dash is None:
        yield "the MPD does not list it"
    if each.hls is None or each.dash is None or each.kind == "text":
        return
    if len(each.durations) != len(each.dash.durations):
        yield f"HLS has {len(each.durations)} segments, DASH {len(each.dash.durations)}"
    off = [
        n
        for n, pair in enumerate(zip(each.durations, each.dash.durations, strict=False), 1)
        if abs(pair[0] - pair[1]) > Fraction(1, 100)
    ]
    if off:
        yield f"segment {off[0]} has another length in HLS than in DASH"


def codecs(listing: Listing, each: Listed) -> Problems:
    """The codec strings are those that the media itself demands."""
    real = codec_of(init_bytes(listing, each))
    if not real:
        yield "the codec of its init segment is unknown"
        return
    if each.dash and not same_codec(each.dash.codecs, real):
        yield f"DASH declares {each.dash.codecs or 'nothing'}, the media is {real}"
    if each.kind == "video" and each.hls and not any(same_codec(one, real) for one in each.hls.codecs):
        yield f"HLS declares {','.join(each.hls.codecs) or 'nothing'}, the media is {real}"


def languages(listing: Listing, each: Listed) -> Problems:
    """Language tags are those that were meant, in both manifests and in the media."""
    meant = shortest_tag(str(each.meant["language"])) if "language" in each.meant else None
    tags: dict[str, str | None] = {
        "HLS": each.hls.language if each.hls else None,
        "DASH": each.dash.language if each.dash else None,
    }
    for name, tag in tags.items():
        if tag is not None and meant is not None and shortest_tag(tag) != meant:
            yield f"{name} says {tag or 'no language'}, meant is {meant or 'none'}"
    if tags["HLS"] is not None and tags["DASH"] is not None and tags["HLS"] != tags["DASH"]:
        yield f"HLS says {tags['HLS'] or 'no language'}, DASH {tags['DASH'] or 'no language'}"
    init = init_bytes(listing, each) if each.kind == "audio" else b""
    inside = shortest_tag(read_init(init).language) if init else ""
    if inside and meant and inside.partition("-")[0] != meant.partition("-")[0]:
        yield f"the media says {inside}, meant is {meant}"


def order(listing: Listing, each: Listed) -> Problems:
    """Every segment plays when the playlist says."""
    media = _readable(listing, each)
    if media is None or not media.fragments:
        return
    wanted = media.start(0)
    for place, duration in enumerate(each.durations[: len(media.fragments)]):
        if abs(media.start(place) - wanted) > APART:
            yield (
                f"segment {place + 1} plays at {float(media.start(place)):.3f} s, "
                f"the playlist wants it at {float(wanted):.3f} s"
            )
            return
        wanted += duration


def gaps(listing: Listing, each: Listed) -> Problems:
    """No instant is missing and none is there twice: each segment begins where one ends."""
    media = _readable(listing, each)
    if media is None:
        return
    places = sorted(range(len(media.fragments)), key=media.start)
    for one, other in pairwise(places):
        gap = media.start(other) - media.end(one)
        if gap:
            what = "gap" if gap > 0 else "overlap"
            yield f"there is a {what} of {abs(float(gap)) * 1000:.1f} ms before segment {other + 1}"
            return


def bitrates(listing: Listing, each: Listed) -> Problems:
    """No rendition is heavier than its manifests declare."""
    real = _rates(listing, each)
    if each.dash and each.dash.bandwidth < real.peak:
        yield f"DASH declares {each.dash.bandwidth} bit/s, the peak is {real.peak}"
    if each.kind == "video" and each.hls:
        sound = max((_rates(listing, one).peak for one in listing.of("audio") if one.hls), default=0)
        if each.hls.bandwidth < real.peak + sound:
            yield f"HLS declares {each.hls.bandwidth} bit/s, the peak with sound is {real.peak + sound}"


def audio(listing: Listing, each: Listed) -> Problems:
    """The sound that was meant is there, in both manifests, as long as the picture."""
    if each.kind == "video":
        if listing.of("audio") and each.hls and not each.hls.audio_group:
            yield "HLS gives it no sound"
        return
    if each.hls is None and each.dash is None:
        yield "no manifest lists this sound"
    media, picture = _readable(listing, each), next(iter(listing.of("video")), None)
    seen = _readable(listing, picture) if picture else None
    if media is None or not media.fragments:
        yield "there is no sound in it"
    elif seen and seen.fragments and abs(media.end(-1) - seen.end(-1)) > LENGTHS:
        yield f"it ends at {float(media.end(-1)):.2f} s, the picture at {float(seen.end(-1)):.2f} s"


def encryption(listing: Listing, each: Listed) -> Problems:
    """What shall be encrypted is, with the key and scheme that manifests and media name."""
    media = _readable(listing, each)
    if media is None:
        return
    scheme, wanted = listing.protection.get("scheme", ""), str(each.meant.get("key_id", ""))
    if media.init.key_id.hex() != wanted or media.init.scheme != scheme:
        yield f"the media is {media.init.scheme or 'clear'} {media.init.key_id.hex()}, meant is {scheme or 'clear'} {wanted}"
    text = (listing.folder(each) / PLAYLIST).read_text(encoding="utf-8")
    if wanted and any(part.encrypted for part in media.fragments) and f"KEYID=0x{wanted}" not in text:
        yield "its HLS playlist does not name its key"
    if not wanted and any(part.encrypted for part in media.fragments):
        yield "its segments are encrypted, which nothing says"


def texts(listing: Listing, each: Listed) -> Problems:
    """Subtitles can be read, and show within the title."""
    try:
        cues = read_cues((listing.folder(each) / each.segments[0]).read_text(encoding="utf-8"))
    except (OSError, ValueError, IndexError) as error:
        yield f"it cannot be read: {error}"
        return
    length = sum(each.durations, Fraction(0))
    if not any(cue.start < min(cue.end, length) for cue in cues):
        yield "it has no cue that is shown within the title"


MEDIA: frozenset[Kind] = frozenset({"video", "audio"})
CHECKS: Mapping[str, Check] = {
    check.name: check
    for check in (
        Check(
            name="files",
            kinds=MEDIA | {"text"},
            run=files,
            title="files are there and unchanged",
            streams=True,
        ),
        Check(name="whole", kinds=MEDIA, run=whole, title="segments are whole"),
        Check(name="manifests", kinds=MEDIA | {"text"}, run=manifests, title="HLS and DASH agree"),
        Check(name="codecs", kinds=MEDIA, run=codecs, title="codec strings are right"),
        Check(
            name="languages",
            kinds=frozenset({"audio", "text"}),
            run=languages,
            title="languages are right",
            streams=True,
        ),
        Check(name="order", kinds=MEDIA, run=order, title="segments play in order"),
        Check(name="gaps", kinds=MEDIA, run=gaps, title="no gaps and overlaps"),
        Check(name="bitrates", kinds=MEDIA, run=bitrates, title="bit rates are as declared", streams=True),
        Check(name="audio", kinds=MEDIA, run=audio, title="sound is there"),
        Check(name="encryption", kinds=MEDIA, run=encryption, title="keys are as declared"),
        Check(
            name="texts", kinds=frozenset({"text"}), run=texts, title="subtitles can be shown", streams=True
        ),
    )
}


def _media(listing: Listing, each: Listed) -> _Media:
    folder = listing.folder(each)
    init = read_init(init_bytes(listing, each))
    return _Media(init, [read_fragment((folder / name).read_bytes(), init) for name in each.segments])


def _readable(listing: Listing, each: Listed) -> _Media | None:
    """Its headers; None where they cannot be read, of which `whole` speaks."""
    try:
        return _media(listing, each)
    except (ValueError, OSError):
        return None


def _rates(listing: Listing, each: Listed) -> Bandwidth:
    folder = listing.folder(each)
    sizes = [(folder / name).stat().st_size for name in each.segments if (folder / name).is_file()]
    if not sizes:
        return Bandwidth(peak=0, average=0)
    target = read_playlist((folder / PLAYLIST).read_text(encoding="utf-8")).target
    return bandwidth(sizes, each.durations[: len(sizes)], target)


def _index(root: Path) -> list[dict[str, Any]]:
    return read_index(root) if (root / INDEX).is_file() else []
