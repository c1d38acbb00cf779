"""Zones give ranges of frames settings of their own, exactly at their edges."""

from __future__ import annotations

from pathlib import Path

import pytest

from archer.media import FrameRange, identify
from archer.plan import make_plan
from archer.split import Chunk, Shot, plan_chunks
from archer.stage import Item
from encoder import BadOption, EncodeSettings
from pipelines.encode.errors import BadSetting
from pipelines.encode.job import encode_job
from pipelines.encode.request import EncodeRequest, checked
from pipelines.encode.zones import Zone, check_encoders, fitted, parse_zones, settings_in, zoned_chunks

SHOTS = [Shot(frames=FrameRange(0, 30)), Shot(frames=FrameRange(30, 100)), Shot(frames=FrameRange(100, 240))]


def test_lines_of_ours_and_of_av1an() -> None:
    text = "# a comment\n\n100 -1 svt-av1 reset --crf 30 --aq-mode=2\n0 40 crf=18\n"
    assert parse_zones(text, "svtav1") == (
        Zone(start=0, end=40, crf="18"),
        Zone(start=100, end=-1, crf="30", params="aq-mode=2", reset=True),
    )
    assert parse_zones("", "x264") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 crf=18", "START END"),
        ("40 40 crf=18", "START END"),
        ("0 40 crf", "cannot read"),
        ("0 40 --crf", "no value"),
        ("0 40 preset=slow", "whole title"),
        ("0 40 crf=20\n39 60 crf=20", "overlap"),
        ("0 -1 crf=20\n90 100 crf=21", "overlap"),
    ],
)
def test_lines_that_do_not_fit(text: str, words: str) -> None:
    with pytest.raises(BadSetting, match=words):
        parse_zones(text, "x264")


@pytest.mark.parametrize("setting", ["crf=99", "keyint=7", "bframes=40"])
def test_settings_are_those_of_the_codec(setting: str) -> None:
    with pytest.raises(BadOption):
        parse_zones(f"0 40 {setting}", "x264")


def test_zones_of_several_codecs_are_for_one_each() -> None:
    """Their edges cut the chunks of all, which are the same; a zone without a name is for all."""
    text = "0 40 x264 crf=20\n0 40 svt-av1 crf=35\n60 80 svtav1 crf=50\n80 90 aq-mode=2"
    check_encoders(text, ("x264", "svtav1"))
    with pytest.raises(BadSetting, match="x264 or x265"):
        check_encoders(text, ("x264", "x265"))
    part, settings = FrameRange(0, 40), EncodeSettings(crf="30")
    zones = {codec: fitted(parse_zones(text, codec), 240) for codec in ("x264", "svtav1")}
    cuts = [zoned_chunks(SHOTS, each, shortest=10, longest=80) for each in zones.values()]
    assert cuts[0] == cuts[1]
    assert [settings_in(each, part, settings).crf for each in zones.values()] == ["20", "35"]
    late = FrameRange(60, 80)
    assert [settings_in(each, late, settings).crf for each in zones.values()] == ["30", "50"]
    assert settings_in(zones["x264"], FrameRange(80, 90), settings).params == "aq-mode=2"


def test_zones_end_with_the_title() -> None:
    assert fitted(parse_zones("10 -1 crf=20", "x264"), 240)[0].end == 240
    for text in ("10 241 crf=20", "240 -1 crf=20"):
        with pytest.raises(BadSetting, match="240 frames"):
            fitted(parse_zones(text, "x264"), 240)


def test_chunks_end_at_the_edges_of_zones() -> None:
    zones = fitted(parse_zones("50 105 crf=20", "x264"), 240)
    chunks = zoned_chunks(SHOTS, zones, shortest=10, longest=80)
    ranges = [(chunk.frames.start, chunk.frames.end) for chunk in chunks]
    assert ranges == [(0, 30), (30, 50), (50, 105), (105, 172), (172, 240)]
    assert [chunk.index for chunk in chunks] == list(range(5))
    assert zoned_chunks(SHOTS, (), shortest=10, longest=80) == plan_chunks(SHOTS, shortest=10, longest=80)


def test_settings_inside_and_outside() -> None:
    settings = EncodeSettings(crf="30", params="bframes=2")
    zones = fitted(parse_zones("50 105 crf=20 aq-mode=2\n105 -1 reset ref=4", "x264"), 240)
    assert settings_in(zones, FrameRange(0, 50), settings) == settings
    inside = settings_in(zones, FrameRange(50, 105), settings)
    assert (inside.crf, inside.params) == ("20", "bframes=2:aq-mode=2")
    last = settings_in(zones, FrameRange(200, 240), settings)
    assert (last.crf, last.params) == ("30", "ref=4")


@pytest.mark.parametrize("node", ["encode", "analyse"])
def test_what_a_zone_says_makes_no_other_chunk_anew(node: str, short: Path) -> None:
    """What lies outside of it has the key that it has without, however the title is cut."""
    plans = [
        make_plan(
            encode_job(
                identify(str(short)), checked(EncodeRequest(zones=zones, chunk_s=chunk_s)), title="title"
            )
        )
        for zones, chunk_s in (("", "8"), ("15 -1 crf=25 aq-mode=2", "4"), ("15 20 aq-mode=2", "8"))
    ]

    def keys(start: int, end: int) -> list[str]:
        item = Item(chunk=Chunk(index=0, frames=FrameRange(start, end)), values={"crf": "30"})
        return [plan.by_id[node].identity_of("map", item) for plan in plans]

    assert len(set(keys(0, 15))) == 1
    plain, both, one = keys(15, 20)
    assert plain not in (both, one)
    assert (both == one) == (node == "analyse")  # which has quality values of its own
    assert keys(20, 30)[0] == keys(20, 30)[2] != keys(20, 30)[1]
