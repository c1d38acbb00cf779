"""Days of use in a minute: memory, descriptors, threads and node numbers of a mount stay flat."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mezzfs.mount import missing

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=f"cannot mount here: {missing()}")]
MIB = 1 << 20


def state(pid: int) -> tuple[int, int]:
    """Resident KiB and open descriptors."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(resident), len(os.listdir(f"/proc/{pid}/fd"))


def use(folder: Path, contents: list[bytes], draw: random.Random, rounds: int) -> None:
    for _ in range(rounds):
        number = draw.randrange(len(contents))
        with (folder / f"{number:03}").open("rb", buffering=0) as file:
            for _ in range(3):
                offset = draw.randrange(len(contents[number]))
                assert os.pread(file.fileno(), 50_000, offset) == contents[number][offset : offset + 50_000]
        if number % 10 == 0:
            os.listdir(folder)


def test_nothing_grows(tmp_path: Path) -> None:
    source, folder, draw = tmp_path / "source", tmp_path / "folder", random.Random(11)
    source.mkdir()
    folder.mkdir()
    contents = [draw.randbytes(draw.randrange(1, 300_000)) for _ in range(200)]
    for number, data in enumerate(contents):
        (source / f"{number:03}").write_bytes(data)
    argv = [sys.executable, "-m", "pipelines.cli.main", "mount", "--memory", "16", str(source), str(folder)]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as mount:
        while not folder.is_mount():
            assert mount.poll() is None
            time.sleep(0.05)
        use(folder, contents, draw, 3_000)
        before = state(mount.pid)
        use(folder, contents, draw, 12_000)
        after = state(mount.pid)
        mount.terminate()
    assert mount.returncode == 0
    assert after[0] - before[0] < 8 * 1024, (before, after)
    assert after[1] <= before[1] + 8, (before, after)
