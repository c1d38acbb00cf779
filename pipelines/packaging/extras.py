"""What Shaka Packager does not write: subtitles and image trick play, as lines of HLS and as elements of DASH; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from xml.sax.saxutils import quoteattr

from pipelines.packaging.images import COLUMNS, FOLDER, PLAYLIST, ROWS, Tiles
from pipelines.packaging.languages import shortest_tag
from pipelines.packaging.tracks import FORCED, TextTrack

SUBTITLES, CLOSED = "subtitles", "cc"
"""Names of the groups in HLS."""
TEXT_FILE, TEXT_PLAYLIST = "text.vtt", "media.m3u8"
THUMBNAILS = "http://dashif.org/guidelines/thumbnail_tile"
ROLE = "urn:mpeg:dash:role:2011"
_HEARD = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"


def text_playlist(duration: Fraction) -> str:
    """The HLS playlist of a subtitle track: the whole file is its one segment, so no cue is cut or doubled."""
    return _vod(-(-duration // 1), [f"#EXTINF:{float(duration):.3f},", TEXT_FILE])


def image_playlist(tiles: Tiles) -> str:
    """The HLS playlist of the sheets.

    Source: the image media playlist of Roku's and others' players, version 0.4: EXT-X-IMAGES-ONLY, EXT-X-TILES.
    """
    lines = ["#EXT-X-IMAGES-ONLY"]
    layout = (
        f"RESOLUTION={tiles.width}x{tiles.height},LAYOUT={COLUMNS}x{ROWS},DURATION={float(tiles.step):.3f}"
    )
    for place in range(tiles.sheets):
        length = min(tiles.sheet_s, tiles.duration - place * tiles.sheet_s)
        lines += [f"#EXTINF:{float(length):.3f},", f"#EXT-X-TILES:{layout}", f"{place + 1}.jpg"]
    return _vod(-(-min(tiles.sheet_s, tiles.duration) // 1), lines)


def extended_master(text: str, texts: Sequence[TextTrack], tiles: Tiles | None, *, root: str = "") -> str:
    """The master playlist with subtitles and pictures; `root` leads from it to the package's folder."""
    lines = text.rstrip("\n").split("\n")
    if texts:
        first = next(place for place, line in enumerate(lines) if line.startswith("#EXT-X-STREAM-INF:"))
        lines[first:first] = [*(_media_line(track, root) for track in texts), ""]
        lines = [
            f'{line},SUBTITLES="{SUBTITLES}"' if line.startswith("#EXT-X-STREAM-INF:") else line
            for line in lines
        ]
    if tiles:
        size = f"RESOLUTION={tiles.width}x{tiles.height}"
        lines += [
            "",
            f'#EXT-X-IMAGE-STREAM-INF:BANDWIDTH={tiles.bandwidth},{size},CODECS="jpeg",URI="{PLAYLIST}"',
        ]
    return "\n".join(lines) + "\n"


def captioned_master(text: str, captions: Mapping[str, Sequence[str]]) -> str:
    """The master playlist with the closed captions that pictures carry.

    Args:
        text: the playlist.
        captions: channels by the URI of each variant's playlist; empty for those that carry none.

    Source: RFC 8216, sections 4.3.4.1 and 4.3.4.2; where one variant has a group, none may say NONE.
    """
    there = sorted({channel for channels in captions.values() for channel in channels})
    if not there:
        return text
    lines = text.rstrip("\n").split("\n")
    first = next(place for place, line in enumerate(lines) if line.startswith("#EXT-X-STREAM-INF:"))
    for place, line in enumerate(lines):
        if line.startswith("#EXT-X-STREAM-INF:"):
            group = f',CLOSED-CAPTIONS="{CLOSED}"' if captions.get(lines[place + 1]) else ""
            lines[place] = line.replace(",CLOSED-CAPTIONS=NONE", "") + group
    lines[first:first] = [
        f'#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="{CLOSED}",NAME="{name}",DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID="{name}"'
        for name in there
    ] + [""]
    return "\n".join(lines) + "\n"


