"""One HDR title, ladders in HDR and in SDR: each rung is coded, scored, packaged and told apart in its own range."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from archer.media import MediaInfo, frames, identify, probe
from archer.plan import make_plan
from encoder.errors import BadLadder
from encoder.ladder import parse_ladder
from pipelines.conformance.devices import devices_named
from pipelines.conformance.run import Order, run_conformance
from pipelines.encode.errors import BadSetting
from pipelines.encode.job import encode_job
from pipelines.encode.ladders import apart
from pipelines.encode.request import EncodeRequest, checked
from pipelines.ingest.params import IngestParams
from pipelines.ingest.view import viewed
from pipelines.score.scorer import default_scorer
from vmaf import model_named

Cinemill = Callable[..., subprocess.CompletedProcess[str]]
LIGHT = (
    "hdr10=1:repeat-headers=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:max-cll=1000,400:log-level=error:"
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
)
TAGS = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=limited"


@pytest.fixture(scope="module")
def hdr10(short: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen frames of real pictures, told to be PQ."""
    from archer.process import ffmpeg

    clip = tmp_path_factory.mktemp("hdr10") / "hdr10.mp4"
    picture = ["-vf", f"scale=192:108,format=yuv420p10le,{TAGS}", "-c:v", "libx265", "-preset", "ultrafast"]
    tags = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"]
    ffmpeg(
        [
            "-i",
            short,
            "-frames:v",
            "12",
            "-an",
            *picture,
            "-x265-params",
            LIGHT,
            *tags,
            "-tag:v",
            "hvc1",
            clip,
        ]
    )
    return clip


def test_one_codec_or_two_in_both_ranges() -> None:
    one = checked(EncodeRequest(codec="x265", dynamic_range="hdr,sdr", crf="28"))
    assert [(each.codec, each.dynamic_range) for each in one.each] == [("x265", "hdr"), ("x265", "sdr")]
    two = checked(EncodeRequest(codec="x264,x265", dynamic_range="sdr,hdr", crf="24,28"))
    assert [(each.codec, each.dynamic_range) for each in two.each] == [("x264", "sdr"), ("x265", "hdr")]
    assert EncodeRequest(codec="x264,x265").ranges == ("sdr", "sdr")
    assert EncodeRequest(codec="x265,aom").ranges == ("hdr", "hdr")
    assert not EncodeRequest(codec="x265,aom").both_ranges


@pytest.mark.parametrize(
    ("codec", "given", "words"),
    [
        ("x265", "hlg", "wanted auto, hdr, sdr"),
        ("x264,x265", "hdr,sdr", "x264 is not coded in HDR"),
        ("x264,x265", "hdr,sdr,hdr", "one for each of x264, x265"),
        ("x265", "sdr,sdr", "names one twice"),
    ],
)
def test_ranges_that_do_not_fit_are_refused(codec: str, given: str, words: str) -> None:
    with pytest.raises(BadSetting, match=words):
        checked(EncodeRequest(codec=codec, dynamic_range=given, crf="28"))


def test_one_codec_has_one_preset_and_one_file_has_one_range() -> None:
    with pytest.raises(BadSetting, match="one preset"):
        checked(EncodeRequest(codec="x265", dynamic_range="hdr,sdr", preset="fast,slow"))
    with pytest.raises(BadSetting, match="one file holds one codec in one range"):
        checked(EncodeRequest(codec="x265", dynamic_range="hdr,sdr", single="mkv"))


def test_rungs_may_be_for_one_range_alone(short: Path) -> None:
    video = probe(str(short)).video
    rungs, remarks = parse_ladder("180p@hdr,120p,90p@crf30@peak200k@sdr", video)
    assert [(rung.name, rung.dynamic_range) for rung in rungs] == [("120p", ""), ("90p", "sdr")]
    assert "180p@hdr left out: the title is in SDR" in remarks[0]
    rungs, remarks = parse_ladder("180p@hdr,120p,90p@sdr", video, "hdr")
    assert [rung.name for rung in rungs] == ["180p", "120p"]
    assert not remarks
    with pytest.raises(BadLadder, match="not for SDR"):
        parse_ladder("180p@hdr", video)


def test_names_tell_the_range_before_the_codec() -> None:
    def ladder(codec: str, shown: str) -> dict[str, object]:
        return {"codec": codec, "dynamic_range": shown, "rungs": [{"name": "72p"}]}

    names = apart([ladder("x264", "sdr"), ladder("x265", "hdr"), ladder("x265", "sdr"), ladder("aom", "hdr")])
    assert names == [["72p"], ["72p-hdr"], ["72p-x265"], ["72p-aom"]]


