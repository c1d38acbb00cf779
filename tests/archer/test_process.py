"""Children keep to their limits, never see a shell, are fed and drained at once, and never outlive what started them."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from archer.errors import Cancelled, DiskFull, ProcessError, ToolFailed, ToolMissing, ToolTimeout
from archer.process import (
    TAIL_LINES,
    Child,
    Limits,
    ffmpeg,
    ffmpeg_path,
    packager_path,
    run,
    tool_build,
    tool_version,
)

CAP_SYS_NICE = 23
PYTHON = (sys.executable, "-S", "-E", "-c")


def python(code: str, *args: str) -> list[str]:
    return [*PYTHON, code, *args]


def gone(pid: int, within_s: float = 10) -> bool:
    """The process has ended (a zombie has, too)."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


def test_output_and_what_it_cost() -> None:
    done = run(python("import sys; print(sys.argv[1:]); print('said', file=sys.stderr)", "a", "b c"))
    assert (done.stdout, done.stderr_tail, done.exit_code) == (b"['a', 'b c']\n", "said", 0)
    assert done.argv[-1] == "b c"
    assert 0 < done.cpu_s < 20


@pytest.mark.parametrize(
    "word", ["; touch made", "$(touch made)", "`touch made`", "a\nb", "* ?", "'\"\\", "--parent", "é\udcff"]
)
def test_words_reach_the_child_as_they_are(word: str, tmp_path: Path) -> None:
    code = "import os, sys; sys.stdout.buffer.write(os.fsencode(sys.argv[1]))"
    assert run(python(code, word), cwd=tmp_path).stdout == os.fsencode(word)
    assert list(tmp_path.iterdir()) == []


def test_standard_input_is_empty() -> None:
    assert run(python("import sys; print(len(sys.stdin.read()))")).stdout == b"0\n"


def test_folder_environment_and_descriptors(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+") as file:
        code = f"import os; os.write({file.fileno()}, b'x'); print(os.getcwd(), os.environ['ONLY'], len(os.environ))"
        done = run(python(code), cwd=tmp_path, env={"ONLY": "this"}, pass_fds=[file.fileno()])
    folder, only, count = done.stdout.decode().split()
    assert (Path(folder), only) == (tmp_path.resolve(), "this")
    assert int(count) <= 2  # Python may add LC_CTYPE
    assert (tmp_path / "file").read_text() == "x"


def test_nothing_else_is_inherited(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        assert (
            run(python("import os; print(sorted(map(int, os.listdir('/proc/self/fd'))))")).stdout
            == b"[0, 1, 2, 3]\n"
        )


def test_failure_carries_the_last_words() -> None:
    code = "import sys\nfor n in range(50): print('line', n, file=sys.stderr)\nsys.exit(3)"
    with pytest.raises(ToolFailed, match="exit code 3: line 49") as failed:
        run(python(code))
    error = failed.value
    assert error.exit_code == 3
    assert error.stderr_tail.splitlines() == [f"line {n}" for n in range(50 - TAIL_LINES, 50)]
    assert error.argv[0] == sys.executable
    assert not error.retryable
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(again), again.argv, again.exit_code) == (str(error), error.argv, 3)


PATTERN = ("-f", "lavfi", "-i", "testsrc2=duration=0.2:size=64x64")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*PATTERN, "-c:v", "nope"], "Unknown encoder 'nope'"),
        ([*PATTERN, "-vf", "scale=0x:1"], "Cannot parse expression for width: '0x'"),
        ([*PATTERN, "-c:v", "libx264", "-preset", "bogus"], "Error setting preset/tune bogus/(null)."),
        ([*PATTERN, "-frobnicate", "1"], "Unrecognized option 'frobnicate'."),
        (["-i", "/none.mp4"], "Error opening input: No such file or directory"),
    ],
)
def test_the_message_is_the_cause(words: list[str], message: str) -> None:
    """Ffmpeg's last line is mostly a consequence: "Conversion failed!"."""
    with pytest.raises(ToolFailed) as failed:
        ffmpeg([*words, "-f", "null", "-"])
    assert str(failed.value).endswith(f": {message}")


def test_a_failure_may_be_only_told() -> None:
    assert run(python("raise SystemExit(9)"), check=False).exit_code == 9


def test_a_killed_child_may_be_tried_again() -> None:
    with pytest.raises(ToolFailed, match="killed by signal 9") as failed:
        run(python("import os; os.kill(os.getpid(), 9)"))
    assert failed.value.retryable


def test_a_tool_that_is_not_there() -> None:
    with pytest.raises(ToolMissing, match="no-such-tool: not found; install it"):
        run(["no-such-tool"])


