"""What a work folder holds that nothing needs any more: blobs that no result names, and jobs that are long over."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from archer.store.database import Database, now_ms
from archer.store.jobs import JobStore
from archer.store.remote import RemoteBlobs
from archer.store.schema import attempts, cards, events, jobs, memo, nodes, tallies, tasks

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """What was, or would be, removed.

    Attributes:
        jobs: ids of forgotten jobs. results: remembered results that were not used for as long.
        blobs: how many files and folders, here and at the URL. size: their bytes.
    """

    jobs: Sequence[str]
    results: int
    blobs: int
    size: int


def collect_garbage(
    root: Path,
    *,
    dry_run: bool = False,
    older_than_days: int | None = None,
    remote: str = "",
    database: Database | None = None,
) -> Garbage:
    """Remove what nothing needs: everything no job and no remembered result names.

    Args:
        root: the work folder; nothing may run in it.
        dry_run: only say what would go.
        older_than_days: forget jobs that ended, and results that were used last, longer ago; None keeps all of them.
        remote: URL where the artifacts are too; see `ArtifactStore`.
        database: where the jobs are, if not in the folder.

    Raises:
        StoreBusy: a job runs in the folder, or by the database.
    """
    store = JobStore(root, database)

    def work(connection: sa.Connection) -> Garbage:
        """Nothing is begun meanwhile, so what is removed is not what somebody just found."""
        forgotten, results = _forget(connection, older_than_days)
        live = set(_named(connection))
        blobs = [*_dead_files(Path(root), live)]
        afar = [*_dead_blobs(remote, live)] if remote else []
        if not dry_run:
            _remove(blobs, remote, afar)
        size = sum(size for _, size in blobs) + sum(size for _, size in afar)
        return Garbage(jobs=forgotten, results=results, blobs=len(blobs) + len(afar), size=size)

    try:
        return store.surgery(work, keep=not dry_run)
    finally:
        store.close()


def _forget(connection: Any, days: int | None) -> tuple[list[str], int]:
    if days is None:
        return [], 0
    before = now_ms() - days * DAY_MS
    over = sa.select(jobs.c.id).where(jobs.c.ended_ms.is_not(None), jobs.c.ended_ms < before)
    found = [str(row.id) for row in connection.execute(over)]
    for job in found:
        for table in (tasks, nodes, attempts, events, cards, tallies):
            connection.execute(sa.delete(table).where(table.c.job == job))
        connection.execute(sa.delete(jobs).where(jobs.c.id == job))
    gone = connection.execute(sa.delete(memo).where(memo.c.used_ms < before))
    return found, int(gone.rowcount)


def _named(connection: Any) -> Iterator[str]:
    """Hashes that some row names."""
    for column in (memo.c.outputs, nodes.c.outputs, tasks.c.outputs):
        for (text,) in connection.execute(sa.select(column).where(column != "{}")):
            yield from (artifact["hash"] for artifact in json.loads(text).values())
    for texts in connection.execute(sa.select(jobs.c.spec, jobs.c.request)):
        for text in texts:
            yield from re.findall(r"sha256:[0-9a-f]{64}", text)  # inputs that were given as artifacts
    for (text,) in connection.execute(sa.select(cards.c.artifact)):
        yield json.loads(text)["hash"]


def _dead_files(root: Path, live: set[str]) -> Iterator[tuple[Path, int]]:
    """Blobs and trees of the folder that nothing names, half-written ones too; a tree keeps its listing."""
    for kind in ("objects", "trees"):
        for path in (root / kind).glob("??/*"):
            if path.name.startswith(".") or _digest(path.parent.name, path.name) not in live:
                files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
                yield path, sum(each.stat().st_size for each in files)


def _dead_blobs(url: str, live: set[str]) -> Iterator[tuple[str, int]]:
    """The same at a URL, where the files of living trees are blobs of their own."""
    remote = RemoteBlobs(url)
    there = list(remote.blobs())
    kept = set(live)
    for name, _ in there:
        if name.endswith(".json") and _remote_digest(name) in live:
            kept.update(remote.files_of(name))
    yield from ((name, size) for name, size in there if _remote_digest(name) not in kept)


def _remove(blobs: Sequence[tuple[Path, int]], url: str, afar: Sequence[tuple[str, int]]) -> None:
    for path, _ in blobs:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    if afar:
        remote = RemoteBlobs(url)
        for name, _ in afar:
            remote.remove(name)


def _digest(folder: str, name: str) -> str:
    return f"sha256:{folder}{name.partition('.')[0]}"


def _remote_digest(name: str) -> str:
    _, folder, file = name.rsplit("/", 2)
    return _digest(folder, file)
