"""What `cinemill score` prints: a table, per shot, the worst run, models side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vmaf import FrameScores

SHOWN = ("psnr", "cambi", "speed_chroma_uv", "ssim", "ms_ssim", "xpsnr", "psnr_hvs", "ciede2000")
"""Beginnings of the columns that are shown beside scores of models; the rest is in the files."""
IDENTICAL_DB = 60.0
"""PSNR from which luma is equal (libvmaf's limit for 8 bits; that of more bits is higher)."""
NAME = 24


def result(
    scores: FrameScores, pools: Sequence[str], starts: Sequence[int], window: int | None
) -> dict[str, Any]:
    """Everything as JSON: `pooled` by column, and `shots` and `worst` where asked for."""
    from vmaf import per_shot, pooled_by

    pooled = {
        name: asdict(scores.pooled(name)) | {way: pooled_by(values, way) for way in pools}
        for name, values in scores.columns.items()
    }
    found = {"model": scores.model, "scorer": scores.scorer, "frames": len(scores), "pooled": pooled}
    if starts:
        shots = per_shot(scores.frames, scores.columns["vmaf"], starts)
        found["shots"] = [{"start": start} | asdict(shot) for start, shot in zip(starts, shots, strict=True)]
    if window:
        found["worst"] = _worst(scores, window)
    return found


def show(scores: FrameScores, pools: Sequence[str], starts: Sequence[int], window: int | None) -> None:
    """Print the table."""
    _table(scores, pools)
    _side_by_side(scores)
    if starts:
        _shots(scores, starts)
    if window and (worst := _worst(scores, window)):
        click.echo(f"worst {window} frames: {worst['mean']:.3f} from frame {worst['start']} on")
    _explain(scores)


def _models(scores: FrameScores) -> list[str]:
    """Columns of models: not those of a collection's members."""
    names = [name for name in scores.columns if name.startswith("vmaf")]
    return [
        name
        for name in names
        if not any(name.startswith(f"{other}_") and name[len(other) + 1 :][:1].isdigit() for other in names)
    ]


def _table(scores: FrameScores, pools: Sequence[str]) -> None:
    from vmaf import pooled_by

    click.echo(click.style(f"{'metric':<{NAME}}" + "".join(f" {way:>9}" for way in pools), bold=True))
    shown = _models(scores) + [name for name in scores.columns if name.startswith(SHOWN)]
    for name in shown:
        values = (pooled_by(scores.columns[name], way) for way in pools)
        click.echo(f"{name:<{NAME}}" + "".join(f" {value:>9.3f}" for value in values))
    click.echo(f"{len(scores)} frames, model {scores.model}, {scores.scorer}")


def _side_by_side(scores: FrameScores) -> None:
    """How the other models rate the frames, beside the first: their scales differ, their order hardly."""
    import numpy as np

    first = scores.columns["vmaf"] if "vmaf" in scores.columns else np.empty(0)
    for name in _models(scores):
        if not name.startswith("vmaf_v") or len(first) < 2:
            continue
        other = scores.columns[name]
        apart = other - first
        most = int(np.abs(apart - apart.mean()).argmax())
        click.echo(
            f"{name} - {scores.model}: {apart.mean():+.3f} on average, {apart.min():+.3f} to {apart.max():+.3f}; they agree "
            f"least at frame {scores.frames[most]} ({other[most]:.2f} and {first[most]:.2f})"
        )


def _shots(scores: FrameScores, starts: Sequence[int]) -> None:
    from vmaf import per_shot

    click.echo(click.style(f"{'shot from':<{NAME}} {'mean':>9} {'min':>9} {'p5':>9}", bold=True))
    for start, shot in zip(starts, per_shot(scores.frames, scores.columns["vmaf"], starts), strict=True):
        click.echo(f"{start:<{NAME}} {shot.mean:>9.3f} {shot.min:>9.3f} {shot.p5:>9.3f}")


def _worst(scores: FrameScores, window: int) -> dict[str, Any] | None:
    """The run of frames with the lowest mean; None where there are fewer frames."""
    from vmaf import rolling

    means = rolling(scores.columns["vmaf"], window)
    if not len(means):
        return None
    place = int(means.argmin())
    return {"window": window, "start": int(scores.frames[place]), "mean": float(means[place])}


def _explain(scores: FrameScores) -> None:
    """Say why equal pictures are not at 100."""
    if not len(scores) or "psnr_y" not in scores.columns:
        return
    equal = (scores.columns["psnr_y"] >= IDENTICAL_DB) & (scores.columns["vmaf"] < 100)
    if equal.any():
        click.echo(
            f"{int(equal.sum())} frames are equal to their reference and still below 100: the model rates the features of "
            "equal pictures, motion among them, and gives still ones about 97"
        )
