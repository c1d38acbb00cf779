"""What cannot be encoded is refused before any work, with what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archer.media import probe
from pipelines.ingest.refusal import SCALED, refusal


@pytest.mark.parametrize("matrix", [3, 8, 10, 14])
def test_matrices_that_cannot_be_scaled(matrix: int, short: Path) -> None:
    info = probe(str(short))
    colour = replace(info.video.colour, matrix=matrix)
    found = refusal(replace(info, video=replace(info.video, colour=colour)))
    assert f"matrix {matrix}" in str(found)
    assert "convert" in str(found)


def test_the_matrices_are_those_of_the_scaler(short: Path) -> None:
    """What it refuses it refuses at the first picture, in the middle of a job."""
    import av

    from archer.media.convert import Converter
    from archer.media.layout import as_frame

    info = probe(str(short))
    with av.open(str(short)) as container:
        picture = next(container.decode(video=0))
    taken = set()
    for matrix in range(18):
        picture.colorspace = matrix
        try:
            Converter(info, 160, 90, info.video.format, kernel="bicubic").picture(as_frame(picture, 0, info))
        except OSError:
            continue
        taken.add(matrix)
    assert taken == SCALED
    assert refusal(info) is None
