"""The plane vocabulary: what every kernel reads and every decoder hands out.

A `Plane` is one 2-D array of samples, a `Frame` the planes of one picture with its time and colour facts.
Neither copies: a plane wraps whatever speaks DLPack or the buffer protocol (PyAV planes, numpy arrays).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """Colour facts of a picture as ITU-T H.273 code points; 2 means unspecified.

    Attributes:
        primaries, transfer, matrix: H.273 code points (1 = BT.709, 9 = BT.2020, 16 = PQ, 18 = HLG ...).
        full_range: True for full range, False for limited (video) range, None where the file does not say.
    """

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    full_range: bool | None = None

    @property
    def is_hdr(self) -> bool:
        """True for the PQ (16) and HLG (18) transfer functions."""
        return self.transfer in (16, 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """Layout of a planar YUV or grey picture.

    Attributes:
        name: FFmpeg's name, e.g. `yuv420p10le`.
        bit_depth: significant bits per sample, 8 to 16; above 8 samples are little-endian uint16.
        chroma_shift: (horizontal, vertical) log2 subsampling of chroma: (1, 1) for 4:2:0; None for grey.
    """

    name: str
    bit_depth: int
    chroma_shift: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Plane:
    """One plane of samples, rows possibly padded.

    Attributes:
        samples: (height, width) uint8 (bit depth 8) or uint16 (9 to 16); rows may be strided, samples of a
            row are contiguous. A view: it keeps its owner alive, and is valid as long as it is referenced.
        bit_depth: significant bits, 8 to 16.
    """

    samples: Samples
    bit_depth: int = 8

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.samples.shape[0])

    @property
    def width(self) -> int:
        """Samples per row."""
        return int(self.samples.shape[1])

    @property
    def peak(self) -> int:
        """Largest sample value, 2 ** bit_depth - 1."""
        return (1 << self.bit_depth) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One decoded picture.

    Attributes:
        planes: luma first, then chroma (Y, Cb, Cr), without alpha.
        format: the planes' layout.
        index: presentation index in the asset, 0-based.
        pts: presentation time in integer ticks of `time_base`.
        time_base: seconds per tick.
        colour: colour facts as decoded.
        owner: the decoder's own picture object (an `av.VideoFrame`), for zero-copy hand-over to an encoder.
    """

    planes: tuple[Plane, ...]
    format: PixelFormat
    index: int
    pts: int
    time_base: Fraction
    colour: Colour = field(default_factory=Colour)
    owner: Any = field(default=None, repr=False, compare=False)

    def __iter__(self) -> Iterator[Plane]:
        return iter(self.planes)

    @property
    def luma(self) -> Plane:
        """The first plane."""
        return self.planes[0]

    @property
    def time(self) -> Fraction:
        """Presentation time in seconds, exact."""
        return self.pts * self.time_base
