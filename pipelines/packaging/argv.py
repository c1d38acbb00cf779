"""The command line of Shaka Packager for a set of tracks; pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from pipelines.packaging.languages import language_tag
from pipelines.packaging.tracks import AudioTrack, TextTrack, Track, VideoTrack

MASTER, MANIFEST = "master.m3u8", "manifest.mpd"
PLAYLIST, INIT, SEGMENT = "media.m3u8", "init.mp4", "$Number$.m4s"
TEXT_SEGMENT = "$Number$.vtt"
SPOKEN = "public.accessibility.transcribes-spoken-dialog;public.accessibility.describes-music-and-sound"
"""What HLS says of captions for people who do not hear (Apple's HLS authoring specification)."""
IO_CACHE_BYTES = 1 << 20
"""Per file; the default of 32 MiB costs more time in page faults than the packaging of a short title."""


def packager_argv(
    packager: Path,
    videos: Sequence[VideoTrack],
    audios: Sequence[AudioTrack],
    texts: Sequence[TextTrack] = (),
    *,
    out: str,
    segment_s: Decimal,
) -> list[str]:
    """Arguments that write one set of CMAF segments with both manifests, the same bytes every time.

    The packager numbers adaptation sets in the order in which its threads happen to start, so it gets one
    thread (which is faster for files, too), and a clock that stands still.

    Args:
        packager: the binary.
        videos: paths without comma, relative to where the packager runs.
        audios: the same; in the order in which players shall list them.
        texts: the same.
        out: folder of the package, relative too.
        segment_s: wanted length of a segment, seconds; each one ends at the first key frame at or after it.
    """
    return [
        str(packager),
        *(_descriptor(track, out, []) for track in videos),
        *(_descriptor(track, out, _audio_fields(track)) for track in audios),
        *(_text_descriptor(track, out) for track in texts),
        f"--segment_duration={segment_s}",
        f"--hls_master_playlist_output={out}/{MASTER}",
        f"--mpd_output={out}/{MANIFEST}",
        "--generate_static_live_mpd",
        "--hls_playlist_type=VOD",
        "--single_threaded",
        "--use_fake_clock_for_muxer",
        f"--io_cache_size={IO_CACHE_BYTES}",
        "--quiet",
    ]


def _descriptor(track: Track, out: str, more: Sequence[str]) -> str:
    fields = [
        f"in={track.path}",
        f"stream={'video' if isinstance(track, VideoTrack) else 'audio'}",
        f"init_segment={out}/{track.folder}/{INIT}",
        f"segment_template={out}/{track.folder}/{SEGMENT}",
        f"playlist_name={track.folder}/{PLAYLIST}",
        *more,
    ]
    return ",".join(fields)


def _text_descriptor(track: TextTrack, out: str) -> str:
    """WebVTT in segments of its own: players of HLS and of DASH both take it so."""
    tag = language_tag(track.language)
    fields = [
        f"in={track.path}",
        "stream=text",
        f"segment_template={out}/{track.folder}/{TEXT_SEGMENT}",
        f"playlist_name={track.folder}/{PLAYLIST}",
        *([f"lang={tag}"] if tag else []),
        "hls_group_id=text",
        f"hls_name={track.label}",
        f"dash_label={track.label}",
        f"dash_roles={';'.join(track.roles or ('subtitle',))}",
        *(["forced_subtitle=1"] if "forced-subtitle" in track.roles else []),
        *([f"hls_characteristics={SPOKEN}"] if "caption" in track.roles else []),
    ]
    return ",".join(fields)


def _audio_fields(track: AudioTrack) -> list[str]:
    language = [f"lang={tag}"] if (tag := language_tag(track.language)) else []
    roles = ";".join(["main" if track.default else "alternate", *track.roles])
    described = ["hls_characteristics=public.accessibility.describes-video"] * ("description" in track.roles)
    return [
        *language,
        "hls_group_id=audio",
        f"hls_name={track.label}",
        f"dash_label={track.label}",
        f"dash_roles={roles}",
        *described,
    ]
