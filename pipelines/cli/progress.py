"""Progress of a job for people (bars with fps and ETA), for logs (a line per stage) and for programs (NDJSON)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from archer.events import Event

Watch = Callable[["Event"], None]

VERBS = {
    "ingest": "probe",
    "shots": "find shots",
    "search": "search CRF",
    "encode": "encode",
    "assemble": "assemble",
    "audio": "audio",
    "mux": "mux",
    "score": "score",
    "packaging": "package",
    "proxies": "proxies",
    "proxy_files": "join proxies",
    "report": "report",
}


@dataclass(slots=True)
class Tally:
    """Work of one stage so far, in its unit (frames where there are frames).

    Attributes:
        total: weight of all its items known so far.
        done: weight of the finished items.
        running: item label -> weight done of items under way.
        memo: weight of the items whose result was there already.
        weights: item label -> weight of the item, as planned.
    """

    total: int = 0
    done: int = 0
    memo: int = 0
    started_s: float = 0.0
    running: dict[str, float] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)

    @property
    def now(self) -> float:
        """Weight done, finished and under way together."""
        return self.done + sum(self.running.values())

    def take(self, event: Event) -> None:
        """Add what an event of this stage says."""
        label, payload = event.item, event.payload
        match event.type:
            case "node-planned":
                self.total += int(payload.get("weight", 0))
            case "task-progress" if label:
                total = max(1, int(payload["total"]))
                weight = self.weights.get(label, int(payload.get("weight", total)))
                self.running[label] = weight * min(1.0, payload["done"] / total)
            case "chunk-done" | "memo-hit" if label and payload.get("phase", "map") == "map":
                self.running.pop(label, None)
                self.done += int(payload.get("weight", 1))
                self.memo += int(payload.get("weight", 1)) if event.type == "memo-hit" else 0
            case "task-retry" | "task-failed" if label:
                self.running.pop(label, None)


@contextmanager
def watching(*, as_json: bool, quiet: bool) -> Iterator[Watch]:
    """Yield the function that shows a job's events in the way that fits where they go."""
    if as_json:
        yield lambda event: click.echo(event.to_json())
    elif quiet:
        yield lambda _event: None
    elif sys.stderr.isatty():
        with _bars() as watch:
            yield watch
    else:
        yield _Lines().take


class _Lines:
    """One line per finished stage on stderr, for logs."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}

    def take(self, event: Event) -> None:
        if not event.node:
            return
        tally = self._tallies.setdefault(event.node, Tally(started_s=time.monotonic()))
        tally.take(event)
        if event.type == "task-retry":
            click.echo(
                f"{event.node}: {event.item}: trying again: {event.payload.get('error', '')}", err=True
            )
        if event.type == "node-done" and tally.done:
            seconds = max(1e-6, time.monotonic() - tally.started_s)
            fresh = tally.done - tally.memo
            reused = f", {tally.memo} reused" if tally.memo else ""
            verb = VERBS.get(event.node, event.node)
            click.echo(
                f"{verb}: {tally.done} done in {seconds:.1f} s ({fresh / seconds:.1f}/s{reused})", err=True
            )


@contextmanager
def counting(verb: str, *, show: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that shows (done, total) of one piece of work: a bar on a terminal, nothing elsewhere."""
    if not show or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    with _progress() as progress:
        bar, began = progress.add_task(verb, total=None, rate=""), time.monotonic()

        def count(done: int, total: int) -> None:
            rate = done / max(1e-6, time.monotonic() - began)
            progress.update(bar, total=total, completed=done, rate=f"{done}/{total} {rate:7.1f} fps")

        yield count


@contextmanager
def _bars() -> Iterator[Watch]:
    with _progress() as progress:
        yield _Bars(progress).take


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<11}"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[rate]:>26}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    return Progress(*columns, console=Console(stderr=True), expand=True)


class _Bars:
    """One bar per stage that has begun."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tallies: dict[str, Tally] = {}
        self._bars: dict[str, TaskID] = {}

    def take(self, event: Event) -> None:
        if not event.node:
            return
        if event.node not in self._bars:
            verb = VERBS.get(event.node, event.node)
            self._tallies[event.node] = Tally(started_s=time.monotonic())
            self._bars[event.node] = self._progress.add_task(verb, total=None, rate="")
        tally, bar = self._tallies[event.node], self._bars[event.node]
        tally.take(event)
        if event.type == "node-done":
            self._progress.update(bar, total=tally.total or 1, completed=tally.total or 1, rate=_rate(tally))
        elif tally.total:
            self._progress.update(bar, total=tally.total, completed=tally.now, rate=_rate(tally))
        if event.type == "task-retry":
            text = f"{event.node} {event.item}: trying again: {event.payload.get('error', '')}"
            self._progress.console.print(text, markup=False, highlight=False)


def _rate(tally: Tally) -> str:
    """Frames and their rate, where the unit is frames and not a few tasks."""
    seconds = time.monotonic() - tally.started_s
    fresh = tally.now - tally.memo
    frames = f"{tally.now:.0f}/{tally.total}" if tally.total > 20 else ""
    if seconds < 0.2 or fresh <= 1:
        return f"{frames} reused".strip() if tally.memo and tally.memo == tally.done else frames
    return f"{frames} {fresh / seconds:7.1f} fps" if frames else ""
