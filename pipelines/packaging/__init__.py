"""Stage `packaging`: renditions and audio to CMAF segments, once, for HLS and for DASH.

from pathlib import Path
from pipelines.packaging.build import build_package
from pipelines.packaging.tracks import AudioTrack, VideoTrack

build_package(
    [VideoTrack(name="720p", path=Path("720p.mp4"))],
    [AudioTrack(name="audio-0-eng", path=Path("eng.mp4"), language="eng", default=True)],
    out=Path("package"),       # master.m3u8, manifest.mpd, video-720p/, audio-0-eng/
    scratch=Path("scratch"),
)
"""
