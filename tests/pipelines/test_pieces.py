"""Ranges and several inputs become one title: frame by frame, in sync to the sample, and what was done is not done again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from archer.media import identify, probe
from archer.media.asset import joined, joined_url
from archer.process import ffmpeg
from encoder.soundtrack import soundtrack
from pipelines.encode.captions import brought_tracks
from pipelines.encode.errors import BadSetting
from pipelines.encode.job import encode_job
from pipelines.encode.request import EncodeRequest
from pipelines.ingest.conform import edited, pieces_of
from pipelines.ingest.params import IngestParams
from pipelines.ingest.tracks import audio_tracks

ENCODE = [sys.executable, "-m", "pipelines.cli.main", "encode"]
QUICK = ["--crf", "12", "--preset", "ultrafast", "--ladder", "90p"]
RATE, FPS = 48000, 25
SRT = """1
00:00:00,500 --> 00:00:00,700
From the first

2
00:00:01,300 --> 00:00:01,600
{\\an8}Cut at its end
"""


def title(path: Path, seed: int, *languages: str) -> Path:
    """Two seconds of moving pictures, and noise in each language, in which no two samples in a row are like any others."""
    picture = f"testsrc2=s=160x90:r={FPS}:d=2,hue=h={seed * 40}"
    inputs, tracks = ["-f", "lavfi", "-i", picture], list[str]()
    for number, language in enumerate(languages):
        noise = f"anoisesrc=r={RATE}:d=2:a=0.5:s={seed * 10 + number}"
        inputs += ["-f", "lavfi", "-i", noise]
        tracks += ["-map", f"{number + 1}:a", f"-metadata:s:a:{number}", f"language={language}"]
    coded = [
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        "8",
        "-bf",
        "2",
        "-c:a",
        "pcm_s16le",
    ]
    ffmpeg([*inputs, "-map", "0:v", *tracks, *coded, path])
    return path


@pytest.fixture(scope="module")
def titles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("titles")
    (folder / "first.srt").write_text(SRT)
    return title(folder / "first.mov", 1, "fra", "eng"), title(folder / "second.mov", 2, "eng")


def lumas(path: Path) -> list[npt.NDArray[np.float64]]:
    with av.open(str(path)) as container:
        return [
            frame.reformat(format="gray").to_ndarray().astype(float) for frame in container.decode(video=0)
        ]


def samples(path: Path, track: int) -> npt.NDArray[np.int16]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        blocks = [block for frame in container.decode(audio=track) for block in resampler.resample(frame)]
    return np.concatenate([block.to_ndarray().ravel() for block in blocks])


def psnr(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    return float(10 * np.log10(255**2 / max(1e-6, float(np.mean((one - other) ** 2)))))


def run(*words: Path | str, code: int = 0) -> str:
    done = subprocess.run([*ENCODE, *words], capture_output=True, text=True, timeout=280)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_every_frame_and_every_sample(titles: tuple[Path, Path], tmp_path: Path) -> None:
    """Two ranges of the first input, one of the second: the file holds exactly these pictures, and this sound bit for bit."""
    first, second = titles
    out = tmp_path / "out.mkv"
    inputs = ["--clip", "0.4-0.8", "--clip", "00:00:01:05-00:00:01:14+", "--join", str(second)]
    inputs += ["--clip", "2@10f-17f"]
    chosen = ["--audio", "eng", "--captions", f"eng={first.with_suffix('.srt')}"]
    run(first, "-o", out, *QUICK, *inputs, *chosen, "--executor", "inline", "-q")
    wanted = [(first, number) for number in (*range(10, 20), *range(30, 40))]
    wanted += [(second, number) for number in range(10, 17)]
    stored = {path: lumas(path) for path in titles}
    got = lumas(out)
    assert len(got) == len(wanted)
    for place, (luma, (path, number)) in enumerate(zip(got, wanted, strict=True)):
        own = psnr(luma, stored[path][number])
        assert own > 32, (place, own)
        for other in (number - 1, number + 1):
            assert own > psnr(luma, stored[path][other]) + 1, (place, other)
    sound = [samples(first, 1)[19200:38400], samples(first, 1)[57600:76800], samples(second, 0)[19200:32640]]
    assert np.array_equal(samples(out, 0), np.concatenate(sound))
    with av.open(str(out)) as container:
        assert [float(frame.time) for frame in container.decode(video=0)][::9] == [0, 0.36, 0.72]
        container.seek(0)
        (text,) = container.streams.subtitles
        cues = [
            (packet.pts, packet.duration, bytes(packet)) for packet in container.demux(text) if packet.size
        ]
        assert (text.language, len(container.streams.audio)) == ("eng", 1)
    assert [(start, length) for start, length, _ in cues] == [(100, 200), (500, 300)]
    assert cues[0][2] == b"From the first"


def test_what_is_not_there_is_refused_before_work_begins(titles: tuple[Path, Path], tmp_path: Path) -> None:
    first, _ = titles
    for words, message in (
        (["--clip", "1-9"], "--clip 1-9: reaches beyond"),
        (["--audio", "spa"], "there are: 1 fra, 2 eng"),
    ):
        told = run(first, "-o", tmp_path / "out", *QUICK, *words, "--executor", "inline", "-q", code=1)
        assert message in told
    assert list(tmp_path.iterdir()) == []


def test_files_and_settings_must_agree(titles: tuple[Path, Path]) -> None:
    first, second = (identify(str(path)) for path in titles)
    captions = identify(str(titles[0].with_suffix(".srt")))
    for request, files, message in (
        (EncodeRequest(clips="3@0-1"), None, "2 inputs"),
        (EncodeRequest(captions="3@eng"), captions, "2 inputs"),
        (EncodeRequest(captions="eng,fra"), captions, "2 languages for 1 files"),
        (EncodeRequest(), captions, "0 languages for 1 files"),
    ):
        with pytest.raises(BadSetting, match=message):
            encode_job(joined([first, second]), request, title="x", captions=files)
    with pytest.raises(BadSetting, match="as eng="):
        brought_tracks("english=x")
    tracks = brought_tracks("eng,2@eng,fra,eng")
    assert [(track.language, dict(track.files)) for track in tracks] == [
        ("eng", {0: 0, 1: 1}),
        ("fra", {0: 2}),
        ("eng", {0: 3}),
    ]


def test_a_film_that_goes_on_in_silence(titles: tuple[Path, Path]) -> None:
    """Sound of another rate is brought to that of the first input; where an input has no such track it is silent, to the end."""
    first, second = titles
    infos = [probe(str(path)) for path in titles]
    info = edited(infos, pieces_of(infos, IngestParams(clips="1@1-1.5,2@0-0.2")))
    (track, _) = audio_tracks(info, "fra|none,eng")
    blocks = list(soundtrack(joined_url([str(first), str(second)]), info, track.streams, "mono", 44100))
    ends = [place + len(samples) for place, samples in blocks]
    assert (blocks[0][0], ends[-2], ends[-1]) == (0, 22932, 31752)
    assert track.streams[1] is None


def encoded(log: str) -> set[str]:
    """Chunks that are encoded, by the events so far; a line that a kill cut short is left out."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{") and line.endswith("}")]
    return {event["item"] for event in lines if event["type"] == "chunk-done" and event["node"] == "encode"}


