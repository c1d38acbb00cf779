"""VMAF models by name, and the display each was made for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vmaf.errors import UnknownModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model.

    Attributes:
        name: as libvmaf names it; 93 under one model is not 93 under another.
        width, height: display whose viewing distance it was trained for; both sides are scaled to fit it.
        path: its JSON file; empty for one of libvmaf's own.
    """

    name: str
    width: int
    height: int
    path: str = ""

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """The size at which a picture of this display size is scored: as large as fits the display, even sides.

        A portrait picture fits the display turned by 90 degrees.
        """
        wide, high = (self.width, self.height) if width >= height else (self.height, self.width)
        scale = min(wide / width, high / height)
        return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


DEFAULT_MODEL = "vmaf_v0.6.1"
V1 = "vmaf_v1.0.16"
MODELS = {
    model.name: model
    for model in (
        Model(name="vmaf_v0.6.1", width=1920, height=1080),
        Model(name="vmaf_v0.6.1neg", width=1920, height=1080),
        Model(name="vmaf_4k_v0.6.1", width=3840, height=2160),
        Model(name="vmaf_4k_v0.6.1neg", width=3840, height=2160),
        Model(name="vmaf_float_v0.6.1", width=1920, height=1080),
        Model(name="vmaf_float_v0.6.1neg", width=1920, height=1080),
        Model(name="vmaf_float_4k_v0.6.1", width=3840, height=2160),
        *(
            Model(name=f"{V1}_{rate}{viewing}", width=width, height=height)
            for rate in ("", "hfr_")
            for viewing, width, height in (
                ("3d0h", 1920, 1080),
                ("5d0h", 1920, 1080),
                ("3d0h_2160", 3840, 2160),
                ("1d5h_2160", 3840, 2160),
            )
        ),
    )
}


def model_named(name: str) -> Model:
    """The model of this name, or of this JSON file (made for a 4K display if its name says so, else for 1080p).

    Raises:
        UnknownModel: there is no such model.
    """
    if name in MODELS:
        return MODELS[name]
    if name.endswith(".json") and Path(name).is_file():
        wide = any(mark in Path(name).stem.lower() for mark in ("4k", "2160"))
        return Model(
            name=Path(name).stem, width=3840 if wide else 1920, height=2160 if wide else 1080, path=name
        )
    raise UnknownModel(name, (*MODELS, "a .json file"))
