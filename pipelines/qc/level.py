"""What goes wrong with levels and samples: range, gamut, dead pixels, fields, blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from archer.media.range import FrameRange
from pipelines.qc.profile import Profile
from pipelines.qc.title import Column, Title

Found = Iterator[tuple[FrameRange, str]]

LIVE = 0.3
"""Least median change of a title that is no still picture or screen."""
PATH = 20.0
"""Way that a camera has moved, in % of the picture, after which what stays in its place is not of the scene."""
FEWEST = 24
"""Frames below which nothing is said about a whole title."""
DETAILED = 5.0
"""Deviation of luma above which a picture shows something."""
FIELDS_MOVE = 1.0
"""Least change from which the order of fields can be told."""


def dead_pixel(title: Title, profile: Profile) -> Found:
    """A place that stands out of its neighbours in nearly all frames, whatever is shown there.

    A detail of a scene that stands still looks the same: a single shot counts only where the camera moves.
    """
    shots = [shot for shot in title.shots if len(shot) >= FEWEST]
    path = np.nan_to_num(np.hypot(title["pan_x"], title["pan_y"])).sum()
    live = len(title) > 1 and float(np.nanmedian(title["change"])) >= LIVE
    if not shots or not live or (len(shots) < 2 and path < PATH):
        return
    counts = [_counted(title["spot_places"][shot.start : shot.end]) for shot in shots]
    for place in sorted(set.intersection(*map(set, counts))):
        shares = [count[place] / len(shot) for count, shot in zip(counts, shots, strict=True)]
        if min(shares) >= profile.dead_share:
            row, column = divmod(place, title.video.width)
            share = f"{100 * min(shares):.0f} % of the frames of every shot"
            yield FrameRange(0, len(title)), f"the sample at column {column}, row {row} stands out in {share}"


def _counted(spots: Column) -> Counter[int]:
    return Counter(place for places in spots if places is not None for place in places)


def range(title: Title, profile: Profile) -> Found:
    """Samples beyond the range that the file declares, or far within it."""
    if len(title) < FEWEST:
        return
    below, above = float(np.mean(title["below_range"])), float(np.mean(title["above_range"]))
    if title.full_range:
        lies_within = title["luma_min"].min() >= 15 and title["luma_max"].max() <= 236
        if lies_within and float(np.median(title["luma_std"])) > 10:
            yield (
                FrameRange(0, len(title)),
                "declared full range, but no sample is beyond video range: it looks pale",
            )
        return
    said = f"{100 * below:.1f} % of luma below 16, {100 * above:.1f} % above 235"
    if min(below, above) >= profile.range_share:
        yield FrameRange(0, len(title)), f"declared video range, but full range was meant: {said}"
    elif max(below, above) >= profile.excess_share:
        yield FrameRange(0, len(title)), f"samples beyond video range: {said}"


def gamut(title: Title, profile: Profile) -> Found:
    """Colours that no display shows (EBU R 103)."""
    share = float(np.nanmean(title["out_of_gamut"])) if not np.isnan(title["out_of_gamut"]).all() else 0.0
    if share > profile.gamut_share:
        yield FrameRange(0, len(title)), f"{100 * share:.1f} % of colours out of gamut"


def field_order(title: Title, profile: Profile) -> Found:
    """Fields in another order than the file says, or where it says that there are none."""
    moving = title["change"] >= FIELDS_MOVE
    if moving.sum() < FEWEST / 2:
        return
    evidence = float(np.median(title["field_order"][moving]))
    declared = title.video.field_order
    seen = "progressive" if abs(evidence) < profile.field_order else "tff" if evidence > 0 else "bff"
    if seen not in ("progressive", declared):
        names = {"tff": "top field first", "bff": "bottom field first", "progressive": "progressive"}
        text = f"declared {names[declared]}, but the pictures are {names[seen]} (evidence {evidence:+.2f})"
        yield FrameRange(0, len(title)), text


def blocks(title: Title, profile: Profile) -> Found:
    """Borders of blocks that show through: it was coded too coarsely before."""
    rich = title["luma_std"] > DETAILED
    value = float(np.median(title["blockiness"][rich])) if rich.any() else 0.0
    if value >= profile.blockiness:
        yield (
            FrameRange(0, len(title)),
            f"steps at block borders are {value:.2f} times those inside of blocks",
        )


def banding(title: Title, profile: Profile) -> Found:
    """Steps in what should be smooth, in the key frame of a shot (CAMBI); shots that follow each other are one finding."""
    over = [still for still in title.stills if still.banding >= profile.banding]
    while over:
        together = [over.pop(0)]
        while over and over[0].shot.start == together[-1].shot.end:
            together.append(over.pop(0))
        worst = max(together, key=lambda still: still.banding)
        text = f"bands in {len(together)} shots, worst in frame {worst.frame} (CAMBI {worst.banding:.1f}; 5 is annoying)"
        yield FrameRange(together[0].shot.start, together[-1].shot.end), text
