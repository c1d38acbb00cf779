"""What differs between a manifest and its repetition is found and named: environment, files, packets, pictures, scores."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archer.media import identify
from pipelines.cli.main import main
from pipelines.cli.reproduce import _captions_lines, difference_lines
from pipelines.encode.machine import simd_features
from pipelines.encode.manifest import SCHEMA
from pipelines.encode.record import source_place
from pipelines.encode.request import EncodeRequest
from pipelines.reproduce.environment import Difference, decisions, differences
from pipelines.reproduce.errors import ManifestUnusable
from pipelines.reproduce.files import compared
from pipelines.reproduce.quality import quality_results
from pipelines.reproduce.recorded import read_recorded
from pipelines.reproduce.run import find_captions, reproduce
from pipelines.reproduce.streams import first_byte, first_packet, where_they_differ
from vmaf import FrameScores

MACHINE = {"processor": "A", "features": ["avx", "avx2"], "kernels": "avx2", "system": "Linux x86_64"}


def manifest(**other: Any) -> dict[str, Any]:
    """A whole manifest of no files."""
    plain = {
        "schema": SCHEMA,
        "job": "0" * 32,
        "title": "t",
        "command": "cinemill encode t.mp4 -o OUT",
        "input": {"identity": "sha256:00", "bytes": 1, "name": "t.mp4"},
        "settings": asdict(EncodeRequest(crf="30")),
        "versions": {"cinemill": "1", "ffmpeg": "7 #a"},
        "stages": {"encode": {"stage": "encode", "version": 2, "fingerprint": "7 #a"}},
        "renditions": [],
        "files": {},
    }
    return plain | other


def written(folder: Path, content: Any) -> Path:
    path = folder / "manifest.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def said(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str]:
    """Exit code of a command, and all it said."""
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in argv])
    told = capsys.readouterr()
    return int(end.value.code or 0), told.out + told.err


def scores(*values: float) -> FrameScores:
    return FrameScores(
        frames=np.arange(len(values)), columns={"vmaf": np.array(values)}, model="m", scorer="s"
    )


def test_a_manifest_gives_its_settings_back(tmp_path: Path) -> None:
    found = read_recorded(written(tmp_path, manifest()))
    assert found.request == EncodeRequest(crf="30")
    assert found.source == ""
    (tmp_path / "run.json").write_text(json.dumps({"job": "0" * 32, "source": "/media/t.mp4"}))
    assert read_recorded(tmp_path).source == "/media/t.mp4"


def test_a_record_of_another_job_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"job": "f" * 32, "source": "/media/t.mp4"}))
    assert read_recorded(written(tmp_path, manifest())).source == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"schema": ', "damaged: not JSON"),
        ("[1]", "not one of cinemill encode"),
        ({"schema": "libvmaf@1"}, "not one of cinemill encode"),
        (manifest(schema="cinemill-manifest@1"), "is older than"),
        (manifest(schema="cinemill-manifest@99"), "is newer than"),
        (manifest(files=[]), "'files' is missing or no dict"),
        (manifest(files={"a": {"bytes": 1}}), "a file without its hash"),
        (manifest(settings={"codec": "x264", "colour": "red"}), "settings.colour"),
        (manifest(settings={"threads": "many"}), "settings.threads"),
    ],
)
def test_a_manifest_that_cannot_be_repeated_says_why_and_is_a_usage_error(
    content: Any, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ManifestUnusable, match=words):
        read_recorded(path)
    code, told = said(capsys, "reproduce", path)
    assert code == 2
    assert words in told


def test_without_its_source_nothing_is_encoded_and_that_is_a_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, manifest())
    code, told = said(capsys, "reproduce", path)
    assert code == 1
    assert "nobody recorded where it was" in told
    assert "sha256:00" in told
    for source, state in ((tmp_path / "t.mp4", "missing"), (path, "changed")):
        code, told = said(capsys, "reproduce", path, "--source", source, "--json")
        assert code == 1
        assert json.loads(told)["source"]["state"] == state


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("WEBVTT\n", "content as recorded"),
        ("WEBVTT\n\n", "has changed: was"),
        (None, "cannot be read"),
        ("", ""),
    ],
)
def test_subtitles_that_came_beside_it_are_compared(tmp_path: Path, content: str | None, told: str) -> None:
    """Those of other content, or none, are no repetition; where it is known that they differ, nothing is encoded."""
    source, texts = tmp_path / "t.mp4", tmp_path / "t.vtt"
    source.write_bytes(b"a title")
    texts.write_text("WEBVTT\n")
    known = {"identity": identify(str(texts)).identity, "bytes": 8, "name": "t.vtt"}
    named = {"identity": identify(str(source)).identity, "bytes": 7, "name": "t.mp4"}
    settings = asdict(EncodeRequest(crf="30", captions="en"))
    path = written(tmp_path, manifest(input=named, captions=known, settings=settings))
    record = {"job": "0" * 32, "source": str(source), **({"captions": str(texts)} if content != "" else {})}
    (tmp_path / "run.json").write_text(json.dumps(record))
    if content:
        texts.write_text(content)
    elif content is None:
        texts.unlink()
    recorded = read_recorded(path)
    found, asset = find_captions(recorded)
    assert found is not None
    assert (
        (found.state == "same")
        == (asset is not None and asset.identity == known["identity"])
        == (content == "WEBVTT\n")
    )
    if found.state != "same":
        again = reproduce(recorded, out=tmp_path / "out", work_dir=tmp_path / "work")
        assert (again.source.state, again.captions, again.same) == ("same", found, False)
        assert not (tmp_path / "work").exists()
        lines = "\n".join(_captions_lines(found))
        assert (told or "nobody recorded where they were") in lines


def test_every_difference_of_the_environment_is_named() -> None:
    now = {"encode": {"stage": "encode", "version": 3, "fingerprint": "7 #a"}}
    then = manifest(settings={"crf": "30"})
    here = {
        "versions": {"cinemill": "2", "ffmpeg": "7 #b"},
        "stages": now,
        "settings": {"crf": "30", "new": 1},
    }
    found = {entry.what: (entry.recorded, entry.here) for entry in differences(then, here, MACHINE, MACHINE)}
    assert found == {
        "cinemill": ("1", "2"),
        "ffmpeg": ("7 #a", "7 #b"),
        "stage encode": ("encode@2, 7 #a", "encode@3, 7 #a"),
        "setting new": ("not recorded", "1"),
    }
    same = {key: then[key] for key in ("versions", "stages", "settings")}
    assert differences(then, same, MACHINE, MACHINE) == []
    other = MACHINE | {"features": ["avx"], "processor": "B"}
    told = [entry.what for entry in differences(then, same, MACHINE, other)]
    assert told == ["processor", "processor features"]
    assert [entry.what for entry in differences(then, same, {}, MACHINE)] == ["machine"]


def test_rungs_that_were_decided_otherwise_are_named() -> None:
    def rows(**crfs: str) -> dict[str, Any]:
        return {
            "renditions": [{"name": name, "width": 16, "height": 9, "crf": crf} for name, crf in crfs.items()]
        }

    found = {
        entry.what: (entry.recorded, entry.here)
        for entry in decisions(rows(a="20", b="21"), rows(a="20", b="22"))
    }
    assert found == {"rung b": ("16x9 CRF 21", "16x9 CRF 22")}
    assert [entry.here for entry in decisions(rows(a="20"), rows())] == ["none"]


def test_outputs_that_others_are_made_from_come_first() -> None:
    table = {
        name: {"sha256": "0", "bytes": 1}
        for name in ("master.m3u8", "renditions/a.mp4", "shots.json", "audio")
    }
    assert [result.name for result in compared(table, table)] == [
        "shots.json",
        "renditions/a.mp4",
        "audio",
        "master.m3u8",
    ]


def test_files_are_the_same_differ_are_missing_or_new() -> None:
    one = {name: {"sha256": name, "bytes": 1} for name in ("a", "b", "c")}
    other = {"a": one["a"], "b": {"sha256": "z", "bytes": 2}, "d": {"sha256": "d", "bytes": 4}}
    found = [
        (result.name, result.state, result.recorded_bytes, result.bytes) for result in compared(one, other)
    ]
    assert found == [
        ("a", "same", 1, 1),
        ("b", "differs", 1, 2),
        ("c", "missing", 1, None),
        ("d", "new", None, 4),
    ]


def test_the_first_byte_that_differs(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(bytes(2 << 20) + b"abc")
    other.write_bytes(bytes(2 << 20) + b"abd")
    assert first_byte(one, other) == (2 << 20) + 2
    assert first_byte(one, one) is None
    other.write_bytes(bytes(2 << 20))
    assert first_byte(one, other) == 2 << 20
    assert where_they_differ(one, other) == f"from byte {2 << 20} on"


def test_the_first_packet_and_the_first_picture_that_differ(short: Path, tmp_path: Path) -> None:
    from archer.process import ffmpeg

    def coded(name: str, *options: str) -> Path:
        out = tmp_path / name
        ffmpeg(["-i", short, "-an", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", *options, out])
        return out

    one = coded("one.mp4", "-x264-params", "keyint=10:scenecut=0")
    brighter = "drawbox=w=40:h=40:color=white:t=fill:enable='gte(n,20)'"
    other = coded("other.mp4", "-x264-params", "keyint=10:scenecut=0", "-vf", brighter)
    assert where_they_differ(one, one) == ""
    assert first_packet(one, other).startswith("packet 20 (video, at ")
    assert "frame 20 is the first picture that differs" in where_they_differ(one, other)
    shorter = coded("shorter.mp4", "-x264-params", "keyint=10:scenecut=0", "-frames:v", "12")
    told = where_they_differ(one, shorter)
    assert "the new file ends before packet 12" in told
    assert "12 pictures are equal, then one file ends" in told


def test_scores_that_differ_are_told_with_the_worst_frame() -> None:
    then = {"720p": scores(90, 91, 92), "360p": scores(70, 71, 72), "gone": scores(1)}
    now = {"720p": scores(90, 88, 93), "360p": scores(70, 71, 72)}
    (found,) = quality_results(then, now)
    assert (found.name, found.frame, found.most) == ("720p", 1, 3.0)
    assert found.recorded == pytest.approx(91)
    (cut,) = quality_results({"a": scores(1, 2)}, {"a": scores(1)})
    assert cut.most is None


def test_a_record_holds_no_secret_of_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert source_place("https://me:pass@host/a.mov?X-Signature=1") == "https://host/a.mov"
    assert source_place("s3://bucket/a b.mov") == "s3://bucket/a b.mov"
    monkeypatch.chdir(tmp_path)
    assert source_place("a.mov") == str(tmp_path / "a.mov")


def test_instruction_sets_that_encoders_use() -> None:
    assert simd_features("model name\t: X\nflags\t\t: fpu avx2 sse4_2 avx\n") == ["sse4_2", "avx", "avx2"]
    assert simd_features("Features\t: fp asimd sve\n") == ["asimd", "sve"]
    assert simd_features("") == []


def test_people_are_told_of_other_builds_in_few_words() -> None:
    build = "ffmpeg version {} Copyright (c) 2000-2026 the FFmpeg developers #{}"
    one, other = build.format("n9.0.2", "7e87"), build.format("7.0.2-static https://example.org/ ", "d123")
    found = [
        Difference(what="ffmpeg", recorded=one, here=other),
        Difference(what="stage audio", recorded=f"audio@1, {one}", here=f"audio@1, {other}"),
        Difference(what="stage encode", recorded=f"encode@2, {one}", here=f"encode@3, {one}"),
        Difference(what="stage score", recorded="score@2, a", here="score@2, b"),
    ]
    assert list(difference_lines(found)) == [
        "differs: ffmpeg: was ffmpeg version n9.0.2 #7e87; is ffmpeg version 7.0.2-static #d123",
        "differs: stage encode: was encode@2, ffmpeg version n9.0.2 #7e87; is encode@3, ffmpeg version n9.0.2 #7e87",
        "differs: other builds compute in audio, score",
    ]
