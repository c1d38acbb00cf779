"""The command line of Shaka Packager for a set of tracks; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from pipelines.packaging.keys import ContentKey
from pipelines.packaging.languages import language_tag
from pipelines.packaging.tracks import AudioTrack, Track, VideoTrack

MASTER, MANIFEST = "master.m3u8", "manifest.mpd"
PLAYLIST, INIT, SEGMENT = "media.m3u8", "init.mp4", "$Number$.m4s"
TS, TS_SEGMENT = "ts", "$Number$.ts"
"""Folder of transport streams in a package."""
IFRAMES = "iframes.m3u8"
"""Playlist of the key frames of a video track, for trick play: byte ranges of the same segments."""
DESCRIBES = "urn:tva:metadata:cs:AudioPurposeCS:2007=1"
"""Audio for people who do not see the picture (TV-Anytime, as DASH-IF IOP names it)."""
IO_CACHE_BYTES = 1 << 20
"""Per file; the default of 32 MiB costs more time in page faults than the packaging of a short title."""


def packager_argv(
    packager: Path,
    videos: Sequence[VideoTrack],
    audios: Sequence[AudioTrack],
    *,
    out: str,
    segment_s: Decimal,
    encryption: Sequence[str] = (),
) -> list[str]:
    """Arguments that write one set of CMAF segments with both manifests, the same bytes every time.

    The packager numbers adaptation sets in the order in which its threads happen to start, so it gets one
    thread (which is faster for files, too), and a clock that stands still.

    Args:
        packager: the binary.
        videos: paths without comma, relative to where the packager runs.
        audios: the same; in the order in which players shall list them.
        out: folder of the package, relative too.
        segment_s: wanted length of a segment, seconds; each one ends at the first key frame at or after it.
        encryption: see `encryption_flags`.
    """
    return [
        str(packager),
        *(_descriptor(track, out, [f"iframe_playlist_name={track.folder}/{IFRAMES}"]) for track in videos),
        *(_descriptor(track, out, _audio_fields(track)) for track in audios),
        f"--segment_duration={segment_s}",
        f"--hls_master_playlist_output={out}/{MASTER}",
        f"--mpd_output={out}/{MANIFEST}",
        "--generate_static_live_mpd",
        "--hls_playlist_type=VOD",
        "--single_threaded",
        "--use_fake_clock_for_muxer",
        f"--io_cache_size={IO_CACHE_BYTES}",
        "--quiet",
        *encryption,
    ]


def ts_argv(
    packager: Path,
    videos: Sequence[VideoTrack],
    audios: Sequence[AudioTrack],
    *,
    out: str,
    segment_s: Decimal,
) -> list[str]:
    """Arguments that write segments of MPEG-2 transport streams with a master playlist, for players older than CMAF.

    Args:
        packager, segment_s: see `packager_argv`.
        videos, audios: H.264 and AAC, the same way.
        out: folder of the transport streams.
    """
    return [
        str(packager),
        *(_ts_descriptor(track, out, []) for track in videos),
        *(_ts_descriptor(track, out, _audio_fields(track)) for track in audios),
        f"--segment_duration={segment_s}",
        f"--hls_master_playlist_output={out}/{MASTER}",
        "--hls_playlist_type=VOD",
        "--single_threaded",
        "--use_fake_clock_for_muxer",
        f"--io_cache_size={IO_CACHE_BYTES}",
        "--quiet",
    ]


def encryption_flags(scheme: str, clear_lead_s: Decimal, key_file: str) -> list[str]:
    """Arguments that encrypt every track with its own key; the keys themselves stand in a file of flags.

    Args:
        scheme: `cenc` or `cbcs`.
        clear_lead_s: seconds left clear.
        key_file: what holds the text of `key_flags`.
    """
    return [
        "--enable_raw_key_encryption",
        f"--protection_scheme={scheme}",
        f"--clear_lead={clear_lead_s}",
        f"--flagfile={key_file}",
    ]


def key_flags(keys: Mapping[str, ContentKey], iv: bytes) -> str:
    """The flags that nobody may see: a process's arguments are public, an open descriptor is not.

    Args:
        keys: by folder of the track.
        iv: where counting begins.
    """
    entries = (
        f"label={folder}:key_id={key.key_id.hex()}:key={key.key.hex()}" for folder, key in keys.items()
    )
    return f"--keys={','.join(entries)}\n--iv={iv.hex()}\n"


def _descriptor(track: Track, out: str, more: Sequence[str]) -> str:
    fields = [
        f"in={track.path}",
        f"stream={'video' if isinstance(track, VideoTrack) else 'audio'}",
        f"init_segment={out}/{track.folder}/{INIT}",
        f"segment_template={out}/{track.folder}/{SEGMENT}",
        f"playlist_name={track.folder}/{PLAYLIST}",
        f"drm_label={track.folder}",
        *more,
    ]
    return ",".join(fields)


def _ts_descriptor(track: Track, out: str, more: Sequence[str]) -> str:
    kind = "video" if isinstance(track, VideoTrack) else "audio"
    place = f"{out}/{track.folder}/{TS_SEGMENT}"
    return ",".join(
        [
            f"in={track.path}",
            f"stream={kind}",
            f"segment_template={place}",
            f"playlist_name={track.folder}/{PLAYLIST}",
            *more,
        ]
    )


def _audio_fields(track: AudioTrack) -> list[str]:
    language = [f"lang={tag}"] if (tag := language_tag(track.language)) else []
    described = "description" in track.roles
    roles = ";".join(["main" if track.default else "alternate", *track.roles])
    return [
        *language,
        "hls_group_id=audio",
        f"hls_name={track.label}",
        f"dash_label={track.label}",
        f"dash_roles={roles}",
        *(["hls_characteristics=public.accessibility.describes-video"] if described else []),
        *([f"dash_accessibilities={DESCRIBES}"] if described else []),
    ]
