"""What a stage is fed with while it is tried: outputs of other installed stages, found by `Trial` or by their kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archer.errors import SpecError
from archer.media.asset import Asset
from archer.params import build
from archer.plan import Node, Source
from archer.registry import STAGES, installed, load_stage
from archer.stage import TITLE, Stage, Trial

DEEPEST = 8
"""Stages in a row before one that is tried; more is a circle."""


class Feeder:
    """Finds a source for each input of a stage, and the stages that have to run for it.

    Args:
        title: what everything starts from.

    Attributes:
        nodes: the stages that feed, in an order in which they can run.
    """

    def __init__(self, title: Asset) -> None:
        self._title = title
        self._fed: set[str] = set()
        self.nodes: list[Node] = []

    def inputs_of(self, stage: Stage[Any], trial: Trial | None = None, depth: int = 0) -> dict[str, Source]:
        """A source for each input that is not optional, or that its trial names.

        Raises:
            SpecError: no installed stage gives what an input wants.
        """
        feeds = (trial or stage.trial()).feeds
        _check(stage, feeds)
        found: dict[str, Source] = {}
        for name, kind in stage.inputs.items():
            if kind == "asset" or feeds.get(name) == TITLE:
                found[name] = self._title
            elif name in feeds:
                found[name] = self._output(feeds[name], depth)
            elif not kind.endswith("?"):
                found[name] = self._of_kind(kind, depth)
        return found

    def _output(self, source: str, depth: int) -> str:
        """An output that is asked for as `stage.output`."""
        name = source.partition(".")[0]
        if depth > DEEPEST:
            raise SpecError("trial", f"{source}: it feeds itself")
        if name not in self._fed:
            stage = load_stage(name, "trial")
            trial = stage.trial()
            params: Any = next((given for given in (trial.feeding, trial.params) if given is not None), {})
            build(stage.params, params, name)
            inputs = self.inputs_of(stage, trial, depth + 1)
            self._fed.add(name)
            self.nodes.append(Node(id=_id(name), stage=name, params=params, inputs=inputs))
        return f"{_id(name)}.{source.partition('.')[2]}"

    def _of_kind(self, kind: str, depth: int) -> str:
        """An output of that kind, of the first installed stage that gives one and can be fed itself."""
        for name in sorted(installed(STAGES)) if depth < DEEPEST else ():
            before = (set(self._fed), list(self.nodes))
            try:
                outputs = load_stage(name).outputs
                output = next((key for key, value in outputs.items() if value == kind), None)
                if output is not None:
                    return self._output(f"{name}.{output}", depth)
            except SpecError:
                self._fed, self.nodes = before
        raise SpecError("inputs", f"no installed stage gives {kind}; name one in the stage's `trial`")


def _id(name: str) -> str:
    return f"feed_{''.join(letter if letter.isalnum() else '_' for letter in name)}"


def _check(stage: Stage[Any], feeds: Mapping[str, str]) -> None:
    for name in feeds:
        if name not in stage.inputs:
            raise SpecError("trial", f"{stage.name} has no input {name!r}; it has: {', '.join(stage.inputs)}")
