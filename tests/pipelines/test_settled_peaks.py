"""A rendition keeps to its peak across the borders of its chunks, which were coded apart: real stages, real encoder."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from archer import run
from archer.media import FrameRange, identify, probe
from archer.process import ffmpeg
from archer.store import ArtifactStore
from encoder.borders import joined
from encoder.capped import coded_file
from encoder.vbv import Cap, fitting, heaviest_run, part_times
from pipelines.encode.job import encode_job
from pipelines.encode.request import EncodeRequest, checked

PEAK = 400
REQUEST = EncodeRequest(
    crf="20",
    preset="superfast",
    single="mkv",
    ladder=f"180p@peak{PEAK}k",
    chunk_s="0.6",
    gop_s="0.48",
    segment_s="0.5",
)


def test_a_run_across_a_border_gives_way(short: Path, tmp_path: Path) -> None:
    """Chunks of 15 frames, key frames each 12: black, then real pictures from the second key frame on.

    The first chunk has enough left for its last three frames; together with the next chunk's twelve they are a heavy run.
    """
    clip = tmp_path / "clip.mp4"
    ffmpeg(
        [
            "-i",
            short,
            "-vf",
            "drawbox=c=black:t=fill:enable=lt(n\\,12)",
            "-c:v",
            "libx264",
            "-crf",
            "16",
            "-an",
            clip,
        ]
    )
    spec = encode_job(identify(str(clip)), checked(REQUEST), title="title")
    kept = ("ingest", "shots", "search", "embedded", "encode", "assemble")
    done = run(
        replace(spec, nodes=[node for node in spec.nodes if node.id in kept]),
        work_dir=tmp_path / "work",
        workers=1,
        executor="inline",
    )
    done.raise_for_state()
    store, info, cap = ArtifactStore(tmp_path / "work"), probe(str(clip)), Cap.of(PEAK, window_s=0.5)
    assert cap is not None
    parts, ranges = store.read_parts(done.outputs["encode.parts"]), pairwise((0, 15, 30))
    chunks = [
        coded_file(store.path(part.outputs["chunk"]), part_times(info, FrameRange(*frames)))
        for part, frames in zip(parts, ranges, strict=True)
    ]
    assert [fitting(chunk, cap) for chunk in chunks] == [1, 1]
    assert heaviest_run(joined(chunks), 0.5) > PEAK * 1.01
    (made,) = store.read_parts(done.outputs["assemble.parts"])
    facts = json.loads(store.path(made.outputs["facts"]).read_bytes())
    whole = coded_file(store.path(made.outputs["rendition"]), part_times(info, FrameRange(0, 30)))
    assert heaviest_run(whole, 0.5) <= PEAK * 1.000001
    assert facts["run_kbps"] <= facts["cap_kbps"] == PEAK
    assert facts["buffer_low"] >= 0
    assert facts["frames"] == 30
    assert facts["notices"] == []
    before = [json.loads(store.path(part.outputs["facts"]).read_bytes())["crf"] for part in parts]
    assert float(facts["crf"].rpartition("-")[2]) > max(map(float, before))
