"""An output folder as an object shows itself in a notebook, and gives its plots as pictures."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from pipelines.report import load
from pipelines.report.errors import CannotLoad
from pipelines.report.features import feature_table
from pipelines.report.material import Material
from vmaf.scores import write_parquet

NAMES = ["vmaf", "bitrate", "ladder", "share", "title", "hulls"]


@pytest.fixture(scope="module")
def package(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a package that a report's plots are in."""
    out = tmp_path_factory.mktemp("package")
    table = feature_table(material.info, material.ranges, material.videos, material.scores)
    write_parquet(table, out / "features.parquet")
    rows = [
        {"name": video.name, "width": video.width, "height": video.height, "codec": "avc1.640015"}
        | {"crf": "21", "size": video.file_bytes, "bitrate_kbps": 1234}
        | {"vmaf_mean": 90.5, "vmaf_harmonic_mean": 90.1, "vmaf_min": 61.25}
        for video in material.videos
    ]
    kept = {
        "texts": {"sha256:1": json.dumps(material.choices)},
        "artifacts": {"choices": {"hash": "sha256:1"}},
    }
    shots = [{"start": start, "end": end} for start, end in material.ranges]
    texts = {
        "manifest.json": {"title": "A <title>", "renditions": rows},
        "shots.json": {"shots": shots},
        "report-inputs.json": kept,
    }
    for name, content in texts.items():
        (out / name).write_text(json.dumps(content))
    return out


def test_it_holds_what_the_report_was_made_from(package: Path, material: Material) -> None:
    quality = load(package)
    assert [video.name for video in quality.videos] == ["1080p", "720p", "540p", "432p", "360p", "234p"]
    np.testing.assert_array_equal(
        quality.scores["720p"].columns["vmaf"], material.scores["720p"].columns["vmaf"]
    )
    np.testing.assert_array_equal(quality.videos[0].frame_bytes, material.videos[0].frame_bytes)
    assert quality.shots == tuple(material.ranges)
    assert quality.duration == pytest.approx(60 * 1001 / 24000)
    assert quality.cost == {}


def test_every_plot_is_an_svg_that_can_be_parsed_and_has_something_drawn(package: Path) -> None:
    plots = load(package).plots
    assert list(plots) == NAMES
    for name, plot in plots.items():
        root = ET.fromstring(plot.svg())  # noqa: S314  our own
        drawn = [one for one in root.iter() if "curve" in one.get("class", "") or one.tag.endswith("circle")]
        assert len(drawn) >= 4, name
        assert root.find("{*}title") is not None


def test_a_png_shows_the_colours_of_the_rungs(package: Path, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    load(package).plots["vmaf"].save(tmp_path / "vmaf.png")
    picture = image.open(io.BytesIO((tmp_path / "vmaf.png").read_bytes()))
    assert picture.size == (1760, 800)
    colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
    assert {(0x43, 0x38, 0xB8), (0xC9, 0x4A, 0x12), (255, 255, 255)} <= colours


def test_in_a_notebook_it_is_a_table_with_a_picture(package: Path) -> None:
    page = load(package)._repr_html_()
    assert page.count("<tr>") == 7
    assert "A &lt;title&gt;" in page
    assert "61.25" in page
    assert "data:image/svg+xml;base64," in page


def test_another_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CannotLoad, match=r"no output of cinemill encode.*manifest\.json"):
        load(tmp_path)
