"""What goes wrong in time: black, white, frozen, repeated and missing frames, flashes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from archer.media.range import FrameRange
from pipelines.ingest.telecine import SAMPLE, is_pulled_down
from pipelines.qc.profile import Profile
from pipelines.qc.title import Mask, Title, runs

Found = Iterator[tuple[FrameRange, str]]
Values = npt.NDArray[np.float32]

STILL, STILL_SHARE = 0.8, 0.2
"""Largest change of a frame that stands still: absolute, and as a share of what moves around it. Coders refine a picture that
stands still, which is a change as well."""
PLAIN = 2.0
"""Deviation of luma below which a picture shows nothing."""
PLAIN_LEVELS = 6
"""How far from black or white a plain picture may be, 8-bit units."""
MOVING = 0.5
"""Least change of a picture that moves, beyond noise."""
AROUND = 4
"""Frames on each side that are compared."""
LONELY = 15
"""Frames on each side of a repeated frame without another: cadences (animation on twos, pull-down) repeat regularly."""
FADE = 0.6
"""Share of a change that is one of mean luma, from which on it is a fade."""
FLASH = 20.0
"""Least change of luminance in a flash, cd/m^2; and of redness."""
PANNING = 0.25
"""Least pan in which a missing frame shows, % of the width per frame."""
STEADY = 0.15
"""Largest deviation of a steady pan, as a share of its mean."""
JUMP = (1.7, 6.0)
"""How many times as far as its neighbours a frame lies where frames are missing."""


def black(title: Title, profile: Profile) -> Found:
    """Plain black inside a title; at its ends it is usual."""
    level = (0 if title.full_range else 16) + PLAIN_LEVELS
    yield from _plain(title, title["luma_p99"] <= level, profile.black_s, "black")


def white(title: Title, profile: Profile) -> Found:
    """Plain white inside a title; at its ends it is usual."""
    level = (255 if title.full_range else 235) - PLAIN_LEVELS
    yield from _plain(title, title["luma_mean"] >= level, profile.white_s, "white")


def _plain(title: Title, mask: Mask, seconds: float, what: str) -> Found:
    for run in runs(np.asarray(mask & (title["luma_std"] < PLAIN))):
        inside = run.start > 0 and run.end < len(title)
        if inside and len(run) >= seconds * title.rate:
            yield run, f"{len(run)} frames of {what} ({float(len(run) / title.rate):.2f} s)"


def freeze(title: Title, profile: Profile) -> Found:
    """Frames that stand still in the midst of a shot that moves before and after."""
    change, moves = title.change(), _moving(title)
    for shot in title.shots:
        part = change[shot.start : shot.end]
        live = part[part > STILL]
        if not len(live):
            continue
        least = min(STILL, STILL_SHARE * float(np.median(live)))
        for run in runs((part <= least) & (title["luma_std"][shot.start : shot.end] >= PLAIN)):
            start, end = shot.start + run.start, shot.start + run.end
            if len(run) >= profile.freeze_frames - 1 and _between(moves, start, end, shot):
                yield FrameRange(start - 1, end), f"{len(run) + 1} equal frames in a shot that moves"


def _between(moves: Mask, start: int, end: int, shot: FrameRange) -> bool:
    """The frames right before a run move, and those behind it as well, unless its shot ends with it."""
    before, after = moves[max(shot.start + 1, start - AROUND) : start], moves[end + 1 : end + 1 + AROUND]
    sides = [before] if end == shot.end < len(moves) else [before, after]
    return all(len(side) == AROUND and side.all() for side in sides)


def duplicate(title: Title, _profile: Profile) -> Found:
    """One frame that repeats the one before it, where all around it moves; not in a cadence."""
    places = np.array(list(_repeated(title)), np.int64)
    for place in places[~_cadence(places)].tolist():
        yield FrameRange(place, place + 1), "the frame repeats the one before it"


def _repeated(title: Title) -> Iterator[int]:
    change = title.change()
    moves, still = _moving(title), change <= STILL
    for place in np.flatnonzero(still).tolist():
        around = _around(change, place)
        alone = still[max(0, place - LONELY) : place + LONELY + 1].sum() == 1
        if around is None or not alone or not _around(moves.astype(np.float32), place).all():  # type: ignore[union-attr]
            continue
        if change[place] <= STILL_SHARE * around.min():
            yield place


def _cadence(places: npt.NDArray[np.int64]) -> Mask:
    """Which of them come at the distance that most have, three times and more: a conversion of the frame rate."""
    apart = np.diff(places)
    if len(apart) < 2:
        return np.zeros(len(places), np.bool_)
    values, counts = np.unique(apart, return_counts=True)
    usual = values[counts.argmax()]
    regular = apart % usual == 0 if counts.max() >= 2 else np.zeros(len(apart), np.bool_)
    return np.asarray(np.concatenate([regular[:1], regular]) | np.concatenate([regular, regular[-1:]]))


def _moving(title: Title) -> Mask:
    """Frames that move, and do not only fade."""
    change, drift = title.change(), np.abs(np.diff(title["luma_mean"], prepend=np.nan))
    return np.asarray((change >= MOVING) & (drift < FADE * change))


def dropped(title: Title, _profile: Profile) -> Found:
    """A jump in a steady pan. Where nothing pans, a missing frame cannot be told from what is shown."""
    change = title.change()
    pan = np.where(np.isnan(change), np.nan, np.hypot(title["pan_x"], title["pan_y"] * 9 / 16))
    for place in np.flatnonzero(pan > PANNING * JUMP[0]).tolist():
        around = _around(pan, place)
        if around is None or around.mean() < PANNING or around.std() > STEADY * around.mean():
            continue
        times, left = pan[place] / around.mean(), _around(title["unexplained"], place)
        fits = left is not None and title["unexplained"][place] <= 2 * left.mean() + 1
        if fits and JUMP[0] <= times <= JUMP[1]:
            yield (
                FrameRange(place, place + 1),
                f"the picture jumps {times:.1f} times as far as around it: frames are missing",
            )


def _around(values: Values, place: int) -> Values | None:
    """The values on both sides of a frame; None at an end, or where there is no value."""
    if place < AROUND or place + AROUND >= len(values):
        return None
    both = np.concatenate([values[place - AROUND : place], values[place + 1 : place + AROUND + 1]])
    return None if np.isnan(both).any() else both


def flash(title: Title, profile: Profile) -> Found:
    """More flashes within a second than eyes sensitive to them can bear (ITU-R BT.1702-3: more than three)."""
    never = np.zeros(len(title), np.float32)
    for what, turns in (
        ("flashes", transitions(title["flash"], title["flash_dark"])),
        ("flashes of saturated red", transitions(title["red_flash"], never)),
    ):
        for span, worst in _often(np.array(turns, np.int64), title, profile.flashes):
            yield span, f"{worst / 2:g} {what} within a second"


def _often(turns: npt.NDArray[np.int64], title: Title, most: int) -> Iterator[tuple[FrameRange, int]]:
    """Where more transitions than allowed flashes have lie within a second, and how many at worst."""
    ends = np.searchsorted(turns, turns + max(1, round(title.rate)))
    many, worst = np.zeros(len(title), np.bool_), np.zeros(len(title), np.int64)
    for place, behind in enumerate(ends.tolist()):
        count = behind - place
        if count > 2 * most:
            span = slice(turns[place], turns[behind - 1] + 1)
            many[span], worst[span] = True, np.maximum(worst[span], count)
    for run in runs(many):
        yield run, int(worst[run.start : run.end].max())


def transitions(flashes: Values, dark: Values) -> list[int]:
    """Frames where a change of luminance in one direction reaches the limit of ITU-R BT.1702-3.

    That is 20 cd/m^2 where the darker side is below 160, and an eighth of it above (`pipelines/vision/flash.py`). Redness has
    the limit of 20, and no darker side. Changes of one direction add up over frames; a change in the other direction begins
    anew.
    """
    found, total, counted = [], 0.0, False
    for place, (value, low) in enumerate(zip(np.nan_to_num(flashes), np.nan_to_num(dark), strict=True)):
        if value * total < 0:
            total, counted = 0.0, False
        total += float(value)
        if abs(total) >= max(FLASH, low / 8) and not counted:
            found.append(place)
            counted = True
        if value == 0:
            total, counted = 0.0, False
    return found


def telecine(title: Title, _profile: Profile) -> Found:
    """Film that was brought to 60 fields a second by repeating some (3:2 pull-down), part by part."""
    steps = np.stack([title["top_change"], title["bottom_change"]], axis=1)[1:]
    found, count = np.zeros(len(title), np.bool_), max(1, len(steps) // SAMPLE)
    for part in np.array_split(np.arange(len(steps)), count):
        found[part + 1] = is_pulled_down(steps[part])
    for run in runs(found):
        yield run, "film in interlaced video (3:2 pull-down): undo it before it is encoded, as ingest does"
