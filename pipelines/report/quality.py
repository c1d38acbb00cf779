"""An output folder as an object: its ladder, scores and plots, for notebooks and scripts."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.report.coded import CodedVideo
from pipelines.report.drawing import Drawing, svg_of
from pipelines.report.errors import CannotLoad
from pipelines.report.view import size_text
from pipelines.score.rows import rendition_rows
from vmaf import FrameScores


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot; shows itself in a notebook."""

    drawing: Drawing

    def svg(self) -> str:
        """As SVG document."""
        return svg_of(self.drawing)

    def png(self, scale: int = 2) -> bytes:
        """As PNG picture. Raises: ToolMissing: Pillow is not installed."""
        from pipelines.report.raster import png_of

        return png_of(self.drawing, scale=scale)

    def save(self, path: str | Path) -> None:
        """Write it, as `.svg` or `.png` by the name."""
        place = Path(path)
        place.write_bytes(self.png() if place.suffix.lower() == ".png" else self.svg().encode())

    def _repr_html_(self) -> str:
        """As a picture apart, since the style of an SVG inside a page would reach the page."""
        content = base64.b64encode(self.svg().encode()).decode()
        return f'<img alt="{escape(self.drawing.title)}" src="data:image/svg+xml;base64,{content}">'


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quality:
    """How good an encode is.

    Attributes:
        folder: the output of `cinemill encode`.
        manifest: its manifest.
        videos: renditions in the order of the ladder.
        crfs: constant quality of each, as text.
        scores: scores of each, every frame of the title.
        times: (frames,) seconds from the first frame.
        shots: half-open frame ranges.
        choices: a `choices@1` object; None where nothing was optimised.
    """

    folder: Path
    manifest: Mapping[str, Any]
    videos: tuple[CodedVideo, ...]
    crfs: Mapping[str, str]
    scores: Mapping[str, FrameScores]
    times: npt.NDArray[np.float64]
    shots: tuple[tuple[int, int], ...]
    choices: Mapping[str, Any] | None = None

    @property
    def duration(self) -> float:
        """Seconds; the last frame counts as long as the one before it."""
        last = self.times[-1] - self.times[-2] if len(self.times) > 1 else 0.04
        return float(self.times[-1] + last)

    @property
    def plots(self) -> dict[str, Plot]:
        """All plots by name, see `pipelines.report.plots.drawings`."""
        from pipelines.report.plots import drawings

        found = drawings(self, self.duration, self.choices)
        return {name: Plot(drawing) for name, drawing in found.items()}

    @property
    def cost(self) -> dict[str, Any]:
        """What it cost, see `pipelines.encode.cost.cost_of`; empty where nobody wrote it down."""
        from pipelines.encode.cost import read_cost

        return read_cost(self.folder)

    def _repr_html_(self) -> str:
        """The ladder as a table, and VMAF over time."""
        cells = ["Rung", "Size", "Codec", "kb/s", "VMAF", "harmonic", "worst"]
        head = "".join(f"<th>{cell}</th>" for cell in cells)
        rows = "".join(f"<tr>{self._row(row)}</tr>" for row in self.manifest["renditions"])
        title = escape(str(self.manifest.get("title", self.folder.name)))
        page = escape((self.folder / "report.html").absolute().as_uri())
        return (
            f"<h3>{title}</h3><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f'{self.plots["vmaf"]._repr_html_()}<p><a href="{page}">The whole report</a></p>'
        )

    def _row(self, row: Mapping[str, Any]) -> str:
        cells = [
            row["name"],
            size_text(row["width"], row["height"]),
            row["codec"],
            f"{row['bitrate_kbps']:,}",
            *(f"{row[f'vmaf_{name}']:.2f}" for name in ("mean", "harmonic_mean", "min")),
        ]
        return "".join(f"<td>{escape(str(cell))}</td>" for cell in cells)


def load(folder: str | Path) -> Quality:
    """Read an output of `cinemill encode`: a folder, or one file with its report beside it.

    Raises:
        CannotLoad: it is none, or something is missing from it.
    """
    from pipelines.encode.place import report_place
    from pipelines.report.features import scores_of
    from vmaf.scores import read_parquet

    place = Path(report_place(str(folder)))
    try:
        manifest = json.loads((place / "manifest.json").read_bytes())
        shots = json.loads((place / "shots.json").read_bytes())["shots"]
        table = read_parquet(place / "features.parquet")
    except (OSError, ValueError, KeyError) as error:
        raise CannotLoad(str(place), f"{error or type(error).__name__}") from error
    scores = scores_of(table)
    rows = {row["name"]: row for row in manifest["renditions"]}
    return Quality(
        folder=place,
        manifest=manifest,
        videos=tuple(_video(table, rows[name]) for name in scores),
        crfs={name: str(row["crf"]) for name, row in rows.items()},
        scores=scores,
        times=_columns(table, next(iter(scores)))["time_s"],
        shots=tuple((shot["start"], shot["end"]) for shot in shots),
        choices=_choices(place),
    )


def _video(table: Any, row: Mapping[str, Any]) -> CodedVideo:
    columns = _columns(table, row["name"])
    return CodedVideo(
        name=row["name"],
        width=row["width"],
        height=row["height"],
        codec=row["codec"],
        file_bytes=row["size"],
        frame_bytes=columns["bytes"],
        keys=columns["key"],
    )


def _columns(table: Any, name: str) -> dict[str, Any]:
    rows = rendition_rows(table, name)
    return {key: rows[key].to_numpy() for key in ("time_s", "bytes", "key")}


def _choices(folder: Path) -> Mapping[str, Any] | None:
    """What the optimizer decided, from what the package keeps for its report."""
    from pipelines.report.inputs import NAME

    try:
        kept = json.loads((folder / NAME).read_bytes())
        found = json.loads(kept["texts"][kept["artifacts"]["choices"]["hash"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, dict) else None
