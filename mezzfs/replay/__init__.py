"""Replays: what readers did and what that cost, recorded, shown and done again.

from mezzfs.replay import Recorder, read_log, summarise

core = Core(observer=Recorder(Path("encode.mzr")))
...
for file in summarise(read_log(Path("encode.mzr"))):
    print(file.name, file.over_fetch)
"""

from __future__ import annotations

from mezzfs.replay.log import NotAReplay as NotAReplay
from mezzfs.replay.log import Record as Record
from mezzfs.replay.log import Recorder as Recorder
from mezzfs.replay.log import read_log as read_log
from mezzfs.replay.picture import picture as picture
from mezzfs.replay.run import Result as Result
from mezzfs.replay.run import WrongBytes as WrongBytes
from mezzfs.replay.run import run as run
from mezzfs.replay.summary import FileLog as FileLog
from mezzfs.replay.summary import statistics as statistics
from mezzfs.replay.summary import summarise as summarise

__all__ = [
    "FileLog",
    "NotAReplay",
    "Record",
    "Recorder",
    "Result",
    "WrongBytes",
    "picture",
    "read_log",
    "run",
    "statistics",
    "summarise",
]
