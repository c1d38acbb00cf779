"""The conformance kit: what every stage must stand, tried on a stage by its name.

    for finding in check_stage("shots", work_dir=Path("check")):
        print(finding.check, finding.verdict, finding.detail)

The stage's inputs come from stages that are installed, as its `trial` says or by their kinds, starting from a small title that
is made for it. They run once, in the folder `feed`. A stage that has settings for how it cuts a title offers `Stage.same` cases:
settings that must give the same outputs, one chunk or many.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from archer.canonical import plain
from archer.control import ask
from archer.driver import JobResult, run
from archer.errors import StageError
from archer.events import Event
from archer.feeder import Feeder
from archer.media.asset import Asset
from archer.params import build
from archer.plan import JobSpec, Node, Source, make_plan
from archer.registry import load_stage
from archer.sample import AWKWARD, awkward_title, sample_title
from archer.schema import json_schema
from archer.spec import spec_to_text
from archer.stage import Stage
from cinemill_native.errors import CinemillError

Verdict = Literal["passed", "failed", "skipped"]
CANCEL_S = 5.0
CRASHES = (
    *("AssertionError", "AttributeError", "IndexError", "KeyError", "NameError", "TypeError"),
    *("UnboundLocalError", "WorkerDied", "ZeroDivisionError"),
)
"""Kinds of errors that tell of a mistake in the stage, not of something about its input."""
UNDER_TEST = "under_test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check came to."""

    check: str
    verdict: Verdict
    detail: str = ""


def _hold(condition: object, problem: str) -> None:
    if not condition:
        raise StageError(problem)


class _Skip(Exception):  # a check that does not apply
    pass


def check_stage(
    stage: str,
    *,
    work_dir: Path,
    params: Mapping[str, Any] | None = None,
    title: Asset | None = None,
    quick: bool = False,
) -> Iterator[Finding]:
    """Try everything on a stage; findings come as they are made.

    Args:
        stage: its installed name, or `module:Class`.
        work_dir: a folder for the titles and work folders of the checks; several stages may share one, and what feeds them.
        params: settings; None for those of the stage's `trial`.
        title: what it works on; None for a small one made here.
        quick: leave out kills, cancelling and awkward titles.

    Raises:
        SpecError: there is no such stage.
    """
    bench = _Bench(stage, load_stage(stage, "stage"), params, Path(work_dir), title)
    checks: list[tuple[str, Callable[[], str]]] = [
        ("declaration", bench.declaration),
        ("settings round trip", bench.settings),
        ("runs", bench.runs),
        ("determinism", bench.determinism),
        ("chunk invariance", bench.chunks),
        ("memo", bench.memo),
        ("memory as declared", bench.memory),
    ]
    if not quick:
        checks += [("kill -9 and rerun", bench.killed), (f"cancel under {CANCEL_S:g} s", bench.cancelled)]
        checks += [(f"awkward: {name}", partial(bench.awkward, name)) for name in AWKWARD]
    for name, check in checks:
        yield _found(name, check)


