"""Carry out a conformance run: plan the cases, try them one after the other, keep evidence, say what follows."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from archer.errors import ToolMissing
from pipelines.conformance import decoding, playing
from pipelines.conformance.browsers.base import Browser
from pipelines.conformance.browsers.chromium import Chromium
from pipelines.conformance.browsers.firefox import Firefox
from pipelines.conformance.browsers.webkit import Webkit
from pipelines.conformance.decoding import Bench, Found
from pipelines.conformance.devices import Device, misfit
from pipelines.conformance.errors import ConformanceError
from pipelines.conformance.listing import Listed, Listing, read_listing
from pipelines.conformance.reference import Reference
from pipelines.conformance.results import Case, Result, State, Verdict, failed_labels, ordered
from pipelines.conformance.server import serving
from pipelines.conformance.static import CHECKS
from pipelines.packaging.keys import KeySet

BROWSERS: Mapping[str, type[Chromium | Firefox | Webkit]] = {
    "chromium": Chromium,
    "firefox": Firefox,
    "webkit": Webkit,
}
RESULTS = "results.json"
FRESH = frozenset({"decrypt", "locked"})
"""Tests that always get a new browser process: one that was used has hidden a wrong key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to test.

    Attributes:
        package: folder of the package.
        devices: on which.
        out: folder for evidence and results; what failed there last time is tried first.
        source: the mezzanine, as truth for pictures; None: the package's own frames.
        keys: the key set of an encrypted package; None where it is clear, or not at hand.
        tests, renditions: patterns (`play`, `video-*`); empty for all.
        budget_s: no case is begun after so many seconds; 0 for no bound.
        whole: every frame is watched, which takes as long as the title for each rendition and player.
        timed: results say how long each case took; off where another run must give the same bytes.
    """

    package: Path
    devices: Sequence[Device]
    out: Path
    source: Path | None = None
    keys: KeySet | None = None
    tests: Sequence[str] = ()
    renditions: Sequence[str] = ()
    budget_s: float = 0
    whole: bool = False
    timed: bool = True
    told: Callable[[Result], None] = field(default=lambda _: None)


def run_conformance(order: Order) -> Verdict:
    """Try everything that is asked for.

    Raises:
        NoPackage: there is nothing that could be tested.
    """
    listing = read_listing(order.package)
    keys = _keys(listing, order.keys)
    bench = Bench(listing=listing, reference=Reference(listing, keys, order.source), keys=keys)
    cases = ordered(list(_cases(order, bench)), _failed_before(order.out))
    until = time.monotonic() + order.budget_s if order.budget_s else float("inf")
    results: list[Result] = []
    with _Lab(order, bench) as lab:
        for case in cases:
            result = _skipped(case, "no time was left") if time.monotonic() > until else lab.tried(case)
            results.append(result)
            order.told(result)
        versions = lab.versions
    verdict = Verdict(results=tuple(results), unplayable=_unplayable(order, listing), versions=versions)
    _store(order.out / RESULTS, verdict)
    return verdict


def _cases(order: Order, bench: Bench) -> Iterator[Case]:
    for device in order.devices:
        fit = [each for each in bench.listing.renditions if not misfit(device, bench.listing, each)]
        videos = [each for each in fit if each.kind == "video"]
        for each in fit:
            names = _tests(device, bench, each, first=bool(videos) and each is videos[0])
            for test in names:
                if _wanted(test, order.tests) and _wanted(each.name, order.renditions):
                    yield Case(device=device.name, rendition=each.name, test=test)


def _tests(device: Device, bench: Bench, each: Listed, *, first: bool) -> list[str]:
    if device.engine == "static":
        fit = [check for check in CHECKS.values() if each.kind in check.kinds]
        return [check.name for check in fit if check.streams or not bench.listing.at]
    if device.engine == "decoder":
        return list(decoding.tests_of(each))
    if device.engine in BROWSERS and each.kind == "video":
        return list(playing.tests_of(bench, each, first=first))
    return []


def _wanted(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


class _Lab:
    """What tries cases: the web server, and browsers that are started when they are needed."""

    def __init__(self, order: Order, bench: Bench) -> None:
        self._order, self._bench = order, bench
        self._devices = {device.name: device for device in order.devices}
        self._renditions = {each.name: each for each in bench.listing.renditions}
        self._stack = ExitStack()
        self._open: tuple[str, ExitStack, Browser] | None = None
        self.versions: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._url = self._stack.enter_context(serving(self._bench.listing.base, self._bench.keys))
        self._profiles = Path(self._stack.enter_context(TemporaryDirectory(prefix="cinemill-browsers-")))
        return self

    def __exit__(self, *_: object) -> None:
        self._end_browser()
        self._stack.close()

    def tried(self, case: Case) -> Result:
        """Try a case; once more where what failed was a player or a decoder, which may have stumbled."""
        begun = time.monotonic()
        try:
            found = self._once(case)
            problems: list[str] = found.problems
            state: State = "failed" if problems else "passed"
            if problems and self._devices[case.device].engine != "static":
                self._end_browser()
                found = self._once(case)
                state, problems = ("failed", found.problems) if found.problems else ("flaky", problems)
        except ToolMissing as error:
            return _skipped(case, str(error))
        evidence = self._keep(case, found)
        return Result(
            case=case,
            state=state,
            message="; ".join(dict.fromkeys(problems)),
            measured={name: round(value, 4) for name, value in found.measured.items()},
            evidence=evidence,
            seconds=round(time.monotonic() - begun, 2) if self._order.timed else 0.0,
        )

    def _once(self, case: Case) -> Found:
        device, each = self._devices[case.device], self._renditions[case.rendition]
        if device.engine == "static":
            return Found(problems=list(CHECKS[case.test].run(self._bench.listing, each)))
        if device.engine == "decoder":
            return decoding.RUN[case.test](self._bench, each)
        try:
            return self._played(device, each, case.test)
        except ConformanceError as error:
            self._end_browser()
            return Found(problems=[f"{type(error).__name__}: {error}"])

    def _played(self, device: Device, each: Listed, test: str) -> Found:
        if test in FRESH or self._bench.listing.protection:
            self._end_browser()
        page = self._browser(device.engine).open(f"{self._url}/{device.player}/player.html")
        stage = playing.Stage(
            page=page, url=self._url, device=device, bench=self._bench, whole=self._order.whole
        )
        try:
            found = playing.RUN[test](stage, each)
        except ConformanceError as error:
            found = Found(problems=[str(error)])
            found.problems += stage.complaints()
        if found.problems:
            found.pictures["last"] = page.screenshot()
        page.close()
        return found

    def _browser(self, engine: str) -> Browser:
        if self._open and self._open[0] != engine:
            self._end_browser()
        if self._open is None:
            with ExitStack() as stack:
                folder = TemporaryDirectory(dir=self._profiles, ignore_cleanup_errors=True)
                browser = stack.enter_context(BROWSERS[engine](Path(stack.enter_context(folder))))
                self._open = engine, stack.pop_all(), browser
            self.versions[engine] = browser.version
        return self._open[2]

    def _end_browser(self) -> None:
        if self._open:
            self._open[1].close()
            self._open = None

    def _keep(self, case: Case, found: Found) -> tuple[str, ...]:
        folder = Path("evidence") / case.device / case.rendition
        names = [(f"{case.test}-{name}.png", content) for name, content in found.pictures.items()]
        if found.problems:
            names.append((f"{case.test}.log", "\n".join([*found.problems, ""]).encode()))
        for name, content in names:
            (self._order.out / folder).mkdir(parents=True, exist_ok=True)
            (self._order.out / folder / name).write_bytes(content)
        return tuple(str(folder / name) for name, _ in names)


def _keys(listing: Listing, keys: KeySet | None) -> dict[str, str]:
    """Key id -> key of all tracks, hexadecimal."""
    if keys is None:
        return {}
    made = [keys.key(each.name) for each in listing.renditions if each.protected]
    return {one.key_id.hex(): one.key.hex() for one in made}


def _unplayable(order: Order, listing: Listing) -> dict[str, str]:
    """Devices that can play no picture, or no sound, of the package."""
    found: dict[str, str] = {}
    for device in order.devices:
        for kind in ("video", "audio"):
            renditions = [each for each in listing.renditions if each.kind == kind]
            reasons = [misfit(device, listing, each) for each in renditions]
            if renditions and all(reasons):
                found.setdefault(device.name, f"no {kind} fits: {reasons[0]}")
    if not listing.of("video"):
        found = {device.name: "there is no video" for device in order.devices}
    return found


def _skipped(case: Case, reason: str) -> Result:
    return Result(case=case, state="skipped", message=reason)


def _failed_before(out: Path) -> list[str]:
    try:
        stored: Any = json.loads((out / RESULTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return failed_labels(stored)


def _store(path: Path, verdict: Verdict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(verdict.to_json(), indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
