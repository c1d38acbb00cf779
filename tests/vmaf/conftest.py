"""Golden scores of libvmaf, and the pictures they were computed from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinemill_native import Plane

SHARED = Path(__file__).resolve().parents[3] / "shared"
GOLDEN = SHARED / "vectors" / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.json")) if GOLDEN.is_dir() else []


@dataclass(frozen=True)
class Golden:
    """What libvmaf f85a853 (3.2.0 + 13) says about one pair, to 17 digits."""

    name: str
    data: dict[str, Any]

    @property
    def bit_depth(self) -> int:
        return int(self.data["bitdepth"])

    @property
    def size(self) -> tuple[int, int]:
        return int(self.data["width"]), int(self.data["height"])

    @property
    def small(self) -> bool:
        """Below 33 samples libvmaf's ADM reads memory in front of its planes: its numbers change from run to run."""
        return min(self.size) < 33

    def metrics(self, kind: str, name: str) -> list[dict[str, float]]:
        """Per frame, of one entry of `models` or `features`."""
        return [frame["metrics"] for frame in self.data[kind][name]["frames"]]

    def luma(self, side: str) -> Iterator[Plane]:
        """Luma planes of `ref` or `dis`."""
        yield from (planes[0] for planes in self.planes(side))

    def planes(self, side: str) -> Iterator[list[Plane]]:
        width, height = self.size
        across, down = {"420": (1, 1), "444": (0, 0)}[self.data["pixel_format"]]
        chroma = (-(-height >> down), -(-width >> across))
        shapes = [(height, width), chroma, chroma]
        dtype = np.uint8 if self.bit_depth == 8 else np.uint16
        samples = np.fromfile(SHARED / "vectors" / "yuv" / self.data[side], dtype)
        while len(samples):
            planes = []
            for shape in shapes:
                count = shape[0] * shape[1]
                planes.append(Plane(samples[:count].reshape(shape), self.bit_depth))
                samples = samples[count:]
            yield planes


@pytest.fixture(params=NAMES or [pytest.param("", marks=pytest.mark.skip(reason=f"needs {GOLDEN}"))])
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(request.param, json.loads((GOLDEN / f"{request.param}.json").read_text()))
