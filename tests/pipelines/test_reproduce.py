"""A manifest's work can be done again, from the source on, with the same bytes; and where it is not, that is told."""

from __future__ import annotations

import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import fsspec
import pytest

from pipelines.cli.main import main
from pipelines.report.errors import CannotRemake
from pipelines.report.remake import remade


def ran(*argv: object) -> tuple[int, str]:
    """Exit code of a command, and what it said."""
    told = StringIO()
    with redirect_stdout(told), redirect_stderr(told), pytest.raises(SystemExit) as end:
        main([str(word) for word in argv])
    return int(end.value.code or 0), told.getvalue()


@pytest.fixture(scope="module")
def package(short: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames at one rung, as a package; its work folder is kept, so that there is something to be wrongly taken from."""
    from archer.process import ffmpeg

    folder = tmp_path_factory.mktemp("reproduce")
    ffmpeg(["-i", short, "-an", "-frames:v", "8", "-c:v", "libx264", "-qp", "20", folder / "eight.mp4"])
    argv = ["encode", folder / "eight.mp4", "-o", folder / "out", "--crf", "30", "--ladder", "144p"]
    code, told = ran(*argv, "--preset", "ultrafast", "--work-dir", folder / "work", "--keep")
    assert code == 0, told
    return folder / "out"


def test_the_same_bytes_come_out_again_and_nothing_is_taken_from_the_first_run(package: Path) -> None:
    before = sorted(path.name for path in package.parent.iterdir())
    code, told = ran("reproduce", package / "manifest.json", "--json")
    assert code == 0, told
    events = [json.loads(line) for line in told.splitlines()]
    kinds = [event["type"] for event in events]
    assert "memo-hit" not in kinds
    assert {"encode"} <= {event["node"] for event in events if event["type"] == "chunk-done"}
    found, recorded = events[-1], json.loads((package / "manifest.json").read_bytes())
    assert found["same"] is True
    assert found["environment"] == []
    assert {entry["name"] for entry in found["files"]} == set(recorded["files"])
    assert sorted(path.name for path in package.parent.iterdir()) == before


def test_a_manifest_at_a_url_is_read_and_says_what_it_lacks(package: Path) -> None:
    place = f"memory://{package.parent.name}/out"
    fsspec.filesystem("memory").put(str(package / "manifest.json"), f"{place}/manifest.json")
    for named in (place, f"{place}/manifest.json"):
        code, told = ran("reproduce", named)
        assert code == 1
        assert "nobody recorded where it was" in told
    code, told = ran("reproduce", f"{place}/nowhere")
    assert code == 2, told


def test_the_report_is_made_again_from_the_package(package: Path, tmp_path: Path) -> None:
    names = ("report.html", "manifest.json", "plots/vmaf.svg", "scores/144p.json")
    before = {name: (package / name).read_bytes() for name in names}
    for name in ("report.html", "plots/vmaf.svg"):
        (package / name).write_text("spoiled")
    code, told = ran("report", package, "--plots", tmp_path / "plots", "--json")
    assert code == 0, told
    assert (tmp_path / "plots" / "vmaf.svg").read_bytes() == before["plots/vmaf.svg"]
    assert (tmp_path / "plots" / "bitrate.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(told.splitlines()[-1])["state"] == "changed"
    assert {event["node"] for event in map(json.loads, told.splitlines()) if event.get("node")} == {"stage"}
    assert {name: (package / name).read_bytes() for name in before} == before
    with remade(package.parent / "work") as made:
        assert made.page.read_bytes() == before["report.html"]
    other = tmp_path / "other"
    shutil.copytree(package, other)
    with pytest.raises(CannotRemake, match="is another"), remade(other, source=str(other / "shots.json")):
        pass
    (other / "renditions" / "144p.mp4").write_bytes(b"no video")
    with pytest.raises(CannotRemake, match=r"renditions/144p\.mp4 is not what"), remade(other):
        pass
    for name in ("renditions/144p.mp4", "features.parquet", "run.json", "report-inputs.json"):
        (other / name).unlink()
        with pytest.raises(CannotRemake, match=name), remade(other):
            pass


def test_one_file_with_its_report_is_repeated_compared_and_remade(package: Path) -> None:
    one = package.parent / "one.mkv"
    argv = ["encode", package.parent / "eight.mp4", "-o", one, "--crf", "30", "--ladder", "144p", "--json"]
    argv += ["--preset", "ultrafast", "--work-dir", package.parent / "work", "--keep"]
    assert ran(*argv)[0] == 0
    plain = one.read_bytes()
    code, told = ran("compare", one, package)
    assert code == 2
    assert "encode it with --report" in told
    code, told = ran(*argv, "--report")
    assert code == 0, told
    assert one.read_bytes() == plain
    assert (package.parent / "one.mkv.report" / "renditions" / "144p.mp4").is_file()
    assert json.loads(ran(*argv, "--report")[1].splitlines()[-1])["up_to_date"]
    code, told = ran("reproduce", one, "--json")
    assert code == 0, told
    assert {"../one.mkv", "report.html"} <= {
        row["name"] for row in json.loads(told.splitlines()[-1])["files"]
    }
    code, told = ran("report", one, "--json")
    assert json.loads(told.splitlines()[-1])["state"] == "same", told
    code, told = ran("compare", one, package, "--json")
    assert code == 0, told
    assert json.loads(told)["a"]["label"] == "one.mkv"


@pytest.mark.slow
def test_other_settings_are_found_in_packets_pictures_and_scores(package: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(package, other)
    text = (other / "manifest.json").read_text()
    (other / "manifest.json").write_text(text.replace('"crf": "30"', '"crf": "36"'))
    code, told = ran("reproduce", other, "-o", tmp_path / "again", "-q", "--json")
    assert code == 1, told
    found = json.loads(told.splitlines()[-1])
    files = {entry["name"]: entry for entry in found["files"]}
    coded = files["renditions/144p.mp4"]
    assert coded["state"] == "differs"
    assert coded["bytes"] < coded["recorded_bytes"]
    assert "packet 0 (video" in coded["detail"]
    assert "frame 0 is the first picture that differs" in coded["detail"]
    assert files["shots.json"]["state"] == "same"
    (quality,) = found["quality"]
    assert quality["now"] < quality["recorded"]
    assert (tmp_path / "again" / "report.html").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "other"]
    code, told = ran("reproduce", other, "-o", tmp_path / "again")
    assert code == 2
    assert "choose another -o" in told
