"""Cut a title into shots and chunks.

from archer.split import Chunk, Shot, plan_chunks
from archer.split.shots import detect
"""

from __future__ import annotations

from archer.split.base import Splitter as Splitter
from archer.split.base import chunks_at as chunks_at
from archer.split.base import splitter_named as splitter_named
from archer.split.chunk import Chunk as Chunk
from archer.split.chunk import Shot as Shot
from archer.split.chunk import Transition as Transition
from archer.split.plan import plan_chunks as plan_chunks

__all__ = ["Chunk", "Shot", "Splitter", "Transition", "chunks_at", "plan_chunks", "splitter_named"]
