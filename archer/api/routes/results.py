"""What a job gave: which outputs, and their bytes."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from pydantic import BaseModel, Field

from archer.api.auth import Caller, needs
from archer.api.owners import job_of
from archer.api.paths import JobId
from archer.api.problems import Problem, documented
from archer.api.services import Parts, Services
from archer.artifact import Artifact
from archer.errors import BlobDamaged
from archer.store.overview import nodes_of

router = APIRouter(prefix="/v1/jobs/{job:job}/results", tags=["results"])
Reader, Fetcher = needs("jobs:read"), needs("results:read")
OutputName = Annotated[
    str, Path(alias="output", max_length=200, description="`node.output`, as the list has it.")
]
RangeHeader = Annotated[str | None, Header(alias="range", max_length=100, description="One range of bytes.")]
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
PIECE = 1 << 18
BYTES: dict[str, Any] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes.", "content": {"*/*": BYTES["application/octet-stream"]}},
    206: {"description": "The bytes of the range.", "content": {"*/*": BYTES["application/octet-stream"]}},
    302: {"description": "The bytes are at Location, for a while."},
    304: {"description": "They are what If-None-Match names."},
}
HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "sandbox allow-scripts; default-src 'self' 'unsafe-inline' data: blob:",
    "Accept-Ranges": "bytes",
}
"""Results are shown by browsers as pages of nobody: a report may run its scripts, and reach nothing of the server."""


class Output(BaseModel):
    """One output of a job."""

    name: str
    kind: str
    hash: str
    size: int
    tree: bool = Field(description="True for a folder; its files are listed under its own address.")
    href: str


class TreeFile(BaseModel):
    """One file of an output that is a folder."""

    path: str
    size: int
    hash: str
    href: str


class Tree(BaseModel):
    """The files of an output that is a folder."""

    name: str
    files: list[TreeFile]


@router.get("", responses=documented(404))
def results(job: JobId, parts: Parts, caller: Caller = Reader) -> list[Output]:
    """Every output that the job has so far, in the order of its plan."""
    job_of(parts, caller, job)
    return [
        Output(
            name=name,
            kind=artifact.kind,
            hash=artifact.hash,
            size=artifact.size,
            tree=artifact.is_tree,
            href=f"/v1/jobs/{job}/results/{name}",
        )
        for name, artifact in _outputs(parts, job).items()
    ]


@router.get("/{output:word}", response_model=None, responses={**ANSWERS, **documented(404, 409, 410, 416)})
def result(
    request: Request,
    job: JobId,
    output: OutputName,
    parts: Parts,
    range_: RangeHeader = None,
    caller: Caller = Fetcher,
) -> Response | Tree:
    """The bytes of an output, or the list of its files where it is a folder."""
    artifact = _known(parts, caller, job, output)
    if not artifact.is_tree:
        return _bytes(parts, artifact, FilePath(f"{output}{artifact.suffix}").name, request, range_)
    base = f"/v1/jobs/{job}/results/{output}"
    files = [
        TreeFile(path=path, size=entry["size"], hash=entry["hash"], href=f"{base}/{path}")
        for path, entry in _listing(parts, artifact).items()
    ]
    return Tree(name=output, files=files)


@router.get(
    "/{output:word}/{path:path}",
    response_class=Response,
    responses={**ANSWERS, **documented(404, 409, 410, 416)},
)
def file(
    request: Request,
    job: JobId,
    output: OutputName,
    path: Annotated[str, Path(max_length=1000, description="Of a file in the list of the folder.")],
    parts: Parts,
    range_: RangeHeader = None,
    caller: Caller = Fetcher,
) -> Response:
    """The bytes of one file of an output that is a folder. Only names of its list are ever opened."""
    artifact = _known(parts, caller, job, output)
    entry = _listing(parts, artifact).get(path) if artifact.is_tree else None
    if entry is None:
        raise Problem("not-found", f"{output} has no file of this name")
    place = _place(parts, artifact) / path
    return _stream(place, entry["hash"], path.rpartition("/")[2], request, range_)


def _outputs(parts: Services, job: str) -> dict[str, Artifact]:
    return {
        f"{row.node}.{name}": artifact
        for row in nodes_of(parts.database, job)
        for name, artifact in row.outputs.items()
    }


def _known(parts: Services, caller: Caller, job: str, output: str) -> Artifact:
    row = job_of(parts, caller, job)
    found = _outputs(parts, job).get(output)
    if found is None:
        kind = "not-ready" if row.state in ("queued", "running", "paused") else "not-found"
        raise Problem(kind, f"job {job} is {row.state} and has no output {output[:100]!r}")
    return found


def _listing(parts: Services, artifact: Artifact) -> dict[str, Any]:
    listing = Artifact(kind="listing@1", hash=artifact.hash, size=0, suffix=".json")
    try:
        found: dict[str, Any] = parts.artifacts.read_json(listing)
    except BlobDamaged as error:
        raise Problem("gone", "the output is no longer kept") from error
    return found


def _place(parts: Services, artifact: Artifact) -> FilePath:
    try:
        return parts.artifacts.path(artifact)
    except BlobDamaged as error:
        raise Problem("gone", "the output is no longer kept") from error


def _bytes(parts: Services, artifact: Artifact, name: str, request: Request, wanted: str | None) -> Response:
    """By a signed address where artifacts are at one, else from here."""
    signed = parts.artifacts.signed(artifact)
    if signed:
        return RedirectResponse(signed, status_code=302, headers={"Cache-Control": "no-store"})
    return _stream(_place(parts, artifact), artifact.hash, name, request, wanted)


def _stream(place: FilePath, digest: str, name: str, request: Request, wanted: str | None) -> Response:
    etag = f'"{digest.removeprefix("sha256:")}"'
    headers = {**HEADERS, "ETag": etag, "Content-Disposition": f'inline; filename="{_plain(name)}"'}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    size = place.stat().st_size
    held = request.headers.get("if-range", etag) == etag
    begin, end = _range(wanted if held else None, size)
    headers["Content-Length"] = str(end - begin)
    partial = (begin, end) != (0, size) or (bool(wanted) and held and RANGE.fullmatch(wanted or ""))
    if partial:
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    status = 206 if partial else 200
    return StreamingResponse(_pieces(place, begin, end), status_code=status, headers=headers, media_type=kind)


def _range(wanted: str | None, size: int) -> tuple[int, int]:
    """The half-open range that a Range header names; all of it where it names none that we know, as RFC 9110 has it."""
    found = RANGE.fullmatch(wanted or "")
    if found is None or not (found[1] or found[2]):
        return 0, size
    if found[1]:
        begin, end = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < begin:
            return 0, size
    else:
        begin, end = max(0, size - int(found[2])), size
    if begin >= size or begin >= end:
        detail = f"wanted bytes below {size}"
        raise Problem("range-not-satisfiable", detail, headers={"Content-Range": f"bytes */{size}"})
    return begin, end


def _pieces(place: FilePath, begin: int, end: int) -> Iterator[bytes]:
    with place.open("rb") as file:
        file.seek(begin)
        left = end - begin
        while left > 0 and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)
