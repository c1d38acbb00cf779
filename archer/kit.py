"""The conformance kit: what every stage must stand, tried on a stage by its name.

    for finding in check_stage("shots", work_dir=Path("check")):
        print(finding.check, finding.verdict, finding.detail)

The stage's inputs come from the stages that give their kinds, as far as they are installed, starting from a small title that
is made for it. A stage that has settings for how it cuts a title offers `Stage.same` cases: settings that must
give the same outputs, one chunk or many.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from archer.canonical import plain
from archer.control import ask
from archer.driver import JobResult, run
from archer.errors import SpecError, StageError
from archer.events import Event
from archer.media.asset import Asset
from archer.params import build
from archer.plan import JobSpec, Node, Source, make_plan
from archer.registry import STAGES, installed, load_stage
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
    stage: str, *, work_dir: Path, params: Mapping[str, Any] | None = None, title: Asset | None = None
) -> Iterator[Finding]:
    """Try everything on a stage; findings come as they are made.

    Args:
        stage: its installed name, or `module:Class`.
        work_dir: an empty folder for the titles and work folders of the checks.
        params: settings, where it has some without a default.
        title: what it works on; None for a small one made here.

    Raises:
        SpecError: there is no such stage.
    """
    bench = _Bench(stage, load_stage(stage, "stage"), dict(params or {}), Path(work_dir), title)
    checks: Sequence[tuple[str, Callable[[], str]]] = (
        ("declaration", bench.declaration),
        ("settings round trip", bench.settings),
        ("runs", bench.runs),
        ("determinism", bench.determinism),
        ("chunk invariance", bench.chunks),
        ("memo", bench.memo),
        ("memory as declared", bench.memory),
        ("kill -9 and rerun", bench.killed),
        (f"cancel under {CANCEL_S:g} s", bench.cancelled),
        *((f"awkward: {name}", partial(bench.awkward, name)) for name in AWKWARD),
    )
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
        self, name: str, stage: Stage[Any], params: dict[str, Any], folder: Path, title: Asset | None
    ) -> None:
        self._name, self._stage, self._params, self._folder, self._title = name, stage, params, folder, title
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

        folder, spec, dice = self._folder / "killed", self._spec(self._params), random.Random(1)  # noqa: S311
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
        _hold(
            self._hashes(self._run("killed", self._params)) == self._hashes(self._done()),
            "other bytes after kills",
        )
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
        if "asset" not in {kind.removesuffix("?") for kind in self._stage.inputs.values()}:
            raise _Skip("it reads no title")
        try:
            title = awkward_title(name, self._folder / "titles")
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
        given: dict[str, Any] = {"executor": "local", "workers": 2, **options}
        result = run(self._spec(params, title), work_dir=self._folder / folder, **given)
        if good:
            result.raise_for_state()
        return result

    def _spec(self, params: Any, title: Asset | None = None) -> JobSpec:
        title = title or self._title or sample_title(self._folder / "titles")
        self._title = self._title or title
        feeder = _Feeder(title)
        inputs = feeder.inputs_of(self._stage)
        spec = JobSpec(
            nodes=[*feeder.nodes, Node(id=UNDER_TEST, stage=self._name, params=params, inputs=inputs)]
        )
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


class _Feeder:
    """Finds, for the inputs of a stage, installed stages that give their kinds."""

    def __init__(self, title: Asset) -> None:
        self._title = title
        self.nodes: list[Node] = []
        self._given: dict[str, str] = {}

    def inputs_of(self, stage: Stage[Any], depth: int = 0) -> dict[str, Source]:
        """A source for each input that is not optional."""
        found: dict[str, Source] = {}
        for name, kind in stage.inputs.items():
            if kind == "asset":
                found[name] = self._title
            elif not kind.endswith("?"):
                found[name] = self._source(kind, depth)
        return found

    def _source(self, kind: str, depth: int) -> str:
        if kind in self._given:
            return self._given[kind]
        for name in sorted(installed(STAGES)) if depth < 5 else ():
            try:
                stage = load_stage(name)
                output = next((key for key, value in stage.outputs.items() if value == kind), None)
                if output is None:
                    continue
                build(stage.params, {}, name)
                inputs = self.inputs_of(stage, depth + 1)
            except SpecError:
                continue
            self.nodes.append(Node(id=f"feed_{name}", stage=name, inputs=inputs))
            self._given[kind] = f"feed_{name}.{output}"
            return self._given[kind]
        raise SpecError("inputs", f"no installed stage gives {kind} from its default settings")


def run_text(text: str, folder: str) -> None:
    """Run a spec as `spec_to_text` wrote it: what the kit kills."""
    from archer.spec import spec_from_text

    run(spec_from_text(text), work_dir=Path(folder), workers=2)
