"""A rendition keeps to its peak across the borders of its chunks, which were coded apart: real stages, real encoder."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from math import ceil
from pathlib import Path

from archer import run
from archer.driver import JobResult
from archer.media import FrameRange, identify, probe
from archer.plan import make_plan
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


def black_first(short: Path, folder: Path, count: int) -> Path:
    """So many frames of a clip, of which the first twelve are black."""
    out, black = folder / "clip.mp4", "drawbox=c=black:t=fill:enable=lt(n\\,12)"
    ffmpeg(["-i", short, "-frames:v", str(count), "-vf", black, "-c:v", "libx264", "-crf", "16", "-an", out])
    return out


def assembled(clip: Path, request: EncodeRequest, folder: Path) -> JobResult:
    """The job of a request up to the joined rendition."""
    spec = encode_job(identify(str(clip)), checked(request), title="title")
    kept = ("ingest", "shots", "search", "embedded", "encode", "assemble")
    nodes = [node for node in spec.nodes if node.id in kept]
    done = run(replace(spec, nodes=nodes), work_dir=folder / "work", workers=1, executor="inline")
    done.raise_for_state()
    return done


def test_a_run_across_a_border_gives_way(short: Path, tmp_path: Path) -> None:
    """Chunks of 15 frames, key frames each 12: black, then real pictures from the second key frame on.

    The first chunk has enough left for its last three frames; together with the next chunk's twelve they are a heavy run.
    """
    clip = black_first(short, tmp_path, 30)
    done = assembled(clip, REQUEST, tmp_path)
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


def test_where_none_can_give_way_it_is_said_which(short: Path, tmp_path: Path) -> None:
    """Twelve frames behind a border are a run of their own; with three more before it they are a heavier one.

    All are as poor as they get, so that neither chunk can give way.
    """
    clip, info = black_first(short, tmp_path, 27), probe(str(short))
    poor = replace(REQUEST, crf="51", encoder_params="qpmin=51", ladder="180p", zones="15 27 crf=51")
    free = assembled(clip, poor, tmp_path / "free")
    store = ArtifactStore(tmp_path / "free" / "work")
    chunks = [
        coded_file(store.path(part.outputs["chunk"]), part_times(info, FrameRange(*frames)))
        for part, frames in zip(
            store.read_parts(free.outputs["encode.parts"]), ((0, 15), (15, 27)), strict=True
        )
    ]
    alone, together = max(heaviest_run(chunk, 0.5) for chunk in chunks), heaviest_run(joined(chunks), 0.5)
    peak = round((alone + together) / 2)
    assert alone < peak < together
    held = assembled(clip, replace(poor, ladder=f"180p@peak{peak}k@buffer9000k"), tmp_path / "held")
    store = ArtifactStore(tmp_path / "held" / "work")
    (made,) = store.read_parts(held.outputs["assemble.parts"])
    facts = json.loads(store.path(made.outputs["facts"]).read_bytes())
    rate, names = facts["notices"]
    assert rate == f"rung 180p: segments of up to {ceil(together)} kb/s, with a peak of {peak} kb/s asked for"
    assert "keep to the peak" in names
    assert "those at frames 0, 15 cannot give way far enough" in names


def test_joining_counts_with_an_encoder_only_where_a_rung_has_a_peak(short: Path) -> None:
    asset = identify(str(short))
    free = replace(REQUEST, threads=4, ladder="180p")
    wanted = [
        (free, 1),
        (replace(free, ladder="180p@peak400k"), 4),
        (replace(free, peak_kbps="400"), 4),
    ]
    for request, cores in wanted:
        plan = make_plan(encode_job(asset, checked(request), title="title"))
        node = plan.by_id["assemble"]
        assert node.stage.resources(node.params).cpu == cores
