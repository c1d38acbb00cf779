"""The stage contract: everything that makes a piece of work a plug-in.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Params:
        bins: int = 64

    class Histogram(Stage[Params]):
        name, version, params = "histogram", 1, Params
        inputs = {"asset": "asset", "media": "media@1"}
        parts = {"table": "histogram@1"}
        outputs = {"table": "histogram@1"}

        def split(self, inputs, params): ...   # -> Items: one per chunk (x variant)
        def map(self, ctx, item, params): ...  # writes ctx.out("table")
        def collect(self, ctx, parts, params): ...  # joins the parts, writes ctx.out("table")

A stage that is not chunked declares only `map`. A stage that has no `collect` and several items hands its parts
on as one `parts@1` artifact. A collect that returns `Emit(items)` asks for another round of map first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from archer.artifact import Artifact
from archer.media.asset import Asset
from archer.media.range import FrameRange
from archer.split.chunk import Chunk

if TYPE_CHECKING:
    from archer.media.info import MediaInfo
    from cinemill_native.frames import Frame

Scalar = str | int | bool
Input = Artifact | Asset
P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What one task of a stage may use.

    Attributes:
        cpu: cores; also the number of threads its children get unless the stage says otherwise.
        memory_mb: resident memory of the task and its children, MiB; the worker is held to it.
        gpu: devices.
        timeout_s: how long one try may take; 0 for no bound.
    """

    cpu: int = 1
    memory_mb: int = 2048
    gpu: int = 0
    timeout_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One unit of a stage's map: chunk x variant.

    Attributes:
        chunk: the frames it is about; None for work on whole things.
        variant: short readable name that tells items of one chunk apart (`720p`, `720p-crf23`).
        values: what the variant means, JSON scalars without floats; part of the memo key.
        uses: the inputs this item reads, by input name; part of the memo key. None: all inputs of the stage.
        weight: how much of the whole it is, in any unit of the stage (frames, samples): weighs progress, and orders work.
        exclusive: a key (a device, a licence) that no two running tasks of a job may have in common.
        cost: predicted cost, in any unit of the stage, where it does not go by the weight: orders work in its place; 0: it
            does. A bad guess costs time, never a result.
    """

    chunk: Chunk | None = None
    variant: str = ""
    values: Mapping[str, Scalar] = field(default_factory=dict)
    uses: Mapping[str, Input | Sequence[Input]] | None = None
    weight: int = 1
    exclusive: str = ""
    cost: int = 0

    @property
    def label(self) -> str:
        """Name of the item within its stage: `chunk-0007/720p`, `720p`, or `all`."""
        chunk = f"chunk-{self.chunk.index:05d}" if self.chunk else ""
        return "/".join(part for part in (chunk, self.variant) if part) or "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Outputs of one mapped item, as `collect` sees them."""

    item: Item
    outputs: Mapping[str, Artifact]


TITLE = "title"
"""As a source in `Trial.feeds`: the title itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the conformance kit tries a stage with.

    Attributes:
        params: settings, cheap ones; None for the defaults.
        feeds: input name -> `stage.output` of an installed stage, or `TITLE`; what is not here is found by its kind,
            which is no choice for an input of `parts@1`. Optional inputs are bound where they are here.
        feeding: settings where it only feeds a stage that is tried, cheaper ones still; None for `params`.
    """

    params: Any = None
    feeds: Mapping[str, str] = field(default_factory=dict)
    feeding: Any = None


@dataclass(frozen=True, slots=True)
class Emit:
    """Returned by `collect` to ask for another round of map; it is called again with all parts of all rounds."""

    items: Sequence[Item]


class Inputs(Protocol):
    """Resolved inputs of a stage, readable without knowing where they are stored."""

    def __getitem__(self, name: str) -> Input | Sequence[Input]: ...

    def __contains__(self, name: object) -> bool:
        """True where the input is bound: always for a required one, sometimes for one whose kind ends with `?`."""

    def artifact(self, name: str) -> Artifact:
        """The single artifact bound to `name`."""

    def artifacts(self, name: str) -> Sequence[Artifact]:
        """The artifacts bound to `name`: one, or the list that an item `uses`."""

    def asset(self, name: str = "asset") -> Asset:
        """The asset bound to `name`."""

    def json(self, name: str) -> Any:
        """The parsed content of a JSON artifact."""

    def media(self, name: str = "media") -> MediaInfo:
        """The facts in a `media@1` artifact; parsed once per process, however many tasks ask."""

    def read(self, artifact: Artifact) -> Any:
        """The parsed content of any JSON artifact, as those inside parts are."""

    def path(self, source: str | Artifact) -> Path:
        """A local, read-only path of an artifact's content; a directory for a tree."""

    def parts(self, name: str) -> Sequence[Part]:
        """The parts behind a `parts@1` artifact (a stage that mapped without collecting)."""


