"""A package as players see it: what its HLS and DASH manifests say about every rendition."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pipelines.conformance.codecs import AUDIO_FAMILIES
from pipelines.conformance.errors import NoPackage
from pipelines.packaging.argv import INIT, MANIFEST, MASTER, TS
from pipelines.packaging.description import read_description
from pipelines.packaging.manifests import read_playlist

Kind = Literal["video", "audio", "text"]
NS = {"d": "urn:mpeg:dash:schema:mpd:2011", "cenc": "urn:mpeg:cenc:2013"}
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')


@dataclass(frozen=True, slots=True, kw_only=True)
class InHls:
    """What the master playlist says of a rendition.

    Attributes:
        codecs: all codec strings of its line, so of sound too; of sound, that of the variants, if it is one only.
        bandwidth: peak bits per second of the variant with its sound; 0 for sound and text.
        language, label: as written; empty where missing.
        default: of sound and text.
        width, height: samples; 0 where missing.
        audio_group: group of its sound.
        range: `SDR`, `PQ` or `HLG`; empty where it is not said, which means SDR.
    """

    codecs: tuple[str, ...] = ()
    bandwidth: int = 0
    language: str = ""
    label: str = ""
    default: bool = False
    width: int = 0
    height: int = 0
    audio_group: str = ""
    range: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InDash:
    """What the MPD says of a rendition.

    Attributes:
        id: of its representation.
        codecs, bandwidth, language: as written.
        roles: values of its role elements.
        durations: seconds of its segments.
        width, height: samples; 0 where missing.
        rate: frames per second; 0 where missing.
    """

    id: str
    codecs: str = ""
    bandwidth: int = 0
    language: str = ""
    roles: tuple[str, ...] = ()
    durations: tuple[Fraction, ...] = ()
    width: int = 0
    height: int = 0
    rate: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A rendition of a package; its name is its folder.

    Attributes:
        name, kind: its folder; what it is.
        hls, dash: how each manifest lists it; None where it does not.
        segments: file names of the media playlist, in order.
        durations: seconds of each.
        meant: what `tracks.json` says of it; empty where it says nothing.
        sizes: bytes of each segment that is there.
    """

    name: str
    kind: Kind
    hls: InHls | None
    dash: InDash | None
    segments: tuple[str, ...] = ()
    durations: tuple[Fraction, ...] = ()
    meant: Mapping[str, Any] = field(default_factory=dict)

    @property
    def codec(self) -> str:
        """The codec string that the manifests give it."""
        if self.dash and self.dash.codecs:
            return self.dash.codecs
        own = [
            name
            for name in (self.hls.codecs if self.hls else ())
            if _is_sound(name) == (self.kind == "audio")
        ]
        return own[0] if own else ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, samples."""
        if self.hls and self.hls.width:
            return self.hls.width, self.hls.height
        return (self.dash.width, self.dash.height) if self.dash else (0, 0)

    @property
    def dynamic_range(self) -> str:
        """`sdr` or `hdr`; empty where no playlist could say it."""
        return "" if self.hls is None else "sdr" if self.hls.range in ("", "SDR") else "hdr"

    @property
    def protected(self) -> bool:
        """It is meant to be encrypted."""
        return "key_id" in self.meant

    @property
    def streams(self) -> bool:
        """Its segments are MPEG-2 transport streams, not fragments of mp4."""
        return bool(self.segments) and self.segments[0].endswith(".ts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A whole package.

    Attributes:
        root: its folder.
        renditions: in the order of `tracks.json`, then those that only a manifest names.
        protection: scheme and key set of `tracks.json`; empty for a clear package.
        at: where the manifests are below `base`, which is served: `ts/` for the transport streams of a package.
    """

    root: Path
    renditions: tuple[Listed, ...]
    protection: Mapping[str, str]
    at: str = ""

    @property
    def base(self) -> Path:
        """The folder that is served: the package, also where only its transport streams are tested."""
        return self.root.parent if self.at else self.root

    def of(self, kind: Kind) -> list[Listed]:
        """The renditions of one kind."""
        return [each for each in self.renditions if each.kind == kind]

    def folder(self, each: Listed) -> Path:
        """Where a rendition's files are."""
        return self.root / each.name


def read_listing(root: Path) -> Listing:
    """Read the manifests of a package.

    Raises:
        NoPackage: there is no master playlist and no MPD, or one cannot be read.
    """
    if not (root / MASTER).is_file() and not (root / MANIFEST).is_file():
        raise NoPackage(str(root), f"there is neither {MASTER} nor {MANIFEST}; name the folder of a package")
    try:
        hls, dash = _hls(root), _dash(root)
    except (ET.ParseError, ValueError, OSError, KeyError, StopIteration) as error:
        raise NoPackage(str(root), f"a manifest cannot be read: {error or type(error).__name__}") from error
    about = read_description(root)
    meant = {str(track["folder"]): track for track in about.get("tracks", [])}
    kinds: dict[str, Kind] = {
        **{name: kind for name, (kind, _) in dash.items()},
        **{name: kind for name, (kind, _) in hls.items()},
        **{name: track["kind"] for name, track in meant.items()},
    }
    names = [*meant, *(name for name in kinds if name not in meant)]
    renditions = [
        _listed(root, name, kinds[name], hls.get(name), dash.get(name), meant.get(name, {})) for name in names
    ]
    part = root.absolute().name == TS and (root.absolute().parent / MASTER).is_file()
    return Listing(
        root=root.absolute() if part else root,
        renditions=tuple(renditions),
        protection=about.get("protection", {}),
        at=f"{TS}/" if part else "",
    )


