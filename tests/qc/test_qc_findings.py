"""Defects put into a real picture are found where they are, and nothing is found where there are none."""

from __future__ import annotations

import json
import pickle
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archer import run
from archer.errors import JobFailed
from archer.media import FrameRange, frames, identify, probe
from archer.store import ArtifactStore
from pipelines.qc.errors import BadProfile, QcRefused
from pipelines.qc.finding import Finding
from pipelines.qc.job import analyze_job
from pipelines.qc.judge import findings, report
from pipelines.qc.profile import Profile
from pipelines.qc.stage import QcParams
from pipelines.qc.time import transitions
from pipelines.qc.title import NEEDED, Still, Title
from pipelines.vision.levels import Levels
from pipelines.vision.measure import Rows, measured
from pipelines.vision.table import read_columns, write_part

WIDTH, HEIGHT, COUNT, RATE = 320, 180, 90, 30
Pictures = npt.NDArray[np.uint8]
"""(n, HEIGHT * 3 // 2, WIDTH) uint8: planes of 4:2:0."""


@pytest.fixture(scope="module")
def wide(bbb: Path) -> tuple[Pictures, Pictures, Pictures]:
    """A real picture with its chroma, two and a half times as wide as what the camera shows."""
    (frame,) = frames(str(bbb), FrameRange(60, 61))
    y, u, v = (plane.samples.copy() for plane in frame.planes)
    return y[300:480, :], u[150:240, :], v[150:240, :]


