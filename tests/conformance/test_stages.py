"""Every stage that this distribution installs stands what the conformance kit asks of a stage, ours as anybody's."""

from __future__ import annotations

from pathlib import Path

import pytest

from archer.kit import Finding, check_stage
from archer.registry import STAGES, distribution_of, installed

OURS = sorted(name for name in installed(STAGES) if distribution_of(STAGES, name).startswith("cinemill "))
ONE_CUT = frozenset(OURS) - {"shots", "stills", "tracks", "vision"}
"""Stages without settings that may change nothing (`Stage.same`): their cut is decided elsewhere, or is part of the result."""

LONG = frozenset({"allocate", "analyse", "search", "stills", "tracks", "score-files"})
"""Stages that take long, or need one that does; and one that does as `score` does."""
SOME = [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in OURS]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all, so that what feeds several stages is made once."""
    return tmp_path_factory.mktemp("bench")


def problems(findings: list[Finding]) -> dict[str, str]:
    """What failed, and what was skipped though nothing allows it."""
    allowed = {"chunk invariance", "cancel under 5 s"}  # a short task may be done before it can be stopped
    return {
        finding.check: finding.detail
        for finding in findings
        if finding.verdict == "failed" or (finding.verdict == "skipped" and finding.check not in allowed)
    }


@pytest.mark.parametrize("name", SOME)
def test_a_stage_does_the_same_twice_within_its_memory(name: str, bench: Path) -> None:
    findings = list(check_stage(name, work_dir=bench, quick=True))
    assert problems(findings) == {}
    verdicts = {finding.check: finding.verdict for finding in findings}
    assert verdicts["chunk invariance"] == ("skipped" if name in ONE_CUT else "passed")


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
def test_a_stage_stands_kills_and_awkward_titles(name: str, bench: Path) -> None:
    findings = list(check_stage(name, work_dir=bench / "all"))
    assert problems(findings) == {}
    assert len(findings) >= 15