def test_each_ladder_is_decided_in_its_own_range(short: Path) -> None:
    request = EncodeRequest(codec="x265", dynamic_range="hdr,sdr", ladder="120p@hdr,90p")
    nodes = make_plan(encode_job(identify(str(short)), request, title="t")).by_id
    assert nodes["ingest"].params.dynamic_range == "hdr"
    assert nodes["ingest_sdr"].params.dynamic_range == "sdr"
    medias = {name: node.inputs.get("media") for name, node in nodes.items()}
    for name in ("rungs", "analyse", "allocate"):
        assert medias[name] == "ingest.media"
    for name in ("rungs_sdr", "analyse_x265_sdr", "allocate_x265_sdr"):
        assert medias[name] == "ingest_sdr.media"
    for name in ("encode", "assemble", "score", "report"):
        assert nodes[name].inputs["other_media"] == "ingest_sdr.media"


@pytest.fixture(scope="module")
def package(hdr10: Path, cinemill: Cinemill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ranges") / "out"
    words = ["--codec", "x265", "--dynamic-range", "hdr,sdr", "--crf", "20", "--preset", "ultrafast"]
    rungs = ["--ladder", "108p,72p@peak400k@sdr", "--no-proxies"]
    done = cinemill("encode", hdr10, "-o", out, *words, *rungs, "--quiet", "--executor", "inline")
    assert done.returncode == 0, done.stderr
    return out


def test_renditions_are_in_their_range(package: Path) -> None:
    found = {
        name: probe(str(package / f"renditions/{name}.mp4")).video for name in ("108p", "108p-sdr", "72p")
    }
    assert {name: video.colour.transfer for name, video in found.items()} == {
        "108p": 16,
        "108p-sdr": 1,
        "72p": 1,
    }
    top = found["108p"]
    assert top.bit_depth == 10
    assert top.hdr is not None
    assert top.hdr.mastering is not None
    assert (top.hdr.max_cll, top.hdr.max_fall) == (1000, 400)
    assert found["108p-sdr"].hdr is None


def score(source: Path, info: MediaInfo, coded: Path) -> float:
    told, model = probe(str(coded)), model_named("vmaf_v0.6.1")
    pictures = frames(str(source), info=info), frames(str(coded), info=told)
    scores = default_scorer().score(*pictures, reference_info=info, distorted_info=told, model=model)
    return scores.pooled("vmaf").mean


def test_each_is_scored_against_its_own_picture(hdr10: Path, package: Path) -> None:
    hdr = probe(str(hdr10))
    sdr = viewed(
        hdr, IngestParams(dynamic_range="sdr"), lambda info, part: frames(str(hdr10), part, info=info)
    )
    rows = {row["name"]: row for row in json.loads((package / "manifest.json").read_bytes())["renditions"]}
    for name, own, other in (("108p", hdr, sdr), ("108p-sdr", sdr, hdr)):
        right, wrong = (score(hdr10, info, package / f"renditions/{name}.mp4") for info in (own, other))
        assert rows[name]["vmaf_mean"] == pytest.approx(right, abs=0.01)
        assert abs(right - wrong) > 5
    assert rows["72p"]["run_kbps"] <= rows["72p"]["cap_kbps"] == 400


def test_players_are_told_which_is_which(package: Path) -> None:
    master = (package / "master.m3u8").read_text()
    lines = re.findall(r"STREAM-INF:.*VIDEO-RANGE=(\w+).*\n(.*)/media", master)
    ranges = {uri: shown for shown, uri in lines}
    assert ranges == {"video-108p": "PQ", "video-108p-sdr": "SDR", "video-72p": "SDR"}
    sets = (package / "manifest.mpd").read_text().split("<AdaptationSet ")[1:]
    transfers = [re.findall(r'TransferCharacteristics" value="(\d+)"', one) for one in sets]
    videos = [one.count("<Representation ") for one in sets if 'contentType="video"' in one]
    assert [found for found in transfers if found] == [["16"], ["1"]]
    assert videos == [1, 2]


@pytest.mark.parametrize("known", [True, False], ids=["source", "alone"])
def test_pictures_are_judged_by_the_best_of_their_range(
    hdr10: Path, package: Path, tmp_path: Path, known: bool
) -> None:
    devices = devices_named(["package", "decoder"])
    order = Order(package=package, devices=devices, out=tmp_path, source=hdr10 if known else None)
    verdict = run_conformance(order)
    assert [result.message for result in verdict.results if result.failed] == []
    tried = {result.case.rendition for result in verdict.results if result.case.test == "pictures"}
    assert tried == {"video-108p", "video-108p-sdr", "video-72p"}


def test_a_title_in_sdr_has_no_ladder_in_hdr(short: Path, cinemill: Cinemill, tmp_path: Path) -> None:
    words = ["--codec", "x265", "--dynamic-range", "hdr,sdr", "--crf", "28", "--quiet"]
    done = cinemill("encode", short, "-o", tmp_path / "out", *words, "--executor", "inline")
    assert done.returncode != 0
    assert "input is in SDR" in done.stderr
