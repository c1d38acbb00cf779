"""What goes to a server and what comes back, as plain values."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from archer.errors import JobFailed, SpecError, TaskFailure
from archer.plan import JobSpec
from archer.spec import spec_to_text

URL_VARIABLE, KEY_VARIABLE = "CINEMILL_SERVER", "CINEMILL_KEY"
OVER = frozenset({"done", "partial", "failed", "interrupted", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One output of a job at a server: bytes, or a folder of files (`tree`)."""

    name: str
    kind: str
    hash: str
    size: int
    tree: bool
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What a job that ended gave. `state` is `done` or `partial`."""

    job: str
    state: str
    outputs: Mapping[str, Output]

    def __getitem__(self, name: str) -> Output:
        """The output `node.output`; KeyError names those that there are."""
        if name not in self.outputs:
            raise KeyError(f"{name}; there are: {', '.join(self.outputs)}")
        return self.outputs[name]


def order_of(spec: JobSpec | Mapping[str, Any]) -> dict[str, Any]:
    """A job as a server takes it: a `JobSpec`, whose assets are named by URL, or a document."""
    if not isinstance(spec, JobSpec):
        return dict(spec)
    value = json.loads(spec_to_text(spec))
    nodes = {name: _node(node) for name, node in ((name, value["nodes"][name]) for name in value["order"])}
    limits = {name: limit for name, limit in value["limits"].items() if limit}
    return {"nodes": nodes, "limits": limits}


def address(url: str | None) -> str:
    """The server to use: as given, else $CINEMILL_SERVER, else the one that `cinemill serve` starts.

    Raises:
        SpecError: it is no address of a web server.
    """
    found = (url or os.environ.get(URL_VARIABLE) or "http://127.0.0.1:8080").rstrip("/")
    try:
        parts = urlsplit(found)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not found.isascii() or " " in found:
        raise SpecError(
            "server", f"wanted an address as http://127.0.0.1:8080 or https://host, got {found!r}"
        )
    return found


def key_of(key: str | None) -> str:
    """The key to use: as given, else $CINEMILL_KEY; empty for none."""
    return key if key is not None else os.environ.get(KEY_VARIABLE, "")


def ended(document: Mapping[str, Any]) -> None:
    """Raise `JobFailed` where a job ended without its outputs."""
    if document["state"] not in ("done", "partial"):
        failures = document["failures"] if document["state"] == "failed" else []
        raise JobFailed([TaskFailure(document["id"], "JobFailed", text) for text in failures])


def outputs_of(document: Mapping[str, Any], listed: list[dict[str, Any]]) -> Outputs:
    """The outputs that a server lists."""
    found = {each["name"]: Output(**each) for each in listed}
    return Outputs(job=document["id"], state=document["state"], outputs=found)


def _node(node: Mapping[str, Any]) -> dict[str, Any]:
    inputs = {
        name: source["asset"]["url"] if isinstance(source, dict) and "asset" in source else source
        for name, source in node["inputs"].items()
    }
    terms = {name: value for name, value in node["terms"].items() if value not in (None, [], "default")}
    return {**node, "inputs": inputs, "terms": terms}
