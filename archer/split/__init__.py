"""Cut a title into shots and chunks.

from archer.split import Chunk, Shot, plan_chunks
from archer.split.shots import detect
"""

from __future__ import annotations

from archer.split.chunk import Chunk as Chunk
from archer.split.chunk import Shot as Shot
from archer.split.chunk import Transition as Transition
from archer.split.plan import plan_chunks as plan_chunks

__all__ = ["Chunk", "Shot", "Transition", "plan_chunks"]
