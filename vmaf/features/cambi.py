"""Banding: libvmaf's `cambi`, `cambi_source` and `cambi_full_reference`. 0 is none, about 5 is annoying."""

from __future__ import annotations

from dataclasses import dataclass

from cinemill_native import cambi
from cinemill_native.frames import Plane
from vmaf.features.feature import Columns, Feature, Planes, option, suffix
from vmaf.features.luminance import darkest_visible, highest_visible

SCALE_WEIGHTS = (16, 8, 4, 2, 1)
HALVED_FROM = {1080: 1920 * 1080, 1440: 2560 * 1440, 2160: 3840 * 2160}
"""`cambi_high_res_speedup` -> samples from which half the size is enough."""

LARGEST_WINDOW = 255
"""Samples; counts of a larger one would not fit 16 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CambiOptions:
    """Options as libvmaf names them.

    Attributes:
        cambi_eotf: bt1886, or pq for HDR.
        cambi_high_res_speedup: begin at half the size from this many lines on: 1080, 1440, 2160, or 0 for never.
        cambi_max_val: highest value.
        cambi_topk: share of the samples, the most banded ones, that counts.
        cambi_vis_lum_threshold: light below which nothing is seen, cd/m2.
        enc_bitdepth, enc_height, enc_width: of the encode, where it differs from the picture; 0 for the picture's.
        max_log_contrast: steps of up to 2 to this many 10-bit levels are banding.
        src_height, src_width: of the reference's encode, for `cambi_source`; 0 for the picture's.
        tvi_threshold: difference of light that can be told, relative.
        window_size: of the window at 4K, samples.
    """

    cambi_eotf: str = option("ceot", "bt1886")
    cambi_high_res_speedup: int = option("hrs", 0)
    cambi_max_val: float = option("cmxv", 1000.0)
    cambi_topk: float = option("ctpk", 0.6)
    cambi_vis_lum_threshold: float = option("vlt", 0.0)
    enc_bitdepth: int = option("encbd", 0)
    enc_height: int = option("ench", 0)
    enc_width: int = option("encw", 0)
    max_log_contrast: int = option("mlc", 2)
    src_height: int = option("srch", 0)
    src_width: int = option("srcw", 0)
    tvi_threshold: float = option("tvit", 0.019)
    window_size: int = option("ws", 65)

    def __post_init__(self) -> None:
        """Raises: ValueError: an option is out of range."""
        if self.cambi_eotf not in {"bt1886", "pq"}:
            raise ValueError(f"cambi_eotf: wanted bt1886 or pq, got {self.cambi_eotf}")
        if not 0 <= self.max_log_contrast <= 5:
            raise ValueError(f"max_log_contrast: wanted 0 to 5, got {self.max_log_contrast}")
        if not 15 <= self.window_size <= 127:
            raise ValueError(f"window_size: wanted 15 to 127, got {self.window_size}")


@dataclass(frozen=True, slots=True)
class Cambi:
    """CAMBI of the distorted side.

    Attributes:
        options: of all columns.
        full_reference: also of the reference, and how much the distortion added.
    """

    options: CambiOptions = CambiOptions()
    full_reference: bool = False

    def measure(self, ref: Planes, dist: Planes) -> Columns:
        """See `Feature.measure`; luma must be at least 16x16."""
        options, name = self.options, suffix(self.options)
        luma, most = dist[0], self.options.cambi_max_val
        size = (options.enc_width or luma.width, options.enc_height or luma.height)
        if size[0] > luma.width or size[1] > luma.height:
            size = (luma.width, luma.height)
        score = self._score(luma, size, size)
        found = {f"cambi{name}": min(score, most)}
        if self.full_reference:
            of_source = (options.src_width or ref[0].width, options.src_height or ref[0].height)
            source = self._score(ref[0], of_source, size)
            found[f"cambi_source{name}"] = min(source, most)
            found[f"cambi_full_reference{name}"] = min(max(0.0, score - source), most)
        return found

    def joined(self, other: Feature) -> Feature | None:
        """With the same options."""
        if not isinstance(other, Cambi) or other.options != self.options:
            return None
        return Cambi(self.options, self.full_reference or other.full_reference)

    def _score(self, plane: Plane, size: tuple[int, int], encode: tuple[int, int]) -> float:
        """Of one side, looked at in `size`; whether half of it is enough depends on the size of the encode."""
        options = self.options
        least = HALVED_FROM.get(options.cambi_high_res_speedup)
        halve = least is not None and encode[0] * encode[1] >= least
        return self.score(plane, size, window_of(options.window_size, size, halve=halve), halve=halve)

    def score(self, plane: Plane, size: tuple[int, int], window: int, *, halve: bool = False) -> float:
        """Of one plane, or of a part of a picture with the picture's window.

        Args:
            plane: luma, at least 16x16.
            size: (width, height) in which it is looked at.
            window: side of the window, as `window_of` gives it.
            halve: begin at half the size.
        """
        options = self.options
        steps = range(1, (1 << options.max_log_contrast) + 1)
        scales = cambi(
            plane,
            width=size[0],
            height=size[1],
            smooth=(options.enc_bitdepth or plane.bit_depth) < 10,
            halve=halve,
            window=window,
            highest=[highest_visible(step, options.tvi_threshold, options.cambi_eotf) for step in steps],
            dark=darkest_visible(options.cambi_vis_lum_threshold, options.cambi_eotf),
            top=options.cambi_topk,
        )
        total = 0.0
        for score, weight in zip(scales, SCALE_WEIGHTS, strict=True):
            total += score * weight
        return total / (window * window)


def window_of(at_4k: int, size: tuple[int, int], *, halve: bool = False) -> int:
    """Side of the window in which levels are counted, odd, from the one at 4K.

    libvmaf's table ends at windows of 65 samples: width and height of 6092 together, or of twice that at half the size.

    Raises: ValueError: the window has more than 65535 samples.
    """
    window = (at_4k * sum(size) // 375) >> 4
    side = ((window + 1) >> 1 if halve else window) | 1
    if side > LARGEST_WINDOW:
        raise ValueError(
            f"cambi of {size[0]}x{size[1]}: wanted a window of up to {LARGEST_WINDOW} samples, got {side}; "
            "choose a smaller window_size, or half the size with cambi_high_res_speedup=1080"
        )
    return side
