"""`cinemill bench`: our side beside the peers', measured by turns in one sitting. Works from a checkout.

`benchmarks/` measures (its conftest.py is the harness); this command runs it and shows ratios.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

README = "README.md"
PYTEST = (
    *("-q", "--no-header", "--benchmark-only", "--benchmark-quiet", "-p", "no:cacheprovider"),
    *("-W", "ignore::pytest_benchmark.logger.PytestBenchmarkWarning", "-o", "timeout=3600"),
)
INTRODUCTION = """# Benchmarks

Ours beside the peers', measured by turns in one sitting on the same inputs; the sides must return equal
values, or the run fails. Times are medians per call (or per frame, where it says so); processor time includes
child processes. The last three columns are ours divided by theirs: below 1 we are faster (or smaller). Peers
that are not installed are left out.

Sections with a command of their own are scripts that measure without a peer, against the bars named there.

This page is made by `cinemill bench --save`, and by the scripts' `--save`, from `results/*.json`; text under a table
is `results/NAME.md`. Run it on a quiet machine; `load` says how busy it was.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One side of one benchmark.

    Attributes:
        case: the benchmark and its parameters: `bench_sse[1080p-8bit]`.
        side: what ran, with its version; the first of a case is ours.
        unit: what the times are per: `plane`, `frame`, `clip`.
        wall_s, cpu_s: medians, seconds.
        size: bytes of the file it wrote, if it wrote one.
        wall_ratio, cpu_ratio, size_ratio: ours divided by this side's; None for our own side.
    """

    case: str
    side: str
    unit: str
    wall_s: float
    cpu_s: float
    size: int | None = None
    wall_ratio: float | None = None
    cpu_ratio: float | None = None
    size_ratio: float | None = None


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--save",
    is_flag=True,
    help="Keep the results: benchmarks/results/NAME.json and the tables of its README.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON instead of a table.")
def bench(names: tuple[str, ...], save: bool, as_json: bool) -> int:
    """Run benchmarks beside the peers: all, or by NAME (sse, decode ...). Exit code 1 if one fails."""
    folder = _folder()
    failed = 0
    for name, path in _chosen(folder, names).items():
        result = _run(path)
        if result is None:
            failed = 1
            continue
        if save:
            _save(folder, name, result)
        click.echo(json.dumps(result, indent=2)) if as_json else _show(result)
    return failed


def _folder() -> Path:
    import pipelines

    for root in (Path(pipelines.__file__).resolve().parent.parent, Path.cwd()):
        if (root / "benchmarks" / "conftest.py").is_file():
            return root / "benchmarks"
    raise click.ClickException(
        "no benchmarks/ here: wanted a checkout of the project; run this in its folder"
    )


def _chosen(folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    known = {path.stem.removeprefix("bench_"): path for path in sorted(folder.glob("bench_*.py"))}
    for name in names:
        if name not in known:
            raise click.BadParameter(f"{name}: unknown; known are {', '.join(known)}", param_hint="NAME")
    return {name: known[name] for name in names or known}


def _run(path: Path) -> dict[str, Any] | None:
    """Machine, commit and rows of one file; None where a side failed (pytest has told why)."""
    try:
        import pytest
    except ImportError:
        raise click.ClickException("pytest is not installed; get it: pip install 'cinemill[dev]'") from None

    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "result.json"
        argv = [str(path), *PYTEST, f"--benchmark-json={output}", f"--rootdir={path.parents[1]}"]
        argv += [f"--benchmark-storage={scratch}"]  # else a folder is made here
        with contextlib.chdir(path.parents[1]):  # whose commit it is
            failed = pytest.main([*argv, "-c", str(path.parents[1] / "pyproject.toml")])
        if failed:
            return None
        found = json.loads(output.read_text())
    rows = [asdict(row) for benchmark in found["benchmarks"] for row in _rows(benchmark)]
    return {"machine": found["machine"], "commit": _commit(found["commit_info"]), "rows": rows}


def _commit(info: dict[str, Any]) -> str:
    return str(info.get("id") or "unknown")[:12] + ("+" if info.get("dirty") else "")


def _rows(benchmark: dict[str, Any]) -> Iterator[Row]:
    extra = benchmark["extra_info"]
    ours = extra["sides"][0]
    for side in extra["sides"]:
        others = {} if side is ours else _FIELDS
        ratios = {f"{key}_ratio": _ratio(ours, side, field) for key, field in others.items()}
        yield Row(
            case=benchmark["name"],
            side=side["side"],
            unit=extra["unit"],
            wall_s=side["wall_s"],
            cpu_s=side["cpu_s"],
            size=side.get("bytes"),
            **ratios,
        )


_FIELDS = {"wall": "wall_s", "cpu": "cpu_s", "size": "bytes"}


def _ratio(ours: dict[str, Any], theirs: dict[str, Any], field: str) -> float | None:
    return ours[field] / theirs[field] if theirs.get(field) else None


HEADINGS = ("benchmark", "per", "side", "wall", "CPU", "wall x", "CPU x", "size x")
LEFT = 3


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    mine = row["wall_ratio"] is None
    case = (row["case"].removeprefix("bench_"), row["unit"]) if mine else ("", "")
    ratios = [row[f"{key}_ratio"] for key in _FIELDS]
    return (
        *case,
        row["side"],
        _time(row["wall_s"]),
        _time(row["cpu_s"]),
        *(f"{r:.2f}" if r else "" for r in ratios),
    )


def _time(seconds: float) -> str:
    for unit, factor in (("s", 1), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _caption(result: dict[str, Any]) -> str:
    machine = result["machine"]
    where = f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}"
    return f"{where}, load {machine['load']}; commit {result['commit']}"


def _show(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="x: ours / theirs, below 1 is better", caption=_caption(result))
    for index, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if index < LEFT else "right")
    for row in result["rows"]:
        table.add_row(*_cells(row), style="bold" if row["wall_ratio"] is None else None)
    Console().print(table)


def machine() -> dict[str, Any]:
    """What this runs on, for captions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[2], 1),
    }


