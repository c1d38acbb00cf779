"""VMAF models by name, and the display each was made for."""

from __future__ import annotations

from dataclasses import dataclass

from vmaf.errors import UnknownModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model.

    Attributes:
        name: as libvmaf names it; 93 under one model is not 93 under another.
        width, height: display whose viewing distance it was trained for; both sides are scaled to fit it.
    """

    name: str
    width: int
    height: int

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """The size at which a picture of this display size is scored: as large as fits the display, even sides.

        A portrait picture fits the display turned by 90 degrees.
        """
        wide, high = (self.width, self.height) if width >= height else (self.height, self.width)
        scale = min(wide / width, high / height)
        return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


DEFAULT_MODEL = "vmaf_v0.6.1"
MODELS = {
    model.name: model
    for model in (
        Model(name="vmaf_v0.6.1", width=1920, height=1080),
        Model(name="vmaf_v0.6.1neg", width=1920, height=1080),
        Model(name="vmaf_4k_v0.6.1", width=3840, height=2160),
        Model(name="vmaf_4k_v0.6.1neg", width=3840, height=2160),
    )
}


def model_named(name: str) -> Model:
    """The model of this name. Raises: UnknownModel."""
    if name not in MODELS:
        raise UnknownModel(name, tuple(MODELS))
    return MODELS[name]
