"""`cinemill compare`: two outputs side by side, as a table, as JSON, and as a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import FOLDER, NewFile, quiet_option

if TYPE_CHECKING:
    from pipelines.compare.comparison import Comparison, PairResult
    from pipelines.compare.rates import RateResult

WORST = 5
SETTINGS = 20
"""Lines of each kind that are shown; the page and `--json` have all."""


@click.command()
@click.argument("a", type=FOLDER)
@click.argument("b", type=FOLDER)
@click.option(
    "-o",
    "--output",
    type=NewFile(path_type=Path),
    help="Write a page: charts, shots, worst frames in an A/B player; needs nothing from outside.",
)
@click.option("--names", nargs=2, metavar="A B", help="Names of the sides; default: those of the folders.")
@click.option(
    "--force", is_flag=True, help="Compare different sources, or scores of different models, all the same."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@quiet_option
def compare(
    a: str,
    b: str,
    output: Path | None,
    names: tuple[str, str] | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare two outputs of `cinemill encode` (folders, files encoded with --report, URLs of such): B against A.

    \b
    cinemill compare out-x264 out-av1
    cinemill compare before after -o compare.html --names "preset 8" "preset 4"
    cinemill compare s3://titles/film/before after

    Both are of one source and scored by one model. Differences are B minus A; a negative BD-rate says that B needs
    fewer bits for the same quality.
    """
    from pipelines.compare.comparison import compare as compared

    found = compared(a, b, names=names or None, force=force)
    if output is not None:
        _write(found, output)
    if as_json:
        click.echo(json.dumps(found.to_json()))
    elif not quiet:
        _show(found)
        if output is not None:
            click.echo(f"page: {output}")


def _write(found: Comparison, output: Path) -> None:
    from pipelines.encode.publish import write_whole

    if not output.absolute().parent.is_dir():
        raise click.UsageError(
            f"-o {output}: the folder {output.absolute().parent} does not exist; make it first"
        )
    write_whole(output, found.page(output.absolute().parent).encode())


def _show(found: Comparison) -> None:
    from pipelines.report.view import signed

    for note in found.notes:
        click.echo(f"note: {note}")
    click.echo(
        f"A: {found.a.label}   B: {found.b.label}   ({found.a.manifest['title']}, {found.a.frames} frames)"
    )
    for row in found.settings[:SETTINGS]:
        click.echo(f"differs: {row.what}: A {row.a}; B {row.b}")
    if len(found.settings) > SETTINGS:
        click.echo(f"and {len(found.settings) - SETTINGS} more settings differ; --json lists all")
    head = (
        f"{'rung':<12} {'kb/s A':>8} {'B':>8} {'B - A':>8} {'VMAF A':>8} {'B':>7} {'B - A':>7} "
        f"{'min A':>6} {'B':>6} {'shots A':>8} {'B':>4} {'even':>5}"
    )
    click.echo(click.style(head, bold=True))
    for pair in found.pairs:
        click.echo(_row(pair))
    for rate in found.rates:
        click.echo(_rate(rate))
    for pair in found.pairs[:1]:
        for worst in pair.worst[:WORST]:
            click.echo(
                f"worst: {pair.name} frame {worst.frame} ({worst.time_s:.1f} s, shot {worst.shot + 1}): "
                f"A {worst.a:.1f}, B {worst.b:.1f}, {signed(worst.delta, 1)}"
            )
    click.echo(_cost(found))


def _row(pair: PairResult) -> str:
    from pipelines.report.view import signed

    one, other = (rung.scores.pooled("vmaf") for rung in (pair.a, pair.b))
    won, bits = pair.won(), signed(pair.bits_pct, 1, "%")
    even = won["even"] + won["trade"]
    return (
        f"{pair.name:<12} {pair.kbps_a:>8.0f} {pair.kbps_b:>8.0f} {bits:>8} {one.mean:>8.2f} {other.mean:>7.2f} "
        f"{signed(other.mean - one.mean):>7} {one.min:>6.1f} {other.min:>6.1f} {won['A']:>8} {won['B']:>4} {even:>5}"
    )


def _rate(rate: RateResult) -> str:
    from pipelines.report.view import signed

    if rate.rate_pct is None:
        return f"BD-rate {rate.metric}: none: {rate.reason}"
    unit = f" {rate.unit}" if rate.unit else ""
    note = f" ({rate.reason})" if rate.reason else ""
    return (
        f"BD-rate {rate.metric}: {signed(rate.rate_pct)} % bits for equal quality, "
        f"{signed(rate.quality)}{unit} at equal rate{note}"
    )


def _cost(found: Comparison) -> str:
    cost = found.costs
    if cost.a is None or cost.b is None:
        return f"processor time: {'; '.join(cost.notes)}"
    ratio = f", {cost.b / cost.a:.2f} times" if cost.a else ""
    notes = f" ({'; '.join(cost.notes)})" if cost.notes else ""
    return f"processor time: A {cost.a:.1f} s, B {cost.b:.1f} s{ratio}{notes}"
