"""What a codec is to us: names, ranges, and how settings become arguments of ffmpeg."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from encoder.errors import BadOption
from encoder.settings import EncodeSettings

STRUCTURE = "it would break the structure that chunks and rungs share; leave it out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """A codec, as data.

    Attributes:
        name: ours.
        encoder: ffmpeg's name of the encoder.
        quality: (lowest, highest) constant quality value; lower is better.
        step: distance of quality values that differ in the output.
        first_guesses: two quality values that a search for a VMAF around 93 starts from.
        presets: all speed presets, slowest first.
        default_preset: the one used where none is asked for.
        refused: parameter names that would break the structure -> why.
        ten_bit: the encoder can code 10 bits per sample for players.
        arguments: encoder options from (settings, GOP length in frames), without quality and preset.
    """

    name: str
    encoder: str
    quality: tuple[Decimal, Decimal]
    step: Decimal
    first_guesses: tuple[str, str]
    presets: tuple[str, ...]
    default_preset: str
    refused: Mapping[str, str] = field(default_factory=dict)
    ten_bit: bool
    arguments: Callable[[EncodeSettings, int], list[str]]

    def check(self, *, crf: str, preset: str, encoder_params: str) -> None:
        """Refuse settings that this codec cannot carry out.

        Raises:
            BadOption: names the option, what was got and what is wanted.
        """
        low, high = self.quality
        if crf and not low <= _number("--crf", crf) <= high:
            raise BadOption(
                "--crf", crf, f"out of range for {self.name}; wanted {low} to {high}, lower is better"
            )
        if preset and preset not in self.presets:
            raise BadOption("--preset", preset, f"{self.name} has: {', '.join(self.presets)}")
        for pair in filter(None, encoder_params.split(":")):
            key, separator, _ = pair.partition("=")
            if not separator:
                raise BadOption("--encoder-params", pair, "wanted key=value:key=value")
            if key in self.refused:
                raise BadOption("--encoder-params", pair, self.refused[key])

    def command(self, settings: EncodeSettings, gop: int) -> list[str]:
        """Arguments of ffmpeg that choose the encoder and everything about it."""
        preset = settings.preset or self.default_preset
        return ["-c:v", self.encoder, "-preset", preset, "-crf", settings.crf, *self.arguments(settings, gop)]

    def pixel_format(self, settings: EncodeSettings) -> str:
        """What is coded: 4:2:0, 8 or 10 bit."""
        return "yuv420p10le" if settings.ten_bit and self.ten_bit else "yuv420p"


def joined(fixed: Mapping[str, object], params: str) -> str:
    """Encoder parameters as ffmpeg takes them; the user's come last, so they win where both are given."""
    return ":".join([*(f"{key}={value}" for key, value in fixed.items()), *filter(None, [params])])


def _number(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise BadOption(option, text, "wanted a number") from None
