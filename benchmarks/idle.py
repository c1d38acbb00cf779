"""Tasks that do nothing. A module of its own: a worker imports that of its stage, and must not pay for a test runner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from archer import Item, Resources, Stage

TASKS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class BagParams:
    """How many tasks; `run` tells runs apart, so that none is found in the memo."""

    tasks: int = TASKS
    run: int = 0


class Bag(Stage[BagParams]):
    """Tasks that do nothing and write nothing."""

    name, version, params = "bench-bag", 1, BagParams
    outputs: ClassVar = {"parts": "parts@1"}

    def resources(self, params: BagParams) -> Resources:
        return Resources(memory_mb=256)

    def split(self, inputs: Any, params: BagParams) -> Sequence[Item]:
        return [Item(variant=str(place)) for place in range(params.tasks)]

    def map(self, ctx: Any, item: Item, params: BagParams) -> None:
        return
