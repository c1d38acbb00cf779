"""How long a lost node of a Ray cluster goes unnoticed: from the signal that kills or freezes it to the scheduler's event.

    python benchmarks/node_loss.py --times 5

Each time is one run of the test of that name in tests/archer/test_ray_faults.py: three raylets on this machine, tasks with an
ffmpeg each; the job must end right, repeat nothing that was committed, and leave no process behind.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

from pipelines.cli.bench import save_figures

ROOT = Path(__file__).resolve().parent.parent
TEST = "tests/archer/test_ray_faults.py"
HEADINGS = (
    "what happens to the node",
    "times",
    "noticed after, median s",
    "worst s (bar 6)",
    "jobs that ended wrong",
)


def once(harm: str) -> float | None:
    """Seconds until it was noticed; None where the job did not end as it should."""
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-s",
        "-p",
        "no:cacheprovider",
        TEST,
        "-k",
        f"lost_node and {harm}",
    ]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    found = re.search(rf"{harm}: noticed after ([0-9.]+) s", done.stderr + done.stdout)
    return float(found[1]) if found and done.returncode == 0 else None


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--save", action="store_true", help="keep the figures in results/ and the README")
    given, rows = parser.parse_args(), []
    for harm, words in (
        ("kill", "SIGKILL of it and all below it"),
        ("freeze", "SIGSTOP of it and all below it"),
    ):
        taken = [once(harm) for _ in range(given.times)]
        good = [seconds for seconds in taken if seconds is not None]
        figures = (f"{median(good):.1f}", f"{max(good):.1f}") if good else ("", "")
        rows.append((words, str(given.times), *figures, str(len(taken) - len(good))))
        print(harm, taken, flush=True)
    if given.save:
        command = f"python benchmarks/node_loss.py --times {given.times}"
        save_figures("node_loss", command=command, headings=HEADINGS, rows=rows)


if __name__ == "__main__":
    main()
