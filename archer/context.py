"""What a running task sees: its inputs, its scratch folder, and where its outputs go."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from archer.artifact import Artifact
from archer.errors import StageError
from archer.media.asset import Asset
from archer.media.range import FrameRange
from archer.stage import Input, Inputs, Part
from archer.store.artifacts import ArtifactStore, full_disk_named, json_bytes
from archer.task import PARTS

if TYPE_CHECKING:
    from archer.media.info import MediaInfo
    from cinemill_native.frames import Frame

Reporter = Callable[[int, int], None]
MEDIA = "media@1"
CARDS = (".html", ".png", ".svg", ".parquet", ".json")
"""What a card may be."""
T = TypeVar("T")


class StoredInputs:
    """Inputs of a task, read from the artifact store.

    Args:
        store: where artifacts are.
        values: inputs by name; a map with `uses` has those and nothing else, because only they name its result.
        assets: all assets of the job.
    """

    def __init__(
        self,
        store: ArtifactStore,
        values: Mapping[str, Input | Sequence[Input]],
        assets: Sequence[Asset] = (),
    ) -> None:
        self._store, self._values, self._assets = store, values, assets

    def __getitem__(self, name: str) -> Input | Sequence[Input]:
        if name not in self._values:
            there = ", ".join(self._values) or "none"
            raise StageError(f"input {name!r}: this task has: {there}; an item reads only what it `uses`")
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def artifact(self, name: str) -> Artifact:
        """The single artifact bound to `name`. Raises StageError where it is something else."""
        return _wanted(self[name], Artifact, name)

    def asset(self, name: str = "asset") -> Asset:
        """The asset bound to `name`. Raises StageError where it is something else."""
        return _wanted(self[name], Asset, name)

    def artifacts(self, name: str) -> tuple[Artifact, ...]:
        """The artifacts bound to `name`, one or a list. Raises StageError where there is something else."""
        value = self[name]
        entries = (value,) if isinstance(value, Artifact | Asset) else value
        return tuple(_wanted(entry, Artifact, name) for entry in entries)

    def json(self, name: str) -> Any:
        """The parsed content of a JSON artifact."""
        return self._store.read_json(self.artifact(name))

    def read(self, artifact: Artifact) -> Any:
        """The parsed content of any JSON artifact, as those inside parts are."""
        return self._store.read_json(artifact)

    def path(self, source: str | Artifact) -> Path:
        """A local path of an input's or artifact's content."""
        return self._store.path(self.artifact(source) if isinstance(source, str) else source)

    def parts(self, name: str) -> Sequence[Part]:
        """The parts behind a `parts@1` artifact."""
        artifact = self.artifact(name)
        if artifact.kind != PARTS:
            raise StageError(f"input {name!r}: wanted {PARTS}, got {artifact.kind}")
        return self._store.read_parts(artifact, self._assets)

    def media(self, name: str = "media") -> MediaInfo:
        """The facts in a `media@1` artifact, parsed once per process."""
        return _media(self.path(name))

    def media_of(self, asset: Asset) -> MediaInfo | None:
        """Facts of an asset among the inputs: its `media@1`; None where there is none."""
        names = [
            name
            for name, value in self._values.items()
            if isinstance(value, Artifact) and value.kind == MEDIA
        ]
        own = [name for name, value in self._values.items() if value == asset]
        assets = {value for value in self._values.values() if isinstance(value, Asset)}
        paired = [
            name
            for name in names
            if name in {"media" if each == "asset" else f"{each}_media" for each in own}
        ]
        found = paired or (names if len(names) == 1 and assets <= {asset} else [])
        return _media(self.path(found[0])) if found else None


class StoredContext:
    """The context of one task; `outputs()` takes what it wrote into the store.

    Args:
        store: where artifacts go.
        inputs: what the task may read.
        kinds: declared outputs: name -> kind.
        scratch: name of a folder on the store's file system, made when it is first asked for.
        threads: threads of its children and decoders.
        report: called with (done, total).
    """

    def __init__(
        self,
        store: ArtifactStore,
        inputs: StoredInputs,
        kinds: Mapping[str, str],
        *,
        scratch: str,
        threads: int,
        report: Reporter,
    ) -> None:
        self.inputs: Inputs = inputs
        self.threads = threads
        self.messages: list[str] = []
        self._stored, self._store, self._kinds, self._report = inputs, store, kinds, report
        self._scratch_name, self._once = scratch, Lock()
        self._scratch: Path | None = None
        self._written: dict[str, tuple[Path, str]] = {}
        self._cards: dict[str, tuple[Path, str]] = {}

    @property
    def scratch(self) -> Path:
        """An empty folder of this task alone; threads of a stage may ask for it at once."""
        with self._once:
            if self._scratch is None:
                self._scratch = self._store.scratch(self._scratch_name)
            return self._scratch

    def close(self) -> None:
        """Remove the scratch folder, if there is one."""
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def frames(self, asset: Asset, frames: FrameRange) -> Iterator[Frame]:
        """Exactly the frames of the range, in presentation order."""
        from archer.media import frames as decode

        info = self._stored.media_of(asset) or _probed(asset)
        return decode(asset, frames, info=info, threads=self.threads)

    def path(self, artifact: Artifact) -> Path:
        """A local, read-only path of the artifact's content; a directory for a tree."""
        return self._store.path(artifact)

    def out(self, name: str, suffix: str = "") -> Path:
        """Where to write the declared output `name`."""
        return self._declare(name, suffix, tree=False)

    def out_tree(self, name: str) -> Path:
        """An empty directory to fill for the declared output `name` of a `tree/` kind."""
        folder = self._declare(name, "", tree=True)
        folder.mkdir(exist_ok=True)
        return folder

    def out_json(self, name: str, value: Any) -> None:
        """Write a JSON output in its canonical text."""
        with full_disk_named(self._store.root):
            self.out(name, ".json").write_bytes(json_bytes(value))

    def card(self, name: str, suffix: str) -> Path:
        """Where to write a card: something to look at, kept with the job."""
        if suffix not in CARDS or not name.isidentifier():
            raise StageError(f"card {name}{suffix}: wanted an identifier with one of {', '.join(CARDS)}")
        path = self.scratch / f"card-{name}{suffix}"
        self._cards[name] = (path, suffix)
        return path

    def progress(self, done: int, total: int) -> None:
        """Report work done."""
        self._report(done, total)

    def log(self, message: str) -> None:
        """Keep a line in the task's log."""
        self.messages.append(message)

    def outputs(self) -> dict[str, Artifact]:
        """Take every written output into the store.

        Raises:
            StageError: a declared output is missing.
            DiskFull: no space is left.
        """
        missing = [
            name for name in self._kinds if name not in self._written or not self._written[name][0].exists()
        ]
        if missing:
            raise StageError(f"declared output {', '.join(missing)}: not written")
        return {name: self._taken(name) for name in self._kinds}

    def cards(self) -> dict[str, Artifact]:
        """Take every written card into the store. Raises: see `outputs`."""
        return {
            name: self._store.put_file(path, kind="card@1", suffix=suffix, move=True)
            for name, (path, suffix) in self._cards.items()
            if path.exists()
        }

    def _taken(self, name: str) -> Artifact:
        (path, suffix), kind = self._written[name], self._kinds[name]
        if kind.startswith("tree/"):
            return self._store.put_tree(path, kind=kind, move=True)
        return self._store.put_file(path, kind=kind, suffix=suffix, move=True)

    def _declare(self, name: str, suffix: str, *, tree: bool) -> Path:
        kind = self._kinds.get(name)
        if kind is None:
            raise StageError(
                f"output {name!r}: not declared; declared are: {', '.join(self._kinds) or 'none'}"
            )
        if kind.startswith("tree/") != tree:
            raise StageError(f"output {name!r} is {kind}; use {'out' if tree else 'out_tree'}() for it")
        path = self.scratch / f"out-{name}{suffix}"
        self._written[name] = (path, suffix)
        return path


def _wanted(value: Any, kind: type[T], name: str) -> T:
    if not isinstance(value, kind):
        raise StageError(f"input {name!r}: wanted one {kind.__name__}, got {type(value).__name__}")
    return value


@lru_cache(maxsize=4)
def _media(path: Path) -> MediaInfo:
    """Facts of a title, parsed once per worker; the path names the content."""
    import json

    from archer.media import MediaInfo

    return MediaInfo.from_json(json.loads(path.read_bytes()))


@lru_cache(maxsize=4)
def _probed(asset: Asset) -> MediaInfo:
    from archer.media import probe

    return probe(asset.url)