def panned(wide: tuple[Pictures, Pictures, Pictures], count: int = COUNT, step: int = 4) -> Pictures:
    """A camera that moves by `step` samples a frame, with the noise of a sensor."""
    random, (y, u, v) = np.random.default_rng(1), wide
    found = np.empty((count, HEIGHT * 3 // 2, WIDTH), np.uint8)
    for place in range(count):
        left = place * step % (y.shape[1] - WIDTH)
        luma = y[:, left : left + WIDTH] + random.normal(0, 1, (HEIGHT, WIDTH))
        found[place, :HEIGHT] = np.clip(np.rint(luma), 16, 235)
        chroma = [plane[:, left // 2 : left // 2 + WIDTH // 2] for plane in (u, v)]
        found[place, HEIGHT:] = np.concatenate([plane.reshape(-1, WIDTH) for plane in chroma])
    return found


def coded(pictures: Pictures, path: Path, **options: str) -> Path:
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        stream.options = {"crf": "16", "preset": "ultrafast", **options}
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def title(path: Path) -> Title:
    """A title of one shot as the stage sees it."""
    info, rows = probe(str(path)), Rows()
    for values, tiny in measured(frames(str(path), info=info), Levels.of(info.video)):
        rows.add(values, tiny)
    part = path.with_suffix(".parquet")
    write_part(part, rows.columns, rows.tiny)
    shots = [FrameRange(0, info.frame_count)]
    return Title(video=info.video, shots=shots, columns=read_columns(part, NEEDED))


def judged(path: Path, text: str = "") -> list[Finding]:
    return findings(title(path), Profile.of(text))


def frozen(pictures: Pictures) -> Pictures:
    pictures[40:54] = pictures[39]
    return pictures


def blackened(pictures: Pictures) -> Pictures:
    pictures[30:60, :HEIGHT], pictures[30:60, HEIGHT:] = 16, 128
    return pictures


def whitened(pictures: Pictures) -> Pictures:
    pictures[30:60, :HEIGHT], pictures[30:60, HEIGHT:] = 235, 128
    return pictures


def pierced(pictures: Pictures) -> Pictures:
    pictures[:, 77, 123] = np.where(pictures[:, 70:84, 115:130].mean(axis=(1, 2)) < 128, 235, 16)
    return pictures


def stretched(pictures: Pictures) -> Pictures:
    """Full-range levels, which nobody declared."""
    luma = pictures[:, :HEIGHT].astype(float)
    low, high = np.percentile(luma, (2, 98))
    pictures[:, :HEIGHT] = np.clip((luma - low) / (high - low) * 255, 0, 255)
    return pictures


def stuttered(pictures: Pictures) -> Pictures:
    return np.concatenate([pictures[:50], pictures[49:-1]])


def shortened(pictures: Pictures) -> Pictures:
    return np.concatenate([pictures[:50], pictures[51:]])


def flashed(pictures: Pictures) -> Pictures:
    for place in range(20, 50, 5):
        pictures[place : place + 2, : HEIGHT // 2] = 230
        pictures[place + 2 : place + 5, : HEIGHT // 2] = 40
    return pictures


def reddened(pictures: Pictures) -> Pictures:
    """Half of the picture between red and a green of the same luma, which luminance does not show."""
    rows = slice(HEIGHT, HEIGHT * 3 // 2)
    for place in range(20, 50):
        red = (place - 20) % 5 < 2
        pictures[place, : HEIGHT // 2] = 63 if red else 61
        chroma = pictures[place, rows].reshape(2, HEIGHT // 2, WIDTH // 2)
        chroma[0, : HEIGHT // 4], chroma[1, : HEIGHT // 4] = (102, 240) if red else (120, 110)
    return pictures


@pytest.mark.parametrize(
    ("spoil", "kind", "at"),
    [
        pytest.param(frozen, "freeze", (39, 54), id="freeze"),
        pytest.param(blackened, "black", (30, 60), id="black"),
        pytest.param(whitened, "white", (30, 60), id="white"),
        pytest.param(pierced, "dead_pixel", (0, COUNT), id="dead-pixel"),
        pytest.param(stretched, "range", (0, COUNT), id="range"),
        pytest.param(stuttered, "duplicate", (50, 51), id="duplicate"),
        pytest.param(shortened, "dropped", (50, 51), id="dropped"),
        pytest.param(flashed, "flash", (20, 50), id="flash"),
        pytest.param(reddened, "flash", (20, 50), id="red-flash"),
    ],
)
def test_a_seeded_defect_is_found(
    wide: tuple[Pictures, Pictures, Pictures],
    tmp_path: Path,
    spoil: Callable[[Pictures], Pictures],
    kind: str,
    at: tuple[int, int],
) -> None:
    found = judged(coded(spoil(panned(wide)), tmp_path / "bad.mp4"), "{black_s: 0.5, white_s: 0.5}")
    assert kind in {each.kind for each in found}
    (worst,) = [each for each in found if each.kind == kind][:1]
    assert abs(worst.start - at[0]) <= 5
    assert abs(worst.end - at[1]) <= 8
    assert {each.kind for each in found} <= {kind, "dropped"} if spoil is frozen else {kind}
    assert ("saturated red" in worst.message) == (spoil is reddened)


def test_nothing_is_found_in_a_clean_title(wide: tuple[Pictures, Pictures, Pictures], tmp_path: Path) -> None:
    clean = title(coded(panned(wide), tmp_path / "clean.mp4"))
    assert findings(clean, Profile()) == []
    said = report(clean, [])
    assert said["verdict"] == "pass"
    assert said["picture"] == {"left": 0, "top": 0, "width": WIDTH, "height": HEIGHT}


@pytest.mark.parametrize(("first", "declared", "wrong"), [("bff", "tff", True), ("tff", "tff", False)])
def test_fields_in_the_wrong_order_are_found(
    wide: tuple[Pictures, Pictures, Pictures], tmp_path: Path, first: str, declared: str, *, wrong: bool
) -> None:
    instants = panned(wide, 2 * 40, step=3)
    woven = instants[::2].copy()
    odd = 1 if first == "tff" else 0  # rows of the later field
    woven[:, odd:HEIGHT:2] = instants[1::2, odd:HEIGHT:2]
    path = coded(woven, tmp_path / "fields.mp4", **{"flags": "+ildct+ilme", "x264-params": f"{declared}=1"})
    found = judged(path)
    assert probe(str(path)).video.field_order == declared
    assert [each.kind for each in found] == (["field_order"] if wrong else [])
    progressive = coded(woven, tmp_path / "progressive.mp4")
    assert "pictures are" in " ".join(each.message for each in judged(progressive))


def test_film_in_interlaced_video_is_found(wide: tuple[Pictures, Pictures, Pictures], tmp_path: Path) -> None:
    """Four film frames in five of video: top and bottom fields of AA AB BC CC DD, as 3:2 pull-down repeats them."""
    film = panned(wide, 64, step=3)
    woven = film[[4 * (n // 5) + (0, 0, 1, 2, 3)[n % 5] for n in range(80)]].copy()
    odd = film[[4 * (n // 5) + (0, 1, 2, 2, 3)[n % 5] for n in range(80)]]
    woven[:, 1:HEIGHT:2] = odd[:, 1:HEIGHT:2]
    found = judged(coded(woven, tmp_path / "film.mp4", **{"flags": "+ildct+ilme", "x264-params": "tff=1"}))
    (telecine,) = [each for each in found if each.kind == "telecine"]
    assert (telecine.start, telecine.end) == (1, 80)
    smooth = panned(wide, 80, step=3)
    assert (
        judged(coded(smooth, tmp_path / "video.mp4", **{"flags": "+ildct+ilme", "x264-params": "tff=1"}))
        == []
    )


def test_bands_are_found_by_shot(wide: tuple[Pictures, Pictures, Pictures], tmp_path: Path) -> None:
    plain = title(coded(panned(wide, 12), tmp_path / "plain.mp4"))
    spans = [FrameRange(start, start + 3) for start in range(0, 12, 3)]
    values = (3.0, 11.0, 14.5, 12.0)
    stills = [
        Still(shot=span, frame=span.start + 1, banding=value)
        for span, value in zip(spans, values, strict=True)
    ]
    (found,) = findings(replace(plain, shots=spans, stills=stills), Profile())
    assert (found.kind, found.start, found.end) == ("banding", 3, 12)
    assert "3 shots, worst in frame 7 (CAMBI 14.5" in found.message
    split = findings(replace(plain, shots=spans, stills=[*stills[:2], stills[3]]), Profile())
    assert [(each.start, each.end) for each in split] == [(3, 6), (9, 12)]
    assert findings(replace(plain, shots=spans, stills=stills), Profile.of("banding: 15")) == []


def test_a_banded_gradient_is_found(tmp_path: Path) -> None:
    pictures = np.full((30, HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    places = np.arange(WIDTH)[None, :] + np.arange(30)[:, None]
    pictures[:, :HEIGHT] = (60 + np.abs(places // 8 % 24 - 12))[:, None, :]
    clip = coded(pictures, tmp_path / "bands.mp4", crf="4")
    done = run(analyze_job(identify(str(clip))), work_dir=tmp_path / "work", workers=1, executor="inline")
    done.raise_for_state()
    said = ArtifactStore(tmp_path / "work").read_json(done.outputs["qc.report"])
    assert {each["kind"] for each in said["findings"]} == {"banding"}


def test_a_single_still_shot_says_nothing_about_pixels(
    wide: tuple[Pictures, Pictures, Pictures], tmp_path: Path
) -> None:
    """What stands out may be of the scene, unless the camera moves."""
    still = pierced(panned(wide, step=0))
    assert judged(coded(still, tmp_path / "still.mp4")) == []


def test_transitions_of_luminance_add_up() -> None:
    rise = np.array([np.nan, 12, 12, 0, -30, 0, 30, 10, -5, -5, -5, 0], np.float32)
    dark = np.full(len(rise), 30, np.float32)
    assert transitions(rise, dark) == [2, 4, 6]
    assert transitions(rise, dark + 129) == [2, 4, 6]  # 159: the limit is 20
    assert transitions(rise, dark + 168) == [4, 6]  # 198: an eighth is 24.75


@pytest.mark.parametrize(("turns", "bad"), [(6, False), (7, True)])
def test_more_than_three_flashes_are_more_than_six_changes(
    wide: tuple[Pictures, Pictures, Pictures], tmp_path: Path, turns: int, *, bad: bool
) -> None:
    steps = np.zeros(60, np.float32)
    steps[10 : 10 + 4 * turns : 4] = np.where(np.arange(turns) % 2, -30, 30)
    plain = title(coded(panned(wide, 60), tmp_path / "plain.mp4"))
    columns = {**plain.columns, "flash": steps, "flash_dark": np.full(60, 30, np.float32)}
    found = findings(replace(plain, columns=columns), Profile())
    assert [each.message for each in found] == (["3.5 flashes within a second"] if bad else [])


def test_profiles_say_what_is_wrong_with_them() -> None:
    assert Profile.of("") == Profile()
    assert Profile.of("{freeze_frames: 24, skip: [flash], severity: {range: info}}").freeze_frames == 24
    for text, reason in (
        ("frozen: 3", "frozen: not known"),
        ("[1]", "got list"),
        ("black_s: -1", "0 or more"),
        ("skip: [noise]", "no kind"),
        ("severity: {range: bad}", "info, warning, error"),
        ("{", "no YAML"),
    ):
        with pytest.raises(BadProfile, match=reason) as caught:
            Profile.of(text)
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301
    refused = QcRefused("error", ("a", "b"))
    assert str(pickle.loads(pickle.dumps(refused))) == str(refused)  # noqa: S301


def test_skip_and_severity_are_obeyed(wide: tuple[Pictures, Pictures, Pictures], tmp_path: Path) -> None:
    bad = title(coded(frozen(panned(wide)), tmp_path / "bad.mp4"))
    assert findings(bad, Profile.of("skip: [freeze, dropped]")) == []
    (found, *_) = findings(bad, Profile.of("{severity: {freeze: info}, skip: dropped}"))
    assert found.severity == "info"


def test_the_gate_refuses_a_title_and_the_command_says_why(
    wide: tuple[Pictures, Pictures, Pictures],
    cinemill: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    clip = coded(frozen(panned(wide)), tmp_path / "bad.mp4")
    spec = analyze_job(identify(str(clip)), QcParams(gate="error"))
    result = run(spec, work_dir=tmp_path / "work", workers=1, executor="inline")
    with pytest.raises(JobFailed, match=r"1[3-6] equal frames"):
        result.raise_for_state()
    out = tmp_path / "out"
    done = cinemill("analyze", clip, "-o", out, "--json", "--gate", "error", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["findings"] == json.loads((out / "qc.json").read_text())["findings"]
    assert {path.name.partition("-")[0] for path in (out / "pictures").iterdir()} >= {"stills", "freeze"}
    assert [row["shot"] for row in said["stills"]] == list(range(len(said["stills"])))
    read_with_everything(out)


def read_with_everything(out: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(out / "frames.parquet")
    assert table.num_rows == COUNT
    assert table.schema.field("noise").metadata[b"unit"] == b"8-bit"
    shots = pq.read_table(out / "shots.parquet").to_pylist()
    assert [shot["camera"] for shot in shots] == ["pan"] * len(shots)
    assert shots[0]["colours"][0].startswith("#")
    stills = pq.read_table(out / "stills.parquet")
    assert stills["frame"].to_pylist() == [shot["key_frame"] for shot in shots]
    assert all(0 <= value < 5 for value in stills["banding"].to_pylist())
    assert {b"text_model", b"face_model", b"runtime"} <= set(stills.schema.metadata)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_is_found_in_real_clips_but_what_is_there(clips: Path) -> None:
    """A strobing background does flash; a phone did repeat a frame (change 0.2 amid 1.1 and more); a dark sky has bands.

    Those are steps of one level between flat areas, looked at with its contrast enhanced.
    """
    found = {}
    for path in sorted(each for kind in ("mp4", "mkv", "webm", "ts") for each in clips.glob(f"*.{kind}")):
        found[path.name] = {each.kind for each in judged_real(path)}
    assert len(found) >= 17
    assert {name: kinds for name, kinds in found.items() if kinds} == {
        "chrome_stopmotion_270p30.mp4": {"flash"},
        "roof_pan_360p30.mp4": {"duplicate"},
        "sintel_dark_720p30.mp4": {"banding"},
    }


def judged_real(path: Path) -> list[Finding]:
    """As `cinemill analyze` judges, in one process, and without the models of stage `stills`."""
    from archer.split.shots import detect, thumbnails
    from pipelines.vision.shots import key_frame
    from pipelines.vision.still import banding

    info, rows = probe(str(path)), Rows()
    for values, tiny in measured(frames(str(path), info=info), Levels.of(info.video)):
        rows.add(values, tiny)
    track = thumbnails(frames(str(path), info=info), frame_count=info.frame_count)
    shots = [shot.frames for shot in detect([track], frame_rate=info.video.frame_rate).shots]
    stills = []
    for shot in shots:
        sharpness = np.array(rows.columns["sharpness"][shot.start : shot.end], np.float32)
        place = shot.start + key_frame(sharpness)
        (frame,) = frames(str(path), FrameRange(place, place + 1), info=info)
        value = banding(frame.luma, pq=info.video.colour.transfer == 16)
        stills.append(Still(shot=shot, frame=place, banding=value))
    part = {name: rows.columns[name] for name in NEEDED}
    columns: dict[str, Any] = {
        name: np.array([np.nan if value is None else value for value in listed], np.float32)
        for name, listed in part.items()
        if name != "spot_places"
    }
    places = np.empty(len(rows.tiny), object)
    places[:] = part["spot_places"]
    columns["spot_places"] = places
    return findings(Title(video=info.video, shots=shots, columns=columns, stills=stills), Profile())
