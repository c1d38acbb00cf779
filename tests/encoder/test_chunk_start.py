"""A chunk begins as finely as the same pictures would in the middle of one long encode."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from archer.process import ffmpeg_path
from encoder import EncodeSettings
from encoder.codecs import codec_named

SOURCE = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=24,noise=alls=12:all_seed=7")
GOP = 24


def coded_sizes(skip: int, params: str, out: Path) -> list[int]:
    """Bytes of every picture, in decode order, of two groups of pictures from `skip` on, coded as chunks are."""
    settings = EncodeSettings(codec="x264", crf="30", preset="fast", params=params)
    chosen = f"select=gte(n\\,{skip}),setpts=N/FR/TB"
    head = [ffmpeg_path(), "-v", "error", *SOURCE, "-vf", chosen, "-frames:v", str(2 * GOP)]
    subprocess.run([*head, *codec_named("x264").command(settings, GOP), "-y", out], check=True)
    import av

    with av.open(str(out)) as container:
        return [packet.size for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("params", ["", "tune=grain", "ipratio=2"])
def test_the_first_picture_is_as_fine_as_in_the_middle(params: str, tmp_path: Path) -> None:
    middle = coded_sizes(0, params, tmp_path / "whole.mp4")[GOP]
    first = coded_sizes(GOP, params, tmp_path / "chunk.mp4")[0]
    assert first == pytest.approx(middle, rel=0.08)
