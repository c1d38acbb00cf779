"""Toy stages for the executor suite: each does one thing that an executor has to cope with."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

ODDITIES = """
import os, subprocess, sys, threading, time
from dataclasses import dataclass
from archer import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class P:
    text: str = ""
    number: int = 0


class Base(Stage[P]):
    version, params = 1, P
    outputs = {"out": "out@1"}


class Echo(Base):
    name = "echo"

    def map(self, ctx, item, params):
        ctx.log(params.text)
        ctx.out_json("out", [params.text, params.number])


class Mute(Exception):
    # neither picklable nor printable
    def __init__(self, a, b):
        self.lock = threading.Lock()

    def __str__(self):
        raise RuntimeError("no text")


class Raise(Base):
    name = "raise"

    def map(self, ctx, item, params):
        match params.text:
            case "mute":
                raise Mute(1, 2)
            case "exit":
                sys.exit(3)
            case "connection":
                raise ConnectionResetError("the peer left")
            case "memory":
                raise MemoryError
            case "disk":
                raise OSError(28, "No space left on device")
        raise ValueError(params.text)


class Hoard(Base):
    name = "hoard"

    def map(self, ctx, item, params):
        kept = bytearray(params.number << 20)
        for at in range(0, len(kept), 4096):
            kept[at] = 1
        ctx.out_json("out", len(kept) >> 20)


class Die(Base):
    name = "die"

    def map(self, ctx, item, params):
        os.kill(os.getpid(), params.number) if params.number else os._exit(7)


class Sleep(Base):
    # a child of its own, as an encoder is; its process id goes to the file `text`
    name = "sleep"

    def map(self, ctx, item, params):
        from archer.process import Child

        with Child([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
            with open(params.text + ".new", "w") as file:
                file.write(f"{os.getpid()} {child.pid}")
            os.rename(params.text + ".new", params.text)
            child.finish()


class Chatter(Base):
    # progress from threads, one of which outlives the task
    name = "chatter"

    def map(self, ctx, item, params):
        def talk(first):
            for step in range(40):
                ctx.progress(first + step, 100)
                time.sleep(0.01)

        threads = [threading.Thread(target=talk, args=(at,), daemon=True) for at in (0, 20, 40)]
        for thread in threads:
            thread.start()
        for thread in threads[:2]:
            thread.join()
        ctx.out_json("out", 1)
"""


@pytest.fixture
def oddities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a module of toy stages, importable here and in workers."""
    folder = tmp_path / "toys"
    folder.mkdir()
    name = f"oddities_{abs(hash(str(tmp_path)))}"
    (folder / f"{name}.py").write_text(textwrap.dedent(ODDITIES))
    monkeypatch.syspath_prepend(str(folder))
    return name