class TaskContext(Protocol):
    """What a running map or collect sees of the world."""

    inputs: Inputs
    threads: int

    @property
    def scratch(self) -> Path:
        """An empty folder of this task alone, which goes when the task ends."""

    def frames(self, asset: Asset, frames: FrameRange) -> Iterator[Frame]:
        """Exactly the frames of the range, in presentation order."""

    def path(self, artifact: Artifact) -> Path:
        """A local, read-only path of the artifact's content; a directory for a tree."""

    def out(self, name: str, suffix: str = "") -> Path:
        """Where to write the declared output `name`; it becomes an artifact when the task returns."""

    def out_tree(self, name: str) -> Path:
        """An empty directory to fill for the declared output `name` of a `tree/` kind."""

    def out_json(self, name: str, value: Any) -> None:
        """Write a JSON output (sorted keys, UTF-8, trailing newline: same value, same hash)."""

    def card(self, name: str, suffix: str) -> Path:
        """Where to write a card, something small for people to look at, kept with the job; no other task reads it.

        Its suffix is `.html`, `.png`, `.svg`, `.parquet` or `.json`.
        """

    def progress(self, done: int, total: int) -> None:
        """Report work done, in the stage's unit (frames where there are frames). Cheap to call per frame."""

    def log(self, message: str) -> None:
        """Keep a line in the task's log."""


class Stage(ABC, Generic[P]):
    """Base of all stages; subclasses are stateless and must be importable by name in a worker.

    Attributes:
        name, version: change the version whenever the same input gives another output.
        params: dataclass of its settings.
        inputs: name -> kind, with `?` at its end where the input is optional.
        parts: what `map` writes where its parts are collected or handed on: name -> kind.
        outputs: what the stage gives: name -> kind.
        unit: what weights count (frames, samples).
        min_success: share of the mapped items that must succeed, over 0 to 1; below 1 a job goes on without items
            that failed for good, `collect` sees those that are there, and the job ends as `partial`.
        writes: settings that name places outside of the store where it writes; a server allows those by prefix, and fills in a
            setting `order`, where there is one, so that each order is carried out anew.
        reads: settings that may name a file instead of something that is known by its name; a server allows these as inputs.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    params: ClassVar[type]
    inputs: ClassVar[Mapping[str, str]] = MappingProxyType({})
    parts: ClassVar[Mapping[str, str]] = MappingProxyType({})
    outputs: ClassVar[Mapping[str, str]] = MappingProxyType({})
    unit: ClassVar[str] = "tasks"
    min_success: ClassVar[Fraction] = Fraction(1)
    writes: ClassVar[Sequence[str]] = ()
    reads: ClassVar[Sequence[str]] = ()

    def resources(self, params: P) -> Resources:
        """What one map or collect task needs."""
        return Resources()

    def fingerprint(self, params: P) -> str:
        """Names whatever else decides the output: encoder build, model hash. Part of the memo key."""
        return ""

    def settings_of(self, params: P, item: Item) -> P:
        """The settings that decide about one item: those its map gets, and its memo key names; all of them unless said otherwise.

        A stage whose items differ in what they depend on gives here only what this one does, with defaults for the rest, so
        that a change of the rest computes nothing again.
        """
        return params

    def same(self, params: P) -> Sequence[P]:
        """Other settings that must give the same outputs, as those that only say how to cut: the kit compares them."""
        return ()

    def trial(self) -> Trial:
        """What the kit tries it with."""
        return Trial()

    def split(self, inputs: Inputs, params: P) -> Sequence[Item]:
        """The items to map; pure, from indexes only."""
        return (Item(),)

    @abstractmethod
    def map(self, ctx: TaskContext, item: Item, params: P) -> None:
        """Do one item; write every name of `parts` (or of `outputs` where there is no collect)."""

    def collect(self, ctx: TaskContext, parts: Sequence[Part], params: P) -> Emit | None:
        """Join the parts; write every name of `outputs`, or ask for more work."""
        raise NotImplementedError
