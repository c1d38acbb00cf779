"""The dashboard as its users have it: in a real browser, on a real server whose scheduler runs real jobs."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from pipelines.conformance.browsers.chromium import Chromium, ChromiumPage, find_chromium
from pipelines.conformance.errors import ScriptFailed

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=alert(1)>"
WIDTHS = (1200, 390)


class Visitor:
    """A tab, and what a user does in it."""

    def __init__(self, page: ChromiumPage, browser: Chromium, url: str) -> None:
        self.page, self._browser, self._url = page, browser, url

    def go(self, path: str) -> None:
        self.page.call("Page.navigate", url=self._url + path)
        self.wait(f"location.href === {json.dumps(self._url + path)} && document.readyState === 'complete'")

    def ask(self, script: str) -> Any:
        """The value of an expression, in whatever page is there once none is being left."""
        until = time.monotonic() + 40
        while True:
            with suppress(ScriptFailed):
                return self.page.evaluate(script)
            assert time.monotonic() < until, f"{script}: {self.text()}"
            time.sleep(0.05)

    def text(self) -> str:
        """What is shown; empty while a page is being left."""
        with suppress(ScriptFailed):
            return str(self.page.evaluate("document.body.innerText"))
        return ""

    def wait(self, condition: str, timeout_s: float = 40) -> None:
        until = time.monotonic() + timeout_s
        while not self.ask(f"Boolean({condition})"):
            assert time.monotonic() < until, f"{condition}: {self.text()}"
            time.sleep(0.05)

    def sees(self, text: str, where: str = "main") -> None:
        self.wait(f"document.querySelector({where!r})?.innerText.includes({json.dumps(text)})")

    def type(self, field: str, text: str) -> None:
        self.ask(f"(document.getElementById({field!r}).value = {json.dumps(text)}, 1)")

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.page.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=9)

    def click(self, selector: str) -> None:
        """Click with the mouse, and wait until the page that follows is there."""
        self.ask("window.left = false, 1")
        self.ask(f"(document.querySelector({selector!r}).click(), 1)")
        self.wait("!('left' in window) && document.readyState === 'complete'")

    def mark(self) -> None:
        """Notice a reload."""
        self.ask("(window.unloaded = 'never', 1)")

    def not_reloaded(self) -> bool:
        return bool(self.ask("window.unloaded === 'never'"))

    def complaints(self) -> list[str]:
        """What the browser finds wrong, but for answers that are refusals on purpose."""
        return [said for said in self.page.complaints() if "responded with a status of 4" not in said]

    def requests(self) -> set[str]:
        """Hosts that anything was asked of, in all tabs so far."""
        asked = [each for each in self._browser.events if each["method"] == "Network.requestWillBeSent"]
        return {urlsplit(each["params"]["request"]["url"]).netloc for each in asked}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    if find_chromium() is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def visitor(chromium: Chromium, house: Any) -> Iterator[Visitor]:
    page = chromium.open("about:blank")
    yield Visitor(page, chromium, house.url)
    page.close()


@pytest.fixture(scope="module")
def broken(house: Any) -> str:
    """A job that failed, and said so in HTML; a file `mended` in the work folder lets it go through."""
    mended = house.work / "mended"
    script = f"test -e {mended} || {{ echo '{EVIL}<script>document.title=7</script>' >&2; exit 3; }}; echo > {{out}}"
    order = {"nodes": {"breaks": command(script)}, "limits": {}}
    job = submitted(house, order, tags={EVIL: "<script>alert(2)</script>"})
    ended(house, job, "failed")
    return job


def command(script: str) -> dict[str, Any]:
    return {"stage": "command", "params": {"argv": ["sh", "-c", script]}}


def submitted(house: Any, order: dict[str, Any], **terms: Any) -> str:
    answer = httpx.post(f"{house.url}/v1/jobs", json={**order, **terms}, timeout=60)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def ended(house: Any, job: str, state: str) -> None:
    until = time.monotonic() + 60
    while (now := httpx.get(f"{house.url}/v1/jobs/{job}", timeout=60).json()["state"]) != state:
        assert time.monotonic() < until, now
        time.sleep(0.1)


def violations(page: ChromiumPage) -> list[str]:
    """What axe-core finds wrong with a page as it is, each rule with the first element that breaks it."""
    axe = find_spec("axe_core_python")
    if axe is None or axe.origin is None:
        pytest.skip("needs axe-core: pip install axe-core-python")
    page.evaluate((Path(axe.origin).parent / "axe.min.js").read_text(encoding="utf-8") + ";0")
    found: list[str] = []
    for scheme in ("light", "dark"):
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        # Only colours depend on the scheme.
        rules = "{}" if scheme == "light" else "{runOnly: ['color-contrast']}"
        wrong = page.evaluate(f"axe.run({rules}).then(({{ violations }}) => violations)")
        found += [f"{scheme}: {rule['id']}: {rule['help']}: {rule['nodes'][0]['html']}" for rule in wrong]
    return found


def test_a_job_is_planned_submitted_and_watched_until_it_is_done(visitor: Visitor) -> None:
    visitor.go("/jobs/new?job=shots")
    visitor.type("f-p.chunk_frames", "many")
    visitor.click("button[value=plan]")
    beside = (
        "document.getElementById(document.getElementById({!r}).getAttribute('aria-describedby')).innerText"
    )
    assert "whole number" in visitor.ask(beside.format("f-p.chunk_frames"))
    assert violations(visitor.page) == []
    assert "address of a title" in visitor.ask(beside.format("f-input.input"))
    visitor.type("f-input.input", "/etc/passwd")
    visitor.type("f-p.chunk_frames", "17")
    visitor.click("button[value=submit]")
    assert "/etc/passwd" in visitor.ask(beside.format("f-input.input"))
    visitor.type("f-input.input", "<b>bold.mp4")
    visitor.click("button[value=plan]")
    visitor.sees("What it would do")
    assert violations(visitor.page) == []
    visitor.click("button[value=submit]")
    visitor.mark()
    visitor.sees("<b>bold.mp4", "h1")
    visitor.sees("done", "#state")
    visitor.sees("shots.shots", "#results")
    visitor.wait("document.querySelectorAll('#timeline rect.bar.done').length > 3")
    visitor.sees("ended", "#live")
    assert visitor.not_reloaded()
    visitor.click("nav[aria-label='Rows of the timeline'] a[href*='rows=workers']")
    visitor.sees(f"{socket.gethostname()}/", ".timeline .lane-name")
    visitor.wait("document.querySelectorAll('#timeline rect.bar.done').length > 3")
    assert not visitor.complaints()


def test_the_list_shows_a_job_that_comes_and_a_job_that_is_cancelled(visitor: Visitor, house: Any) -> None:
    visitor.go("/")
    visitor.sees("live", "#live")
    visitor.mark()
    job = submitted(
        house, {"nodes": {"lasts": command("sleep 600; echo > {out}")}}, queue="night", priority=7
    )
    link = f"a[href='/jobs/{job}']"
    visitor.wait(f"document.querySelector({link!r})")
    row = f"document.querySelector({link!r}).closest('tr').innerText"
    visitor.wait(f"['night', '7', 'local', 'running'].every((word) => {row}.includes(word))")
    assert visitor.not_reloaded()
    visitor.click(link)
    visitor.wait("document.querySelector('#timeline rect.bar.leased')")
    visitor.click("#do-pause")
    visitor.sees("paused", "#state")
    visitor.click("#do-resume")
    visitor.sees("running", "#state")
    visitor.click("#do-cancel")
    visitor.sees("cancelled", "#state")
    visitor.wait("document.querySelector('#do-retry') && !document.querySelector('#do-cancel')")
    assert httpx.get(f"{house.url}/v1/jobs/{job}", timeout=60).json()["state"] == "cancelled"


def test_a_job_that_failed_says_why_as_text_and_is_tried_again(
    visitor: Visitor, house: Any, broken: str
) -> None:
    visitor.go(f"/jobs/{broken}")
    visitor.sees(EVIL, "#failures")
    visitor.sees(EVIL, ".facts")
    visitor.click("nav[aria-label='Views of this job'] a[href$='/logs']")
    visitor.sees(f"{EVIL}<script>document.title=7</script>", ".try .error")
    visitor.click(".try h2 a")
    visitor.sees("ToolFailed: sh: exit code 3", ".try pre")
    assert visitor.ask("document.title").startswith("Task breaks/map")
    assert visitor.ask("document.querySelectorAll('main img, main script').length") == 0
    (house.work / "mended").touch()
    visitor.click(f"a[href='/jobs/{broken}']")
    visitor.click("#do-retry")
    visitor.mark()
    visitor.sees("done", "#state")
    visitor.sees("run 2", "#tiles")
    assert visitor.not_reloaded()
    assert not visitor.complaints()


def test_every_page_is_accessible_fits_its_window_and_asks_nobody_else(
    visitor: Visitor, house: Any, broken: str, job: str
) -> None:
    submitted(house, {"nodes": {"waits": command("echo > {out}")}}, queue="early", priority=-5)
    task = httpx.get(f"{house.url}/v1/jobs/{broken}/tasks", timeout=60).json()["items"][0]["name"]
    pages = [
        *(
            "/",
            "/?state=paused",
            "/queues",
            "/login?why=bad-key",
            "/jobs/new?job=encode",
            "/jobs/new?job=nodes",
        ),
        *(
            f"/jobs/{job}",
            f"/jobs/{job}?rows=workers",
            "/nowhere",
            f"/jobs/{broken}?runs=all",
            f"/jobs/{job}/tasks",
            f"/jobs/{broken}/logs",
        ),
        *(f"/jobs/{broken}/task?name={task}", f"/jobs/{'0' * 32}"),
    ]
    wrong: dict[str, Any] = {}
    for path in pages:
        visitor.go(path)
        wrong[path] = violations(visitor.page)
        for width in WIDTHS:
            visitor.page.call(
                "Emulation.setDeviceMetricsOverride",
                width=width,
                height=900,
                deviceScaleFactor=1,
                mobile=width < 500,
            )
            if visitor.ask("document.documentElement.scrollWidth") > width:
                wrong[path].append(f"wider than {width} px")
    assert wrong == {path: [] for path in pages}
    visitor.press("Tab")
    assert visitor.ask("document.activeElement.innerText") == "Skip to content"
    visitor.ask("(document.getElementById('theme').click(), 1)")
    visitor.go("/")
    assert visitor.ask("document.documentElement.dataset.theme") == "light"
    assert visitor.requests() == {urlsplit(house.url).netloc}


@pytest.fixture(scope="module")
def job(house: Any) -> str:
    """A job that has run."""
    made = submitted(house, {"job": "shots", "input": "title.mp4"})
    ended(house, made, "done")
    return made
