"""Immutable outputs of tasks, named by the hash of their content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """An immutable blob (or tree of blobs) in the store.

    Attributes:
        kind: what it is, with the version of its schema: `shots@1`, `frame-scores@1`, `coded-chunk@1`.
        hash: `sha256:<hex>` of the content. A tree (kind begins with `tree/`) is the hash of its listing: a JSON
            blob that maps relative paths to {hash, size}.
        size: bytes of the blob, or of all blobs of a tree.
        suffix: file name suffix that tools need to recognise it (`.mp4`, `.json`); not part of the identity.
    """

    kind: str
    hash: str
    size: int
    suffix: str = ""

    @property
    def is_tree(self) -> bool:
        """True where the blob is a listing of other blobs."""
        return self.kind.startswith("tree/")

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads back."""
        return {"kind": self.kind, "hash": self.hash, "size": self.size, "suffix": self.suffix}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The artifact that `to_json` wrote."""
        return cls(kind=value["kind"], hash=value["hash"], size=value["size"], suffix=value["suffix"])
