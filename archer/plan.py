"""What was asked (a job spec), checked and put in order (a plan)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from archer.canonical import digest, plain
from archer.errors import SpecError
from archer.media.asset import Asset
from archer.registry import load_stage
from archer.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One stage in a job.

    Attributes:
        id: name within the job.
        stage: name of an installed stage, or `module:Class`.
        params: an instance of the stage's params, or a mapping of its fields.
        inputs: input name -> asset, or `node.output` of another node.
    """

    id: str
    stage: str
    params: Any = field(default_factory=dict)
    inputs: Mapping[str, Asset | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """What a user asks for: stages and how they are joined."""

    nodes: Sequence[Node]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedNode:
    """A node with its stage loaded and its params checked."""

    id: str
    stage: Stage[Any]
    stage_name: str
    params: Any
    inputs: Mapping[str, Asset | str]

    @property
    def needs(self) -> frozenset[str]:
        """Ids of the nodes whose outputs this one reads."""
        return frozenset(source.partition(".")[0] for source in self.inputs.values() if isinstance(source, str))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A checked job: nodes in an order in which each one's inputs come before it."""

    nodes: tuple[PlannedNode, ...]

    @cached_property
    def by_id(self) -> Mapping[str, PlannedNode]:
        """Nodes by their id."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def job(self) -> str:
        """Identity of the job: the same for the same stages, settings, inputs and tools."""
        return digest(
            [
                [n.id, n.stage.name, n.stage.version, plain(n.params), n.stage.fingerprint(n.params), plain(n.inputs)]
                for n in self.nodes
            ]
        )[:32]


def make_plan(spec: JobSpec) -> Plan:
    """Check a spec and order it.

    Raises:
        SpecError: names the field that does not fit: unknown stage or param, missing or unknown input, kinds that differ, a cycle.
    """
    nodes: dict[str, PlannedNode] = {}
    for place, node in enumerate(spec.nodes):
        if not node.id.isidentifier() or node.id in nodes:
            raise SpecError(f"nodes[{place}].id", f"{node.id!r}: wanted a unique identifier")
        stage = load_stage(node.stage)
        params = _params(stage, node.params, f"nodes[{place}].params")
        nodes[node.id] = PlannedNode(id=node.id, stage=stage, stage_name=node.stage, params=params, inputs=dict(node.inputs))
    for place, planned in enumerate(nodes.values()):
        _check_inputs(planned, nodes, f"nodes[{place}].inputs")
    return Plan(nodes=tuple(_ordered(nodes)))


def _params(stage: Stage[Any], given: Any, where: str) -> Any:
    if isinstance(given, stage.params):
        return given
    try:
        return stage.params(**given)
    except TypeError as error:
        raise SpecError(where, f"{stage.name}: {error}") from error


def _check_inputs(node: PlannedNode, nodes: Mapping[str, PlannedNode], where: str) -> None:
    for name, wanted in node.stage.inputs.items():
        source = node.inputs.get(name)
        if source is None:
            raise SpecError(f"{where}.{name}", f"missing; stage {node.stage.name} wants {wanted}")
        got = "asset" if isinstance(source, Asset) else _kind(source, nodes, f"{where}.{name}")
        if got != wanted:
            raise SpecError(f"{where}.{name}", f"wanted {wanted}, got {got} from {source}")
    for name in node.inputs:
        if name not in node.stage.inputs:
            known = ", ".join(node.stage.inputs) or "none"
            raise SpecError(f"{where}.{name}", f"stage {node.stage.name} has no such input; it has: {known}")


def _kind(source: str, nodes: Mapping[str, PlannedNode], where: str) -> str:
    node, _, output = source.partition(".")
    if node not in nodes:
        raise SpecError(where, f"{source!r}: there is no node {node!r}")
    outputs = nodes[node].stage.outputs
    if output not in outputs:
        raise SpecError(where, f"{source!r}: stage {nodes[node].stage.name} gives: {', '.join(outputs) or 'nothing'}")
    return outputs[output]


def _ordered(nodes: Mapping[str, PlannedNode]) -> list[PlannedNode]:
    done: dict[str, PlannedNode] = {}
    while len(done) < len(nodes):
        ready = [node for node in nodes.values() if node.id not in done and node.needs <= done.keys()]
        if not ready:
            stuck = ", ".join(name for name in nodes if name not in done)
            raise SpecError("nodes", f"a cycle: {stuck} wait for each other")
        done.update((node.id, node) for node in ready)
    return list(done.values())