def test_both_outputs_are_drained_together() -> None:
    """More than a pipe holds on each, in turns: a reader of one after the other would wait for ever."""
    lines: list[str] = []
    code = (
        "import sys\nfor n in range(300): sys.stdout.write('o' * 4096); sys.stderr.write('e' * 4095 + '\\n')"
    )
    done = run(python(code), on_stderr_line=lines.append, timeout_s=60)
    assert len(done.stdout) == 300 * 4096
    assert [len(line) for line in lines] == [4095] * 300


def test_output_goes_to_a_reader_in_blocks() -> None:
    blocks: list[bytes] = []
    done = run(python("import sys; sys.stdout.write('x' * 1000000)"), stdout=blocks.append)
    assert (b"".join(blocks), done.stdout) == (b"x" * 1000000, b"")


def test_what_a_reader_raises_is_raised_and_ends_the_child() -> None:
    def refuse(block: bytes) -> None:
        raise ValueError(f"got {len(block)}")

    started = time.monotonic()
    with pytest.raises(ValueError, match="got 1"):
        run(python("import sys, time; print(end='x', flush=True); time.sleep(60)"), stdout=refuse)
    assert time.monotonic() - started < 20


def echo(feeds: int) -> list[str]:
    """A child that writes what its feeds hold, one after the other."""
    code = "import sys\nfor w in sys.argv[1:]: sys.stdout.buffer.write(open(int(w[5:]), 'rb').read())"
    return python(code, *(Child.feed_url(index) for index in range(feeds)))


def test_feeds_hold_more_than_a_pipe() -> None:
    contents = [os.urandom(3 << 20), b"", os.urandom(5)]
    with Child(echo(3), feeds=3) as child:
        assert [word[:5] for word in child.argv[-3:]] == ["pipe:"] * 3
        for index, content in enumerate(contents):
            child.feed(index, lambda file, content=content: file.write(content))  # type: ignore[misc]
        assert child.finish(timeout_s=60).stdout == b"".join(contents)


def test_a_feed_that_nobody_feeds_is_empty() -> None:
    with Child(echo(2), feeds=2) as child:
        child.feed(1, lambda file: file.write(b"second") and None)
        assert child.finish(timeout_s=60).stdout == b"second"


def pour(file: BinaryIO) -> None:
    file.writelines(b"x" * 100_000 for _ in range(1000))


def test_a_child_that_stops_reading_is_its_own_affair() -> None:
    """Its reason is reported, not our broken pipe; and where it has enough, that is no error."""
    early = "import os, sys; os.read(int(sys.argv[1][5:]), 10); sys.exit(int(sys.argv[2]))"
    with Child(python(early, Child.feed_url(0), "0"), feeds=1) as child:
        child.feed(0, pour)
        assert child.finish(timeout_s=60).exit_code == 0
    with (
        Child(python(early, Child.feed_url(0), "5"), feeds=1) as child,
        pytest.raises(ToolFailed, match="exit code 5"),
    ):
        child.feed(0, pour)
        child.finish(timeout_s=60)


def test_what_a_feed_raises_is_raised_and_ends_the_child() -> None:
    def broken(file: BinaryIO) -> None:
        file.write(b"some")
        raise LookupError("frame 7 is not there")

    with Child(echo(1), feeds=1) as child, pytest.raises(LookupError, match="frame 7"):
        child.feed(0, broken)
        child.finish(timeout_s=60)
    assert gone(child.pid)


def test_timeout_takes_its_children_along() -> None:
    code = "import subprocess as s, time; print(s.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    seen: list[bytes] = []
    started = time.monotonic()
    with pytest.raises(ToolTimeout, match="not done within 2 s; it was stopped") as late:
        run(python(code), stdout=seen.append, timeout_s=2)
    assert time.monotonic() - started < 20
    assert late.value.retryable
    assert gone(int(seen[0]))


def test_cancelling_stops_it() -> None:
    told = threading.Event()
    threading.Timer(0.3, told.set).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        run(["sleep", "60"], cancelled=told.is_set)
    assert time.monotonic() - started < 10


def test_the_end_of_the_block_ends_it() -> None:
    with pytest.raises(KeyError), Child(["sleep", "60"]) as child:
        raise KeyError
    assert gone(child.pid)
    assert child.kill() == child.kill() == -signal.SIGKILL


def test_it_leaves_no_descriptor_and_no_zombie() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        run(["true"])
        with Child(echo(2), feeds=2) as child:
            child.feed(0, lambda file: file.write(b"x") and None)
            child.finish()
        with pytest.raises(ToolMissing):
            Child(["no-such-tool"], feeds=3)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG)


PARENT = """
import sys, time
from archer.process import Child, ffmpeg_path
tool = [ffmpeg_path(), "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=rate=5", "-f", "null", "-"]
with Child(tool) as one, Child(["sleep", "60"]) as other:
    print(one.pid, other.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_no_child_outlives_us(how: signal.Signals) -> None:
    """Not even where we have no chance to say anything."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        children = [int(word) for word in parent.stdout.readline().split()]
        assert len(children) == 2
        parent.send_signal(how)
    assert all(gone(pid) for pid in children)


