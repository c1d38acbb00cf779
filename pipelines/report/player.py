"""The A/B player: two videos on the same frame, exactly; what it is told, and the pieces of a page that hold it.

    sides = [Side(label="source", url="proxies/source.mp4", ...), Side(label="720p", url="renditions/720p.mp4", ...)]
    page = template.render(player=pieces(sides, shots=[(0, 40), (40, 132)], worst=[Worst(frame=17, side=1)]))

A template puts `player.style` into a `style` element, `player.markup` into the body, `player.data` into
`<script type="application/json" id="ab-data">` and `player.script` into a module script behind it. Whatever has the
attribute `data-ab="FRAME LEFT RIGHT"` then opens the player there; sides are numbered in the order of the list.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from markupsafe import Markup

FOLDER = Path(__file__).parent / "templates" / "player"
SCRIPTS = ("side.js", "pair.js", "look.js", "controls.js")
SCORE_SCALE = 500
"""Scores are sent to the page as 16-bit integers of 1/500."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """A video that can be shown on either side.

    Attributes:
        label: name for people.
        url: of the video, relative to the page; a browser plays it.
        codec: RFC 6381 codec string, empty where unknown; only to say why something does not play.
        fps: frames per second.
        frames: number of frames; frame k of all sides is the same moment.
        width, height: samples.
        pts: (frames,) int64 rising presentation times in ticks of `time_base`; None where frames are evenly spaced.
        time_base: seconds of a tick.
        vmaf: (frames,) score of each frame, 0 to 100; None where there is none.
        note: shown beside the label, such as what the video stands for.
    """

    label: str
    url: str
    codec: str
    fps: Fraction
    frames: int
    width: int
    height: int
    pts: npt.NDArray[np.int64] | None = None
    time_base: Fraction = Fraction(1)
    vmaf: npt.NDArray[np.float64] | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """What the script takes."""
        return {
            "label": self.label,
            "url": self.url,
            "codec": self.codec,
            "fps": f"{self.fps.numerator}/{self.fps.denominator}",
            "frames": self.frames,
            "width": self.width,
            "height": self.height,
            "pts": None if self.pts is None else self._ticks(self.pts),
            "vmaf": None if self.vmaf is None else _packed(np.round(self.vmaf * SCORE_SCALE).astype("<u2")),
            "note": self.note,
        }

    def _ticks(self, pts: npt.NDArray[np.int64]) -> dict[str, Any] | None:
        """Steps between frames, where they are not those of the frame rate to within a twentieth of one."""
        seconds = (pts - pts[0]) * float(self.time_base)
        if np.abs(seconds - np.arange(len(pts)) / float(self.fps)).max(initial=0.0) * float(self.fps) < 0.05:
            return None
        return {"timescale": float(1 / self.time_base), "steps": _packed(np.diff(pts).astype("<u4"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """A frame to look at, on a side."""

    frame: int
    side: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """What a page needs to hold the player: safe text for each of its places."""

    style: Markup
    script: Markup
    markup: Markup
    data: Markup


def pieces(
    sides: Sequence[Side], *, shots: Sequence[tuple[int, int]] = (), worst: Sequence[Worst] = ()
) -> Pieces:
    """The player for some videos.

    Args:
        sides: at least two; the first two are shown first.
        shots: half-open frame ranges.
        worst: frames that are jumped to.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    data = {
        "sides": [side.to_json() for side in sides],
        "shots": [list(shot) for shot in shots],
        "worst": [{"frame": one.frame, "side": one.side} for one in worst],
    }
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return Pieces(
        style=Markup((FOLDER / "player.css").read_text(encoding="utf-8")),  # noqa: S704  our own file
        script=Markup("\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)),  # noqa: S704
        markup=Markup(environment.get_template("player.html").render()),  # noqa: S704
        data=Markup(text),  # noqa: S704  escaped for its place
    )


def _packed(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()
