"""What a running task sees: its inputs, its scratch folder, and where its outputs go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from archer.artifact import Artifact
from archer.media.asset import Asset
from archer.media.range import FrameRange
from archer.stage import Input, Part
from archer.store.artifacts import ArtifactStore, json_bytes
from cinemill_native.frames import Frame

Reporter = Callable[[int, int], None]


class StoredInputs:
    """Inputs of a task, read from the artifact store."""

    def __init__(self, store: ArtifactStore, values: Mapping[str, Input | Sequence[Input]]) -> None:
        self._store, self._values = store, values

    def __getitem__(self, name: str) -> Input | Sequence[Input]:
        return self._values[name]

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def artifact(self, name: str) -> Artifact:
        """The single artifact bound to `name`. Raises TypeError where it is something else."""
        value = self._values[name]
        if not isinstance(value, Artifact):
            raise TypeError(f"input {name!r}: wanted one artifact, got {type(value).__name__}")
        return value

    def asset(self, name: str = "asset") -> Asset:
        """The asset bound to `name`. Raises TypeError where it is something else."""
        value = self._values[name]
        if not isinstance(value, Asset):
            raise TypeError(f"input {name!r}: wanted an asset, got {type(value).__name__}")
        return value

    def artifacts(self, name: str) -> tuple[Artifact, ...]:
        """The list of artifacts bound to `name`."""
        value = self._values[name]
        entries = (value,) if isinstance(value, Artifact) else value
        return tuple(entry for entry in entries if isinstance(entry, Artifact)) if not isinstance(entries, Asset) else ()

    def json(self, name: str) -> Any:
        """The parsed content of a JSON artifact."""
        return self._store.read_json(self.artifact(name))

    def path(self, source: str | Artifact) -> Path:
        """A local path of an input's or artifact's content."""
        return self._store.path(self.artifact(source) if isinstance(source, str) else source)

    def read(self, artifact: Artifact) -> Any:
        """The parsed content of any JSON artifact, as refs inside parts are."""
        return self._store.read_json(artifact)

    def parts(self, name: str) -> Sequence[Part]:
        """The parts behind a `parts@1` artifact."""
        return self._store.read_parts(self.artifact(name))


class StoredContext:
    """The context of one task; `outputs()` takes what it wrote into the store."""

    def __init__(
        self,
        store: ArtifactStore,
        inputs: StoredInputs,
        kinds: Mapping[str, str],
        *,
        scratch: Path,
        threads: int,
        report: Reporter,
    ) -> None:
        self.inputs, self.scratch, self.threads = inputs, scratch, threads
        self.messages: list[str] = []
        self._store, self._kinds, self._report = store, kinds, report
        self._written: dict[str, tuple[Path, str]] = {}

    def frames(self, asset: Asset, frames: FrameRange) -> Iterator[Frame]:
        """Exactly the frames of the range, in presentation order."""
        from archer.media import frames as decode

        info = None
        if "media" in self.inputs and self.inputs["asset"] == asset:
            info = _media(self._store.path(self.inputs.artifact("media")))
        return decode(asset, frames, info=info)

    def path(self, artifact: Artifact) -> Path:
        """A local, read-only path of the artifact's content; a directory for a tree."""
        return self._store.path(artifact)

    def out(self, name: str, suffix: str = "") -> Path:
        """Where to write the declared output `name`."""
        return self._declare(name, self.scratch / f"out-{name}{suffix}", suffix)

    def out_tree(self, name: str) -> Path:
        """An empty directory to fill for the declared output `name`."""
        folder = self._declare(name, self.scratch / f"out-{name}", "")
        folder.mkdir()
        return folder

    def out_json(self, name: str, value: Any) -> None:
        """Write a JSON output in its canonical text."""
        self.out(name, ".json").write_bytes(json_bytes(value))

    def progress(self, done: int, total: int) -> None:
        """Report work done."""
        self._report(done, total)

    def log(self, message: str) -> None:
        """Keep a line in the task's log."""
        self.messages.append(message)

    def outputs(self) -> dict[str, Artifact]:
        """Take every written output into the store.

        Raises:
            RuntimeError: a declared output is missing; the stage is at fault.
        """
        missing = sorted(set(self._kinds) - set(self._written))
        if missing:
            raise RuntimeError(f"the stage did not write its declared output {', '.join(missing)}")
        found = {}
        for name, (path, suffix) in self._written.items():
            kind = self._kinds[name]
            put_tree = kind.startswith("tree/")
            found[name] = (
                self._store.put_tree(path, kind=kind) if put_tree else self._store.put_file(path, kind=kind, suffix=suffix, move=True)
            )
        return found

    def _declare(self, name: str, path: Path, suffix: str) -> Path:
        if name not in self._kinds:
            raise KeyError(f"output {name!r} is not declared; the stage declares {', '.join(self._kinds) or 'none'}")
        self._written[name] = (path, suffix)
        return path


@lru_cache(maxsize=2)
def _media(path: Path) -> Any:
    """Facts of a title, read once per worker."""
    import json

    from archer.media import MediaInfo

    return MediaInfo.from_json(json.loads(path.read_bytes()))
