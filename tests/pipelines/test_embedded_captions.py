"""Closed captions in the pictures of a title are in those of its package, as WebVTT beside them, and told to players."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from archer import run
from archer.media import identify, probe
from archer.plan import make_plan
from archer.store import ArtifactStore
from archer.templates import read_order
from encoder.carried import read_carried
from pipelines.encode.embedded import channels
from pipelines.encode.job import encode_job
from pipelines.encode.request import EncodeRequest
from pipelines.packaging.closed import closed_channels
from pipelines.packaging.extras import captioned_master, captioned_mpd


class Captioned(Protocol):
    """A clip with captions in its pictures, and those of each frame; made in `tests/conftest.py`."""

    path: Path
    triplets: dict[int, bytes]


@pytest.fixture(scope="module")
def package(
    captioned: Captioned,
    cinemill: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    out = tmp_path_factory.mktemp("embedded") / "out"
    words = ["--codec", "x264,svtav1", "--crf", "30,50", "--preset", "ultrafast,13", "--ladder", "90p"]
    done = cinemill("encode", captioned.path, "-o", out, *words, "--no-score", "--executor", "inline")
    assert done.returncode == 0, done.stderr
    return out


def test_pictures_carry_them(package: Path, captioned: Captioned) -> None:
    path = str(package / "renditions/90p.mp4")
    assert [data for _, data in read_carried(path, probe(path))] == list(captioned.triplets.values())
    notices = json.loads((package / "manifest.json").read_bytes())["notices"]
    assert [notice for notice in notices if "closed captions" in notice] == [
        "rung 90p-svtav1: closed captions are not carried in its pictures, but in H.264 and HEVC"
    ]


def test_they_are_a_track_of_text(package: Path) -> None:
    text = (package / "text-0-und/text.vtt").read_text()
    assert text == "WEBVTT\n\n00:00:00.560 --> 00:00:00.960\nHello &amp; bye\n"


def test_manifests_tell_where_they_are(package: Path) -> None:
    master = (package / "master.m3u8").read_text().splitlines()
    media = [line for line in master if "TYPE=CLOSED-CAPTIONS" in line]
    assert len(media) == 1
    assert 'GROUP-ID="cc"' in media[0]
    assert 'INSTREAM-ID="CC1"' in media[0]
    streams = {line.partition("CODECS=")[2][1:5]: line for line in master if "#EXT-X-STREAM-INF" in line}
    assert 'CLOSED-CAPTIONS="cc"' in streams["avc1"]
    assert "CLOSED-CAPTIONS" not in streams["av01"]
    sets = (package / "manifest.mpd").read_text().split("<AdaptationSet ")
    told = [one for one in sets if "cea-608:2015" in one]
    assert len(told) == 1
    assert "avc1" in told[0]
    assert told[0].index("Accessibility") < told[0].index("<Representation")
    assert 'value="CC1=und"' in told[0]


def test_packaging_them_again_tells_the_same(
    package: Path, cinemill: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """From a folder of an encode, by the command, and from its renditions alone, by a job."""
    out = tmp_path / "again"
    done = cinemill("package", package, "-o", out, "--no-images")
    assert done.returncode == 0, done.stderr
    test_manifests_tell_where_they_are(out)
    assert closed_channels(package / "renditions/90p.mp4") == ("CC1",)
    assert closed_channels(package / "renditions/90p-svtav1.mp4") == ()
    inputs = {
        "video": str(package / "renditions/90p.mp4"),
        "video1": str(package / "renditions/90p-svtav1.mp4"),
    }
    order = read_order({"job": "package", "input": inputs, "params": {"images": False}})
    result = run(order.spec(), work_dir=tmp_path / "work", executor="inline")
    result.raise_for_state()
    test_manifests_tell_where_they_are(
        ArtifactStore(tmp_path / "work").path(result.outputs["package.package"])
    )


def test_without_captions_manifests_stay_as_they_are() -> None:
    master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CLOSED-CAPTIONS=NONE\na.m3u8\n"
    assert captioned_master(master, {"a.m3u8": ()}) == master
    mpd = '<AdaptationSet id="0">\n<Representation id="0" />\n</AdaptationSet>'
    assert captioned_mpd(mpd, {0: ()}) == mpd
    assert 'cea-708:2015" value="1=lang:und"' in captioned_mpd(mpd, {0: ("SERVICE1",)})


def test_services_that_say_nothing_are_not_told() -> None:
    assert channels({"services": {}, "cea708": False}) == ()
    assert channels({"services": {}, "cea708": True}) == ("SERVICE1",)
    assert channels({"services": {"CC3": [], "CC1": []}, "cea708": True}) == ("CC1", "CC3")


def test_one_file_has_them_in_its_pictures_alone(captioned: Captioned) -> None:
    spec = encode_job(identify(str(captioned.path)), EncodeRequest(single="mkv", crf="30"), title="t")
    nodes = make_plan(spec).by_id
    assert nodes["assemble"].inputs["embedded"] == "embedded.data"
    assert "subtitles" not in nodes