def _found(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(check=name, verdict="passed", detail=check())
    except _Skip as reason:
        return Finding(check=name, verdict="skipped", detail=str(reason))
    except (CinemillError, OSError, TypeError, ValueError) as error:
        return Finding(
            check=name, verdict="failed", detail=" ".join(str(error).split()) or type(error).__name__
        )


class _Bench:
    """A stage on the bench; each method is one check, which raises where it fails."""

    def __init__(
        self,
        name: str,
        stage: Stage[Any],
        params: Mapping[str, Any] | None,
        folder: Path,
        title: Asset | None,
    ) -> None:
        own = "".join(letter if letter.isalnum() else "-" for letter in name)
        self._name, self._stage, self._shared, self._folder = name, stage, folder, folder / own
        self._title = title or sample_title(folder / "titles")
        self._trial = stage.trial()
        self._params: Any = dict(params) if params else self._trial.params or {}
        self._first: JobResult | None = None

    def declaration(self) -> str:
        kinds = {**self._stage.inputs, **self._stage.parts, **self._stage.outputs}
        _hold(self._stage.version >= 1, "version: wanted an integer from 1")
        for name, kind in kinds.items():
            plain_kind = kind.removesuffix("?")
            _hold(
                plain_kind == "asset" or "@" in plain_kind,
                f"{name}: kind {kind!r} has no schema version, as shots@1",
            )
        _hold(self._stage.outputs, "it gives nothing")
        return f"{self._stage.name}@{self._stage.version}"

    def settings(self) -> str:
        schema = json_schema(self._stage.params)
        made = build(self._stage.params, self._params, "params")
        again = build(self._stage.params, plain(made, "params"), "params")
        _hold(again == made, f"{made} comes back as {again}")
        return f"{len(schema['properties'])} settings"

    def runs(self) -> str:
        self._first = self._run("first", self._params)
        return self._outputs(self._first)

    def determinism(self) -> str:
        again = self._run("second", self._params, executor="inline")
        _hold(self._hashes(again) == self._hashes(self._done()), "another run gave other bytes")
        return "two runs, the same bytes"

    def chunks(self) -> str:
        cases = self._stage.same(build(self._stage.params, self._params, "params"))
        if not cases:
            raise _Skip("the stage offers no settings that must give the same (Stage.same)")
        for place, case in enumerate(cases):
            other = self._run(f"same-{place}", case)
            _hold(self._hashes(other) == self._hashes(self._done()), f"{case} gave other bytes")
        return f"{len(cases)} other cuts, the same bytes"

    def memo(self) -> str:
        events: list[Event] = []
        self._run("first", self._params, on_event=events.append)
        started = [event.node for event in events if event.type == "task-started"]
        _hold(not started, f"a second run computed again: {', '.join(sorted(set(started)))}")
        return "nothing is computed twice"

    def memory(self) -> str:
        self._done()
        wanted = self._stage.resources(build(self._stage.params, self._params, "params")).memory_mb
        return f"held to {wanted} MiB in every run here"

    def killed(self) -> str:
        from archer.process import run as run_tool

        self._done()
        folder, dice = self._folder / "killed", random.Random(1)  # noqa: S311  no secret
        spec = self._spec(self._fed(self._title, folder), self._params)
        code = "import sys; from archer.kit import run_text; run_text(sys.argv[1], sys.argv[2])"
        argv = [sys.executable, "-c", code, spec_to_text(spec), str(folder)]
        kills = 0
        for _ in range(4):
            deadline = time.monotonic() + dice.uniform(0.4, 2.0)
            try:
                run_tool(argv, cancelled=lambda until=deadline: time.monotonic() > until)  # type: ignore[misc]
                break
            except CinemillError:
                kills += 1
        again = self._run("killed", self._params)
        _hold(self._hashes(again) == self._hashes(self._done()), "other bytes after kills")
        return f"{kills} kills, the same bytes"

    def cancelled(self) -> str:
        self._done()
        folder, asked_at = self._folder / "cancelled", 0.0

        def stop(event: Event) -> None:
            nonlocal asked_at
            if event.type == "task-started" and event.node == UNDER_TEST and not asked_at:
                asked_at = time.monotonic()
                ask(folder, event.job, "cancel")

        result = self._run("cancelled", self._params, on_event=stop, good=False)
        if result.state != "cancelled":
            raise _Skip("it was done before it could be stopped")
        taken = time.monotonic() - asked_at
        _hold(taken < CANCEL_S, f"it took {taken:.1f} s")
        return f"{taken:.1f} s"

    def awkward(self, name: str) -> str:
        if not self._stage.inputs:
            raise _Skip("it reads nothing")
        try:
            title = awkward_title(name, self._shared / "titles")
            result = self._run(f"awkward-{name}", self._params, title=title, good=False)
        except CinemillError as refusal:
            return f"refused: {refusal}"
        if result.state in ("done", "partial"):
            return "done"
        failure = result.failures[0]
        _hold(failure.kind not in CRASHES, f"{failure.kind}: {failure.message}")
        return f"refused: {failure.message}"

    def _run(
        self, folder: str, params: Any, *, title: Asset | None = None, good: bool = True, **options: Any
    ) -> JobResult:
        title, place = title or self._title, self._folder / folder
        fed = self._fed(title, place)
        given: dict[str, Any] = {"executor": "local", "workers": 2, **options}
        result = run(self._spec(fed, params), work_dir=place, **given)
        if good:
            result.raise_for_state()
        return result

    def _fed(self, title: Asset, place: Path) -> Mapping[str, Source]:
        """What the stage reads of a title, made once and put at `place`. Raises JobFailed where it cannot be made."""
        feeder = Feeder(title)
        inputs = feeder.inputs_of(self._stage, self._trial)
        if not feeder.nodes:
            return inputs
        feed = self._shared / "feed"
        result = run(JobSpec(nodes=feeder.nodes), work_dir=feed, workers=2)
        result.raise_for_state()
        for kind in ("objects", "trees"):  # no state, in which the stage itself may be known as done
            if (feed / kind).is_dir():
                shutil.copytree(feed / kind, place / kind, copy_function=_linked, dirs_exist_ok=True)
        return {
            name: result.outputs[source] if isinstance(source, str) else source
            for name, source in inputs.items()
        }

    def _spec(self, fed: Mapping[str, Source], params: Any) -> JobSpec:
        spec = JobSpec(nodes=[Node(id=UNDER_TEST, stage=self._name, params=params, inputs=fed)])
        make_plan(spec)
        return spec

    def _done(self) -> JobResult:
        if self._first is None:
            raise _Skip("it did not run")
        return self._first

    def _hashes(self, result: JobResult) -> dict[str, str]:
        own = f"{UNDER_TEST}."
        return {name: each.hash for name, each in result.outputs.items() if name.startswith(own)}

    def _outputs(self, result: JobResult) -> str:
        return ", ".join(name.partition(".")[2] for name in self._hashes(result))


def _linked(source: str, target: str) -> str:
    """Take an artifact along: it is named by its content and never changes."""
    with suppress(FileExistsError):
        os.link(source, target)
    return target


def run_text(text: str, folder: str) -> None:
    """Run a spec as `spec_to_text` wrote it: what the kit kills."""
    from archer.spec import spec_from_text

    run(spec_from_text(text), work_dir=Path(folder), workers=2)
