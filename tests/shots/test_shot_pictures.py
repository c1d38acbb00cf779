"""Contact sheets show every shot's middle frame, and the timeline every shot at its place."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest

from archer.media import identify, probe
from pipelines.shots.lettering import lettered
from pipelines.shots.pictures import COLOURS, LINE, contact_sheet, png, timeline, write_pictures


def decoded(content: bytes) -> np.ndarray:
    with av.open(io.BytesIO(content)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def test_a_png_holds_the_samples() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (37, 53, 3), np.uint8)
    assert np.array_equal(decoded(png(picture)), picture)
    assert png(picture) == png(picture)


def test_a_sheet_has_a_cell_per_shot_and_a_bar_as_long_as_certainty() -> None:
    pictures = [np.full((120, 200, 3), 10 * number, np.uint8) for number in range(1, 9)]
    shots = [{"start": 9 * n, "end": 9 * n + 9, "transition": "cut", "confidence_pct": 50} for n in range(8)]
    sheet = contact_sheet(pictures, shots, first=1)
    for number in range(1, 9):
        assert (sheet == 10 * number).all(axis=2).sum() >= 120 * 200
    assert (sheet == COLOURS["cut"]).all(axis=2).sum() == 8 * 3 * 100


def test_the_timeline_gives_each_shot_its_length() -> None:
    shots = [
        {"start": 0, "end": 25, "transition": "start", "confidence_pct": 100},
        {"start": 25, "end": 100, "transition": "dissolve", "confidence_pct": 90, "mixed": [20, 30]},
    ]
    stripes = [np.full((120, LINE, 3), value, np.uint8) for value in (50, 99)]
    picture = timeline(stripes, shots, 100)
    assert (picture[60] == 50).all(axis=1).sum() == LINE // 4
    assert (picture[60] == 99).all(axis=1).sum() == LINE * 3 // 4
    assert (picture[8] == COLOURS["dissolve"]).all(axis=1).sum() == LINE // 10


@pytest.mark.parametrize("text", ["0123456789", "12 @ 345"])
def test_captions_tell_digits_apart(text: str) -> None:
    mask = lettered(text)
    assert mask.shape == (10, 8 * len(text))
    glyphs = {mask[:, 8 * place : 8 * place + 8].tobytes() for place in range(len(text))}
    assert len(glyphs) == len(set(text))


def test_pictures_of_a_real_title(bbb: Path, tmp_path: Path) -> None:
    info = probe(str(bbb))
    shots = [{"start": 0, "end": 70, "transition": "start", "confidence_pct": 100}]
    shots += [{"start": 70, "end": 132, "transition": "cut", "confidence_pct": 90}]
    found = {"schema": "shots@1", "frames": 132, "frame_rate": "25", "shots": shots}
    written = write_pictures(tmp_path / "pictures", identify(str(bbb)), info, found)
    assert [path.name for path in written] == ["contact-001.png", "timeline.png"]
    sheet = decoded(written[0].read_bytes())
    assert sheet.shape[1] == 2 * (213 + 6) + 6
    assert sheet.std() > 20
