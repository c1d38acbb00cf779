"""`run.json`: how one run of a job went. What differs from run to run and from place to place is here, never in the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archer.media.asset import Asset, joined_url, urls_of
from archer.places import shown
from pipelines.encode.machine import this_machine

RECORD = "run.json"
SCHEMA = "cinemill-run@1"


def run_record(
    asset: Asset,
    work_dir: Path,
    job: str,
    cost: dict[str, Any],
    *,
    captions: Asset | None = None,
    remote: bool = False,
) -> dict[str, Any]:
    """Where the source was, which machine, and what it cost.

    Args:
        asset: the mezzanine.
        work_dir: folder of the finished job.
        job: its identity.
        cost: what `cost_of` says of it.
        captions: subtitle files that came beside it.
        remote: it goes to other machines, where a path of this one says nothing; then only the URL of a source is named.
    """
    return {
        "schema": SCHEMA,
        "job": job,
        "source": _named(asset, remote=remote),
        **({"captions": _named(captions, remote=remote)} if captions else {}),
        "machine": this_machine(),
        "cost": _with_times(cost, work_dir, job),
    }


def _named(asset: Asset, *, remote: bool) -> str:
    return "" if remote and any("://" not in url for url in asset.urls) else source_place(asset.url)


def _with_times(cost: dict[str, Any], work_dir: Path, job: str) -> dict[str, Any]:
    """The cost of every stage, when the job began and ended, and how many tasks and tries there were.

    `tries` below `tasks` says that results of earlier jobs were used again, which cost nothing here.
    """
    from archer.store import History

    with History(work_dir) as history:
        row, tasks = history.job(job), sum(history.counts(job).values())
    return {
        **cost,
        "begun_ms": row.begun_ms,
        "ended_ms": row.ended_ms or row.begun_ms,
        "runs": row.runs,
        "tasks": tasks,
        "tries": sum(node["tries"] for node in cost["nodes"]),
    }


def source_place(url: str) -> str:
    """Where the source was: the absolute path of a file; a URL without what may be secret, its user and its query."""
    urls = urls_of(url)
    if len(urls) > 1:
        return joined_url([source_place(each) for each in urls])
    if "://" not in url:
        return str(Path(url).absolute())
    return shown(url)
