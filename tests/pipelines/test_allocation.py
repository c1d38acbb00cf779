"""From points to a ladder and its reasons, without encoding."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from encoder.codecs import codec_named
from encoder.errors import NoneUsable
from encoder.point import RDPoint, ShotPoints
from encoder.usable import Usable, plain
from pipelines.allocate.decision import decided_ladder, tables_of
from pipelines.allocate.explain import explained
from pipelines.allocate.seen import error_seen
from pipelines.analyse.rungs import read_rungs
from pipelines.cli.optimizer import BYTES, RATE, plan_lines

CODEC = codec_named("x264")
ALL = Usable(codec=CODEC)
SIZES = ((1280, 720), (640, 360))


def shot(hardness: float, crfs: tuple[int, ...] = (21, 33)) -> ShotPoints:
    points = [
        RDPoint(
            width=size[0], height=size[1], crf=Decimal(crf), size=round(hardness * 4e5 * 2 ** ((24 - crf) / 6) * size[0] / 1280),
            mean=99 - hardness * (crf - 15) - (8 if size[0] < 1280 else 0), harmonic=98 - hardness * (crf - 15),
        )
        for size, crf in product(SIZES, crfs)
    ]  # fmt: skip
    return ShotPoints(frames=48, seconds=2.0, points=tuple(points))


def wanted(**goals: object) -> dict[str, object]:
    rungs = [
        {"name": f"{height}p", "width": width, "height": height, "crf": "", "vmaf": "", "kbps": 0}
        for width, height in SIZES
    ]
    return {"automatic": False, "rungs": rungs, "goals": {"mode": "dynamic", **goals}, "notices": []}


def test_reasons_say_what_the_same_quality_would_cost_otherwise() -> None:
    shots, asked = [shot(0.7), shot(1.2), shot(2.0)], wanted(target_vmaf="88")
    decided = decided_ladder(asked, shots, ALL)
    tables = tables_of(read_rungs(asked), shots, ALL, asked)
    reasons = explained(decided, tables, shots, "mean")
    top = reasons["rungs"][0]
    assert top["met"]
    assert top["planned"]["vmaf_mean"] == pytest.approx(88, abs=0.3)
    cost = {one["what"]: one["kbps"] for one in top["modes"]}
    assert cost["dynamic"] <= min(cost["per-title"], cost["constant-vmaf"]) * 1.01
    assert len(reasons["shots"]) == 3
    assert reasons["encodes"] == 12
    for one in reasons["shots"]:
        rates, scores = [row[0] for row in one["hull"]], [row[1] for row in one["hull"]]
        assert rates == sorted(rates)
        assert scores == sorted(scores)


def test_a_peak_of_one_rung_holds_that_rung_alone_and_is_explained() -> None:
    shots, asked = [shot(0.7), shot(2.0)], wanted(target_vmaf="88")
    free = decided_ladder(asked, shots, ALL)[0].choice
    peak = round(float(free.of(free.table.size).max()) * 8 / 1000 / 2 * 0.8)
    asked["rungs"][0]["peak_kbps"] = peak  # type: ignore[index]
    decided = decided_ladder(asked, shots, ALL)
    held = decided[0].choice
    assert (held.of(held.table.size) * 8 / 1000 / 2).max() <= peak < free.of(free.table.size).max() * 8 / 2000
    reasons = explained(decided, tables_of(read_rungs(asked), shots, ALL, asked), shots, "mean")
    assert [rung["peak"]["kbps"] for rung in reasons["rungs"]] == [peak, 0]
    assert reasons["rungs"][0]["peak"]["shots"] >= 1
    assert reasons["rungs"][1]["peak"]["shots"] == 0


@pytest.mark.parametrize("mode", ["dynamic", "constant-vmaf", "per-title"])
def test_a_shot_whose_quality_is_given_counts(mode: str) -> None:
    """The rest of the title pays for a zone, so that the rung is what was asked for; a peak of the rung changes nothing of it."""
    shots = [shot(0.7), shot(1.2), shot(2.0)]
    zoned, asked = [*shots[:2], replace(shots[2], crf=Decimal("17.5"))], wanted(target_kbps="3000", mode=mode)
    free = decided_ladder(asked, shots, ALL)[0].choice
    asked["rungs"][1] |= {"peak_kbps": 100}  # type: ignore[index]
    decided = decided_ladder(asked, zoned, ALL)
    assert {one.choice.crfs[2] for one in decided} == {Decimal("17.5")}
    held = decided[0].choice
    assert held.kbps <= 3000
    assert held.kbps > 2500 or mode == "per-title"
    assert all(one > other for one, other in zip(held.crfs[:2], free.crfs[:2], strict=True))


def test_the_error_seen_is_that_of_the_first_points() -> None:
    first = shot(1.0)
    right = RDPoint(width=1280, height=720, crf=Decimal(27), size=200_000, mean=90.0, harmonic=90.0)
    later = ShotPoints(frames=48, seconds=2.0, points=(*first.points, right))
    assert error_seen([first], SIZES, CODEC)["points"] == 0
    found = error_seen([later], SIZES, CODEC)
    assert found["points"] == 1
    assert 0 < found["vmaf"] < 5
    assert 0 < found["bytes_pct"] < 60


def test_the_error_of_shots_that_followed_others_is_seen_from_their_second_point() -> None:
    guess, corrected = shot(1.5, (24,)).points[0], shot(1.5, (27,)).points[0]
    rest = [replace(shot(1.5), points=(guess, corrected)), replace(shot(1.5), points=(guess,))]
    found = error_seen([rest[0], shot(1.0), rest[1]], SIZES, CODEC)
    assert found["points"] == 1
    assert 0 < found["vmaf"] < 3


@pytest.mark.parametrize(
    ("text", "kbps", "size"),
    [("1500k", "1500", "1500000"), ("4M", "4000", "4000000"), ("2.5m", "2500", "2500000"), ("", "", "")],
)
def test_amounts(text: str, kbps: str, size: str) -> None:
    assert RATE.convert(text, None, None) == kbps
    assert BYTES.convert(text, None, None) == size


def test_plain_numbers_are_kilobits_and_bytes() -> None:
    assert RATE.convert("1500", None, None) == "1500"
    assert BYTES.convert("1500", None, None) == "1500"
    assert plain(Decimal("21.40")) == "21.4"
    assert plain(Decimal("30.0")) == "30"


def test_a_plan_names_every_rung() -> None:
    rung = {"name": "720p", "width": 1280, "height": 720, "crf": "22-24", "kbps": 2100.0, "bytes": 5e6}
    rung |= {"vmaf_mean": 93.0, "vmaf_harmonic": 92.5}
    plan = {
        "notices": ["odd"],
        "tasks": {"encode": 8, "chunks": 4},
        "encode_cpu_h": 0.01,
        "analysis_cpu_h": 0.02,
        "analysis_encodes": 24,
        "rungs": [rung, {**rung, "name": "360p"}],
        "seen": {"points": 8, "vmaf": 0.4, "bytes_pct": 3.0},
        "work_dir": ".out.cinemill",
    }
    text = "\n".join(plan_lines(plan))
    for word in ("note: odd", "8 encodes", "720p", "360p", "2,100 kb/s", "VMAF 0.40", ".out.cinemill"):
        assert word in text


def test_qualities_that_an_encoder_broke_at_are_not_used() -> None:
    shots, asked = [shot(0.7), shot(2.0)], wanted(target_vmaf="99.9")
    assert min(crf for one in decided_ladder(asked, shots, ALL) for crf in one.choice.crfs) < 20
    fine = Usable(codec=CODEC, broken=frozenset({Decimal(19)}))
    assert min(crf for one in decided_ladder(asked, shots, fine) for crf in one.choice.crfs) >= 20
    asked = wanted(target_vmaf="88")
    free = [crf for one in decided_ladder(asked, shots, ALL) for crf in one.choice.crfs]
    kept = [
        crf
        for one in decided_ladder(asked, shots, Usable(codec=CODEC, broken=frozenset(free)))
        for crf in one.choice.crfs
    ]
    assert all(abs(crf - broken) >= 1 for crf in kept for broken in free)


def test_where_nothing_is_left_it_says_so() -> None:
    every = Usable(codec=CODEC, broken=frozenset(map(Decimal, range(52))))
    with pytest.raises(NoneUsable, match=r"x264 gave no usable stream .* and 49 more; use another --codec"):
        decided_ladder(wanted(target_vmaf="88"), [shot(0.7)], every)
