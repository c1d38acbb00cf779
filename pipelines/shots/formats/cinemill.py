"""Our own JSON: a `shots@1` object as it is."""

from __future__ import annotations

import json
from fractions import Fraction

from pipelines.shots.formats.base import SCHEMA, Format, Found, Media, found


class Cinemill(Format):
    """Our own JSON."""

    name, suffix = "cinemill", ".json"

    def write(self, shots: Found, media: Media) -> str:
        """The object, one line per shot."""
        lines = ",\n  ".join(json.dumps(shot) for shot in shots["shots"])
        head = json.dumps({name: shots[name] for name in ("schema", "frames", "frame_rate")})
        return f'{head[:-1]}, "shots": [\n  {lines}\n]}}\n'

    def read(self, text: str, frame_rate: Fraction | None) -> Found:
        """The object.

        Raises:
            ValueError: another schema, or shots that do not join.
        """
        value = json.loads(text)
        if value["schema"] != SCHEMA:
            raise ValueError(f"wanted schema {SCHEMA}, got {value['schema']}")
        return found(
            ((shot["start"], shot["end"], shot) for shot in value["shots"]), Fraction(value["frame_rate"])
        )
