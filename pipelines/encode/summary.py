"""What a finished encode is, in a few lines: for the terminal, for `--json`, and for the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vmaf import FrameScores


def rendition_rows(
    facts: Sequence[Mapping[str, Any]], scores: Mapping[str, FrameScores]
) -> list[dict[str, Any]]:
    """Facts of each rendition with its pooled VMAF, rounded to four decimals; without where it has no scores."""
    rows = []
    for rendition in facts:
        if rendition["name"] not in scores:
            rows.append({**rendition})
            continue
        vmaf = scores[rendition["name"]].pooled("vmaf")
        pooled = {"mean": vmaf.mean, "harmonic_mean": vmaf.harmonic_mean, "min": vmaf.min}
        rows.append({**rendition, **{f"vmaf_{name}": round(value, 4) for name, value in pooled.items()}})
    return rows


def summary_of(facts: Mapping[str, Any], *, output: str, report: str, up_to_date: bool) -> dict[str, Any]:
    """The summary.

    Args:
        facts: of a run, or a manifest: `renditions`, `notices`, `model`, `scorer`.
        output: where the result is, as the user named it.
        report: where its report is; empty where there is none.
        up_to_date: nothing had to be done.
    """
    return {
        "output": output,
        "report": report,
        "up_to_date": up_to_date,
        "model": facts.get("model", ""),
        "scorer": facts.get("scorer", ""),
        "notices": list(facts["notices"]),
        "renditions": list(facts["renditions"]),
    }
