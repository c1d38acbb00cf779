"""What is kept under a name is its owner's, and lasts; on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from archer.store import JobQueue
from archer.store.database import Database
from archer.store.recipes import RecipeRows


@pytest.fixture(params=["sqlite", "postgresql"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> RecipeRows:
    place = tmp_path if request.param == "sqlite" else request.getfixturevalue("postgres").create()
    database = Database(place)
    JobQueue(database)  # makes the tables
    request.addfinalizer(database.close)
    return RecipeRows(database)


def test_each_owner_has_its_own(rows: RecipeRows) -> None:
    assert rows.add("anna", "Preset", "hd", "web", {"Settings": {"a": 1}})
    assert not rows.add("anna", "Preset", "hd", "", {})
    assert rows.add("anna", "JobTemplate", "hd", "", {"Settings": {}})
    assert rows.add("ben", "Preset", "hd", "", {"Settings": {"a": 2}})
    found = rows.get("anna", "Preset", "hd")
    assert found is not None
    assert (found.body, found.category, found.made_ms == found.changed_ms) == (
        {"Settings": {"a": 1}},
        "web",
        True,
    )
    assert rows.change("ben", "Preset", "hd", "tv", {"Settings": {"a": 3}})
    assert [rows.get(owner, "Preset", "hd").body["Settings"]["a"] for owner in ("anna", "ben")] == [1, 3]  # type: ignore[union-attr]
    assert rows.remove("anna", "Preset", "hd")
    assert not rows.remove("anna", "Preset", "hd")
    assert not rows.change("anna", "Preset", "hd", "", {})
    assert rows.get("anna", "Preset", "hd") is None
    assert rows.get("ben", "Preset", "hd") is not None


def test_pages_go_by_name(rows: RecipeRows) -> None:
    for number in range(5):
        rows.add("anna", "Preset", f"n{number}", "odd" if number % 2 else "even", {})
    names = [row.name for row in rows.page("anna", "Preset", "n1", 2)]
    assert names == ["n2", "n3"]
    assert [row.name for row in rows.page("anna", "Preset", "", 9, category="odd", down=True)] == ["n3", "n1"]
    assert [row.name for row in rows.page("anna", "Preset", "n3", 2, down=True)] == ["n2", "n1"]
    assert rows.page("ben", "Preset", "", 9) == []
