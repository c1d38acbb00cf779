"""Why a shot has its setting is said in numbers that can be checked."""

from __future__ import annotations

from typing import Any

from pipelines.report.reasons import reason

RUNG: dict[str, Any] = {
    "name": "360p",
    "size": [640, 360],
    "level": 0.006,
    "planned": {"kbps": 1000.0, "vmaf_mean": 80.0},
}


def shot(kbps: float, vmaf: float) -> dict[str, Any]:
    hull = [[100.0, 40.0, 180], [1000.0, 82.0, 360], [3000.0, 96.0, 720]]
    return {"frames": 48, "hull": hull, "choices": [{"crf": "24.5", "kbps": kbps, "vmaf": vmaf}]}


def test_a_hard_shot_gets_more_bits_and_is_still_worse() -> None:
    said = reason(shot(2000, 76), 3, 0, RUNG, "dynamic")
    assert said.startswith("Part 3 (48 frames) on 360p: CRF 24.5 for 2,000 kb/s and VMAF 76.0.")
    assert "2.0 times the bits a second that the rung has on average, and is 4.0 VMAF below it" in said
    assert "one more kB gains 6 VMAF frames here" in said
    assert "For these bits 720 lines would give VMAF 89.0." in said


def test_an_easy_shot_gets_fewer() -> None:
    said = reason(shot(400, 80.2), 1, 0, RUNG, "constant-vmaf")
    assert "60 % fewer bits a second than the rung has on average, at the same quality" in said
    assert "would give" not in said
