"""What a codec is to us: names, ranges, what it takes, and how settings become arguments of ffmpeg."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from archer.media import Hdr
from encoder.codecs.options import Kind, check_options
from encoder.errors import BadOption, CannotCode
from encoder.settings import EncodeSettings
from encoder.vbv import FULL_AT_START, Cap

STRUCTURE = "it would break the structure that chunks and rungs share; leave it out"
SUBSAMPLED = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}
"""Chroma in the names of pixel formats -> samples of luma per sample of chroma, across and down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """A codec, as data.

    Attributes:
        name: ours.
        encoder: ffmpeg's name of the encoder.
        quality: (lowest, highest) constant quality value; lower is better.
        step: distance of quality values that differ in the output.
        quality_flags: arguments in front of the quality value.
        first_guesses: two quality values that a search for a VMAF around 93 starts from.
        presets: all speed presets, slowest first.
        default_preset: the one used where none is asked for.
        preset_flag: the argument in front of the preset.
        options: what `--encoder-params` may hold.
        refused: parameter names that would break the structure -> why.
        formats: pixel formats that the encoder codes as they are.
        sizes: (smallest, largest) side of a picture, samples.
        ten_bit: sources of more than 8 bits are coded with 10, and players take that.
        hdr: HDR10 and HLG titles are kept, with mastering display and light levels in the stream.
        grain: `grain` of the settings is carried out.
        vbv: it keeps to the peak rate and buffer of the settings, more or less.
        level: of one that does: the parameter that names the level, which it would else choose by the rate, too.
        containers: of a single file; every codec goes into fragmented mp4 for packages where `packaged`.
        packaged: the packager takes it.
        arguments: encoder options from (settings, GOP length in frames, HDR metadata), without quality and preset.
    """

    name: str
    encoder: str
    quality: tuple[Decimal, Decimal]
    step: Decimal
    quality_flags: tuple[str, ...] = ("-crf",)
    first_guesses: tuple[str, str]
    presets: tuple[str, ...]
    default_preset: str
    preset_flag: str = "-preset"
    options: Mapping[str, Kind]
    refused: Mapping[str, str] = field(default_factory=dict)
    formats: tuple[str, ...]
    sizes: tuple[int, int]
    ten_bit: bool
    hdr: bool = False
    grain: bool = False
    vbv: bool = False
    level: str = ""
    containers: frozenset[str] = frozenset({"mkv", "mp4"})
    packaged: bool = True
    arguments: Callable[[EncodeSettings, int, Hdr | None], list[str]]

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
        check_options(encoder_params, self.options, self.refused, self.name)

    def check_picture(self, width: int, height: int, settings: EncodeSettings) -> None:
        """Refuse pictures that this codec cannot code as they are; nothing is converted behind anybody's back.

        Args:
            width, height: of the pictures to code, samples.
            settings: how; they choose the pixel format.

        Raises:
            CannotCode: says what it takes, and what to do.
        """
        pixels = self.pixel_format(settings)
        if pixels not in self.formats:
            raise CannotCode(
                self.name, f"pixel format {pixels}", f"it takes {', '.join(self.formats)}; choose one of them"
            )
        if settings.grain and not self.grain:
            raise CannotCode(
                self.name, "film grain tables", "use --codec svtav1 or aom, or leave --grain out"
            )
        across, down = SUBSAMPLED.get(pixels[3:6], (1, 1))
        if width % across or height % down:
            raise CannotCode(
                self.name,
                f"a {pixels} picture of {width}x{height}",
                f"its sides must be multiples of {across} and {down}; choose a rung of even size",
            )
        low, high = self.sizes
        if not (low <= width <= high and low <= height <= high):
            raise CannotCode(
                self.name, f"a picture of {width}x{height}", f"it takes sides from {low} to {high}"
            )

    def command(self, settings: EncodeSettings, gop: int, *, hdr: Hdr | None = None) -> list[str]:
        """Arguments of ffmpeg that choose the encoder and everything about it.

        Args:
            settings: how to encode.
            gop: distance of key frames, frames.
            hdr: metadata of an HDR title, written into the stream; None for SDR.
        """
        preset = settings.preset or self.default_preset
        choice = ["-c:v", self.encoder, self.preset_flag, preset, *self.quality_flags, settings.crf]
        return [*choice, *self.arguments(settings, gop, hdr)]

    def pixel_format(self, settings: EncodeSettings) -> str:
        """What is coded: what the settings name, else 4:2:0 of 8 or 10 bits."""
        return settings.pixel_format or ("yuv420p10le" if settings.ten_bit and self.ten_bit else "yuv420p")


def joined(fixed: Mapping[str, object], params: str) -> str:
    """Encoder parameters as ffmpeg takes them; the user's come last, so they win where both are given."""
    return ":".join([*(f"{key}={value}" for key, value in fixed.items()), *filter(None, [params])])


def tuning(params: str) -> tuple[list[str], str]:
    """The tuning, which is an argument of its own since it changes the defaults of the others, and the rest."""
    entries = params.split(":")
    tune = [entry.partition("=")[2] for entry in entries if entry.startswith("tune=")]
    rest = ":".join(entry for entry in entries if not entry.startswith("tune="))
    return (["-tune", tune[-1]] if tune else []), rest


def vbv_params(cap: Cap) -> dict[str, object]:
    """A cap as x264 and x265 take it."""
    return {"vbv-maxrate": cap.kbps, "vbv-bufsize": cap.buffer_kbits, "vbv-init": FULL_AT_START}


def _number(option: str, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise BadOption(option, text, "wanted a number")
    return value
