"""`cinemill score --maps`: pictures of where the worst frames lose."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vmaf import FrameScores
    from vmaf.features.feature import Planes

COUNT, APART = 3, 24
"""Frames that are drawn where none are named, and how far they are apart."""


def write_maps(
    pair: tuple[str, str], options: dict[str, Any], scores: FrameScores, model: str, offset: int
) -> Path:
    """Maps of the named frames, else of the worst ones, and a page that shows them.

    Args:
        pair: reference and distorted file.
        options: of the command; the folder `maps` is there.
        scores: of the pair, by `model` (its name or file).
        offset: the distorted frame n + offset shows the reference's frame n.

    Returns:
        The page.
    """
    from vmaf import Mapped, heat_png, map_page, quality_maps

    folder, found = Path(options["maps"]), []
    for frame in chosen_frames(scores, options["map_frames"]):
        ref, dist = (
            _raw(pair, options, frame, offset) if options["size"] else _media(pair, model, frame, offset)
        )
        maps = {f"frame-{frame:06d}-{one.name}.png": one for one in quality_maps(ref, dist)}
        for name, one in maps.items():
            (folder / name).write_bytes(heat_png(dist[0], one))
        score = float(scores.columns["vmaf"][scores.frames == frame][0])
        found.append(Mapped(frame, score, maps))
    page = folder / "index.html"
    page.write_text(map_page(found, scores.model), encoding="utf-8")
    return page


def chosen_frames(scores: FrameScores, named: Sequence[int]) -> list[int]:
    """The named frames, else the worst ones, no two from the same second."""
    from pipelines.report.worst import worst_frames

    known = set(scores.frames.tolist())
    if unknown := [frame for frame in named if frame not in known]:
        text = f"{', '.join(map(str, unknown))}: wanted frames that were scored"
        raise click.BadParameter(text, param_hint="--map-frame")
    if named:
        return list(dict.fromkeys(named))
    places = worst_frames(scores.columns["vmaf"], [(0, len(scores))], count=COUNT, apart=APART)
    return [int(scores.frames[place]) for place in places]


def _raw(pair: tuple[str, str], options: dict[str, Any], frame: int, offset: int) -> tuple[Planes, Planes]:
    from vmaf import raw_pictures

    width, _, height = options["size"].partition("x")
    ref, dist = (
        next(islice(raw_pictures(path, int(width), int(height), options["pix_fmt"]), frame + ahead, None))
        for path, ahead in zip(pair, (0, offset), strict=True)
    )
    return ref, dist


def _media(pair: tuple[str, str], model: str, frame: int, offset: int) -> tuple[Planes, Planes]:
    """The frame of both sides as the scorer saw it. The planes' frames stay referenced by them."""
    from archer.media import FrameRange, frames, probe
    from vmaf import converters_of, model_named

    infos = probe(pair[0]), probe(pair[1])
    sides = zip(pair, infos, converters_of(*infos, model_named(model)), (0, offset), strict=True)
    ref, dist = (
        converter.planes(next(iter(frames(url, FrameRange(frame + ahead, frame + ahead + 1), info=info))))
        for url, info, converter, ahead in sides
    )
    return ref, dist
