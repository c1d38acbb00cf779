"""Options of `cinemill encode` that say what the optimizer is to reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import click

from pipelines.cli.options import Real

F = TypeVar("F", bound=Callable[..., Any])
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmMgG]?)i?[bB]?(?:/s|ps)?")
_POWERS = {"": 0, "k": 3, "m": 6, "g": 9}


class Amount(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """A number with k, M or G, as decimal text in `unit`s of a power of ten.

    Args:
        name: shown in the help.
        unit: power of ten of the result: 3 for kilobits, 0 for bytes.
        plain: power of ten of a number without a letter.
    """

    def __init__(self, name: str, *, unit: int, plain: int) -> None:
        self.name, self._unit, self._plain = name, unit, plain

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The number as text; empty stays empty."""
        text = str(value).strip()
        if not text:
            return ""
        found = _NUMBER.fullmatch(text)
        if found is None or Decimal(found[1]) == 0:
            self.fail(f"{text!r}: wanted a number above 0, as 1500k or 4M", param, ctx)
        power = _POWERS[found[2].lower()] if found[2] else self._plain
        return f"{(Decimal(found[1]).scaleb(power - self._unit)).normalize():f}"


RATE = Amount("RATE", unit=3, plain=3)
BYTES = Amount("SIZE", unit=0, plain=0)
VMAF = Real(min=0, max=100)
_OPTIONS = (
    click.option(
        "--mode",
        type=click.Choice(["dynamic", "constant-vmaf", "per-title", "fixed-crf"]),
        help="How shots share bits. Default: dynamic; fixed-crf with --crf; one CRF found by search for a single file.",
    ),
    click.option(
        "--target-vmaf",
        type=Real(min=0, max=100, min_open=True),
        help="VMAF the top rung aims at (default 93).",
    ),
    click.option(
        "--target-bitrate", type=RATE, default="", help="Average bit rate of the top rung instead: 4M, 1500k."
    ),
    click.option(
        "--target-size",
        type=BYTES,
        default="",
        help="Bytes of the video of all rungs together instead: 700M.",
    ),
    click.option(
        "--pool",
        type=click.Choice(["mean", "harmonic"]),
        default="mean",
        show_default=True,
        help="VMAF of a title.",
    ),
    click.option("--shot-floor", type=VMAF, help="Least VMAF of a shot, where it can be reached."),
    click.option("--shot-ceiling", type=VMAF, help="VMAF of a shot that is good enough."),
    click.option(
        "--peak-bitrate",
        type=RATE,
        default="",
        help="Peak rate that every shot and every run of segments of a rung keeps to.",
    ),
    click.option(
        "--buffer-size",
        type=RATE,
        default="",
        help="Bits that a player's buffer holds at that rate: 12M; default: two seconds of it.",
    ),
    click.option(
        "--max-renditions", type=click.IntRange(1, 20), default=6, show_default=True, help="Of --ladder auto."
    ),
    click.option(
        "--min-bitrate", type=RATE, default="150k", show_default=True, help="Least bit rate of --ladder auto."
    ),
    click.option("--max-bitrate", type=RATE, default="", help="Greatest bit rate of --ladder auto."),
    click.option(
        "--rung-step",
        type=Real(min=0.5, max=50),
        default=6,
        show_default=True,
        help="Least distance of the rungs of --ladder auto, VMAF; 6 is about one just noticeable difference.",
    ),
)


def optimizer_options(command: F) -> F:
    """Add them to a command, in this order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def plan_lines(plan: Mapping[str, Any]) -> Iterator[str]:
    """What `pipelines.encode.forecast` found, for people."""
    for notice in plan["notices"]:
        yield f"note: {notice}"
    tasks = plan["tasks"]
    yield f"to do: {tasks['encode']} encodes ({tasks['chunks']} chunks, {len(plan['rungs'])} rungs), then scoring and packaging"
    hours = plan["encode_cpu_h"]
    known = (
        "unknown (nothing was measured in this run)"
        if hours is None
        else f"about {hours:.3g} CPU-hours at most"
    )
    yield f"encoding: {known}; analysis took {plan['analysis_cpu_h']:.3g}, {plan['analysis_encodes']} encodes"
    for rung in plan["rungs"]:
        size = f"{rung['width']}x{rung['height']}"
        gives = _planned(rung) if "bytes" in rung else "bytes and quality are not predicted for a fixed CRF"
        yield f"{rung['name']:<12} {size:>10}  CRF {rung['crf']:<10} {gives}"
    seen = plan["seen"]
    if seen.get("points"):
        yield (
            f"error seen so far: VMAF {seen['vmaf']:.2f}, bytes {seen['bytes_pct']:.1f} % (mean of {seen['points']} settings, "
            "before they were measured and the plan was corrected by them)"
        )
    yield f"the work so far is kept in {plan['work_dir']}; the same command without --plan goes on with it"


def _planned(rung: Mapping[str, Any]) -> str:
    rate = f"{rung['kbps']:>9,.0f} kb/s {rung['bytes'] / 1e6:>9.2f} MB"
    return f"{rate}   VMAF {rung['vmaf_mean']:.2f}, harmonic {rung['vmaf_harmonic']:.2f}"
