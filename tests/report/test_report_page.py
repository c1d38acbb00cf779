"""The report of a job is one page that works from disk, alone, by keyboard, and with a screen reader."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pipelines.conformance.browsers.chromium import Chromium, ChromiumPage
from pipelines.conformance.errors import ScriptFailed

pytestmark = pytest.mark.browser
PLAYER = "document.getElementById('player').player"


def asked_for(browser: Chromium, page: ChromiumPage) -> set[str]:
    """Every address that a tab has asked for, without data that is in the page itself."""
    browser.pump(0.2)
    sent = [event for event in browser.events if event["method"] == "Network.requestWillBeSent"]
    mine = [event for event in sent if event.get("sessionId") == page.session]
    return {event["params"]["request"]["url"] for event in mine} - {"about:blank"}


def press(page: ChromiumPage, key: str) -> None:
    page.call("Input.dispatchKeyEvent", type="keyDown", key=key)
    page.call("Input.dispatchKeyEvent", type="keyUp", key=key)


def test_nothing_outside_its_folder_is_asked_for(
    chromium: Chromium, report: ChromiumPage, output: Path
) -> None:
    report.evaluate("document.querySelectorAll('img').forEach((image) => { image.loading = 'eager'; })")
    report.evaluate(f"{PLAYER}.open({{ frame: 5 }})", 60)
    asked = asked_for(chromium, report)
    here = output.as_uri()
    outside = {url for url in asked if not url.startswith((f"{here}/", "data:", "blob:"))}
    assert not outside
    assert {f"{here}/report.html", f"{here}/cost.js", f"{here}/proxies/source.mp4"} <= asked
    assert not report.complaints()


def test_a_request_to_the_outside_would_be_seen(chromium: Chromium, report: ChromiumPage) -> None:
    """The test above can fail; and the page itself does not let such a request go out."""
    report.evaluate("new Image().src = 'https://example.invalid/pixel.png'; 0")
    assert "https://example.invalid/pixel.png" in asked_for(chromium, report)
    assert any("Content Security Policy" in complaint for complaint in report.complaints())


def test_axe_finds_nothing_wrong(report: ChromiumPage, flaws: Callable[..., Any]) -> None:
    report.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert flaws(report) == {"light": [], "dark": []}


def test_no_table_scrolls_sideways_at_1200_pixels(report: ChromiumPage) -> None:
    report.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    wide = "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth)"
    assert report.evaluate(f"{wide}.map((one) => one.getAttribute('aria-label'))") == []
    assert report.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_worst_frame_opens_the_player_there(report: ChromiumPage) -> None:
    frame = report.evaluate("Number(document.querySelector('.opens').dataset.ab.split(' ')[0])")
    report.evaluate("document.querySelector('.opens').click()")
    assert report.wait_for("document.getElementById('player').dataset.state === 'still'", 60)
    assert report.evaluate(f"{PLAYER}.pair.sides.map(({{ shown }}) => shown)") == [frame, frame]
    assert report.evaluate("document.querySelector('.ab-right .ab-tag').textContent") == "1080p"


def test_marks_over_the_timeline_open_the_player_too(report: ChromiumPage) -> None:
    marks = "[...document.querySelectorAll('#marks button')]"
    frames = report.evaluate(f"{marks}.map((one) => +one.dataset.frame)")
    shown = report.evaluate(
        "[...document.querySelectorAll('.rung-worst[data-rung=\"0\"] a[data-frame]')].length"
    )
    assert len(frames) == shown > 1
    report.evaluate(f"{marks}[1].click()")
    assert report.wait_for("document.getElementById('player').dataset.state === 'still'", 60)
    assert report.evaluate(f"{PLAYER}.pair.sides.map(({{ shown }}) => shown)") == [frames[1], frames[1]]


def test_enter_on_the_timeline_compares_that_frame(report: ChromiumPage) -> None:
    report.evaluate("document.querySelector('#quality-plot .field').focus()")
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        press(report, key)
    assert report.wait_for("document.getElementById('player').dataset.state === 'still'", 60)
    assert report.evaluate(f"{PLAYER}.pair.sides.map(({{ shown }}) => shown)") == [2, 2]


def test_the_dots_of_the_hulls_say_why_by_keyboard(report: ChromiumPage) -> None:
    report.evaluate("document.querySelector('#hull-plot button.spot').focus()")
    said = "document.getElementById('why').textContent"
    assert report.evaluate(said).startswith(
        "Part 1 (40 frames) on 1080p: CRF 20 for 2,400 kb/s and VMAF 92.0."
    )
    press(report, "ArrowRight")
    press(report, "ArrowDown")
    assert report.evaluate(said).startswith("Part 2 (40 frames) on 720p: CRF 21")
    assert report.evaluate("document.querySelectorAll('#hull-plot button.spot[tabindex=\"0\"]').length") == 1


def reload(report: ChromiumPage) -> None:
    """Load the page again; whatever is asked before the new one is there is answered by the old one, or not at all."""
    report.evaluate("window.old = 1")
    report.call("Page.reload")
    for _ in range(600):
        with suppress(ScriptFailed):
            if report.evaluate("!('old' in window) && document.readyState === 'complete'"):
                return
        time.sleep(0.1)
    pytest.fail("the page did not come again")


def test_the_cost_beside_it_is_shown_and_its_lack_is_not(report: ChromiumPage, output: Path) -> None:
    rows = "[...document.querySelectorAll('#cost tbody th')].map((one) => one.textContent)"
    assert report.evaluate(rows) == ["encode", "score", "All"]
    cost = (output / "cost.js").rename(output / "elsewhere.js")
    try:
        reload(report)
        assert report.evaluate("document.getElementById('cost').hidden")
    finally:
        cost.rename(output / "cost.js")
