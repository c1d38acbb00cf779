"""One encode, several codecs: a ladder in each, one package, scores and reasons for every rung; signed and verified."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from archer.media import FrameRange, identify
from archer.plan import make_plan
from archer.split import Chunk
from archer.stage import Item
from encoder.errors import BadOption
from pipelines.encode.errors import BadSetting
from pipelines.encode.job import encode_job
from pipelines.encode.ladders import joined_choices, joined_ladder
from pipelines.encode.request import EncodeRequest, checked
from pipelines.report import load

CINEMILL = [sys.executable, "-m", "pipelines.cli.main"]


Cinemill = Callable[..., subprocess.CompletedProcess[str]]


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CINEMILL, *words], capture_output=True, text=True, timeout=280)


def test_settings_are_shared_or_one_for_each() -> None:
    request = EncodeRequest(codec="x264,svtav1", crf="24,40", preset="veryfast,10", encoder_params="")
    one, other = checked(request).each
    assert (one.codec, one.settings.crf, one.settings.preset) == ("x264", "24", "veryfast")
    assert (other.codec, other.settings.crf, other.settings.preset) == ("svtav1", "40", "10")
    same = EncodeRequest(codec="x264,x265", crf="24").each
    assert [each.crf for each in same] == ["24", "24"]


@pytest.mark.parametrize(
    ("given", "first", "second"),
    [
        ("psy-rd=1.0,0.15:aq-mode=2,tune=0", "psy-rd=1.0,0.15:aq-mode=2", "tune=0"),
        ("partitions=p8x8,b8x8,i8x8,i4x4,", "partitions=p8x8,b8x8,i8x8,i4x4", ""),
        (",tune=0", "", "tune=0"),
        ("", "", ""),
    ],
)
def test_encoder_parameters_of_several_codecs_may_hold_commas(given: str, first: str, second: str) -> None:
    request = checked(EncodeRequest(codec="x264,svtav1", crf="24,40", encoder_params=given))
    assert [one.encoder_params for one in request.each] == [first, second]


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (EncodeRequest(codec="x264,svtav1", crf="24,40,50"), BadSetting, "one for each of x264, svtav1"),
        (EncodeRequest(codec="x264,svtav1", crf="24,"), BadSetting, "one for each of x264, svtav1"),
        (EncodeRequest(codec="x264,svtav1", crf="24,70"), BadOption, "svtav1"),
        (EncodeRequest(codec="x264,x264", crf="24"), BadSetting, "names one twice"),
        (EncodeRequest(codec="x264,svtav1", crf="24", single="mkv"), BadSetting, "one file holds one codec"),
        (EncodeRequest(codec="x264,svtav1", preset="veryfast"), BadOption, "svtav1 has"),
    ],
)
def test_what_one_codec_cannot_do_is_refused(
    request_: EncodeRequest, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        checked(request_)


def ladder(codec: str, *names: str, ten_bit: bool = False) -> dict[str, object]:
    rungs = [{"name": name, "width": 2, "height": 2, "crf": "20", "crfs": ["20"]} for name in names]
    return {"codec": codec, "ten_bit": ten_bit, "rungs": rungs, "search": [], "notices": ["same", codec]}


def test_rungs_are_told_apart_and_know_their_codec() -> None:
    joined = joined_ladder([ladder("x264", "720p", "360p"), ladder("svtav1", "720p", "480p", ten_bit=True)])
    assert joined["codec"] == "x264,svtav1"
    assert [(rung["name"], rung["codec"], rung["ten_bit"]) for rung in joined["rungs"]] == [
        ("720p", "x264", False),
        ("360p", "x264", False),
        ("720p-svtav1", "svtav1", True),
        ("480p", "svtav1", True),
    ]
    assert joined["notices"] == ["same", "x264", "svtav1"]


def test_reasons_follow_the_names_of_the_rungs() -> None:
    ladders = [ladder("x264", "720p"), ladder("svtav1", "720p")]
    told = joined_choices(ladders, [{"rungs": [{"name": "720p"}], "encodes": 3} for _ in ladders])
    assert [rung["name"] for rung in told["rungs"]] == ["720p"]
    assert [rung["name"] for rung in told["others"][0]["rungs"]] == ["720p-svtav1"]
    assert told["encodes"] == 6
    assert joined_choices(ladders, [None, None])["rungs"] == []


def test_one_codec_has_the_same_job_as_ever(short: Path) -> None:
    """Nothing is joined, and no name is longer, where there is one codec."""
    nodes = {node.id for node in encode_job(identify(str(short)), EncodeRequest(), title="t").nodes}
    assert "ladders" not in nodes
    both = {
        node.id for node in encode_job(identify(str(short)), EncodeRequest(codec="x264,aom"), title="t").nodes
    }
    assert both - nodes == {"ladders", "analyse_aom", "allocate_aom"}


def test_settings_of_one_codec_name_nothing_of_the_others(short: Path) -> None:
    """So that another preset of the second codec, or longest chunk, encodes nothing of the first one again."""

    def names(**given: str) -> dict[str, str]:
        request = EncodeRequest(codec="x264,svtav1", crf="30,50", **given)  # type: ignore[arg-type]
        node = make_plan(encode_job(identify(str(short)), request, title="t")).by_id["encode"]
        chunk = Chunk(index=0, frames=FrameRange(0, 30))
        return {
            codec: node.identity_of("map", Item(chunk=chunk, values={"codec": codec, "crf": "1"}))
            for codec in ("x264", "svtav1")
        }

    one, other = names(preset="ultrafast,12"), names(preset="ultrafast,11")
    assert one["x264"] == other["x264"]
    assert one["svtav1"] != other["svtav1"]
    assert names(preset="ultrafast,12", chunk_s="4") == one
    assert names(preset="superfast,12")["x264"] != one["x264"]


@pytest.mark.slow
def test_another_preset_of_one_codec_encodes_the_other_no_second_time(short: Path, tmp_path: Path) -> None:
    shared = [
        "--codec",
        "x264,svtav1",
        "--crf",
        "30,50",
        "--ladder",
        "180p",
        "--no-proxies",
        "--json",
        "--keep",
    ]
    made = []
    for place, preset in enumerate(("ultrafast,12", "ultrafast,11")):
        words = ["--preset", preset, "--work-dir", tmp_path / "work"]
        done = command("encode", short, "-o", tmp_path / str(place), *shared, *words)
        assert done.returncode == 0, done.stderr
        events = [json.loads(line) for line in done.stdout.splitlines()]
        ended = [event for event in events if event.get("node") == "encode" and event["type"] == "chunk-done"]
        made.append({event["item"].partition("/")[2] for event in ended})
    assert made == [{"180p", "180p-svtav1"}, {"180p-svtav1"}]


@pytest.fixture(scope="module")
def both(tiny: Path, cinemill: Cinemill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("both") / "out"
    settings = ["--crf", "30,50", "--preset", "ultrafast,12", "--ladder", "180p", "--no-proxies"]
    done = cinemill("encode", tiny, "-o", out, "--codec", "x264,svtav1", *settings, "--executor", "inline")
    assert done.returncode == 0, done.stderr
    return out


def test_one_package_holds_all_codecs_and_scores(both: Path) -> None:
    master, mpd = ((both / name).read_text() for name in ("master.m3u8", "manifest.mpd"))
    assert re.findall(r'CODECS="(avc1|av01)[^"]*",RESOLUTION=.*AUDIO="audio"', master) == ["avc1", "av01"]
    assert set(re.findall(r'codecs="(avc1|av01)', mpd)) == {"avc1", "av01"}
    quality = load(both)
    assert list(quality.scores) == ["180p", "180p-svtav1"]
    assert [video.codec.partition(".")[0] for video in quality.videos] == ["avc1", "av01"]
    assert quality.crfs == {"180p": "30", "180p-svtav1": "50"}
    page = (both / "report.html").read_text()
    assert "180p-svtav1" in page
    rows = pq.read_table(both / "segments.parquet").to_pylist()
    assert all(row["vmaf_mean"] > 10 for row in rows if row["kind"] == "video")
    assert {row["track"] for row in rows} >= {"video-180p", "video-180p-svtav1"}


def test_a_signed_package_is_verified_and_a_changed_one_is_not(
    both: Path, cinemill: Cinemill, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("11" * 32)
    key.chmod(0o600)
    keys = ["--key-store", tmp_path / "keys", "--key-store-key", key]
    assert cinemill("verify", both, *keys).returncode
    signed = cinemill("sign", both, *keys)
    assert signed.returncode == 0, signed.stderr
    public = re.search(r"public key: (\S+)", signed.stdout)
    assert public
    for who in (keys, ["--public-key", public[1]]):
        found = cinemill("verify", both, *who)
        assert found.returncode == 0, found.stderr
        assert "what was signed" in found.stdout
    assert json.loads((both / "signature.json").read_text())["scheme"] == "ed25519"
    segment = both / "video-180p/1.m4s"
    data = segment.read_bytes()
    segment.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    found = cinemill("verify", both, *keys)
    segment.write_bytes(data)
    assert found.returncode == 1
    assert "video-180p/1.m4s was changed" in found.stdout


@pytest.mark.slow
def test_each_codec_is_optimised_by_itself(brief: Path, tmp_path: Path) -> None:
    """Both ladders reach the target, each with settings of its own, and the report says why for both."""
    settings = ["--target-vmaf", "80", "--preset", "ultrafast,12", "--ladder", "360p", "--no-proxies"]
    done = command("encode", brief, "-o", tmp_path / "out", "--codec", "x264,svtav1", *settings)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert all(abs(row["vmaf_mean"] - 80) < 3 for row in manifest["renditions"])
    assert len({row["crf"] for row in manifest["renditions"]}) == 2
    assert (tmp_path / "out/ladder-svtav1.json").is_file()
    assert "<h3>svtav1</h3>" in (tmp_path / "out/report.html").read_text()
