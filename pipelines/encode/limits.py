"""What encoder processes of the main job may use."""

from __future__ import annotations

from archer.process import Limits
from archer.stage import Resources
from encoder import EncodeSettings

WORKER_MB, ENCODER_MB = 1024, 6144
"""The worker holds a decoder and a few pictures; the encoder's lookahead holds dozens, which is gigabytes for 2160p."""


def coder_resources(settings: EncodeSettings) -> Resources:
    """What a task that encodes is counted with."""
    return Resources(cpu=settings.threads, memory_mb=WORKER_MB)


def coder_limits(settings: EncodeSettings) -> Limits:
    """What its encoder is held to; each thread may have its own pictures."""
    return Limits(memory_mb=ENCODER_MB + 1024 * (settings.threads - 1))
