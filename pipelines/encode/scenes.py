"""Stage `scenes`: shots that the user brings, instead of looking for them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from archer.stage import Item, Resources, Stage, TaskContext, Trial
from pipelines.shots.errors import ShotFileError
from pipelines.shots.formats.registry import FORMATS


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenesParams:
    """What was brought.

    Attributes:
        format: name of a format of shots.
        text: content of the file.
    """

    format: str
    text: str


class Scenes(Stage[ScenesParams]):
    """Reads a file of Av1an, PySceneDetect, an EDL, OpenTimelineIO or ours, and checks that it fits the title."""

    name, version, params = "scenes", 1, ScenesParams
    inputs = MappingProxyType({"media": "media@1"})
    outputs = MappingProxyType({"shots": "shots@1"})

    def resources(self, params: ScenesParams) -> Resources:
        """It only reads text."""
        return Resources(memory_mb=256)

    def trial(self) -> Trial:
        """Two scenes of the kit's title."""
        scenes = '[{"start_frame": 0, "end_frame": 15}, {"start_frame": 15, "end_frame": 30}]'
        return Trial(params=ScenesParams(format="av1an", text=f'{{"frames": 30, "scenes": {scenes}}}'))

    def map(self, ctx: TaskContext, item: Item, params: ScenesParams) -> None:
        """Write the shots, or say why they do not fit."""
        info = ctx.inputs.media()
        try:
            found = FORMATS[params.format].read(params.text, info.video.frame_rate)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise ShotFileError("--scenes", f"not a scene file of {params.format}: {error}") from error
        if found["frames"] != info.frame_count:
            why = f"its scenes end at frame {found['frames']}, the title has {info.frame_count}"
            raise ShotFileError(
                "--scenes", f"{why}; make it from this title, with the same --fps and --deinterlace"
            )
        ctx.out_json("shots", {**found, "frame_rate": str(info.video.frame_rate)})
