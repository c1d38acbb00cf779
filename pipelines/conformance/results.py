"""What was tested, how it ended, and what follows from it for publication; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

State = Literal["passed", "failed", "flaky", "skipped"]
SCHEMA = "conformance@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One device x rendition x test."""

    device: str
    rendition: str
    test: str

    @property
    def label(self) -> str:
        """`chromium-hls/video-720p/seek`."""
        return f"{self.device}/{self.rendition}/{self.test}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a case ended.

    Attributes:
        case: what was tested.
        state: `flaky` failed, and passed when it was tried again.
        message: what is wrong, or why it was not tried; empty where it passed.
        measured: numbers that were found, by name with unit.
        evidence: files in the output folder.
        seconds: how long it took.
    """

    case: Case
    state: State
    message: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """It speaks against publication."""
        return self.state == "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All results, and what follows.

    Attributes:
        results: in the order in which they came.
        unplayable: device -> why it can play nothing of the package.
        versions: of the browsers and decoders that tried.
    """

    results: tuple[Result, ...]
    unplayable: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def publish(self) -> bool:
        """Nothing failed, and every device that was asked for can play it."""
        return not self.unplayable and not any(result.failed for result in self.results)

    @property
    def untested(self) -> list[Result]:
        """What was to be tried and was not: a missing browser, no time."""
        return [result for result in self.results if result.state == "skipped"]

    @property
    def exit_code(self) -> int:
        """0 publish, 1 do not, 3 nothing speaks against it but not all was tried."""
        if not self.publish:
            return 1
        return 3 if self.untested else 0

    @property
    def counts(self) -> dict[str, int]:
        """Number of results of each state."""
        states = ("passed", "failed", "flaky", "skipped")
        return {state: sum(result.state == state for result in self.results) for state in states}

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "schema": SCHEMA,
            "publish": self.publish,
            "counts": self.counts,
            "unplayable": dict(self.unplayable),
            "versions": dict(self.versions),
            "results": [_flat(result) for result in self.results],
        }


def ordered(cases: Sequence[Case], failed_before: Sequence[str]) -> list[Case]:
    """Cases as they shall run: what failed last time first, the rest as it was."""
    return sorted(cases, key=lambda case: case.label not in set(failed_before))


def failed_labels(stored: Any) -> list[str]:
    """What failed or was flaky in a stored verdict; empty where it is no verdict."""
    try:
        return [
            f"{row['device']}/{row['rendition']}/{row['test']}"
            for row in stored["results"]
            if row["state"] in ("failed", "flaky")
        ]
    except (KeyError, TypeError):
        return []


def _flat(result: Result) -> dict[str, Any]:
    row = asdict(result)
    return {**row.pop("case"), **row, "evidence": list(result.evidence)}
