"""The page of a comparison opens the player where it says, works by keyboard, and asks nobody outside for anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from archer.process import ffmpeg
from pipelines.compare.comparison import compare

pytestmark = pytest.mark.browser
FRAMES, WORST = 48, 30
RUNGS = {"180p": (320, 180), "90p": (160, 90)}


def package(folder: Path, quality: int, drop: float) -> Path:
    """An output folder with two real renditions, and scores that are worst at one frame."""
    (folder / "renditions").mkdir(parents=True)
    tables, rows = [], []
    for place, (name, (width, height)) in enumerate(RUNGS.items()):
        source = ["-f", "lavfi", "-i", f"testsrc2=s={width}x{height}:r=24"]
        coded = ["-frames:v", str(FRAMES), "-c:v", "libx264", "-preset", "veryfast", "-qp", str(quality)]
        ffmpeg([*source, *coded, "-pix_fmt", "yuv420p", folder / "renditions" / f"{name}.mp4"])
        index = np.arange(FRAMES)
        vmaf = np.where(index == WORST, 80 - 20 * place - drop, 80 - 20 * place)
        tables.append(
            pa.table(
                {
                    "rendition": [name] * FRAMES,
                    "frame": index,
                    "pts": index * 512,
                    "time_s": index / 24,
                    "shot": (index >= 20).astype(np.int32),
                    "bytes": np.full(FRAMES, 4000 // (place + 1)).astype(np.int64),
                    "key": index == 0,
                    "vmaf": vmaf.astype(np.float64),
                }
            )
        )
        rows.append(
            {"name": name, "width": width, "height": height, "codec": "avc1.64000c", "crf": str(quality)}
        )
    pq.write_table(pa.concat_tables(tables), folder / "features.parquet")
    manifest = {
        "job": folder.name,
        "title": "test picture",
        "input": {"identity": "sha256:aa", "bytes": 1},
        "settings": {"crf": str(quality)},
        "versions": {},
        "media": {"width": 320, "height": 180, "frame_rate": "24"},
        "model": "vmaf_v0.6.1",
        "scorer": "ours",
        "command": "cinemill encode",
        "renditions": rows,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    found = compare(package(folder / "one side", 20, 0), package(folder / "other", 34, 30))
    page = folder / "pages" / "compare.html"
    page.parent.mkdir()
    page.write_text(found.page(page.parent), encoding="utf-8")
    return page


@contextmanager
def opened(browser: Any, page: Path) -> Iterator[Any]:
    tab = browser.open(page.as_uri())
    yield tab
    assert not tab.complaints()
    tab.close()


def shown(tab: Any) -> list[int]:
    assert tab.wait_for("document.querySelector('.ab').dataset.state === 'still'", 60)
    return list(tab.evaluate("document.querySelector('.ab').player.pair.sides.map(({ shown }) => shown)"))


def press(tab: Any, key: str) -> None:
    for kind in ("keyDown", "keyUp"):
        tab.call("Input.dispatchKeyEvent", type=kind, key=key, **({"text": "\r"} if key == "Enter" else {}))


def test_the_worst_frame_opens_both_sides_on_it(chromium: Any, written: Path) -> None:
    with opened(chromium, written) as tab:
        tab.evaluate("document.querySelector('#worst [data-ab]').click()")
        assert shown(tab) == [WORST, WORST]
        labels = "[...document.querySelectorAll('.ab-tag')].map(({ textContent }) => textContent)"
        assert tab.evaluate(labels) == ["A 180p", "B 180p"]


def test_frames_are_walked_and_opened_by_keyboard(chromium: Any, written: Path) -> None:
    with opened(chromium, written) as tab:
        tab.evaluate("document.querySelector('.timeline [role=slider]').focus()")
        for key in ("ArrowRight", "ArrowRight", "PageUp", "ArrowLeft"):
            press(tab, key)
        told = tab.evaluate(
            "document.querySelector('.timeline [role=slider]').getAttribute('aria-valuetext')"
        )
        assert told.startswith("frame 25, 0:01.0, shot 2: A 80.0, B 80.0, 0.0")
        press(tab, "Enter")
        assert shown(tab) == [25, 25]


def test_another_rung_shows_its_own_charts_shots_and_frames(chromium: Any, written: Path) -> None:
    with opened(chromium, written) as tab:
        parts = "[...document.querySelectorAll('.of-pair')]"
        visible = f"{parts}.filter((part) => part.offsetParent).map((part) => part.dataset.pair)"
        assert tab.evaluate(visible) == ["0", "0", "0"]
        tab.evaluate("document.querySelector('.choice input[value=\"1\"]').click()")
        assert tab.evaluate(visible) == ["1", "1", "1"]


def test_axe_finds_nothing_wrong_with_it(
    chromium: Any, written: Path, flaws: Callable[[Any], dict[str, list[str]]]
) -> None:
    with opened(chromium, written) as tab:
        assert flaws(tab) == {"light": [], "dark": []}


def test_nothing_is_asked_for_outside(chromium: Any, written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert "http://" not in text
    assert "https://" not in text
    with opened(chromium, written) as tab:
        tab.evaluate("document.querySelector('#worst [data-ab]').click()")
        shown(tab)
        asked = tab.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
        assert all(name.startswith(("file:", "data:", "blob:")) for name in asked), asked
        width = "document.documentElement.scrollWidth <= innerWidth"
        tab.call(
            "Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=False
        )
        assert tab.evaluate(width)
