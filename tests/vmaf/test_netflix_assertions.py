"""Netflix's published assertions, as far as their pictures are at hand, hold for our features and scores."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinemill_native import Plane
from vmaf import raw_pictures, regression_of
from vmaf.features.adm import Adm, AdmOptions
from vmaf.features.cambi import Cambi
from vmaf.features.motion import Motion
from vmaf.features.psnr import Psnr
from vmaf.features.registry import Wish
from vmaf.features.speed import Speed
from vmaf.features.vif import Vif, VifOptions
from vmaf.models import MODELS
from vmaf.stream import ScoreStream

SHARED = Path(__file__).resolve().parents[3] / "shared" / "vectors"
EXPECTED = SHARED / "expected_from_netflix_tests.json"
LAYOUT = {
    "test_0_1": (160, 90, "yuv420p"),
    "src01": (576, 324, "yuv420p"),
    "sparks": (480, 270, "yuv420p"),
    "archer": (1920, 1080, "yuv420p"),
    "akiyo": (352, 288, "yuv420p"),
}
"""Part of a file's name -> width, height, layout; the depth is in its name."""


@dataclass(frozen=True)
class Claim:
    """One assertion: a column (and frame; None for the mean) has a value to some places."""

    test: str
    column: str
    frame: int | None
    value: float
    places: int


def claims() -> list[tuple[tuple[str, str], Claim]]:
    """All claims that we can check, with their (reference, distorted) files."""
    found = []
    for entry in json.loads(EXPECTED.read_text()) if EXPECTED.is_file() else []:
        files = sorted(
            entry["inputs"],
            key=lambda name: (
                ("hrc01" in name and "hrc00" not in name) or name.startswith("dis") or "_dis_" in name
            ),
        )
        if not entry["expected"] or any(
            "float" in kind.lower() or "legacy" in kind.lower() for kind in entry["runner"]
        ):
            continue
        if "float" in str(entry["options"]) and "model_filepath" in str(entry["options"]):
            continue
        for claim in entry["expected"]:
            made = claim_of(entry, claim)
            if made is not None:
                found.append(((files[0], files[-1]), made))
    return found


def claim_of(entry: dict[str, Any], claim: dict[str, Any]) -> Claim | None:
    match = re.fullmatch(r"results\[0\]\['(\w[\w.]*?)'\](?:\[(\d+)\])?", claim["expr"])
    if match is None or not isinstance(claim["value"], float) or not isinstance(claim["places"], list):
        return None
    name = match[1].lower().removesuffix("s" if match[2] else "")
    column = column_of(name)
    options = str(entry["options"])
    if column == "vmaf" and "disable_clip" in options:
        column = {"": "unclipped"}.get("".join(re.findall(r"limit|disable_enhn|model_path", options)))
    if column and "VmafnegQualityRunner" in entry["runner"] and column != "neg":
        column += "_egl_1"
    if column is None:
        return None
    return Claim(
        entry["test"], column, int(match[2]) if match[2] else None, claim["value"], int(claim["places"][0])
    )


def column_of(name: str) -> str | None:
    """Our column for a key of their results, e.g. `vmaf_integer_feature_vif_scale0_score`; None if we have none."""
    core = re.sub(
        r"^(vmafexec|vmaf_integer_feature|integer_\w+?_feature|cambi_feature|speed_chroma_feature|pypsnr\w*_feature)_",
        "",
        name,
    )
    core = core.removesuffix("_score")
    if name in ("vmaf_score", "vmafexec_score"):
        return "vmaf"
    if name == "vmafneg_score":
        return "neg"
    if core.startswith(("float", "ssim", "ms_ssim", "motion_", "vif_score")) or "float" in name:
        return None
    if core in {"psnry", "psnru", "psnrv"}:
        return {"psnry": "psnr_y", "psnru": "psnr_cb", "psnrv": "psnr_cr"}[core]
    if core.startswith(("adm", "aim", "vif_scale", "motion2")):
        return f"integer_{core}"
    if core.startswith("cambi"):
        return "cambi"
    return core if core.startswith(("psnr_", "speed_chroma")) else None


def pictures(name: str) -> list[list[Plane]]:
    width, height, pixels = next(layout for part, layout in LAYOUT.items() if part in name)
    depth = re.search(r"(10|12|16)le", name)
    return list(raw_pictures(SHARED / "yuv" / name, width, height, pixels + (depth[0] if depth else "")))


class Everything:
    """All our features of v0 with the gains that the tests use, CAMBI and SpEED-QA of default options."""

    def __init__(self, size: tuple[int, int]) -> None:
        gains = (100.0, 1.0, 1.1, 1.2)
        self.wishes: tuple[Wish, ...] = (
            Vif(tuple(VifOptions(vif_enhn_gain_limit=gain) for gain in gains)),
            Adm(tuple(AdmOptions(adm_enhn_gain_limit=gain) for gain in gains), aim=True),
            Psnr(),
            Motion(),
            Cambi(),
            *((Speed(),) if min(size) >= 160 else ()),
        )

    def scores(self, column: str, features: Any) -> dict[str, float]:
        return {}


class Unclipped:
    """A model's score beyond its range."""

    def __init__(self, model: Any) -> None:
        self.model, self.wishes = model, model.wishes

    def scores(self, column: str, features: Any) -> dict[str, float]:
        return {column: self.model.raw(features)}


_FOUND: dict[tuple[str, str], list[dict[str, float]]] = {}


def measured(files: tuple[str, str]) -> list[dict[str, float]]:
    if files not in _FOUND:
        sides = [pictures(name) for name in files]
        luma = sides[0][0][0]
        models = {
            "vmaf": regression_of(MODELS["vmaf_v0.6.1"]),
            "neg": regression_of(MODELS["vmaf_v0.6.1neg"]),
            "unclipped": Unclipped(regression_of(MODELS["vmaf_v0.6.1"])),
            "all": Everything((luma.width, luma.height)),
        }
        with ScoreStream(models, metrics=(), threads=2) as stream:
            for ref, dist in zip(*sides, strict=True):
                stream.push(lambda ref=ref, dist=dist: (ref, dist))
            _FOUND[files] = [dict(row.values) for row in stream.finish()]
    return _FOUND[files]


GROUPS: dict[tuple[str, str], list[Claim]] = defaultdict(list)
for _files, _claim in claims():
    GROUPS[_files].append(_claim)


@pytest.mark.skipif(not GROUPS, reason=f"needs {EXPECTED}")
@pytest.mark.parametrize("files", GROUPS, ids=lambda files: files[0][:40])
def test_published_values(files: tuple[str, str]) -> None:
    rows = measured(files)
    wrong = []
    for claim in GROUPS[files]:
        values = [row[claim.column] for row in rows]
        ours = float(np.mean(values)) if claim.frame is None else values[claim.frame]
        if round(abs(ours - claim.value), claim.places) != 0:
            wrong.append((claim, ours))
    assert wrong == []


@pytest.mark.skipif(not GROUPS, reason=f"needs {EXPECTED}")
def test_enough_is_checked() -> None:
    assert sum(len(group) for group in GROUPS.values()) > 120
