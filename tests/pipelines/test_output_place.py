"""Where a job writes: nothing goes that it is made from, that somebody put there meanwhile, or that only stands beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import mezzfs
import pipelines.encode.run as encode_run
from archer.media import identify
from pipelines.encode.errors import OutputExists
from pipelines.encode.place import OutputPlace
from pipelines.encode.publish import publish_folder
from pipelines.encode.request import EncodeRequest
from pipelines.encode.sources import Sources

Cinemill = Callable[..., CompletedProcess[str]]


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("titles/a.mp4", "the input titles/a.mp4 is there, and would be replaced; choose another -o"),
        ("link.mp4", "the input titles/a.mp4 is there, and would be replaced; choose another -o"),
        ("titles", "the input titles/a.mp4 is there, and would be replaced; choose another -o"),
        (".", "the input titles/a.mp4 is there, and would be replaced; choose another -o"),
    ],
)
def test_the_input_is_never_replaced(
    output: str, says: str, tiny: Path, cinemill: Cinemill, tmp_path: Path
) -> None:
    """Not even with --force."""
    (tmp_path / "titles").mkdir()
    title = tmp_path / "titles/a.mp4"
    title.write_bytes(tiny.read_bytes())
    (tmp_path / "link.mp4").symlink_to(title)
    done = cinemill("encode", "titles/a.mp4", "-o", output, "--crf", "40", "--force", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.endswith(f"{says}\n")
    assert title.read_bytes() == tiny.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.mp4", "titles"]


def test_the_folder_that_one_is_in_is_not_replaced(tiny: Path, cinemill: Cinemill, tmp_path: Path) -> None:
    """A shell in it would see nothing of what it gets."""
    done = cinemill("encode", tiny, "-o", ".", "--crf", "40", cwd=tmp_path)
    assert done.returncode == 1
    assert "you are in this folder" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_folder_stands_for_it(tmp_path: Path) -> None:
    (tmp_path / "disk/titles").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "disk/titles")
    place = OutputPlace.of(f"{tmp_path}/out/", work_dir=None, keep=False, force=False)
    assert place.out == str(tmp_path / "disk/titles")
    assert place.work_dir == tmp_path / "disk/.titles.cinemill"


def test_what_stands_beside_an_output_stays(tmp_path: Path) -> None:
    for name in ("out.partial", "out.previous"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.txt").write_text("years of work")
    for content in (b"one", b"two"):
        publish_folder({}, {"manifest.json": content}, tmp_path / "out", link=False)
    assert (tmp_path / "out/manifest.json").read_bytes() == b"two"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.partial", "out.previous"]
    assert len(list(tmp_path.glob("*/thesis.txt"))) == 2


@pytest.mark.parametrize("name", ["out", "out.mkv"])
def test_what_was_put_there_while_the_job_ran_stays(
    name: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / name
    note = out / "note.txt" if name == "out" else out

    def happens() -> None:
        note.parent.mkdir(exist_ok=True)
        note.write_text("mine")

    with pytest.raises(OutputExists, match="--force"):
        run_while(happens, tiny, out, monkeypatch)
    assert note.read_text() == "mine"


def test_an_input_that_changes_while_the_job_runs_gives_nothing(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    title = tmp_path / "title.mp4"
    title.write_bytes(tiny.read_bytes())
    with pytest.raises(mezzfs.ChangedObject, match=r"title\.mp4: changed while it was encoded"):
        run_while(lambda: title.write_bytes(b"other"), title, tmp_path / "out", monkeypatch)
    assert [path.name for path in tmp_path.iterdir()] == ["title.mp4"]


def test_an_input_has_changed_where_its_bytes_have(tmp_path: Path) -> None:
    title = tmp_path / "title.mp4"
    title.write_bytes(b"one")
    sources = Sources.of(identify(str(title)), None)
    assert sources.urls == [str(title)]
    assert sources.changed() is None
    os.utime(title, (1, 1))
    assert sources.changed() is None, "only its times differ"
    title.write_bytes(b"two")
    assert sources.changed() is not None
    title.unlink()
    assert sources.changed() is None, "what was read of it was read"


def run_while(happens: Callable[[], object], clip: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Carry out an order; at the end of its job something happens, before what was made is published."""

    @contextmanager
    def run_job(*_: object, **__: object) -> Iterator[None]:
        happens()
        yield None

    monkeypatch.setattr(encode_run, "run_job", run_job)
    order = encode_run.EncodeOrder(
        asset=identify(str(clip)),
        request=EncodeRequest(crf="40", single=out.suffix[1:]),
        title="t",
        command="",
        place=OutputPlace.of(str(out), work_dir=None, keep=False, force=False),
    )
    encode_run.execute(order, workers=1, as_json=False, quiet=True)
