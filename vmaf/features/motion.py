"""Change between reference frames: libvmaf's `integer_motion`, `integer_motion2`, `integer_motion3`; `motion` ... of floats.

A frame's value depends on frames around it, so it comes from a `MotionTrack` that is told the changes one by one.
Source of the rules: libvmaf 3.2 (commit f85a853), `integer_motion.c` and `float_motion.c`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from cinemill_native import float_motion, motion_sad
from cinemill_native.frames import Plane
from vmaf.features.feature import Columns, option, suffix


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionOptions:
    """Options as libvmaf names them.

    Attributes:
        motion_blend_factor, motion_blend_offset: how much of a change beyond the offset counts.
        motion_five_frame_window: compare with the frame before the last one (high frame rates).
        motion_fps_weight: factor of every change.
        motion_max_val: highest value.
        motion_moving_average: of two frames.
    """

    motion_blend_factor: float = option("mbf", 1.0)
    motion_blend_offset: float = option("mbo", 40.0)
    motion_five_frame_window: bool = option("mffw", default=False)
    motion_fps_weight: float = option("mfw", 1.0)
    motion_max_val: float = option("mmxv", 10000.0)
    motion_moving_average: bool = option("mma", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatMotionOptions:
    """Options in single precision, without those that no model of libvmaf's uses.

    Attributes:
        motion_blend_factor, motion_blend_offset, motion_fps_weight: as in `MotionOptions`.
    """

    motion_blend_factor: float = option("mbf", 1.0)
    motion_blend_offset: float = option("mbo", 40.0)
    motion_fps_weight: float = option("mfw", 1.0)

    @property
    def all_of_them(self) -> MotionOptions:
        """With the defaults of the rest."""
        return MotionOptions(
            motion_blend_factor=self.motion_blend_factor,
            motion_blend_offset=self.motion_blend_offset,
            motion_fps_weight=self.motion_fps_weight,
        )


@dataclass(frozen=True, slots=True)
class Motion:
    """Wish for the columns of motion.

    Attributes:
        options: of `integer_motion2` and `integer_motion3`.
        single: in single precision: `motion2` and `motion3`.
    """

    options: MotionOptions = MotionOptions()
    single: bool = False

    @property
    def back(self) -> int:
        """How many frames back the other picture of a comparison is."""
        return 2 if self.options.motion_five_frame_window else 1

    @property
    def change(self) -> tuple[int, bool]:
        """Which change it is made of: how many frames back, whether in single precision."""
        return self.back, self.single

    @property
    def context(self) -> tuple[int, int]:
        """Frames before and behind a frame from which its columns are the same as those of the whole title."""
        return 2 * self.back - 1 + self.options.motion_moving_average, self.back


def motion(previous: Plane | None, current: Plane, *, single: bool = False) -> float:
    """Mean absolute low-passed change between two luma planes; 0 where there is none before."""
    if previous is None:
        return 0.0
    if single:
        return float_motion(previous, current)
    return motion_sad(previous, current) / 256.0 / (current.width * current.height)


class MotionTrack:
    """Columns of one wish, frame by frame; not thread-safe.

    Args:
        wish: whose columns.
    """

    def __init__(self, wish: Motion) -> None:
        self._options, self._back, self._name = wish.options, wish.back, suffix(wish.options)
        self._kind = "" if wish.single else "integer_"
        self._changes: deque[float] = deque(maxlen=3)
        self._count, self._given, self._before, self._stamp = 0, 0, 0.0, 0.0

    def add(self, change: float) -> list[Columns]:
        """Take the change of the next frame (`motion`, against the frame `Motion.back` before it).

        Returns: columns of the frames, in order, that are known now: usually of the one before.
        """
        if self._count < self._back:
            change = 0.0
        self._changes.append(min(change * self._options.motion_fps_weight, self._options.motion_max_val))
        self._count += 1
        if self._count == self._back + 1:
            self._stamp = self._blended(self._changes[-1])
        return [self._columns(last=False) for _ in range(self._given, self._known())]

    def finish(self) -> list[Columns]:
        """Columns of the frames that are left."""
        return [self._columns(last=frame == self._count - 1) for frame in range(self._given, self._count)]

    def _known(self) -> int:
        """Frames whose columns are known: those that have one behind them, once there is a stamp for the first ones."""
        return self._count - 1 if self._count > self._back else 0

    def _columns(self, *, last: bool) -> Columns:
        frame, self._given = self._given, self._given + 1
        change = self._change(frame)
        motion2 = 0.0 if frame < self._back else self._least(frame, last=last)
        if frame < self._back:
            motion3 = processed = self._stamp
        else:
            processed = motion3 = self._blended(motion2)
            if self._options.motion_moving_average:
                motion3 = (processed + self._before) / 2.0
        self._before = processed
        return {
            f"{self._kind}motion{self._name}": change,
            f"{self._kind}motion2{self._name}": motion2,
            f"{self._kind}motion3{self._name}": motion3,
        }

    def _change(self, frame: int) -> float:
        place = frame - (self._count - len(self._changes))
        return self._changes[place] if place >= 0 else 0.0

    def _least(self, frame: int, *, last: bool) -> float:
        """The smaller of the changes around a frame."""
        if last:
            return self._change(frame)
        low, high = frame - (self._back - 1), self._change(frame + 1)
        return min(self._change(low), high) if low >= self._back else high

    def _blended(self, value: float) -> float:
        factor, offset = self._options.motion_blend_factor, self._options.motion_blend_offset
        return min(value * factor + (1 - factor) * min(offset, value), self._options.motion_max_val)
