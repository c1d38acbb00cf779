"""Find the shots of a title: signals per frame, then a decision over the whole track.

from archer.split.shots import decide, signals

track = signals(frames(asset, part, info=info))
shots = decide(track, frame_rate=info.video.frame_rate)
"""

from __future__ import annotations

from archer.split.shots.decision import decide as decide
from archer.split.shots.signals import Signals as Signals
from archer.split.shots.signals import signals as signals
from archer.split.shots.table import read_signals as read_signals
from archer.split.shots.table import write_signals as write_signals

__all__ = ["Signals", "decide", "read_signals", "signals", "write_signals"]
