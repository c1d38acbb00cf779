"""Two outputs are compared by numbers that are known beforehand, and refused where they are no pair."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.cli.main import main
from pipelines.compare.comparison import Comparison, compare
from pipelines.compare.errors import NoJob, NotComparable
from pipelines.compare.shots import winner
from pipelines.compare.view import MINUS, relative_url, signed
from vmaf import bd_rate

FRAMES, RATE = 100, 25
SHOTS = (0, 40, 70)
LADDER = {"720p": (4000, 95.0), "540p": (2400, 90.0), "360p": (1300, 80.0), "240p": (700, 65.0)}
"""Name -> bytes of a frame, VMAF of a frame."""
NONE = "\N{EN DASH}"
Make = Callable[..., Path]


@pytest.fixture
def package(tmp_path: Path) -> Make:
    """Write what `compare` reads of an output folder, with the numbers that are asked for."""

    def make(
        name: str,
        ladder: Mapping[str, tuple[float, float]] = LADDER,
        *,
        frames: int = FRAMES,
        dip: Mapping[int, float] | None = None,
        settings: Mapping[str, Any] | None = None,
        psnr: bool = True,
        **facts: Any,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        rows = [
            {
                "name": rung,
                "width": int(rung[:-1]) * 16 // 9,
                "height": int(rung[:-1]),
                "codec": "avc1",
                "crf": "30",
            }
            for rung in ladder
        ]
        manifest = {
            "job": name,
            "title": "film",
            "input": {"identity": "sha256:aa", "bytes": 9},
            "settings": {"codec": "x264", **(settings or {})},
            "versions": {"cinemill": "1"},
            "media": {"width": 1280, "height": 720, "frame_rate": str(RATE)},
            "model": "vmaf_v0.6.1",
            "scorer": "ours",
            "command": "cinemill encode film.mov -o OUT",
            "renditions": rows,
        }
        (folder / "manifest.json").write_text(json.dumps(manifest | facts))
        tables = [_table(rung, *ladder[rung], frames, dip or {}, psnr=psnr) for rung in ladder]
        pq.write_table(
            pa.concat_tables(tables).replace_schema_metadata({"model": "m", "scorer": "s"}),
            folder / "features.parquet",
        )
        return folder

    return make


def _table(
    rung: str, size: float, score: float, frames: int, dip: Mapping[int, float], *, psnr: bool
) -> pa.Table:
    index = np.arange(frames)
    vmaf = np.full(frames, score)
    for frame, value in dip.items():
        vmaf[frame] = value
    return pa.table(
        {
            "rendition": [rung] * frames,
            "frame": index,
            "pts": index * 512,
            "time_s": index / RATE,
            "shot": np.searchsorted(SHOTS, index, side="right").astype(np.int32) - 1,
            "bytes": np.full(frames, size).astype(np.int64),
            "key": index % 25 == 0,
            **({"psnr_y": vmaf / 2} if psnr else {}),
            "vmaf": vmaf,
        }
    )


def scaled(rate: float = 1.0, gain: float = 0.0) -> dict[str, tuple[float, float]]:
    """The ladder with other bits and other quality."""
    return {name: (size * rate, score + gain) for name, (size, score) in LADDER.items()}


def ran(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in argv])
    told = capsys.readouterr()
    return int(end.value.code or 0), told.out + told.err


def test_half_the_bits_at_equal_quality_are_a_bd_rate_of_minus_fifty(package: Make) -> None:
    found = compare(package("a"), package("b", scaled(0.5)))
    assert [rate.metric for rate in found.rates] == ["VMAF", "VMAF harmonic", "PSNR-Y"]
    for rate in found.rates:
        assert rate.rate_pct == pytest.approx(-50)
        assert rate.reason == ""
        assert rate.quality is not None
        assert rate.quality > 0
    top = found.pairs[0]
    assert (top.name, top.bits_pct) == ("720p", pytest.approx(-50))
    assert top.kbps_a == pytest.approx(4000 * 8 * RATE / 1000)
    assert top.won() == {"A": 0, "B": 3, "even": 0, "trade": 0}
    assert all(shot.rate_pct == pytest.approx(-50) for shot in top.shots)


def test_outputs_at_urls_are_compared_like_folders(package: Make) -> None:
    store, here = fsspec.filesystem("memory"), [package("a"), package("b", scaled(0.5))]
    places = [f"memory://{folder.parent.name}/{folder.name}" for folder in here]
    for folder, place in zip(here, places, strict=True):
        store.put(str(folder), place, recursive=True)
    there, local = compare(*places), compare(*here)
    assert (there.a.label, there.a.place) == ("a", places[0])
    assert there.to_json()["rungs"] == local.to_json()["rungs"]
    assert there.to_json()["rates"] == local.to_json()["rates"]
    assert "is not there" in there.page(here[0])
    store.rm(f"{places[1]}/features.parquet")
    with pytest.raises(NoJob, match=re.escape(f"{places[1]}: there is no features.parquet")):
        compare(*places)


def test_rates_are_those_of_the_ladders(package: Make) -> None:
    found = compare(package("a"), package("b", scaled(0.8, -1.0)))
    curves = [
        [(size * 8 * RATE / 1000, score) for size, score in ladder.values()]
        for ladder in (LADDER, scaled(0.8, -1.0))
    ]
    assert found.rates[0].rate_pct == pytest.approx(bd_rate(*curves).value)


def test_one_rung_each_has_no_bd_rate_and_says_why(package: Make, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = package("a", {"720p": (4000, 95)}), package("b", {"540p": (3000, 94)})
    found = compare(one, other)
    assert found.rates[0].rate_pct is None
    assert "at least 2 rungs on each side; A has 1, B has 1" in found.rates[0].reason
    assert found.pairs[0].name == "720p / 540p"
    code, told = ran(capsys, "compare", one, other)
    assert code == 0
    assert "BD-rate VMAF: none: it needs at least 2 rungs" in told


def test_two_rungs_are_joined_by_pchip_and_curves_that_do_not_rise_have_no_rate(package: Make) -> None:
    two = {name: LADDER[name] for name in ("720p", "360p")}
    found = compare(package("a"), package("b", two))
    assert found.rates[0].method == "pchip"
    curves = [
        [(size * 8 * RATE / 1000, score) for size, score in ladder.values()] for ladder in (LADDER, two)
    ]
    with pytest.warns(UserWarning, match="50%"):
        wanted = bd_rate(*curves, method="pchip").value
    assert found.rates[0].rate_pct == pytest.approx(wanted)
    assert "overlap in 50%" in found.rates[0].reason
    assert [pair.name for pair in found.pairs] == ["720p", "360p"]
    assert "rung 540p is on side A only" in found.notes
    falling = {"720p": (4000, 80.0), "540p": (2400, 90.0), "360p": (1300, 70.0)}
    assert "quality must rise" in compare(package("c"), package("d", falling)).rates[0].reason


def test_the_worst_regression_is_found_in_its_shot(package: Make) -> None:
    found = compare(package("a"), package("b", dip={50: 40.0, 51: 42.0, 90: 60.0}))
    worst = found.pairs[0].worst
    assert [(one.frame, one.shot) for one in worst] == [(50, 1), (90, 2)]
    assert worst[0].delta == pytest.approx(-55)
    assert worst[0].time_s == pytest.approx(2.0)
    assert [shot.better for shot in found.pairs[0].shots] == ["even", "A", "A"]
    assert found.pairs[0].deltas()["frame_least"] == pytest.approx(-55)


@pytest.mark.parametrize(
    ("a", "b", "rate", "better"),
    [
        ((100, 90), (100.5, 90.2), None, "even"),
        ((100, 90), (80, 90), None, "B"),
        ((100, 90), (100, 92), None, "B"),
        ((100, 90), (120, 88), None, "A"),
        ((100, 90), (120, 95), None, "trade"),
        ((100, 90), (120, 95), -8.0, "B"),
        ((100, 90), (120, 95), 8.0, "A"),
        ((100, 90), (120, 95), 0.5, "even"),
    ],
)
def test_which_shot_is_better(
    a: tuple[float, float], b: tuple[float, float], rate: float | None, better: str
) -> None:
    assert winner(a[0], b[0], a[1], b[1], rate) == better


def test_settings_that_differ_are_listed(package: Make) -> None:
    one = package("a", settings={"crf": "20"})
    other = package("b", settings={"crf": "", "preset": "slow"}, versions={"cinemill": "2"})
    rows = {row.what: (row.a, row.b) for row in compare(one, other).settings}
    assert rows == {"crf": ("20", "not set"), "preset": ("not set", "slow"), "cinemill": ("1", "2")}


def test_other_sources_and_models_are_refused_by_name(
    package: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    one = package("a")
    other = package("b", input={"identity": "sha256:bb", "bytes": 9}, model="vmaf_4k_v0.6.1")
    code, told = ran(capsys, "compare", one, other)
    assert code == 1
    assert "source sha256:aa and sha256:bb" in told
    assert "VMAF model vmaf_v0.6.1 and vmaf_4k_v0.6.1" in told
    assert "--force" in told
    forced = compare(one, other, force=True)
    assert "not alike: source sha256:aa and sha256:bb" in forced.notes
    with pytest.raises(NotComparable, match="frames 100 and 50"):
        compare(one, package("c", frames=50), force=True)
    with pytest.raises(NotComparable, match="at least one rung of equal size"):
        compare(one, package("d", {"1080p": (1, 1), "432p": (1, 1)}))


def test_a_remote_copy_of_the_source_may_be_the_same(package: Make) -> None:
    other = package("b", input={"identity": "etag:00", "bytes": 9})
    assert compare(package("a"), other).notes == ("not alike: source sha256:aa and etag:00",)


def test_what_it_cost_and_what_weakens_that(package: Make) -> None:
    one, other = package("a"), package("b")
    nodes = [{"node": "encode", "cpu_s": 2.0, "wall_s": 2.5, "tries": 2}]
    cost = {
        "begun_ms": 0,
        "ended_ms": 4000,
        "runs": 1,
        "tasks": 3,
        "tries": 2,
        "cpu_s": 2.0,
        "nodes": nodes,
    }
    (one / "run.json").write_text(
        json.dumps({"job": "a", "cost": cost, "machine": {"processor": "X", "cores": 2}})
    )
    found = compare(one, other).costs
    assert (found.a, found.b, found.wall_a) == (2.0, None, 4.0)
    assert [(row.stage, row.a, row.b) for row in found.stages] == [("encode", 2.0, None)]
    assert "A used results of earlier jobs again: 2 of 3 tasks were done" in found.notes[0]
    assert "what B cost was not recorded" in found.notes[1]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "there is no manifest.json"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "manifest.json").write_text("{}"), "has no command|has no input"),
        (lambda folder: (folder / "features.parquet").unlink(), "there is no features.parquet"),
        (lambda folder: (folder / "features.parquet").write_text("no"), "features.parquet cannot be read"),
    ],
)
def test_a_folder_that_is_no_output_is_named(
    package: Make, spoil: Callable[[Path], object], words: str
) -> None:
    folder = package("b")
    spoil(folder)
    with pytest.raises(NoJob, match=words) as told:
        compare(package("a"), folder)
    assert str(folder) in str(told.value)


def test_the_document_and_the_page_hold_it_all(
    package: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = package("a"), package("b", scaled(0.5), psnr=False)
    page = tmp_path / "compare.html"
    code, told = ran(capsys, "compare", one, other, "-o", page, "--json", "--names", "<old>", "new")
    assert code == 0, told
    document = json.loads(told)
    assert document["schema"] == "cinemill-compare@1"
    assert document["rates"][0]["rate_pct"] == pytest.approx(-50, abs=0.01)
    assert [rate["metric"] for rate in document["rates"]] == ["VMAF", "VMAF harmonic"]
    assert document["rungs"][0]["better"]["B"] == 3
    text = page.read_text(encoding="utf-8")
    assert "&lt;old&gt; <span" in text
    assert "<old>" not in text
    assert f"{MINUS}50.0 %" in text
    found: Comparison = compare(one, other)
    assert found.page(tmp_path) == found.page(tmp_path)
    assert found._repr_html_().startswith("<iframe")
    code, told = ran(capsys, "compare", one, other, "-o", tmp_path / "none" / "c.html")
    assert code == 2
    assert "does not exist" in told


def test_links_are_relative_and_quoted(tmp_path: Path) -> None:
    assert relative_url(tmp_path / "a b" / "x#1.mp4", tmp_path / "pages") == "../a%20b/x%231.mp4"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.234, "+1.23"), (-0.5, f"{MINUS}0.50"), (-0.001, "0.00"), (None, NONE), (float("nan"), NONE)],
)
def test_differences_have_a_sign(value: float | None, text: str) -> None:
    assert signed(value) == text
