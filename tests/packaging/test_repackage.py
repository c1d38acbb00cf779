"""Renditions that exist become a package by a submitted job: every packet as it was, names and languages as they were said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archer import run
from archer.errors import JobFailed, SpecError
from archer.store import ArtifactStore
from archer.templates import read_order
from pipelines.packaging.errors import CannotPackage


def packaged(work: Path, inputs: Any, **params: Any) -> Path:
    order = read_order({"job": "package", "input": inputs, "params": params})
    result = run(order.spec(), work_dir=work, executor="inline")
    result.raise_for_state()
    return ArtifactStore(work).path(result.outputs["package.package"])


def test_files_of_several_kinds(ladder: Path, tmp_path: Path) -> None:
    (tmp_path / "words.vtt").write_text("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nWords.\n")
    inputs = {
        "video": str(ladder / "360p.mp4"),
        "video1": str(ladder / "180p.mp4"),
        "audio1": str(ladder / "aac.mp4"),
        "audio2": str(ladder / "opus.mp4"),
        "text1": str(tmp_path / "words.vtt"),
    }
    said = {
        "audio": ["lang=en,default", "lang=de,role=commentary,name=talk"],
        "text": ["lang=de,role=caption"],
    }
    out, publish = tmp_path / "out", tmp_path / "published"
    out = packaged(tmp_path / "work", inputs, segment_s=2, images=False, output=str(publish), **said)
    tracks = {path.name for path in out.iterdir() if path.is_dir()}
    assert tracks == {"video-360p", "video-180p", "audio-en", "talk", "text-de-caption"}
    master = (out / "master.m3u8").read_text()
    assert 'LANGUAGE="en"' in master
    assert master.count("#EXT-X-STREAM-INF") >= 2
    assert (out / "manifest.mpd").read_text().count("<Representation") >= 4
    manifest = json.loads((publish / "manifest.json").read_text())
    assert "master.m3u8" in manifest["files"]
    alone = packaged(tmp_path / "work", str(ladder / "360p.mp4"), images=False)
    assert {path.name for path in alone.iterdir() if path.is_dir()} == {"video-360p"}


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"video": ["name=a", "name=b"]}, "fields of 2 files"),
        ({"video": ["nonsense=1"]}, "nonsense=1 is no field"),
        ({"video": ["name=a"], "scheme": "cbcs", "ts": True}, "leave ts out"),
        ({"video": ["name="]}, "name= is no field"),
    ],
)
def test_fields_that_do_not_fit_are_refused_before_anything_is_read(params: Any, says: str) -> None:
    with pytest.raises((CannotPackage, SpecError), match=says):
        read_order({"job": "package", "input": "s3://nowhere/a.mp4", "params": params})


@pytest.mark.parametrize(
    "content", ["#EXTM3U\n#EXTINF:1,\n{secret}\n", "ffconcat version 1.0\nfile '{secret}'\n", "no media"]
)
def test_a_file_that_names_others_opens_none_of_them(ladder: Path, tmp_path: Path, content: str) -> None:
    source = tmp_path / "list.mp4"
    source.write_text(content.format(secret=ladder / "360p.mp4"))
    with pytest.raises(JobFailed, match=r"CannotPackage|cannot package"):
        packaged(tmp_path / "work", str(source))


def test_sound_where_a_picture_is_wanted(ladder: Path, tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match="no video of it"):
        packaged(tmp_path / "work", str(ladder / "aac.mp4"))
