"""The pure parts of the dashboard: pictures of what ran when, forms from schemas, words."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
import sqlalchemy as sa

pytest.importorskip("fastapi", reason="needs the server's libraries: pip install 'cinemill[serve]'")

from archer.api import paths
from archer.api.dashboard import fields, picture, timeline, words
from archer.api.dashboard.buttons import possible
from archer.api.dashboard.fields import NotRead
from archer.api.dashboard.timeline import MOST_LANES, SLOTS
from archer.schema import json_schema
from archer.store.history import JobRow
from archer.store.schema import attempts, events, jobs, nodes, tasks
from archer.store.timeline import Heap, Try


def a_try(name: str, began: int, ended: int, state: str = "done") -> Try:
    return Try(name=name, node="encode", state=state, number=1, began_ms=began, ended_ms=ended)


def test_what_runs_at_the_same_time_lies_in_lanes() -> None:
    tries = [a_try("a", 0, 500), a_try("b", 100, 300), a_try("c", 300, 900), a_try("d", 600, 0, "leased")]
    row = timeline.drawn(["encode", "score"], tries, begin_ms=0, end_ms=1000)["encode"]
    assert [(bar.name, bar.lane) for bar in row.bars] == [("a", 0), ("b", 1), ("c", 1), ("d", 0)]
    assert [(bar.left, bar.width) for bar in row.bars] == [(0, 50), (10, 20), (30, 60), (60, 40)]
    assert row.lanes == 2


def test_lanes_end_at_a_dozen_and_bars_stay_inside() -> None:
    tries = [a_try(str(number), 0, 1000) for number in range(50)] + [a_try("late", 999, 1000)]
    row = timeline.drawn(["encode"], tries, begin_ms=0, end_ms=1000)["encode"]
    assert row.lanes == MOST_LANES
    assert all(bar.left + bar.width <= 100.001 for bar in row.bars)
    assert min(bar.width for bar in row.bars) == timeline.LEAST_PCT


def test_a_heap_says_how_many_ran_at_once_and_how_the_worst_ended() -> None:
    heaps = [
        Heap(node="encode", state="done", first=0, last=49, number=8, wall_ms=2000),
        Heap(node="encode", state="poisoned", first=25, last=25, number=1, wall_ms=10),
    ]
    cells = timeline.heaped(["encode"], heaps, 100, 10)["encode"].cells
    assert [(cell.left, cell.width, cell.number, cell.state) for cell in cells] == [
        (0, 25, 4, "done"),
        (25, 1, 5, "poisoned"),
        (26, 24, 4, "done"),
    ]
    assert cells[0].share == pytest.approx(0.8, abs=0.02)


def test_a_row_is_a_worker_or_a_machine_where_there_are_many() -> None:
    few = [replace(a_try("a", 0, 1), node=node) for node in ("b/1", "a/2", "", "a/2")]
    names, tries = picture._named(few)
    assert names == ["a/2", "b/1", "not known"]
    assert [each.node for each in tries] == ["b/1", "a/2", "not known", "a/2"]
    many = [replace(a_try("a", 0, 1), node=f"host-{pid % 2}/{pid}") for pid in range(30)]
    assert picture._named(many)[0] == ["host-0", "host-1"]


@pytest.mark.parametrize("span_s", [0.001, 1, 7, 61, 3601, 90000, 9e6])
def test_an_axis_has_a_few_marks_at_round_times(span_s: float) -> None:
    marks = timeline.ticks(0, max(1, round(1000 * span_s)))
    assert 1 <= len(marks) <= 8
    assert marks[0] == (0, 0)


def test_slots_hold_all_of_a_job() -> None:
    for end in (1, 199, 200, 201, 12345):
        assert end // timeline.slot_ms(0, end) < SLOTS


@dataclass(frozen=True, kw_only=True)
class Inner:
    a: int = 1


@dataclass(frozen=True, kw_only=True)
class Params:
    count: int = 3
    text: str = "x"
    mode: Literal["", "fast"] = ""
    on: bool = True
    inner: Inner = Inner()


SCHEMA = json_schema(Params)


def test_a_form_has_a_field_for_every_setting() -> None:
    kinds = {field.name: field.kind for field in fields.fields_of(SCHEMA)}
    assert [fields.label_of(name) for name in ("target_vmaf", "chunk_s", "s", "crf", "peak_kbps")] == [
        "Target VMAF",
        "Chunk (s)",
        "S",
        "CRF",
        "Peak (kb/s)",
    ]
    assert kinds == {"count": "number", "text": "text", "mode": "choice", "on": "choice", "inner": "json"}


def test_what_was_typed_is_read_and_written_back() -> None:
    typed = {"p.count": "7", "p.mode": "fast", "p.on": "false", "p.text": "", "p.inner": '{"a": 2}'}
    values = fields.read(SCHEMA, typed)
    assert values == {"count": 7, "mode": "fast", "on": False, "inner": {"a": 2}}
    assert fields.read(SCHEMA, fields.written(SCHEMA, values)) == values
    assert fields.read(SCHEMA, {"p.count": "7", "further": '{"count": 8}'}) == {"count": 8}


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"p.count": "7.5"}, "p.count"), ({"p.inner": "{"}, "p.inner"), ({"further": "[1]"}, "further")],
)
def test_what_cannot_be_read_names_its_field(typed: dict[str, str], field: str) -> None:
    with pytest.raises(NotRead) as caught:
        fields.read(SCHEMA, typed)
    assert list(caught.value.problems) == [field]


def test_problems_find_their_fields() -> None:
    names = ["input.input", "p.target_vmaf", "p.count", "queue", "nodes", "further"]
    found = {
        "/input": "input.input",
        "params.count": "p.count",
        "params.nothing": "further",
        "--target-vmaf": "p.target_vmaf",
        "/queue": "queue",
        "/nodes/first/stage": "nodes",
        "": "",
        "elsewhere": "",
    }
    assert {place: fields.field_at(place, names) for place in found} == found


def test_further_inputs_are_typed_as_json() -> None:
    paths.register()
    from archer.api.dashboard import submit
    from archer.api.routes import templates

    chosen = templates.template("package")
    form = {"input.video": "a.mp4", "more": '{"audio1": "b.mp4"}'}
    order = submit.document(chosen, form)
    assert order["input"] == {"video": "a.mp4", "audio1": "b.mp4"}
    assert submit.document(chosen, {"input.video": "a.mp4"})["input"] == "a.mp4"
    typed = submit._typed(chosen, order)
    assert (typed["input.video"], json.loads(typed["more"])) == ("a.mp4", {"audio1": "b.mp4"})
    assert fields.field_at("/input/audio1", submit._names(chosen)) == "more"
    assert fields.field_at("/input/video", submit._names(chosen)) == "input.video"
    with pytest.raises(NotRead) as caught:
        submit.document(chosen, {"input.video": "a.mp4", "more": "[]"})
    assert set(caught.value.problems) == {"more"}


def test_words_are_those_of_people() -> None:
    assert [words.duration(each) for each in (0.04, 42, 62, 3600, 90061)] == [
        "0.0 s",
        "42 s",
        "1 min 2 s",
        "1 h",
        "1 d 1 h",
    ]
    assert [words.size(each) for each in (999, 1500, 2_340_000)] == ["999 B", "1.5 kB", "2.34 MB"]
    assert [words.money(each) for each in ("0.000000", "1.500000", "0.001230")] == ["0.00", "1.50", "0.00123"]
    assert [words.percent(each) for each in (0.0, 0.999, 1.0)] == ["0 %", "99 %", "100 %"]
    assert words.title('{"input": "s3://b/a%20b.mov?X-Secret=1"}') == "a b.mov"


@pytest.mark.parametrize(
    ("state", "holder", "wanted", "actions"),
    [
        ("queued", "", "", ["cancel", "pause"]),
        ("running", "s", "", ["cancel", "pause"]),
        ("running", "s", "cancel", []),
        ("paused", "s", "", ["cancel", "resume"]),
        ("failed", "", "", ["retry"]),
        ("done", "", "", []),
    ],
)
def test_only_buttons_that_would_change_something(
    state: str, holder: str, wanted: str, actions: list[str]
) -> None:
    row = JobRow(
        id="1", state=state, runs=1, begun_ms=1, ended_ms=None, spec="", holder=holder, wanted=wanted
    )
    assert possible(row) == actions


async def pages(app: Any, *paths: str) -> list[str]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as client:
        return [(await client.get(path)).text for path in paths]


def fill(connection: sa.Connection, job: str, now: int) -> None:
    """Three thousand tries, one each 10 ms for 900 ms, and a hundred results that were known."""
    name = [f"encode/map/{number:05}" for number in range(3_000)]
    plain: dict[str, Any] = {"job": job, "outputs": "{}", "node": "encode", "weight": 1, "state": "done"}
    connection.execute(sa.insert(nodes).values(**plain, place=0, stage="encode", version=1, items=len(name)))
    task = {**plain, "phase": "map", "token": 0, "until_ms": 0}
    connection.execute(sa.insert(tasks), [{**task, "name": each, "label": each[-5:]} for each in name])
    tried = {"job": job, "number": 1, "state": "done", "wall_ms": 900, "cpu_ms": 1, "error": "", "log": ""}
    tries = [
        {**tried, "token": at, "name": each, "ended_ms": now - 10 * at, "worker": f"host-{at % 3}/{at % 30}"}
        for at, each in enumerate(name)
    ]
    connection.execute(sa.insert(attempts), tries)
    event = {"at_ms": now - 5000, "job": job, "type": "memo-hit", "node": "encode", "attempt": 0}
    hits = [{**event, "seq": 10**6 + at, "item": str(at), "payload": "{}"} for at in range(100)]
    connection.execute(sa.insert(events), hits)
    connection.execute(sa.update(jobs).values(runs=1, begun_ms=now - 33_000))


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_job_of_many_tries_is_a_page_of_the_usual_size(
    tmp_path: Path, store: str, request: pytest.FixtureRequest
) -> None:
    from archer.api.app import create_app
    from archer.api.settings import Settings

    database = request.getfixturevalue("postgres").create() if store == "postgres" else ""
    app = create_app(Settings(work_dir=tmp_path, database=database))
    parts = app.state.services
    row, _ = parts.queue.submit('{"nodes": {"encode": {}}}')
    now = time.time_ns() // 1_000_000
    parts.database.write(lambda connection: fill(connection, row.id, now))
    paths = (f"/jobs/{row.id}", f"/jobs/{row.id}/tasks", f"/jobs/{row.id}?rows=workers", "/", "/queues")
    page, tasks_page, by_worker, *others = asyncio.run(pages(app, *paths))
    parts.database.close()
    assert "More tries than can be told apart" in page
    assert "<title>100 known already</title>" in page
    cells = re.findall(
        r'width="([0-9.]+)%" y="[0-9.]+" height="[0-9.]+"><title>([0-9.]+) at once, done', page
    )
    _, widest = max((float(width), float(number)) for width, number in cells)
    assert widest == pytest.approx(90, rel=0.05)
    assert len(page) < 60_000
    assert len(tasks_page) < 60_000
    assert 'rel="next"' in tasks_page
    assert re.findall(r'class="lane-name"><b>([^<]+)</b>', by_worker) == ["host-0", "host-1", "host-2"]
    assert len(by_worker) < 100_000
    assert all(row.id in other or "default" in other for other in others)
