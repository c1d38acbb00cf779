"""`cinemill encode --plan`: analyse and decide, then say what encoding would take and give, before it is paid for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archer.events import Event
from archer.media import MediaInfo
from archer.plan import JobSpec, Node
from pipelines.cli.session import Done, run_job
from pipelines.encode.chunks import title_chunks
from pipelines.encode.job import MEDIA, SHOTS, choices_source, ladder_source
from pipelines.encode.run import EncodeOrder
from pipelines.encode.zones import title_zones

DECIDING = frozenset({"ingest", "shots", "search", "rungs", "analyse", "allocate", "ladders"})


def forecast(
    order: EncodeOrder, *, workers: int | None, executor: str = "local", as_json: bool, quiet: bool
) -> dict[str, Any]:
    """Run what decides, keep it for the encode, and return tasks, processor hours, bytes and quality.

    Raises:
        CinemillError: whatever failed; the work folder stays.
    """
    spec = JobSpec(nodes=deciding(order.spec.nodes))
    spent: list[Event] = []
    options: dict[str, Any] = {"workers": workers, "executor": executor, "as_json": as_json, "quiet": quiet}
    work = str(order.place.work_dir)
    with run_job(spec, work_dir=work, keep=True, on_event=spent.append, **options) as done:
        return _forecast(order, done, spent)


def deciding(nodes: Sequence[Node]) -> list[Node]:
    """What decides, and what that takes its inputs from, such as a gate."""
    wanted: set[str] = set()
    waiting = [node.id for node in nodes if node.stage in DECIDING]
    by_id = {node.id: node for node in nodes}
    while waiting:
        node = by_id[waiting.pop()]
        if node.id not in wanted:
            wanted.add(node.id)
            waiting += [
                source.partition(".")[0] for source in node.inputs.values() if isinstance(source, str)
            ]
    return [node for node in nodes if node.id in wanted]


def _forecast(order: EncodeOrder, done: Done, events: Sequence[Event]) -> dict[str, Any]:
    info = MediaInfo.from_json(done.json(MEDIA))
    zones = title_zones(order.request.zones, order.request.codecs[0], info.frame_count)
    chunks = title_chunks(done.json(SHOTS), info, order.request.settings, order.request.chunk_s, zones)
    ladder = done.json(ladder_source(order.request))
    costs = _costs(events)
    choices = done.json(choices_source(order.request)) if order.request.optimizes else {}
    return {
        "type": "plan",
        "tasks": {
            "encode": len(chunks) * len(ladder["rungs"]),
            "assemble": len(ladder["rungs"]),
            "chunks": len(chunks),
        },
        "analysis_encodes": choices.get("encodes", 0),
        "analysis_cpu_h": round(sum(cpu for _, cpu in costs) / 3600, 5),
        "encode_cpu_h": _encode_hours(costs, ladder["rungs"], info.frame_count),
        "rungs": [_rung(rung) for rung in ladder["rungs"]],
        "seen": choices.get("seen", {}),
        "notices": ladder["notices"],
        "work_dir": str(order.place.work_dir),
    }


def _rung(rung: Mapping[str, Any]) -> dict[str, Any]:
    named = {key: rung[key] for key in ("name", "width", "height", "crf")}
    return {**named, **rung.get("planned", {})}


def _costs(events: Sequence[Event]) -> list[tuple[float, float]]:
    """(coded samples, processor seconds) of each analysis encode that this run made; those known before cost nothing."""
    found = []
    for event in events:
        if event.type == "chunk-done" and event.node.partition("_")[0] == "analyse":
            width, _, rest = event.item.rpartition("/")[2].partition("x")
            area = int(width) * int(rest.partition("-")[0])
            found.append((float(area * event.payload["weight"]), event.payload["cpu_ms"] / 1000))
    return found


def _encode_hours(
    costs: Sequence[tuple[float, float]], rungs: Sequence[Mapping[str, Any]], frames: int
) -> float | None:
    """Processor hours of the encodes at most, by what an analysis encode (with its scoring) cost per sample; None if unknown."""
    samples = sum(count for count, _ in costs)
    if not samples:
        return None
    total = float(sum(rung["width"] * rung["height"] * frames for rung in rungs))
    return round(total * sum(cpu for _, cpu in costs) / samples / 3600, 5)
