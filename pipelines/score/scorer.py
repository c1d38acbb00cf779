"""Which scorer the stages use."""

from __future__ import annotations

from vmaf import NativeScorer, Scorer


def default_scorer() -> Scorer:
    """The scorer behind every decision and report; its version is part of memo keys."""
    return NativeScorer()
