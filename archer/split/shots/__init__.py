"""Find the shots of a title: thumbnails per frame, then a decision over the whole track.

from archer.split.shots import detect, thumbnails

track = thumbnails(frames(asset, info=info), frame_count=info.frame_count)
found = detect([track], frame_rate=info.video.frame_rate)
for shot in found.shots:
    print(shot.frames, shot.transition, shot.confidence_pct)
"""

from __future__ import annotations

from archer.split.shots.decision import Change as Change
from archer.split.shots.decision import Rules as Rules
from archer.split.shots.detect import Detection as Detection
from archer.split.shots.detect import Detector as Detector
from archer.split.shots.detect import detect as detect
from archer.split.shots.errors import DetectorMissing as DetectorMissing
from archer.split.shots.table import read_thumbnails as read_thumbnails
from archer.split.shots.table import write_thumbnails as write_thumbnails
from archer.split.shots.thumbnails import Thumbnails as Thumbnails
from archer.split.shots.thumbnails import thumbnails as thumbnails

__all__ = [
    "Change",
    "Detection",
    "Detector",
    "DetectorMissing",
    "Rules",
    "Thumbnails",
    "detect",
    "read_thumbnails",
    "thumbnails",
    "write_thumbnails",
]
