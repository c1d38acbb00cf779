"""A tool started through cinemill-exec dies with its parent, keeps to its limits, and is otherwise itself."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cinemill_native import exec_path

CAP_SYS_NICE = 23


def launch(*args: str, **options: object) -> subprocess.CompletedProcess[str]:
    argv = [str(exec_path()), *args]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False, **options)  # type: ignore[call-overload,no-any-return]


def python(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    return launch(*args, "--", sys.executable, "-c", code)


def test_is_an_executable_of_the_package() -> None:
    assert exec_path().is_absolute()
    assert os.access(exec_path(), os.X_OK)


def test_exit_code_output_and_arguments_are_the_tools_own() -> None:
    code = "import sys; print(sys.argv[1:]); print(sys.stdin.read(), file=sys.stderr); sys.exit(42)"
    child = launch("--", sys.executable, "-c", code, "--nice", "a b", "", "--", input="in")
    assert (child.returncode, child.stdout, child.stderr) == (42, "['--nice', 'a b', '', '--']\n", "in\n")


def test_no_process_stays_between() -> None:
    with subprocess.Popen(
        [exec_path(), "--", sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1
    ) as child:
        assert child.stdout is not None
        assert int(child.stdout.read()) == child.pid


def test_open_files_are_handed_on(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+") as file:
        number = file.fileno()
        child = launch("--", sys.executable, "-c", f"import os; os.write({number}, b'x')", pass_fds=[number])
    assert (child.returncode, (tmp_path / "file").read_text()) == (0, "x")


def test_dies_with_its_parent() -> None:
    """A parent that is killed takes the tool with it."""
    code = f"""
import os, subprocess, time
child = subprocess.Popen([{str(exec_path())!r}, "--parent", str(os.getpid()), "--", "sleep", "60"])
print(child.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        tool = int(parent.stdout.readline())
        wait_until(lambda: state(tool) is not None and name(tool) == "sleep")
        parent.send_signal(signal.SIGKILL)
        wait_until(lambda: state(tool) in {None, "Z"})


def test_does_not_start_when_the_parent_is_gone() -> None:
    child = launch("--parent", "1", "--", "echo", "started")
    assert (child.returncode, child.stdout) == (127, "")
    assert child.stderr == "cinemill-exec: parent: it ended before the command could start\n"


def test_real_time_priority_is_out_of_reach_also_for_root() -> None:
    sets = "print([l.split()[1] for l in open('/proc/self/status') if l.startswith('Cap')])"
    masks = [int(mask, 16) for mask in eval(python(sets).stdout)]  # noqa: S307 - our own output
    wanted = masks if os.geteuid() == 0 else [*masks[:3], masks[4]]  # only root may shrink the bounding set
    assert not any(mask >> CAP_SYS_NICE & 1 for mask in wanted)
    take = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"
    assert "PermissionError" in python(take).stderr


def test_limits_hold_and_cannot_be_raised() -> None:
    names = ("RLIMIT_DATA", "RLIMIT_CPU", "RLIMIT_CORE", "RLIMIT_RTPRIO")
    code = f"import resource as r; print([r.getrlimit(getattr(r, n)) for n in {names}])"
    limits = python(code, "--memory-mb", "700", "--cpu-s", "9").stdout.strip()
    assert limits == str([(700 << 20, 700 << 20), (9, 11), (0, 0), (0, 0)])


def test_a_stricter_inherited_limit_stays() -> None:
    code = "import resource as r; print(r.getrlimit(r.RLIMIT_DATA))"
    argv = [str(exec_path()), "--memory-mb", "700", "--", sys.executable, "-c", code]
    lower = (500 << 20, 500 << 20)
    text = subprocess.check_output(
        argv, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, lower)
    )
    assert text.strip() == str(lower)


def test_memory_beyond_the_limit_is_refused() -> None:
    child = python("b = bytearray(300 << 20)", "--memory-mb", "200")
    assert child.returncode == 1
    assert "MemoryError" in child.stderr


def test_processor_time_beyond_the_limit_ends_the_tool() -> None:
    assert python("while True: pass", "--cpu-s", "1").returncode == -signal.SIGXCPU


def test_nice_adds_to_the_inherited_one() -> None:
    before = os.nice(0)
    assert int(launch("--nice", "3", "--", "nice").stdout) == min(19, before + 3)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "no command: wanted `-- argv...` at the end"),
        (["--"], "no command: wanted `-- argv...` at the end"),
        (["--nice", "3"], "no command: wanted `-- argv...` at the end"),
        (["--nice"], "--nice: wanted a value after it"),
        (["--nice", "-5", "--", "true"], "--nice -5: wanted a whole number from 0 to 19"),
        (["--memory-mb", "2x", "--", "true"], "--memory-mb 2x: wanted a whole number from 1"),
        (["--cpu-s", "", "--", "true"], "--cpu-s : wanted a whole number from 1"),
        (["--shell", "x", "--", "true"], "--shell: unknown option; known are --parent"),
        (["--", "/no/such/tool"], "/no/such/tool: No such file or directory"),
    ],
)
def test_what_cannot_start_is_one_line_and_127(args: list[str], message: str) -> None:
    child = launch(*args)
    assert child.returncode == 127
    assert child.stderr.startswith(f"cinemill-exec: {message}")
    assert child.stderr.count("\n") == 1


def state(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def wait_until(condition: object, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
