"""Toy stages that workers can import, and a way to run them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archer.registry import installed
from archer.store.database import Database

TOYS = """
import os, signal, time
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from archer import Emit, Item, Stage
from archer.media import FrameRange
from archer.split import Chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class P:
    n: int = 6
    sleep_ms: int = 0
    fail: str = ""
    mark: str = ""
    rounds: int = 0
    bulk_kib: int = 0
    quality: Decimal = Decimal("0")


class Sum(Stage[P]):
    name, version, params = "sum", 1, P
    parts = {"value": "value@1"}
    outputs = {"total": "total@1"}

    def split(self, inputs, params):
        return [Item(chunk=Chunk(index=i, frames=FrameRange(i * 10, i * 10 + 10)), weight=10) for i in range(params.n)]

    def map(self, ctx, item, params):
        time.sleep(params.sleep_ms / 1000)
        index = item.chunk.index if item.chunk else int(item.values["index"])
        once = params.mark and index == 2 and not os.path.exists(params.mark)
        if once:
            open(params.mark, "w").close()
            if params.fail == "die":
                os.kill(os.getpid(), signal.SIGKILL)
        if params.fail == "always" and index == 2:
            raise ValueError("item two is bad")
        ctx.progress(10, 10)
        if params.bulk_kib:
            (ctx.scratch / "bulk").write_bytes(os.urandom(params.bulk_kib << 10))
            (ctx.scratch / "bulk").rename(ctx.out("value"))
            return
        ctx.out_json("value", index)

    def collect(self, ctx, parts, params):
        seen = len(parts)
        if seen < params.n + params.rounds:
            return Emit([Item(variant=f"extra-{seen}", values={"index": seen})])
        if params.bulk_kib:
            ctx.out_json("total", seen)
            return
        ctx.out_json("total", [ctx.inputs.read(part.outputs["value"]) for part in parts])


class Bag(Stage[P]):
    name, version, params = "bag", 1, P
    inputs = {"total": "total@1"}
    parts = {"copy": "copy@1"}
    outputs = {"parts": "parts@1"}

    def split(self, inputs, params):
        return [Item(variant=str(v), values={"v": v}, uses={"total": inputs["total"]}) for v in inputs.json("total")]

    def map(self, ctx, item, params):
        ctx.out_json("copy", item.values["v"] * 2)


class Empty(Bag):
    name = "empty"

    def split(self, inputs, params):
        return []


class Round(Stage[P]):
    name, version, params = "round", 1, P
    inputs = {"thing": "thing@1"}
    outputs = {"thing": "thing@1"}

    def map(self, ctx, item, params):
        pass


class Shy(Sum):
    # one item never succeeds, and the stage can do without it
    name = "shy"
    min_success = Fraction(1, 2)

    def map(self, ctx, item, params):
        if item.chunk.index == 1:
            raise ValueError("item one is bad")
        super().map(ctx, item, params)

    def collect(self, ctx, parts, params):
        ctx.card("seen", ".html").write_text(f"<p>{len(parts)} parts</p>")
        ctx.out_json("total", [ctx.inputs.read(part.outputs["value"]) for part in parts])


class Forgetful(Stage[P]):
    name, version, params = "forgetful", 1, P
    outputs = {"thing": "thing@1"}

    def map(self, ctx, item, params):
        pass
"""


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a module of toy stages, importable here and in workers."""
    folder = tmp_path / "toys"
    folder.mkdir()
    name = f"toys_{abs(hash(str(tmp_path)))}"
    (folder / f"{name}.py").write_text(TOYS)
    monkeypatch.syspath_prepend(str(folder))
    return name


@pytest.fixture
def installed_toys(toys: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The toy stages as an installed package has them, `sum`, `bag`, ... in `cinemill.stages`; value for PYTHONPATH of others."""
    folder = Path(sys.path[0])
    package = folder / "cinemill_toys-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: cinemill-toys\nVersion: 1.0\n")
    names = "\n".join(f"{name.lower()} = {toys}:{name}" for name in ("Sum", "Bag", "Shy"))
    (package / "entry_points.txt").write_text(f"[cinemill.stages]\n{names}\n")
    installed.cache_clear()
    yield str(folder)
    installed.cache_clear()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        (tmp_path / "store").mkdir()
        return f"sqlite:///{tmp_path}/store/archer.db"
    server: Any = request.getfixturevalue("postgres")
    return str(server.create())


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """An empty database of each kind, open."""
    made = Database(store_url)
    yield made
    made.close()
