"""The small network that turns features into probabilities, in numpy: 25,000 multiplications a frame.

Its weights are made by `benchmarks/shot_training.py` from compositions of clips, and lie beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Self

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float32]

DILATIONS = (1, 2, 4, 8)
REACH = 1 + 2 * sum(DILATIONS)
"""Steps on each side of a frame that its probabilities depend on, in features."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """Dilated convolutions over time.

    Attributes:
        mean, scale: (f,) of each feature, to normalise it.
        first: (3, f, c) weights and (c,) bias of the first layer.
        blocks: (5, c, c) weights and (c,) bias of the residual layers, one per dilation.
        last: (c, 2) weights and (2,) bias of the output.
    """

    mean: Table
    scale: Table
    first: tuple[Table, Table]
    blocks: tuple[tuple[Table, Table], ...]
    last: tuple[Table, Table]

    @classmethod
    @lru_cache(maxsize=1)
    def trained(cls) -> Self:
        """The network with the weights of this package."""
        with files(__package__).joinpath("weights.npz").open("rb") as stream, np.load(stream) as stored:
            kept = {name: np.asarray(stored[name], np.float32) for name in stored.files}

        def layer(name: str) -> tuple[Table, Table]:
            weights = kept[f"{name}_weight"].transpose(2, 1, 0)  # taps, inputs, outputs
            return np.ascontiguousarray(weights), kept[f"{name}_bias"]

        last, bias = layer("last")
        return cls(
            mean=kept["mean"],
            scale=kept["scale"],
            first=layer("first"),
            blocks=tuple(layer(f"blocks_{place}") for place in range(len(DILATIONS))),
            last=(last[0], bias),
        )

    def __call__(self, table: Table) -> Table:
        """Probabilities of frames from their features and those of `REACH` steps on each side.

        Args:
            table: (REACH + n + REACH, f) float32.

        Returns:
            (n, 2) float32: that a new shot begins at the frame; that the frame is a mixture of two.
        """
        state = _rectified(_convolved((table - self.mean) / self.scale, *self.first, dilation=1))
        for (weights, bias), dilation in zip(self.blocks, DILATIONS, strict=True):
            skip = state[2 * dilation : len(state) - 2 * dilation]
            state = skip + _rectified(_convolved(state, weights, bias, dilation=dilation))
        logits = state @ self.last[0] + self.last[1]
        return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def _convolved(state: Table, weights: Table, bias: Table, *, dilation: int) -> Table:
    """Only where all taps have a value: shorter by (taps - 1) * dilation."""
    length = len(state) - (len(weights) - 1) * dilation
    total = np.broadcast_to(bias, (length, len(bias))).copy()
    for place, tap in enumerate(weights):
        total += state[place * dilation : place * dilation + length] @ tap
    return total


def _rectified(state: Table) -> Table:
    return np.maximum(state, 0)
