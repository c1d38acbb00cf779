"""However a bridge to Ray ends, what Ray leaves behind is killed, its folder gone; whoever only reads there is left alone."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

BRIDGE = """
import sys, time
from pathlib import Path
from archer.executors.ray import _clean_once_we_are_dead
_clean_once_we_are_dead(Path(sys.argv[1]))
print("up", flush=True)
time.sleep(60)
"""


def test_a_killed_bridge_is_cleaned_up_after(tmp_path: Path) -> None:
    folder = tmp_path / "cinemill-ray-1-x"
    folder.mkdir()
    with (folder / "agent.log").open("w") as log, (folder / "reader.log").open("w"):
        agent = subprocess.Popen(["bash", "-c", "exec -a ray::DashboardAgent sleep 60"], stdout=log)
        bridge = subprocess.Popen([sys.executable, "-c", BRIDGE, folder], stdout=subprocess.PIPE, text=True)
        assert bridge.stdout is not None
        assert bridge.stdout.readline() == "up\n"
        assert agent.poll() is None
        assert folder.is_dir()
        bridge.kill()
        bridge.wait()
        assert agent.wait(30) == -9
        deadline = time.monotonic() + 30
        while folder.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not folder.exists(), "and this process, which has a file of it open, still runs"
        bridge.stdout.close()