def captioned_mpd(text: str, captions: Mapping[int, Sequence[str]]) -> str:
    """The MPD with the closed captions that pictures carry.

    Args:
        text: the MPD.
        captions: channels by the number of each representation that carries some.

    Source: SCTE 214-1, section 7.2.1 (`urn:scte:dash:cc:cea-608:2015`, `...:cea-708:2015`): a channel without a language would
        be read as a language.
    """

    def told(found: re.Match[str]) -> str:
        first = re.search(r'<Representation id="(\d+)"', found[0])
        there = captions.get(int(first[1]), ()) if first else ()
        if not there:
            return found[0]
        kind, value = (
            ("708", "1=lang:und")
            if there[0] == "SERVICE1"
            else ("608", ";".join(f"{one}=und" for one in there))
        )
        line = f'      <Accessibility schemeIdUri="urn:scte:dash:cc:cea-{kind}:2015" value="{value}"/>\n'
        return re.sub(r" *<(?:Role|Representation) ", lambda next_one: line + next_one[0], found[0], count=1)

    return re.sub(r"<AdaptationSet .*?</AdaptationSet>", told, text, flags=re.DOTALL)


def extended_mpd(text: str, texts: Sequence[TextTrack], sizes: Sequence[int], tiles: Tiles | None) -> str:
    """The MPD with subtitles and pictures.

    Args:
        text: what Shaka Packager wrote.
        texts: subtitle tracks.
        sizes: bytes of each.
        tiles: the pictures.
    """
    number = 1 + max((int(found) for found in re.findall(r'<Representation id="(\d+)"', text)), default=-1)
    adaptation = 1 + max((int(found) for found in re.findall(r'<AdaptationSet id="(\d+)"', text)), default=-1)
    duration = _duration(text)
    added = [
        _text_set(track, adaptation + place, number + place, max(1, round(size * 8 / duration)))
        for place, (track, size) in enumerate(zip(texts, sizes, strict=True))
    ]
    if tiles:
        added.append(_image_set(tiles, adaptation + len(texts), number + len(texts)))
    return text.replace("  </Period>", "".join(added) + "  </Period>")


def _media_line(track: TextTrack, root: str) -> str:
    tag = shortest_tag(track.language)
    forced = FORCED in track.roles
    fields = [
        "TYPE=SUBTITLES",
        f'URI="{root}{track.folder}/{TEXT_PLAYLIST}"',
        f'GROUP-ID="{SUBTITLES}"',
        *([f'LANGUAGE="{tag}"'] if tag else []),
        f'NAME="{track.label}"',
        f"DEFAULT={'YES' if track.default else 'NO'}",
        f"AUTOSELECT={'YES' if tag or track.default else 'NO'}",
        f"FORCED={'YES' if forced else 'NO'}",
        *([f'CHARACTERISTICS="{_HEARD}"'] if "caption" in track.roles else []),
    ]
    return f"#EXT-X-MEDIA:{','.join(fields)}"


def _text_set(track: TextTrack, adaptation: int, number: int, bandwidth: int) -> str:
    tag = shortest_tag(track.language)
    language = f" lang={quoteattr(tag)}" if tag else ""
    names = [*(track.roles or ("subtitle",)), *(["main"] if track.default else [])]
    roles = "".join(f'      <Role schemeIdUri="{ROLE}" value="{name}"/>\n' for name in names)
    return (
        f'    <AdaptationSet id="{adaptation}" contentType="text" mimeType="text/vtt"{language}>\n'
        f"{roles}      <Label>{track.label}</Label>\n"
        f'      <Representation id="{number}" bandwidth="{bandwidth}">\n'
        f"        <BaseURL>{track.folder}/{TEXT_FILE}</BaseURL>\n"
        "      </Representation>\n    </AdaptationSet>\n"
    )


def _image_set(tiles: Tiles, adaptation: int, number: int) -> str:
    step = tiles.sheet_s
    return (
        f'    <AdaptationSet id="{adaptation}" contentType="image" mimeType="image/jpeg">\n'
        f'      <SegmentTemplate media="{FOLDER}/$Number$.jpg" timescale="{step.denominator}" '
        f'duration="{step.numerator}" startNumber="1"/>\n'
        f'      <Representation id="{number}" bandwidth="{tiles.bandwidth}" width="{tiles.width * COLUMNS}" '
        f'height="{tiles.height * ROWS}">\n'
        f'        <EssentialProperty schemeIdUri="{THUMBNAILS}" value="{COLUMNS}x{ROWS}"/>\n'
        "      </Representation>\n    </AdaptationSet>\n"
    )


def _vod(target: int, lines: Sequence[str]) -> str:
    head = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target}", "#EXT-X-PLAYLIST-TYPE:VOD"]
    return "\n".join([*head, *lines, "#EXT-X-ENDLIST", ""])


def _duration(mpd: str) -> float:
    found = re.search(r'mediaPresentationDuration="PT([\d.]+)S"', mpd)
    return max(0.001, float(found[1])) if found else 1.0