def manifest(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "manifest.json").read_bytes())
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_while_encoding_it_goes_on_to_the_same_bytes(
    titles: tuple[Path, Path], tmp_path: Path
) -> None:
    """What was encoded is not encoded again; another order of the same pieces finds all of it there; a manifest repeats it."""
    first, second = titles
    words: list[Path | str] = [
        first,
        *QUICK,
        "--preset",
        "veryslow",
        "--chunk-s",
        "0.2",
        "--gop-s",
        "0.2",
        "--no-proxies",
    ]
    words += [
        "--clip",
        "0.2-1.8",
        "--join",
        second,
        "--clip",
        "2@0.4-1.6",
        "--captions",
        f"eng={first.with_suffix('.srt')}",
    ]
    words += ["--json", "--workers", "1"]
    calm = tmp_path / "calm"
    run(*words, "-o", calm)
    log = tmp_path / "events.ndjson"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*ENCODE, *words, "-o", tmp_path / "out"], stdout=file, stderr=file, start_new_session=True
        )
        until = time.monotonic() + 200
        while len(encoded(log.read_text())) < 3 and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    before = encoded(log.read_text())
    assert process.returncode == -signal.SIGKILL
    assert 3 <= len(before) < 14
    told = run(*words, "-o", tmp_path / "out", "--keep")
    assert manifest(tmp_path / "out")["files"] == manifest(calm)["files"]
    again = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    started = {
        event["item"] for event in again if event["type"] == "task-started" and event["node"] == "encode"
    }
    assert started
    assert not started & before
    other = run(*words, "-o", tmp_path / "other", "--work-dir", tmp_path / ".out.cinemill", "--audio", "eng")
    events = [json.loads(line) for line in other.splitlines() if line.startswith("{")]
    assert not [
        event
        for event in events
        if event["type"] == "task-started" and event["item"] and event["node"] in ("encode", "score", "audio")
    ]
    repeat = [sys.executable, "-m", "pipelines.cli.main", "reproduce", str(calm), "-q"]
    assert subprocess.run(repeat, timeout=280).returncode == 0
