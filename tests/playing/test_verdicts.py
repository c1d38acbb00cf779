"""The rules of conformance: which tests run first, what follows from them, what a device can play, what is like what."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.conformance.codecs import codec_of, depth_of, family_of, level_of, same_codec
from pipelines.conformance.devices import Device, devices_named, misfit, read_devices
from pipelines.conformance.errors import NoPackage, UnknownDevice
from pipelines.conformance.listing import InDash, InHls, Listed, Listing, read_listing
from pipelines.conformance.pictures import likeness_db, nearest, places, telling
from pipelines.conformance.playing import presented_of, runs
from pipelines.conformance.results import Case, Result, Verdict, failed_labels, ordered
from pipelines.conformance.server import license_for


def case(test: str) -> Case:
    return Case(device="d", rendition="r", test=test)


def verdict(*states: str) -> Verdict:
    return Verdict(results=tuple(Result(case=case(state), state=state) for state in states))  # type: ignore[arg-type]


def test_what_failed_last_comes_first() -> None:
    stored = json.loads(json.dumps(verdict("passed", "failed", "skipped", "flaky").to_json()))
    failed = failed_labels(stored)
    assert failed == ["d/r/failed", "d/r/flaky"]
    cases = [case(name) for name in ("a", "b", "flaky", "c", "failed")]
    assert [one.test for one in ordered(cases, failed)] == ["flaky", "failed", "a", "b", "c"]
    assert failed_labels({"something": "else"}) == []


@pytest.mark.parametrize(
    ("states", "publish", "code"),
    [
        (["passed", "flaky"], True, 0),
        (["passed", "skipped"], True, 3),
        (["passed", "failed", "skipped"], False, 1),
    ],
)
def test_what_follows(states: list[str], publish: bool, code: int) -> None:
    found = verdict(*states)
    assert (found.publish, found.exit_code) == (publish, code)


def test_a_device_that_can_play_nothing_speaks_against_publication() -> None:
    found = Verdict(results=(), unplayable={"phone": "no video fits"})
    assert (found.publish, found.exit_code) == (False, 1)


def listed(
    codec: str = "avc1.640028",
    width: int = 1920,
    kbps: int = 5000,
    rate: int = 25,
    range: str = "",
    **more: object,
) -> Listed:
    from fractions import Fraction

    height = width * 9 // 16
    return Listed(
        name="video-x",
        kind="video",
        hls=InHls(
            codecs=(codec, "mp4a.40.2"), bandwidth=kbps * 1000, width=width, height=height, range=range
        ),
        dash=InDash(
            id="0", codecs=codec, bandwidth=kbps * 1000, width=width, height=height, rate=Fraction(rate)
        ),
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("rendition", "reason"),
    [
        (listed(), ""),
        (listed("av01.0.08M.08"), "it does not play av1"),
        (listed("avc1.640033"), "level 5.1 is above 4.2"),
        (listed(width=3840), "3840x2160 is above 1920x1080"),
        (listed(rate=120), "120 frames per second are above 60"),
        (listed(kbps=16000), "16000 kb/s are above 15000"),
        (listed("avc1.6e0028"), "10 bits per sample are above 8"),
        (listed(meant={"key_id": "00"}), "it does not decrypt cbcs"),
        (listed(range="PQ"), "it does not show PQ"),
        (listed(range="SDR"), ""),
    ],
)
def test_profiles_decide_on_paper(rendition: Listed, reason: str) -> None:
    (device,) = devices_named(["tv-1080p"])
    listing = Listing(root=Path(), renditions=(rendition,), protection={"scheme": "cbcs"})
    assert misfit(device, listing, rendition) == reason


def test_devices_come_by_name_and_from_files(tmp_path: Path) -> None:
    path = tmp_path / "devices.json"
    path.write_text(json.dumps([{"name": "box", "title": "A box", "video": {"h264": 31}, "drm": ["cenc"]}]))
    (box,) = devices_named(["box"], read_devices(path))
    assert box == Device(name="box", title="A box", video={"h264": 31}, drm=("cenc",))
    with pytest.raises(UnknownDevice, match=r"device bix: unknown; wanted one of package, decoder, .*box"):
        devices_named(["bix"], [box])
    path.write_text('[{"nome": "box"}]')
    with pytest.raises(
        UnknownDevice, match=r"devices.json .*wanted one of a list of objects with name, title"
    ):
        read_devices(path)


def test_no_package_is_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(NoPackage, match=r"neither master\.m3u8 nor manifest\.mpd"):
        read_listing(tmp_path)
    (tmp_path / "manifest.mpd").write_text("<MPD")
    with pytest.raises(NoPackage, match="a manifest cannot be read"):
        read_listing(tmp_path)


@pytest.mark.parametrize(
    ("codec", "family", "level", "depth"),
    [
        ("avc1.64001f", "h264", 31, 8),
        ("av01.0.13M.10", "av1", 51, 10),
        ("hvc1.2.4.L153.B0", "hevc", 51, 10),
        ("vp09.00.41.08", "vp9", 41, 8),
        ("mp4a.40.2", "aac", 0, 8),
        ("opus", "opus", 0, 8),
    ],
)
def test_codec_strings_are_understood(codec: str, family: str, level: int, depth: int) -> None:
    assert (family_of(codec), level_of(codec), depth_of(codec)) == (family, level, depth)


def test_unknown_media_has_no_codec_string() -> None:
    assert codec_of(b"\0\0\0\x08free") == ""


def test_pictures_are_told_apart() -> None:
    """Gain and offset do not count, another picture does, and a negative is not the picture."""
    rng = np.random.default_rng(1)
    film = {number: rng.uniform(16, 235, (90, 160)) for number in range(5)}
    film[3] = film[2] + rng.normal(0, 0.1, (90, 160))
    seen = 1.16 * film[1] - 18 + rng.normal(0, 2, (90, 160))
    assert nearest(seen, film, 1)[0] == 1
    assert likeness_db(seen, film[1]) == pytest.approx(42.1, abs=0.5)
    assert nearest(film[1], film, 4) == (1, pytest.approx(likeness_db(film[1], film[4])))
    assert likeness_db(255 - film[1], film[1]) < 15
    assert nearest(film[2], film, 3)[0] == 2  # 0.1 grey apart is 68 dB against 100: not the same
    assert telling({**film, 2: film[3]}, margin=0) in (0, 1, 4)


def test_places_are_spread_and_inside() -> None:
    assert list(places(132, 4)) == [16, 49, 82, 115]
    assert list(places(1, 4)) == [0]


def test_a_licence_holds_what_was_asked_for_and_known() -> None:
    kid, other = "00" * 15 + "01", "ff" * 16
    text = [base64.urlsafe_b64encode(bytes.fromhex(one)).rstrip(b"=").decode() for one in (kid, other)]
    answer = json.loads(
        license_for(json.dumps({"kids": text, "type": "temporary"}).encode(), {kid: "ab" * 16})
    )
    assert [key["kid"] for key in answer["keys"]] == text[:1]
    assert base64.urlsafe_b64decode(answer["keys"][0]["k"] + "==") == b"\xab" * 16


def test_presented_frames_are_those_told_of_and_those_counted() -> None:
    """Firefox leaves callbacks out, and Chromium frames: only the count between two callbacks tells which."""
    assert presented_of([(0, 1), (1, 2), (3, 4), (4, 5)]) == {0, 1, 2, 3, 4}  # 2 was shown, and not told of
    assert presented_of([(0, 1), (1, 2), (3, 3), (4, 4)]) == {0, 1, 3, 4}  # 2 was dropped
    assert presented_of([(5, 9)]) == {5}
    assert runs([1, 2, 9, 30, 31, 60]) == [(1, 9), (30, 31), (60, 60)]


def test_codec_strings_may_go_on_with_colours() -> None:
    assert same_codec("av01.0.00M.08.0.110.06.06.06.0", "av01.0.00M.08")
    assert not same_codec("av01.0.00M.10", "av01.0.00M.08")
    assert not same_codec("avc1.64001f.1", "avc1.64001f")
