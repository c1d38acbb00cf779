"""Stage `publish`: brings results of a job to a folder or a URL, as a stage, so that it is tried again and survives any kill.

publish:
  stage: publish
  inputs: {package: packaging.package, report: report.report}
  params: {url: "s3://bucket/title"}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from archer.stage import Item, Resources, Stage, TaskContext, Trial
from pipelines.encode.errors import OutputExists
from pipelines.encode.manifest import dump, file_table
from pipelines.encode.publish import (
    MANIFEST,
    check_free,
    holds,
    is_remote,
    is_there,
    local_path,
    publish_file,
    publish_folder,
    publish_remote,
    read_remote,
)

PLACES: Mapping[str, str] = MappingProxyType(
    {
        "package": "",
        "scores": "scores",
        "report": "report.html",
        "features": "features.parquet",
        "shots": "shots.json",
        "qc": "qc.json",
        "frames": "frames.parquet",
    }
)
"""Input -> its place below the URL; a folder where the input is one."""
SCHEMA = "cinemill-delivery@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishParams:
    """Settings.

    Attributes:
        url: folder or fsspec URL where the results go; a single `file` goes to this very name.
        force: replace what is there and is something else.
        order: names the order; the same results for another order are brought there again, as somebody may have removed them.
    """

    url: str
    force: bool = False
    order: str = ""


class Publish(Stage[PublishParams]):
    """Uploads files, then `manifest.json` with size and hash of each: what has one is whole. A local folder appears at once."""

    name, version, params = "publish", 1, PublishParams
    inputs = MappingProxyType(
        {
            "package": "tree/package@1?",
            "scores": "tree/scores@1?",
            "report": "report@1?",
            "features": "features@1?",
            "shots": "shots@1?",
            "qc": "qc@1?",
            "frames": "vision-frames@1?",
            "file": "single@1?",
        }
    )
    outputs = MappingProxyType({"receipt": "receipt@1"})
    writes = ("url",)

    def resources(self, params: PublishParams) -> Resources:
        """It copies bytes."""
        return Resources(memory_mb=1024)

    def trial(self) -> Trial:
        """Into the memory of the worker."""
        return Trial(params=PublishParams(url="memory://published"), feeds={"shots": "shots.shots"})

    def map(self, ctx: TaskContext, item: Item, params: PublishParams) -> None:
        """Bring the results there, unless they are."""
        if "file" in ctx.inputs:
            bring(ctx.inputs.path("file"), params)
            ctx.out_json("receipt", {"schema": SCHEMA, "url": params.url, "files": {}})
            return
        files = _files(ctx)
        table: dict[str, Any] = {"schema": SCHEMA, "files": file_table(files, {})}
        _folder(files, dump(table), params)
        ctx.out_json("receipt", {**table, "url": params.url})


def _files(ctx: TaskContext) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name, place in PLACES.items():
        if name not in ctx.inputs:
            continue
        path = ctx.inputs.path(name)
        if path.is_dir():
            prefix = f"{place}/" if place else ""
            inside = sorted(each for each in path.rglob("*") if each.is_file())
            found |= {prefix + each.relative_to(path).as_posix(): each for each in inside}
        else:
            found[place] = path
    return found


def _folder(files: Mapping[str, Path], manifest: bytes, params: PublishParams) -> None:
    """Raises: OutputExists, OutputFailed."""
    out = params.url.rstrip("/")
    remote = is_remote(out)
    known = read_remote(out, MANIFEST) if remote else _read(local_path(out) / MANIFEST)
    if known == manifest:
        return
    if known is not None and not params.force:
        raise OutputExists(out)
    if remote:
        publish_remote(files, {MANIFEST: manifest}, out)
        return
    place = local_path(out)
    place.parent.mkdir(parents=True, exist_ok=True)
    check_free(place, force=params.force)
    publish_folder(files, {MANIFEST: manifest}, place, link=False)


def bring(source: Path, params: PublishParams) -> None:
    """One file; what is there already may be what an earlier try brought. Raises: OutputExists, OutputFailed."""
    if holds(params.url, source):
        return
    if is_remote(params.url):
        if not params.force and is_there(params.url):
            raise OutputExists(params.url)
        publish_remote({"": source}, {}, params.url)
        return
    place = local_path(params.url)
    place.parent.mkdir(parents=True, exist_ok=True)
    check_free(place, force=params.force)
    publish_file(source, place, link=False)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