def _save(folder: Path, name: str, result: dict[str, Any]) -> None:
    results = folder / "results"
    results.mkdir(exist_ok=True)
    (results / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    sections = [_with_remarks(path) for path in sorted(results.glob("*.json"))]
    (folder / README).write_text("\n".join([INTRODUCTION, *sections]))


def _with_remarks(result: Path) -> str:
    """The section of a result, with what people wrote about it: NAME.md beside NAME.json."""
    section = _section(result.stem, json.loads(result.read_text()))
    remarks = result.with_suffix(".md")
    return section + ("\n" + remarks.read_text() if remarks.exists() else "")


def save_figures(name: str, *, command: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Keep what a script of `benchmarks/` measured, and make its README anew.

    Args:
        name: of the section.
        command: what to type to get the figures again.
        headings, rows: the table, as text.
    """
    figures = {"command": command, "headings": list(headings), "cells": [list(row) for row in rows]}
    _save(_folder(), name, {"machine": machine(), "commit": _head(), **figures})


def _head() -> str:
    """The commit of the checkout, with a + where something is changed."""
    from archer.errors import ProcessError
    from archer.process import run

    git = ["git", "-C", str(_folder())]
    try:
        commit = run([*git, "rev-parse", "--short=12", "HEAD"]).stdout.decode().strip()
        changed = run([*git, "status", "--porcelain", "-uno"]).stdout.strip()
    except (ProcessError, OSError):
        return "unknown"
    return commit + ("+" if changed else "")


def _section(name: str, result: dict[str, Any]) -> str:
    if "cells" in result:
        headings, left, rows = result["headings"], 1, result["cells"]
        command = [f"`{result['command']}`\n"]
    else:
        headings, left, rows, command = HEADINGS, LEFT, map(_cells, result["rows"]), []
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * left + "---:|" * (len(headings) - left)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([f"## {name}\n", *command, _caption(result) + "\n", *lines, ""])
