"""A work folder is given back without touching what is not ours, or what another job still needs."""

from __future__ import annotations

from pathlib import Path

from archer import JobSpec, Node, run
from archer.store import JobStore
from archer.store.discard import discard


def job(toys: str, work: Path, **params: object) -> str:
    spec = JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params=params)])
    return run(spec, work_dir=work, executor="inline").job


def test_nothing_is_left(toys: str, tmp_path: Path) -> None:
    discard(tmp_path / "w", job=job(toys, tmp_path / "w"))
    assert not (tmp_path / "w").exists()


def test_files_of_others_stay(toys: str, tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "thesis.txt").write_text("years of work")
    discard(tmp_path / "w", job=job(toys, tmp_path / "w"))
    assert [path.name for path in (tmp_path / "w").iterdir()] == ["thesis.txt"]


def test_a_folder_without_a_store_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    discard(tmp_path)
    assert (tmp_path / "objects").is_dir()
    discard(tmp_path / "nowhere", job="x")


def test_work_of_another_job_stays(toys: str, tmp_path: Path) -> None:
    job(toys, tmp_path / "w", fail="always")
    done = job(toys, tmp_path / "w", n=2)
    discard(tmp_path / "w", job=done)
    assert (tmp_path / "w" / "archer.db").exists()
    discard(tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_a_folder_in_use_stays(toys: str, tmp_path: Path) -> None:
    done = job(toys, tmp_path / "w")
    store = JobStore(tmp_path / "w")
    discard(tmp_path / "w", job=done)
    assert (tmp_path / "w" / "objects").exists()
    store.close()
