"""The scene file of Av1an (`--scenes`): frame numbers 0-based, the end not included.

What it does not know lies under `cinemill`, which its reader passes over.
"""

from __future__ import annotations

import json
from fractions import Fraction

from pipelines.shots.formats.base import Format, Found, Media, details, found, known_rate

ZONED = "settings that {} of the scenes have (zone_overrides) are not taken over: give them with --zones"


class Av1an(Format):
    """Scene files of Av1an."""

    name, suffix = "av1an", ".json"

    def write(self, shots: Found, media: Media) -> str:
        """Scenes without zones; none of them is split further."""
        scenes = [
            {
                "start_frame": shot["start"],
                "end_frame": shot["end"],
                "zone_overrides": None,
                "cinemill": details(shot),
            }
            for shot in shots["shots"]
        ]
        value = {
            "scenes": scenes,
            "split_scenes": scenes,
            "frames": shots["frames"],
            "cinemill": {"frame_rate": shots["frame_rate"]},
        }
        return json.dumps(value, indent=1) + "\n"

    def read(self, text: str, frame_rate: Fraction | None) -> Found:
        """Scenes of Av1an or ours; zones are not kept, which a notice says.

        Raises:
            ValueError: scenes do not join or do not end with the title, or the frame rate is not known.
        """
        value = json.loads(text)
        rate = known_rate(value.get("cinemill", {}).get("frame_rate"), frame_rate)
        shots = found(
            (
                (scene["start_frame"], scene["end_frame"], scene.get("cinemill", {}))
                for scene in value["scenes"]
            ),
            rate,
        )
        if shots["frames"] != value["frames"]:
            raise ValueError(f"frames: wanted scenes up to {value['frames']}, they end at {shots['frames']}")
        zoned = sum(bool(scene.get("zone_overrides")) for scene in value["scenes"])
        return {**shots, "notices": [ZONED.format(zoned)]} if zoned else shots
