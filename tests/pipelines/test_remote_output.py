"""An output at a URL is found done by the same command, and nothing else there is overwritten unasked."""

from __future__ import annotations

import json
from pathlib import Path

import fsspec
import pytest

from archer.media import identify
from pipelines.encode.errors import OutputExists
from pipelines.encode.fetch import output_folder
from pipelines.encode.place import OutputPlace
from pipelines.encode.request import EncodeRequest, single_of
from pipelines.encode.run import EncodeOrder, execute


def order(clip: Path, out: str, work: Path, crf: str, *, force: bool = False) -> EncodeOrder:
    request = EncodeRequest(crf=crf, preset="ultrafast", ladder="90p", single=single_of(out))
    place = OutputPlace.of(out, work_dir=str(work), keep=False, force=force)
    return EncodeOrder(asset=identify(str(clip)), request=request, title="t", command="", place=place)


@pytest.mark.parametrize("name", ["package", "title.mkv"])
def test_an_output_at_a_url(name: str, tiny: Path, tmp_path: Path) -> None:
    out = f"memory://{tmp_path.name}/{name}"
    quiet = {"workers": 1, "executor": "inline", "as_json": False, "quiet": True}
    first = execute(order(tiny, out, tmp_path / "w", "40"), **quiet)  # type: ignore[arg-type]
    assert first["renditions"][0]["frames"] == 12
    assert not (tmp_path / "w").exists()
    stored = fsspec.filesystem("memory").find(f"/{tmp_path.name}")
    if name == "package":
        record = json.loads(fsspec.filesystem("memory").cat(f"/{tmp_path.name}/package/run.json"))
        assert record["source"] == ""  # a path of this machine
        assert record["cost"]["cpu_s"] > 0
    assert execute(order(tiny, out, tmp_path / "w", "40"), **quiet)["up_to_date"]  # type: ignore[arg-type]
    with pytest.raises(OutputExists, match="--force"):
        execute(order(tiny, out, tmp_path / "w", "41"), **quiet)  # type: ignore[arg-type]
    assert fsspec.filesystem("memory").find(f"/{tmp_path.name}") == stored
    again = execute(order(tiny, out, tmp_path / "w", "41", force=True), **quiet)  # type: ignore[arg-type]
    assert not again["up_to_date"]


def test_what_tells_of_an_output_comes_from_a_url_with_the_ladders_of_all_codecs(tmp_path: Path) -> None:
    there = fsspec.filesystem("memory")
    ladders = {"ladder.json", "ladder-svtav1.json"}
    others = {"../ladder-x.json", "video/ladder.json", "segments.parquet"}
    listed = {"files": {name: {} for name in ladders | others}}
    there.pipe(f"/{tmp_path.name}/manifest.json", json.dumps(listed).encode())
    for name in ladders | {"segments.parquet", "shots.json"}:
        there.pipe(f"/{tmp_path.name}/{name}", name.encode())
    with output_folder(f"memory://{tmp_path.name}") as folder:
        assert {path.name for path in folder.rglob("*")} == {"manifest.json", "shots.json"} | ladders
        assert (folder / "ladder-svtav1.json").read_bytes() == b"ladder-svtav1.json"
