"""`cinemill run` and what looks after jobs in a work folder, as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

STAGES = """
import os, time
from dataclasses import dataclass
from fractions import Fraction
from archer import Item, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class P:
    n: int = 4
    slow: str = ""
    bad: int = -1
    mark: str = ""


class Bag(Stage[P]):
    name, version, params = "bag", 1, P
    parts = {"value": "value@1"}
    outputs = {"parts": "parts@1"}

    def split(self, inputs, params):
        return [Item(variant=str(i)) for i in range(params.n)]

    def map(self, ctx, item, params):
        if os.path.exists(params.slow):
            time.sleep(0.25)
        ctx.log(f"item {item.variant} speaks")
        if int(item.variant) == params.bad and not os.path.exists(params.mark):
            raise ValueError("this item is bad")
        ctx.out_json("value", int(item.variant))
"""


Cinemill = Callable[..., subprocess.CompletedProcess[str]]


class Shell:
    """The command line in a folder with a stage and a spec; `run` and `retry` as processes, the others in this one."""

    def __init__(self, folder: Path, cinemill: Cinemill) -> None:
        self.folder, self._here = folder, cinemill
        (folder / "bagstage.py").write_text(STAGES)
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}

    def spec(self, terms: str = "{}", **params: object) -> None:
        text = f"nodes:\n  bag: {{stage: 'bagstage:Bag', params: {json.dumps(params)}, terms: {terms}}}\n"
        (self.folder / "job.yaml").write_text(text)

    def start(self, *words: str) -> subprocess.Popen[str]:
        argv: Sequence[str] = [sys.executable, "-m", "pipelines.cli.main", *words]
        return subprocess.Popen(
            argv,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *words: str) -> tuple[int, str, str]:
        if words[0] not in ("run", "retry"):
            done = self._here(*words, cwd=self.folder)
            return done.returncode, done.stdout, done.stderr
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err


@pytest.fixture
def shell(cinemill: Cinemill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.syspath_prepend(tmp_path)
    yield Shell(tmp_path, cinemill)
    sys.modules.pop("bagstage", None)


def test_a_job_from_a_spec_and_all_that_is_known_of_it(shell: Shell) -> None:
    shell.spec(n=3)
    code, out, err = shell("run", "job.yaml", "--executor", "inline")
    assert code == 0, err
    assert "bag.parts" in out
    job = json.loads(shell("jobs", "--json")[1])
    assert (job["state"], job["runs"], job["tasks"]) == ("done", 1, {"done": 4})
    assert "item 2 speaks" in shell("logs")[1]
    events = [json.loads(line)["type"] for line in shell("logs", job["id"][:8], "--events")[1].splitlines()]
    assert events.count("chunk-done") == 3
    (cost,) = map(json.loads, shell("cost", "--json")[1].splitlines())
    assert (cost["node"], cost["tries"], cost["wasted"]) == ("bag", 4, 0)
    assert "would remove 0 blobs" in shell("gc", "--dry-run")[1]
    code, out, _ = shell("debug", job["id"][:8], "bag/map/1")
    assert code == 0
    assert "item 1 speaks" in out


def test_a_failed_job_is_tried_again_by_one_command(shell: Shell) -> None:
    shell.spec(n=3, bad=1, mark=str(shell.folder / "mended"))
    code, _, err = shell("run", "job.yaml", "--executor", "inline")
    assert code == 1
    assert "this item is bad" in err
    assert "Traceback" not in err
    assert "cinemill retry" in err
    code, _, err = shell("debug", "", "bag/map/1")
    assert code == 1
    assert "raise ValueError" in err
    (shell.folder / "mended").touch()
    code, out, _ = shell("retry", "--executor", "inline", "--json")
    assert code == 0
    started = [json.loads(line)["item"] for line in out.splitlines() if '"task-started"' in line]
    assert "0" not in started, "what was committed is not done again"
    assert shell("retry")[1].endswith("has no failed tasks\n")


def test_a_partial_result_is_exit_code_3(shell: Shell) -> None:
    shell.spec("{min_success: 2/3}", n=3, bad=1, mark="nowhere")
    code, out, _ = shell("run", "job.yaml", "--executor", "inline")
    assert code == 3
    assert ": partial" in out


def test_a_running_job_is_paused_continued_and_cancelled_from_outside_and_goes_on_later(shell: Shell) -> None:
    (shell.folder / "slow").touch()
    shell.spec(n=300, slow=str(shell.folder / "slow"))
    with shell.start("run", "job.yaml", "--workers", "2", "--json") as process:
        assert process.stdout is not None
        next(line for line in process.stdout if '"chunk-done"' in line)
        assert shell("cancel", "--pause")[0] == 0
        next(line for line in process.stdout if '"job-paused"' in line)
        assert json.loads(shell("jobs", "--json")[1])["state"] == "paused"
        assert shell("cancel", "--continue")[0] == 0
        next(line for line in process.stdout if '"job-continued"' in line)
        next(line for line in process.stdout if '"chunk-done"' in line)
        assert shell("cancel")[0] == 0
        process.communicate(timeout=60)
    assert process.returncode == 1
    assert json.loads(shell("jobs", "--json")[1])["state"] == "cancelled"
    types = [json.loads(line)["type"] for line in shell("logs", "--events")[1].splitlines()]
    paused, on = types.index("job-paused"), types.index("job-continued")
    assert "task-started" not in types[paused:on]
    assert "task-started" in types[on:]
    (shell.folder / "slow").unlink()
    code, out, _ = shell("resume", "--json", "--executor", "inline")
    assert code == 0
    assert out.count('"chunk-done"') == 300 - types.count("chunk-done")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["jobs"], "there is no job state here"),
        (["logs", "zzz"], "there is no job state here"),
        (["stages", "check", "nonsense"], "unknown 'nonsense'"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(shell: Shell, words: list[str], message: str) -> None:
    code, _, err = shell(*words)
    assert code == 1
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_the_schema_of_a_stages_settings(shell: Shell) -> None:
    code, out, _ = shell("stages", "schema", "bagstage:Bag")
    assert code == 0
    assert json.loads(out)["properties"]["n"] == {"type": "integer", "default": 4}