def test_limits() -> None:
    code = "import os, resource as r; print(r.getrlimit(r.RLIMIT_DATA)[0] >> 20, r.getrlimit(r.RLIMIT_CPU)[0], os.nice(0))"
    before = os.nice(0)
    done = run(python(code), limits=Limits(memory_mb=700, cpu_s=9, nice=2))
    assert done.stdout.decode().split() == ["700", "9", str(min(19, before + 2))]
    assert run(python(code)).stdout.split()[0] == b"8192"


def test_memory_beyond_the_limit() -> None:
    with pytest.raises(ToolFailed, match="MemoryError"):
        run(python("b = bytearray(300 << 20)"), limits=Limits(memory_mb=100))


def test_processor_time_beyond_the_limit() -> None:
    with pytest.raises(ToolFailed, match=f"killed by signal {signal.SIGXCPU:d}"):
        run(python("while True: pass"), limits=Limits(cpu_s=1), timeout_s=60)


def test_no_child_may_take_real_time_priority() -> None:
    """SVT-AV1 run by root takes it where it may, and stops the machine for everybody else."""
    code = "print([line.split()[1] for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapPrm', 'CapBnd'))])"
    masks = [int(word.strip("[]',"), 16) for word in run(python(code)).stdout.decode().split()]
    held = masks if os.geteuid() == 0 else masks[:2]  # only root may shrink the bounding set
    assert not any(mask >> CAP_SYS_NICE & 1 for mask in held)


def test_svt_av1_runs_at_ordinary_priority() -> None:
    argv = [ffmpeg_path(), "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360", "-t", "20"]
    policies: set[str] = set()
    with Child(
        [*argv, "-c:v", "libsvtav1", "-preset", "8", "-svtav1-params", "lp=2", "-f", "null", "-"]
    ) as child:
        until = time.monotonic() + 10
        while time.monotonic() < until and len(policies) < 3:
            tasks = list(Path(f"/proc/{child.pid}/task").glob("*/stat"))
            for task in tasks:
                with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
                    policies.add(task.read_text().rpartition(")")[2].split()[38])
            if len(tasks) > 12:  # the encoder's threads are there
                break
            time.sleep(0.05)
        assert len(tasks) > 4
    assert policies == {"0"}  # SCHED_OTHER


def test_full_disk() -> None:
    """/dev/full has no space left, ever."""
    source = ["-f", "lavfi", "-i", "testsrc2=duration=1"]
    with pytest.raises(DiskFull, match="/dev/full: no space left on device; free some"):
        ffmpeg([*source, "-f", "rawvideo", "-y", "/dev/full"])


def test_a_whitelist_keeps_a_tool_from_the_network(tmp_path: Path) -> None:
    """As every caller sets it: a name inside the input is not followed elsewhere."""
    (tmp_path / "list.ffconcat").write_text("ffconcat version 1.0\nfile 'http://127.0.0.1:9/x.mp4'\n")
    with pytest.raises(ToolFailed) as refused:
        ffmpeg(
            ["-protocol_whitelist", "file", "-safe", "0", "-i", tmp_path / "list.ffconcat", "-f", "null", "-"]
        )
    assert "not on whitelist" in refused.value.stderr_tail


def callers() -> list[Path]:
    root = Path(__file__).resolve().parents[2]
    folders = ("archer", "encoder", "vmaf", "pipelines")
    found = [path for folder in folders for path in (root / folder).rglob("*.py")]
    return [path for path in found if "Child(" in path.read_text() and "ffmpeg_path()" in path.read_text()]


@pytest.mark.parametrize("path", callers(), ids=lambda path: str(path.relative_to(path.parents[1])))
def test_every_caller_of_ffmpeg_sets_a_protocol_whitelist(path: Path) -> None:
    if path.name != "process.py":
        assert '"-protocol_whitelist"' in path.read_text()


def test_versions_name_the_build() -> None:
    assert tool_version(ffmpeg_path()).startswith("ffmpeg version ")
    assert tool_build(ffmpeg_path()).startswith(f"{tool_version(ffmpeg_path())} #")
    assert "version" in tool_version(packager_path())


def test_another_ffmpeg_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "my-ffmpeg"
    own.write_text("#!/bin/sh\necho 'ffmpeg version 99 of mine'\n")
    own.chmod(0o755)
    fresh: Callable[[], Path] = ffmpeg_path.__wrapped__
    monkeypatch.setenv("CINEMILL_FFMPEG", str(own))
    assert fresh() == own
    assert tool_version(fresh()) == "ffmpeg version 99 of mine"
    monkeypatch.setenv("CINEMILL_FFMPEG", "no-such-ffmpeg")
    with pytest.raises(ToolMissing, match="CINEMILL_FFMPEG names it; correct or unset it") as missing:
        fresh()
    assert isinstance(missing.value, ProcessError | FileNotFoundError)
