"""Scores as files: libvmaf's JSON, XML and CSV, in its layout with all digits, and Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import quoteattr

from vmaf.scores import FrameScores, libvmaf_log, write_parquet

POOLED = ("min", "max", "mean", "harmonic_mean")


def json_log(scores: FrameScores) -> str:
    """Libvmaf's JSON log; infinite and undefined scores are null, as there."""
    text = json.dumps(libvmaf_log(scores), indent=2)
    return (
        text.replace(": NaN", ": null").replace(": -Infinity", ": null").replace(": Infinity", ": null")
        + "\n"
    )


def csv_log(scores: FrameScores) -> str:
    """Libvmaf's CSV log: every line ends with a comma."""
    lines = ["Frame," + "".join(f"{name}," for name in scores.columns)]
    for row, frame in enumerate(scores.frames.tolist()):
        values = "".join(f"{float(values[row])!r}," for values in scores.columns.values())
        lines.append(f"{frame},{values}")
    return "\n".join(lines) + "\n"


def xml_log(scores: FrameScores) -> str:
    """Libvmaf's XML log."""
    lines = [f"<VMAF version={quoteattr(scores.scorer)}>", "  <frames>"]
    for row, frame in enumerate(scores.frames.tolist()):
        values = "".join(f'{name}="{float(values[row])!r}" ' for name, values in scores.columns.items())
        lines.append(f'    <frame frameNum="{frame}" {values}/>')
    lines += ["  </frames>", "  <pooled_metrics>"]
    for name in scores.columns:
        pooled = scores.pooled(name)
        values = "".join(f'{kind}="{getattr(pooled, kind)!r}" ' for kind in POOLED)
        lines.append(f'    <metric name="{name}" {values}/>')
    return "\n".join([*lines, "  </pooled_metrics>", "  <aggregate_metrics />", "</VMAF>"]) + "\n"


TEXTS: dict[str, Callable[[FrameScores], str]] = {".json": json_log, ".xml": xml_log, ".csv": csv_log}
"""Suffix -> log."""
SUFFIXES = (*TEXTS, ".parquet")


def write_log(scores: FrameScores, path: Path) -> None:
    """Write scores in the format of the file's suffix.

    Raises:
        ValueError: the suffix is none of `SUFFIXES`.
    """
    if path.suffix == ".parquet":
        write_parquet(scores.table(), path)
    elif path.suffix in TEXTS:
        path.write_text(TEXTS[path.suffix](scores), encoding="utf-8")
    else:
        raise ValueError(f"{path}: wanted a name ending in {', '.join(SUFFIXES)}")
