"""How fast a report can be used: milliseconds from asking for it to when its scripts have run and it answers a key.

python benchmarks/report_open.py out/report.html --times 9
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from pipelines.cli.bench import save_figures
from pipelines.conformance.browsers.chromium import Chromium, ChromiumPage
from pipelines.report import load

ANSWERED = """(async () => {
  const field = document.querySelector('#quality-plot .field');
  field.focus();
  field.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
  await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
  const loaded = performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd;
  return [loaded, performance.now(), field.getAttribute('aria-valuetext')];
})()"""


def opened(browser: Chromium, url: str) -> tuple[float, float, float]:
    """Milliseconds until its scripts had run, until it had answered, and processor milliseconds of its main thread."""
    page: ChromiumPage = browser.open("about:blank")
    page.call("Performance.enable")
    page.call("Page.navigate", url=url)
    page.wait_for("document.readyState === 'complete' && document.querySelector('#quality-plot')", 60)
    loaded, _, said = page.evaluate(ANSWERED)
    assert said.startswith("frame 1,"), said
    started = page.evaluate("performance.now()")
    page.evaluate(ANSWERED)
    answer = page.evaluate("performance.now()") - started
    metrics = {one["name"]: one["value"] for one in page.call("Performance.getMetrics")["metrics"]}
    page.close()
    return loaded, answer, 1000 * metrics["TaskDuration"]


def main() -> None:
    """Print medians over several openings in one browser; the first one, which fills its caches, is left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--save", action="store_true", help="keep the figures in results/ and the README")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as profile, Chromium(Path(profile)) as browser:
        rows = [opened(browser, asked.report.absolute().as_uri()) for _ in range(asked.times + 1)][1:]
        loaded, answer, work = (statistics.median(column) for column in zip(*rows, strict=True))
        size = asked.report.stat().st_size / 1e6
        print(f"{browser.version}: {size:.2f} MB, scripts ran {loaded:.0f} ms after asking", end=" ")
        print(
            f"(worst {max(row[0] for row in rows):.0f}), a key answered in {answer:.0f} ms, {work:.0f} ms of its thread"
        )
        if asked.save:
            save(asked, browser.version, rows)


def save(asked: argparse.Namespace, browser: str, rows: list[tuple[float, float, float]]) -> None:
    """Put the figures into the README of the benchmarks."""
    title = load(asked.report.parent)
    loaded, answer, work = (statistics.median(column) for column in zip(*rows, strict=True))
    cells = [
        ("title", f"{title.duration:.0f} s, {len(title.shots)} shots, {len(title.videos)} rungs"),
        ("report.html", f"{asked.report.stat().st_size / 1e6:.2f} MB (bar 3)"),
        (
            f"scripts have run, {browser}",
            f"{loaded:.0f} ms, worst {max(row[0] for row in rows):.0f} (bar 1000)",
        ),
        ("a key is answered", f"{answer:.0f} ms"),
        ("work of the page's thread", f"{work:.0f} ms"),
    ]
    command = "python benchmarks/report_open.py out/report.html"
    save_figures("report", command=command, headings=("what", "figure"), rows=cells)


if __name__ == "__main__":
    main()
