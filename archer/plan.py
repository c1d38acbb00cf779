"""What was asked (a job spec), checked and put in order (a plan)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import Any

from archer.artifact import Artifact
from archer.canonical import digest, plain
from archer.errors import SpecError
from archer.media.asset import Asset
from archer.params import build
from archer.registry import load_stage
from archer.stage import Item, Resources, Stage
from archer.task import PARTS

Source = Asset | Artifact | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """When and beside what the tasks of a node run. Never part of an identity.

    Attributes:
        deadline_s: when it should be done, seconds since 1970; the earliest goes first, None goes last.
        queue: whose limit it counts against; see `Limits`.
        exclusive: keys that no two running tasks of the job may have in common.
        min_success: share of the items that must succeed; None for what the stage says.
    """

    deadline_s: int | None = None
    queue: str = "default"
    exclusive: Sequence[str] = ()
    min_success: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a job may use. Never part of an identity.

    Attributes:
        queues: queue -> how many of its tasks may run at once; others have no limit of their own.
        budget_cpu_s: processor seconds that this run may use; it starts nothing more once they are used.
    """

    queues: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    budget_cpu_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One stage in a job.

    Attributes:
        id: name within the job, an identifier.
        stage: name of an installed stage, `module:Class`, or the class.
        params: an instance of the stage's params, or a mapping of its fields.
        inputs: input name -> asset, `node.output` of another node, or an artifact of the work folder.
        terms: when and beside what it runs; changes nothing of what comes out.
    """

    id: str
    stage: str | type[Stage[Any]]
    params: Any = field(default_factory=lambda: MappingProxyType({}))
    inputs: Mapping[str, Source] = field(default_factory=lambda: MappingProxyType({}))
    terms: Terms = field(default_factory=lambda: Terms())


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """What a user asks for: stages and how they are joined.

    Attributes:
        nodes: of equal deadline, those that could run at once run in this order.
        limits: what the job may use.
    """

    nodes: Sequence[Node]
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedNode:
    """A node with its stage loaded, its settings checked, and what the scheduler needs to know of it.

    Attributes:
        id, stage, params, inputs: see `Node`.
        identity: digest of the stage's name, version, params and fingerprint; part of every memo key.
        resources: what each of its tasks needs.
        splits, collects: the stage has a `split`, a `collect` of its own.
        hands_on: its output is one `parts@1` artifact of everything it mapped.
        terms: see `Node`.
    """

    id: str
    stage: Stage[Any]
    params: Any
    inputs: Mapping[str, Source]
    identity: str
    resources: Resources
    splits: bool
    collects: bool
    hands_on: bool
    terms: Terms = field(default_factory=Terms)

    def identity_of(self, phase: str, item: Item) -> str:
        """What of this node the memo key of one task names: of a map only the settings that decide about its item."""
        if phase != "map" or type(self.stage).settings_of is Stage.settings_of:
            return self.identity
        return _identity(self.stage, self.stage.settings_of(self.params, item), f"{self.id}.params")

    @property
    def min_success(self) -> Fraction:
        """Share of its items that must succeed."""
        return self.stage.min_success if self.terms.min_success is None else self.terms.min_success

    @property
    def needs(self) -> frozenset[str]:
        """Ids of the nodes whose outputs this one reads."""
        return frozenset(
            source.partition(".")[0] for source in self.inputs.values() if isinstance(source, str)
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A checked job: nodes in an order in which each one's inputs come before it.

    Attributes:
        limits: see `Limits`.
        name: what the store calls it, where it was submitted under an id of its own; empty for its identity.
    """

    nodes: tuple[PlannedNode, ...]
    limits: Limits = field(default_factory=Limits)
    name: str = ""

    @cached_property
    def by_id(self) -> Mapping[str, PlannedNode]:
        """Nodes by their id."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def assets(self) -> tuple[Asset, ...]:
        """All assets that the job reads."""
        found = {
            source: None
            for node in self.nodes
            for source in node.inputs.values()
            if isinstance(source, Asset)
        }
        return tuple(found)

    @cached_property
    def job(self) -> str:
        """Id of the job: the one it was submitted under, else its identity."""
        return self.name or self.identity

    @cached_property
    def identity(self) -> str:
        """The same for the same stages, settings, inputs and tools."""
        return digest([[node.id, node.identity, plain(node.inputs)] for node in self.nodes])[:32]


def make_plan(spec: JobSpec) -> Plan:
    """Check a spec and order it.

    Raises:
        SpecError: names the field that does not fit: unknown stage or setting, missing or unknown input, kinds
            that differ, a cycle.
        NotCanonical: a setting cannot be part of a name, as floats cannot.
    """
    nodes: dict[str, PlannedNode] = {}
    for place, node in enumerate(spec.nodes):
        where = f"nodes[{place}]"
        if not node.id.isidentifier():
            raise SpecError(f"{where}.id", f"{node.id!r}: wanted an identifier, as encode_audio")
        if node.id in nodes:
            raise SpecError(f"{where}.id", f"{node.id!r}: there is another node of this name")
        nodes[node.id] = _planned(node, where)
    for place, planned in enumerate(nodes.values()):
        _check_inputs(planned, nodes, f"nodes[{place}].inputs")
    _check_limits(spec.limits)
    return Plan(nodes=tuple(_ordered(nodes)), limits=spec.limits)


def _planned(node: Node, where: str) -> PlannedNode:
    stage = load_stage(node.stage, f"{where}.stage")
    params = build(stage.params, node.params, f"{where}.params")
    collects = type(stage).collect is not Stage.collect
    return PlannedNode(
        id=node.id,
        stage=stage,
        params=params,
        inputs=dict(node.inputs),
        identity=_identity(stage, params, f"{where}.params"),
        resources=stage.resources(params),
        splits=type(stage).split is not Stage.split,
        collects=collects,
        hands_on=not collects and dict(stage.outputs) == {"parts": PARTS},
        terms=_checked_terms(node.terms, f"{where}.terms"),
    )


def _identity(stage: Stage[Any], params: Any, where: str) -> str:
    return digest(
        {
            "name": stage.name,
            "version": stage.version,
            "params": plain(params, where),
            "fingerprint": stage.fingerprint(params),
        }
    )


def _checked_terms(terms: Terms, where: str) -> Terms:
    if terms.min_success is not None and not 0 < terms.min_success <= 1:
        raise SpecError(f"{where}.min_success", f"wanted over 0 to 1, got {terms.min_success}")
    if not terms.queue:
        raise SpecError(f"{where}.queue", "wanted a name")
    return terms


def _check_limits(limits: Limits) -> None:
    for queue, limit in limits.queues.items():
        if limit < 1:
            raise SpecError(f"limits.queues.{queue}", f"wanted at least 1, got {limit}")
    if limits.budget_cpu_s is not None and limits.budget_cpu_s < 1:
        raise SpecError("limits.budget_cpu_s", f"wanted at least 1, got {limits.budget_cpu_s}")


def _check_inputs(node: PlannedNode, nodes: Mapping[str, PlannedNode], where: str) -> None:
    declared = node.stage.inputs
    for name in node.inputs:
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise SpecError(f"{where}.{name}", f"stage {node.stage.name} has no such input; it has: {known}")
    for name, kind in declared.items():
        source = node.inputs.get(name)
        wanted, optional = kind.removesuffix("?"), kind.endswith("?")
        if source is None:
            if optional:
                continue
            raise SpecError(f"{where}.{name}", f"missing; stage {node.stage.name} wants {wanted}")
        got = _kind(source, nodes, f"{where}.{name}")
        if got != wanted:
            raise SpecError(f"{where}.{name}", f"wanted {wanted}, got {got} from {_named(source)}")


def _kind(source: Source, nodes: Mapping[str, PlannedNode], where: str) -> str:
    if isinstance(source, Asset):
        return "asset"
    if isinstance(source, Artifact):
        return source.kind
    node, _, output = source.partition(".")
    if node not in nodes:
        raise SpecError(where, f"{source!r}: there is no node {node!r}; there are: {', '.join(nodes)}")
    outputs = nodes[node].stage.outputs
    if output not in outputs:
        raise SpecError(
            where, f"{source!r}: stage {nodes[node].stage.name} gives: {', '.join(outputs) or 'nothing'}"
        )
    return outputs[output]


def _named(source: Source) -> str:
    match source:
        case Asset():
            return source.url
        case Artifact():
            return source.hash[:19]
    return source


def _ordered(nodes: Mapping[str, PlannedNode]) -> list[PlannedNode]:
    done: dict[str, PlannedNode] = {}
    while len(done) < len(nodes):
        ready = [node for node in nodes.values() if node.id not in done and node.needs <= done.keys()]
        if not ready:
            stuck = ", ".join(name for name in nodes if name not in done)
            raise SpecError("nodes", f"a cycle: {stuck} wait for each other")
        done.update((node.id, node) for node in ready)
    return list(done.values())
