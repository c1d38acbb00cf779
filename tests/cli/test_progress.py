"""Progress as it is shown: what tasks say is text, and stages that had nothing to do are not worth a line."""

from __future__ import annotations

import pytest

from archer.events import Event
from pipelines.cli.progress import _Bars, _Lines, _progress


def event(kind: str, node: str = "encode", item: str = "chunk-0", **payload: object) -> Event:
    return Event(seq=1, job="j", type=kind, node=node, item=item, payload=payload)


def test_an_error_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """What looks like markup is part of a name."""
    with _progress() as progress:
        _Bars(progress).take(event("task-retry", error="[b]/[/i].mp4: no room"))
    assert "trying again: [b]/[/i].mp4: no room" in capsys.readouterr().err


def test_a_bar_counts_frames(capsys: pytest.CaptureFixture[str]) -> None:
    with _progress() as progress:
        bars = _Bars(progress)
        bars.take(event("node-planned", item="", weight=240))
        bars.take(event("task-progress", item="chunk-0", done=30, total=120))
        bars.take(event("chunk-done", item="chunk-1", weight=120))
    assert "150/240" in capsys.readouterr().err


def test_a_line_per_stage_that_did_something(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _Lines()
    lines.take(event("chunk-done", weight=24))
    lines.take(event("node-done"))
    lines.take(event("node-done", node="search"))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("encode: 24 done in ")