def _listed(
    root: Path,
    name: str,
    kind: Kind,
    hls: tuple[Kind, InHls] | None,
    dash: tuple[Kind, InDash] | None,
    meant: Mapping[str, Any],
) -> Listed:
    playlist = root / name / "media.m3u8"
    read = read_playlist(playlist.read_text(encoding="utf-8")) if playlist.is_file() else None
    return Listed(
        name=name,
        kind=kind,
        hls=hls[1] if hls else None,
        dash=dash[1] if dash else None,
        segments=read.segments if read else (),
        durations=read.durations if read else (),
        meant=meant,
    )


def _hls(root: Path) -> dict[str, tuple[Kind, InHls]]:
    path = root / MASTER
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found: dict[str, tuple[Kind, InHls]] = {}
    for place, line in enumerate(lines):
        fields = {name: value.strip('"') for name, value in _ATTRIBUTE.findall(line.partition(":")[2])}
        if line.startswith("#EXT-X-STREAM-INF:"):
            found[_folder(lines[place + 1])] = "video", _variant(fields)
        elif line.startswith("#EXT-X-MEDIA:") and "URI" in fields:
            kind: Kind = "audio" if fields["TYPE"] == "AUDIO" else "text"
            found[_folder(fields["URI"])] = (
                kind,
                InHls(
                    language=fields.get("LANGUAGE", ""),
                    label=fields.get("NAME", ""),
                    default=fields.get("DEFAULT") == "YES",
                ),
            )
    heard = tuple({name for _, each in found.values() for name in each.codecs if _is_sound(name)})
    return {
        name: (kind, replace(each, codecs=heard) if kind == "audio" and len(heard) == 1 else each)
        for name, (kind, each) in found.items()
    }


def _is_sound(codec: str) -> bool:
    return codec.partition(".")[0] in AUDIO_FAMILIES


def _variant(fields: Mapping[str, str]) -> InHls:
    width, _, height = fields.get("RESOLUTION", "0x0").partition("x")
    return InHls(
        codecs=tuple(fields.get("CODECS", "").split(",")),
        bandwidth=int(fields["BANDWIDTH"]),
        width=int(width),
        height=int(height),
        audio_group=fields.get("AUDIO", ""),
        range=fields.get("VIDEO-RANGE", ""),
    )


def _dash(root: Path) -> dict[str, tuple[Kind, InDash]]:
    path = root / MANIFEST
    if not path.is_file():
        return {}
    tree = ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314  expat refuses exploding entities
    return dict(_representations(tree))


def _representations(tree: ET.Element) -> Iterator[tuple[str, tuple[Kind, InDash]]]:
    kinds: dict[str, Kind] = {"video": "video", "audio": "audio", "text": "text"}
    for group in tree.iterfind(".//d:AdaptationSet", NS):
        kind = kinds.get(group.get("contentType", ""))
        for one in group.iterfind("d:Representation", NS) if kind else ():
            template, base = one.find("d:SegmentTemplate", NS), one.find("d:BaseURL", NS)
            place = template.get("initialization", "") if template is not None else _text(base)
            rate = Fraction(one.get("frameRate") or group.get("frameRate") or "0")
            yield (
                _folder(place),
                (
                    kind or "video",
                    InDash(
                        id=one.get("id", ""),
                        codecs=one.get("codecs") or group.get("codecs") or "",
                        bandwidth=int(one.get("bandwidth", "0")),
                        language=group.get("lang", ""),
                        roles=tuple(role.get("value", "") for role in group.iterfind("d:Role", NS)),
                        durations=_durations(template),
                        width=int(one.get("width") or group.get("width") or 0),
                        height=int(one.get("height") or group.get("height") or 0),
                        rate=rate,
                    ),
                ),
            )


def _durations(template: ET.Element | None) -> tuple[Fraction, ...]:
    if template is None:
        return ()
    scale = int(template.get("timescale", "1"))
    steps: Sequence[ET.Element] = template.findall(".//d:S", NS)
    return tuple(
        Fraction(int(step.get("d", "0")), scale) for step in steps for _ in range(1 + int(step.get("r", "0")))
    )


def _text(element: ET.Element | None) -> str:
    return (element.text or "") if element is not None else ""


def _folder(uri: str) -> str:
    return uri.rpartition("/")[0].removeprefix("./")


def init_bytes(listing: Listing, each: Listed) -> bytes:
    """The init segment of a rendition; empty where there is none."""
    path = listing.folder(each) / INIT
    return path.read_bytes() if path.is_file() else b""
