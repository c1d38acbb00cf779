"""A minute of 1080p to a six-rung dynamic ladder, killed at random moments: what is run again must repeat nothing.

    python benchmarks/killed_title.py [--kills 8] [--every 240] [--save]

The title is a clip of 30 s and the same mirrored. `cinemill encode` gets SIGKILL, and is started again with the same words,
until it ends. Then: one `chunk-done` event for each task of each stage, and none started after it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from durability import events, repeated

from archer.process import ffmpeg_path

SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
CLIP = SHARED / "clips" / "bbb_1080p24_51.mp4"
LADDER = "1080p,720p,540p,432p,360p,240p"
TWICE = "[0:v]split[a][b];[b]hflip[c];[0:a]asplit[d][e];[a][d][c][e]concat=n=2:v=1:a=1[v][s]"


def minute(clip: Path, out: Path) -> None:
    """A clip and the same mirrored."""
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-c:a", "aac"]
    argv = [ffmpeg_path(), "-v", "error", "-nostdin", "-i", clip, "-filter_complex", TWICE]
    subprocess.run([*argv, "-map", "[v]", "-map", "[s]", *coding, out], check=True)


def attempt(title: Path, out: Path, seconds: float | None) -> bool:
    """Start the command, and kill its scheduler after a while; True where it ended before that, and well."""
    command = [sys.executable, "-m", "pipelines.cli.main", "encode", str(title), "-o", str(out)]
    with (out.parent / "events.ndjson").open("ab") as log, (out.parent / "errors.txt").open("wb") as errors:
        process = subprocess.Popen(
            [*command, "--ladder", LADDER, "--workers", "2", "--json", "--keep"], stdout=log, stderr=errors
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
    if code:
        sys.exit((out.parent / "errors.txt").read_text())
    return True


def _work(out: Path) -> Path:
    return out.parent / f".{out.name}.cinemill"


def under_way(told: list[tuple[str, str, str]]) -> Counter[str]:
    """Nodes -> tasks that were begun and are not done."""
    begun = {(node, item) for kind, node, item in told if kind == "task-started"}
    done = {(node, item) for kind, node, item in told if kind == "chunk-done"}
    return Counter(node for node, _ in begun - done)


def disturbed(title: Path, out: Path, kills: int, every: float) -> dict[str, Any]:
    """Run it to its end with so many kills; what was seen."""
    dice, begun, moments = random.Random(kills), time.monotonic(), []  # noqa: S311
    while not attempt(title, out, dice.uniform(0.3, 1.7) * every if len(moments) < kills else None):
        moments.append({"s": round(time.monotonic() - begun), "under way": under_way(events(_work(out)))})
        print(moments[-1], flush=True)
    told = events(_work(out))
    done = Counter(node for kind, node, _ in told if kind == "chunk-done")
    started = Counter(node for kind, node, _ in told if kind == "task-started")
    return {
        "kills": moments,
        "wall_s": round(time.monotonic() - begun),
        "tasks done": done,
        "tasks started": started,
        "repeated": repeated(told),
    }


def save(found: dict[str, Any], given: argparse.Namespace) -> None:
    """Keep the figures."""
    from pipelines.cli.bench import save_figures

    seen = [
        ", ".join(f"{count} of {node}" for node, count in one["under way"].items()) for one in found["kills"]
    ]
    row = (
        str(len(seen)),
        "; ".join(seen),
        str(found["tasks done"].total()),
        str(found["tasks started"].total()),
        "; ".join(found["repeated"]) or "none",
    )
    save_figures(
        "killed_title",
        command=f"python benchmarks/killed_title.py --kills {given.kills} --every {given.every:g}",
        headings=(
            "kills",
            "tasks under way then",
            "tasks done",
            "tasks started",
            "repeated after they were done",
        ),
        rows=[row],
    )


def main() -> int:
    """Run and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--every", type=float, default=240, help="seconds between two kills, on average")
    parser.add_argument("--clip", type=Path, default=CLIP)
    parser.add_argument("--save", action="store_true", help="keep the figures in results/ and the README")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        title, out = Path(folder) / "minute.mp4", Path(folder) / "out"
        minute(given.clip, title)
        found = disturbed(title, out, given.kills, given.every)
    print(json.dumps(found, indent=1))
    if given.save:
        save(found, given)
    return 1 if found["repeated"] else 0


if __name__ == "__main__":
    sys.exit(main())
