"""A face is one track as long as it can be followed, within a shot; how frames are shared out changes nothing."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from archer import run
from archer.media import FrameRange, identify
from archer.store import ArtifactStore
from pipelines.qc.job import analyze_job
from pipelines.vision import models
from pipelines.vision.box import Box
from pipelines.vision.columns import FACES_SCHEMA, TRACKS_SCHEMA
from pipelines.vision.followed import followed
from pipelines.vision.link import likeness, linked
from pipelines.vision.table import read_facts, read_rows
from pipelines.vision.tracks import Tracks, TracksParams, sampled


def face(left: float, top: float = 0.4, size: float = 0.1, score: float = 0.9) -> Box:
    return Box(left=left, top=top, width=size, height=size, score=score)


def test_every_shot_is_looked_at_evenly() -> None:
    shots = [FrameRange(0, 5), FrameRange(5, 6), FrameRange(6, 60)]
    assert sampled(shots, Fraction(24), 2) == [(0, 2), (1, 5), (2, 12), (2, 24), (2, 36), (2, 48)]
    assert [frame for _, frame in sampled(shots, Fraction(24), 48)] == list(range(60))
    assert sampled(shots, Fraction(24), 0) == []


def test_faces_that_cross_keep_their_tracks() -> None:
    """Two faces walk past each other, one higher than the other; they are told apart by where they were going."""
    samples = [(12 * n, [face(0.1 + 0.08 * n), face(0.8 - 0.08 * n, top=0.45)]) for n in range(9)]
    shuffled = [(frame, boxes[:: 1 - 2 * (frame // 12 % 2)]) for frame, boxes in samples]
    first, second = linked(shuffled, 24)
    assert first.boxes == [(frame, boxes[0]) for frame, boxes in samples]
    assert second.boxes == [(frame, boxes[1]) for frame, boxes in samples]


def test_a_face_may_be_missed_but_not_for_long() -> None:
    samples = [(12 * n, [face(0.3)] if n not in (2, 5, 6, 7) else []) for n in range(9)]
    assert [[frame for frame, _ in track.boxes] for track in linked(samples, 24)] == [[0, 12, 36, 48], [96]]


def test_what_is_elsewhere_or_of_another_size_is_another_face() -> None:
    assert likeness(face(0.3), face(0.3)) == pytest.approx(2)
    assert likeness(face(0.3), face(0.36)) == pytest.approx(1 + 0.04 / 0.16)
    assert 0 < likeness(face(0.3), face(0.37)) < 0.5  # shares less, and is near
    assert likeness(face(0.3), face(0.4)) == 0
    assert likeness(face(0.3, size=0.1), face(0.35, top=0.45, size=0.02)) == 0
    far = [(0, [face(0.1)]), (12, [face(0.6)])]
    assert [len(track.boxes) for track in linked(far, 24)] == [1, 1]


def test_tables_name_tracks_by_shot_and_first_frame() -> None:
    samples = [(0, 6), (0, 18), (1, 30), (1, 42)]
    boxes = [(6, face(0.5)), (18, face(0.5, score=0.95)), (18, face(0.1)), (42, face(0.5))]
    found = {
        "frame": [frame for frame, _ in boxes],
        **{
            edge: [getattr(box, edge) for _, box in boxes]
            for edge in ("left", "top", "width", "height", "score")
        },
    }
    faces, tracks = followed(samples, found, gap=24)
    assert list(zip(faces["frame"], faces["track"], faces["shot"], strict=True)) == [
        (6, 0, 0),
        (18, 0, 0),
        (18, 1, 0),
        (42, 2, 1),
    ]
    assert tracks["track"] == [0, 1, 2]
    assert (tracks["start"], tracks["end"], tracks["seen"]) == ([6, 18, 42], [19, 19, 43], [2, 1, 1])
    assert (tracks["frame"], tracks["looked"], tracks["shot"]) == ([18, 18, 42], [2, 1, 1], [0, 0, 1])


def test_a_speaker_is_followed_however_frames_are_shared_out(clips: Path, tmp_path: Path) -> None:
    """In a real speech, through the engine: the two people in front are tracks, and few others are long."""
    if models.missing():
        pytest.skip("needs the extra vision")
    asset, found = identify(str(clips / "friday_speech_480p30.mp4")), []
    for place, params in enumerate(
        [TracksParams(per_second=1), TracksParams(per_second=1, samples_per_task=3)]
    ):
        spec = analyze_job(asset, tracks=params)
        nodes = [node for node in spec.nodes if node.id in ("ingest", "shots", "tracks")]
        result = run(replace(spec, nodes=nodes), work_dir=tmp_path / str(place), workers=1, executor="inline")
        result.raise_for_state()
        store = ArtifactStore(tmp_path / str(place))
        paths = [store.path(result.outputs[f"tracks.{name}"]) for name in ("faces", "tracks")]
        found.append([path.read_bytes() for path in paths])
    assert found[0] == found[1]
    faces, tracks = read_rows(paths[0], FACES_SCHEMA), read_rows(paths[1], TRACKS_SCHEMA)
    assert read_facts(paths[1])["face_model"].startswith("CenterFace")
    assert len(faces["track"]) == sum(tracks["seen"])
    longest = max(tracks["seen"])
    assert longest >= 5
    assert all(seen <= looked for seen, looked in zip(tracks["seen"], tracks["looked"], strict=True))
    assert len(Tracks().same(TracksParams())) == 2
