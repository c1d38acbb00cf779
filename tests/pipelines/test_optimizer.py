"""The optimizer end to end: rates are what was planned, points are measured once, reasons are in the report."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archer.media import frames, probe
from encoder import ChunkBroken, EncodeSettings, Rung, encode_chunk
from encoder.prior import pilots
from pipelines.analyse.stage import scored_step
from pipelines.encode.errors import BadSetting
from pipelines.encode.request import EncodeRequest, checked


@dataclass(frozen=True)
class Run:
    """Where a package is, and the events of making it."""

    out: Path
    events: Sequence[dict[str, Any]]

    @property
    def manifest(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.out / "manifest.json").read_bytes())
        return value

    def measured(self, kind: str) -> list[str]:
        """Items of the analysis with an event of this kind."""
        found = [event for event in self.events if event.get("node") == "analyse" and event.get("item")]
        return [event["item"].partition("#")[0] for event in found if event["type"] == kind]


def chunks(run: Run, ending: str) -> set[str]:
    """Names of the chunks that were measured at settings with this ending."""
    return {item.partition("/")[0] for item in run.measured("chunk-done") if item.endswith(ending)}


Encode = Callable[..., Run]


@pytest.fixture(scope="module")
def encode(cinemill: Callable[..., subprocess.CompletedProcess[str]]) -> Encode:
    def run(clip: Path, out: Path, *options: str) -> Run:
        words = ["--preset", "faster", "--json", "--executor", "inline", *options]
        done = cinemill("encode", clip, "-o", out, *words)
        assert done.returncode == 0, done.stderr
        return Run(out, [json.loads(line) for line in done.stdout.splitlines()])

    return run


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("optimizer")


@pytest.fixture(scope="module")
def first(encode: Encode, short: Path, work: Path) -> Run:
    """Two rungs by bit rate; the points are kept."""
    goals = ["--ladder", "180p@peak800k,120p@150k", "--target-bitrate", "500k", "--chunk-s", "1"]
    return encode(short, work / "first", *goals, "--keep", "--work-dir", str(work / "kept"))


def test_rungs_get_the_bit_rates_that_were_asked_for(first: Run) -> None:
    rungs = {rung["name"]: rung for rung in first.manifest["decision"]["rungs"]}
    for made in first.manifest["renditions"]:
        planned = rungs[made["name"]]["planned"]
        assert made["bitrate_kbps"] == pytest.approx(planned["kbps"], rel=0.05)
        assert made["vmaf_mean"] == pytest.approx(planned["vmaf_mean"], abs=2.0)
    assert rungs["180p"]["planned"]["kbps"] <= 500
    assert rungs["120p"]["planned"]["kbps"] <= 150
    assert first.manifest["decision"]["mode"] == "dynamic"


def test_a_peak_holds_from_the_plan_to_the_package(first: Run) -> None:
    top, other = first.manifest["renditions"]
    assert (top["cap_kbps"], top["buffer_kbits"], other["cap_kbps"]) == (800, 1600, 0)
    assert top["run_kbps"] <= 800
    assert top["buffer_low"] >= 0
    master = (first.out / "master.m3u8").read_text()
    rates = [int(rate) for rate in re.findall(r"BANDWIDTH=(\d+),AVERAGE", master)]
    sound = sum(int(track["bitrate_kbps"]) for track in first.manifest["audio"])
    assert max(rates) / 1000 <= 800 + sound * 1.3 + 20  # with the boxes of the segments


def test_the_report_says_why(first: Run) -> None:
    page = (first.out / "report.html").read_text(encoding="utf-8")
    assert "peak 800 kb/s" in page
    assert "Why these settings" in page
    assert "VMAF frames per kB" in page
    assert "equal VMAF" in page


def test_the_ladder_can_be_used_again(first: Run) -> None:
    rungs = json.loads((first.out / "ladder.json").read_bytes())
    sizes = [f"{made['width']}x{made['height']}" for made in first.manifest["renditions"]]
    assert [rung.partition("@")[0] for rung in rungs] == sizes
    assert checked(EncodeRequest(ladder=",".join(rungs))).optimizes


def test_a_shot_is_measured_a_few_times_only(first: Run) -> None:
    items = first.measured("chunk-done")
    assert len(items) == len(set(items))
    shots = len({item.partition("/")[0] for item in items})
    assert len(items) <= 9 * shots


def test_only_every_fourth_shot_is_measured_without_knowing_others(first: Run) -> None:
    every = sorted(chunks(first, ""))
    assert len(every) > 1
    assert chunks(first, "-crf33") == {every[place] for place in pilots(len(every))}


@pytest.mark.slow
def test_another_ladder_uses_the_points_of_the_first(
    first: Run, encode: Encode, short: Path, work: Path
) -> None:
    other = encode(
        short, work / "second", "--target-vmaf", "70", "--ladder", "180p,120p", "--mode", "constant-vmaf",
        "--chunk-s", "1", "--work-dir", str(work / "kept"), "--keep",
    )  # fmt: skip
    known = set(first.measured("chunk-done"))
    spanning = {item for item in known if item.partition("/")[0] in chunks(first, "-crf33")}
    assert set(other.measured("memo-hit")) >= {item for item in spanning if item.endswith(("crf21", "crf33"))}
    assert not known & set(other.measured("chunk-done"))


@pytest.mark.slow
def test_an_automatic_ladder_reaches_its_top_and_keeps_its_steps(
    encode: Encode, short: Path, work: Path
) -> None:
    goals = ["--ladder", "auto", "--target-vmaf", "80", "--max-renditions", "3", "--min-bitrate", "50k"]
    made = encode(short, work / "auto", *goals).manifest["renditions"]
    assert 1 <= len(made) <= 3
    assert made[0]["vmaf_mean"] == pytest.approx(80, abs=1.0)
    assert [one["bitrate_kbps"] for one in made] == sorted(
        (one["bitrate_kbps"] for one in made), reverse=True
    )


@pytest.mark.slow
def test_a_single_file_has_the_size_that_was_asked_for(encode: Encode, short: Path, work: Path) -> None:
    run = encode(short, work / "small.mp4", "--target-size", "60k")
    video = run.events[-1]["renditions"][0]
    assert 50_000 < video["bitrate_kbps"] * 1000 / 8 * 1.2 <= 62_000


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (EncodeRequest(crf="23", target_kbps="500"), ["--crf", "--target-bitrate"]),
        (EncodeRequest(target_bytes="5", target_kbps="500"), ["--target-size", "--target-bitrate"]),
        (EncodeRequest(mode="fixed-crf"), ["--mode", "--crf"]),
        (EncodeRequest(mode="dynamic", crf="20"), ["--mode", "--crf 20"]),
        (EncodeRequest(ladder="auto", crf="20"), ["--ladder", "target"]),
        (EncodeRequest(ladder="auto", single="mkv"), ["--ladder", "folder"]),
        (EncodeRequest(ladder="auto:720p", single="mkv"), ["--ladder", "folder"]),
    ],
)
def test_contradictions_are_refused(request_: EncodeRequest, words: list[str]) -> None:
    with pytest.raises(BadSetting) as caught:
        checked(request_)
    assert all(word in str(caught.value) for word in words)


def test_the_mode_follows_from_what_is_asked() -> None:
    assert EncodeRequest().optimizes
    assert not EncodeRequest(crf="23").optimizes
    assert not EncodeRequest(single="mkv").optimizes
    assert EncodeRequest(single="mkv", target_bytes="1000").optimizes
    assert EncodeRequest(single="mkv", mode="dynamic").optimizes
    assert not EncodeRequest(crf="20", mode="fixed-crf").optimizes


@pytest.mark.parametrize("gop", [24, 25, 30, 48, 50, 60, 96, 120])
def test_scored_frames_fall_in_step_with_neither_b_frames_nor_key_frames(gop: int) -> None:
    for count in (1, 11, 36, 60, 100, 140, 240, 500):
        step = scored_step(count, gop)
        assert step % 2 == 1
        assert step == 1 or ((gop % step or count <= 2 * gop) and count // step >= 12)
    for count in range(84, 1000):
        assert scored_step(count, gop) > 1
    assert scored_step(48, 60) == 3
    assert scored_step(100, 60) == 5
    assert scored_step(139, 60) == 7
    assert scored_step(240, 60) == 11


def test_what_an_encoder_breaks_at_is_told_apart_from_other_failures(short: Path, tmp_path: Path) -> None:
    """SVT-AV1 claims to take quality 1, and gives what no decoder reads at so small a size; `analyse` leaves that point out."""
    info, rung = probe(str(short)), Rung(name="90p", width=160, height=90)
    settings = EncodeSettings(codec="svtav1", preset="12", crf="1")
    with pytest.raises(ChunkBroken, match="cannot be decoded"):
        encode_chunk(frames(str(short), info=info), info, rung, settings, tmp_path / "broken.mp4")
