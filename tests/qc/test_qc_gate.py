"""A mezzanine that quality control refuses is not encoded; one that passes is."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archer import run
from archer.errors import JobFailed
from archer.media import FrameRange, frames, identify
from pipelines.encode.forecast import deciding
from pipelines.encode.job import encode_job
from pipelines.encode.request import EncodeRequest, checked
from pipelines.qc.errors import BadProfile


def panning(bbb: Path, path: Path, *, freeze: int, dead: bool) -> Path:
    """A pan over a real picture, 320x180, in which some frames repeat the one before them, or a sample is dead."""
    import av

    (wide,) = frames(str(bbb), FrameRange(60, 61))
    luma, random = wide.luma.samples[300:480], np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.time_base, stream.options = Fraction(1, 30), {"crf": "16", "preset": "ultrafast"}
        left = 0
        for number in range(60):
            left += 0 if 25 <= number < 25 + freeze else 4
            if number < 25 or number >= 25 + freeze:
                noise = random.normal(0, 1, (180, 320))
            picture = np.full((270, 320), 128, np.uint8)
            picture[:180] = np.clip(np.rint(luma[:, left : left + 320] + noise), 16, 235)
            if dead:
                picture[77, 123] = 235 if picture[70:84, 115:130].mean() < 128 else 16
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("freeze", "dead", "why"),
    [
        pytest.param(0, False, None, id="clean"),
        pytest.param(11, False, "12 equal frames in a shot that moves", id="freeze"),
        pytest.param(0, True, "the sample at column 123, row 77 stands out", id="dead-pixel"),
    ],
)
def test_a_gate_stands_before_the_encoder(
    bbb: Path, tmp_path: Path, freeze: int, why: str | None, *, dead: bool
) -> None:
    asset = identify(str(panning(bbb, tmp_path / "title.mp4", freeze=freeze, dead=dead)))
    request = checked(EncodeRequest(crf="40", preset="ultrafast", single="mkv", qc_gate="error"))
    spec = encode_job(asset, request, title="title")
    spec = replace(spec, nodes=[node for node in spec.nodes if node.id not in ("score", "mux")])
    done = run(spec, work_dir=tmp_path / "work", workers=1, executor="inline")
    assert ("assemble.parts" in done.outputs) == (why is None)
    if why:
        with pytest.raises(JobFailed, match=why):
            done.raise_for_state()
    else:
        done.raise_for_state()


def test_a_gate_lies_between_shots_and_all_that_take_them() -> None:
    asset = identify(__file__)
    spec = encode_job(asset, EncodeRequest(qc_gate="warning", qc_profile="freeze_frames: 5"), title="title")
    takers = {node.id: source for node in spec.nodes if (source := node.inputs.get("shots"))}
    assert {node for node, source in takers.items() if source == "shots.shots"} == {"vision", "qc"}
    assert {node for node, source in takers.items() if source == "qc.shots"} >= {
        "analyse",
        "encode",
        "report",
    }
    assert {"vision", "qc"} <= {node.id for node in deciding(spec.nodes)}
    searched = encode_job(asset, EncodeRequest(qc_gate="warning", single="mkv", clips="0-10"), title="title")
    waiting = {
        node.id for each in (spec, searched) for node in each.nodes if node.inputs.get("passed") == "qc.shots"
    }
    assert waiting == {"audio", "search"}
    free = encode_job(asset, EncodeRequest(single="mkv", clips="0-10"), title="title")
    assert not any("passed" in node.inputs for node in free.nodes)
    plain = encode_job(asset, EncodeRequest(), title="title")
    looked_at = encode_job(asset, EncodeRequest(qc=True), title="title")
    assert [node.id for node in deciding(looked_at.nodes)] == [node.id for node in deciding(plain.nodes)]
    assert not {node.id for node in plain.nodes} & {"vision", "qc"}
    with pytest.raises(BadProfile, match="frozen: not known"):
        checked(EncodeRequest(qc_gate="error", qc_profile="frozen: 3"))
