"""Every clip of the shared folder comes out frame by frame, or is refused with a clear error; damage is never hidden.

What is wanted of each clip stands in `benchmarks/every_clip.py`, which also makes the table of all of them.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("CINEMILL_SHARED", ROOT.parent / "shared"))
QUICK = [
    ("awkward/prores422lt_10bit.mov", {}),
    ("awkward/resolution_change.ts", {}),
]
"""A few of them, at few frames, for every run of the suite; the rest of the short ones is in test_main_job."""
WISHES: list[tuple[str, dict[str, Any]]] = [
    ("awkward/interlaced_tff_h264.mp4", {"fps": "10"}),
    ("awkward/ts_missing_chunk.ts", {"fps": "8"}),
    ("awkward/interlaced_tff_telecine_mpeg2.ts", {"deinterlace": "film"}),
    ("awkward/interlaced_tff_telecine_mpeg2.ts", {"deinterlace": "bwdif"}),
    ("awkward/vfr_real_timestamps.mkv", {"fps": "30000/1001"}),
    ("awkward/rotated_90.mp4", {"pad": "16:9", "crop": "600:300:20:30"}),
    ("awkward/hdr10_hevc_mdcv_clli.mp4", {"codec": "x265"}),
    ("phone_hlg10_1080p_rot_editlist.mp4", {"codec": "x265"}),
    ("awkward/hdr10_hevc_mdcv_clli.mp4", {"codec": "svtav1"}),
    ("awkward/editlist_negcts.mov", {"codec": "vp9"}),
    ("awkward/editlist_negcts.mov", {"codec": "aom"}),
    ("awkward/odd_853x479_vp9.webm", {"codec": "x265"}),
    ("awkward/opengop_hevc_starts_at_cra.ts", {"codec": "svtav1", "grain": 10}),
]


@pytest.fixture(scope="module")
def table() -> ModuleType:
    """The script, as a module."""
    spec = spec_from_file_location("every_clip", ROOT / "benchmarks/every_clip.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["every_clip"] = module
    spec.loader.exec_module(module)
    return module


def listed() -> list[str]:
    """Names of all clips, for parametrisation; none where the folder is absent."""
    folder = SHARED / "clips"
    if not folder.is_dir():
        return []
    found = json.loads((folder / "MANIFEST.json").read_text())
    names = [entry["file"] for entry in (found["files"] if isinstance(found, dict) else found)]
    awkward = json.loads((folder / "awkward/MANIFEST.json").read_text())["files"]
    return [*names, *(f"awkward/{entry['file']}" for entry in awkward)]


def assert_right(table: ModuleType, clips: Path, clip: str, **settings: Any) -> None:
    outcome = table.check(clips / clip, table.frame_counts(clips)[clip], **settings)
    assert outcome.state in ("exact", "refused"), outcome.words
    assert (outcome.state == "refused") == (Path(clip).name in table.REFUSED and not settings), outcome.words


@pytest.mark.parametrize(("clip", "settings"), QUICK, ids=[clip for clip, _ in QUICK])
def test_some(clip: str, settings: dict[str, Any], table: ModuleType, clips: Path) -> None:
    assert_right(table, clips, clip, **settings)


@pytest.mark.slow
@pytest.mark.parametrize(("clip", "settings"), WISHES, ids=[f"{clip}-{wish}" for clip, wish in WISHES])
def test_wishes(clip: str, settings: dict[str, Any], table: ModuleType, clips: Path) -> None:
    assert_right(table, clips, clip, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("clip", listed())
def test_every_clip(clip: str, table: ModuleType, clips: Path) -> None:
    assert_right(table, clips, clip)


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0.3, 0.95], ids=["early", "late"])
@pytest.mark.parametrize("clip", ["dog_720p30.mp4", "screen_vfr_1080p.mkv", "tos_battle_a_800x332.webm"])
def test_a_cut_off_file_never_looks_finished(
    clip: str, cut: float, table: ModuleType, clips: Path, tmp_path: Path
) -> None:
    """It is refused, or the notices say that something is missing or damaged."""
    data = (clips / clip).read_bytes()
    broken = tmp_path / clip
    broken.write_bytes(data[: int(len(data) * cut)])
    outcome = table.check(broken, 0)
    told = any(word in outcome.words for word in ("truncated", "cut off", "damaged", "gap"))
    assert told, outcome
