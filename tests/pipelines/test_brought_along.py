"""What a user brings along is used: scenes, zones, subtitles, a wanted loudness, a cropped picture at another rate."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import pytest

from archer.media import probe
from archer.process import ffmpeg

FAST = ["--preset", "ultrafast", "--ladder", "90p", "--no-score", "--executor", "inline"]
SCENES = {
    "scenes": [
        {"start_frame": 0, "end_frame": 11, "zone_overrides": {"video_params": ["--crf", "9"]}},
        {"start_frame": 11, "end_frame": 30, "zone_overrides": None},
    ],
    "frames": 30,
}
SRT = "1\n00:00:00,200 --> 00:00:00,900\nHello <i>there</i> & bye\n"


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(cinemill: Run) -> Run:
    return partial(cinemill, "encode")


@pytest.fixture(scope="module")
def titled(short: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The short clip with a subtitle track in German."""
    folder = tmp_path_factory.mktemp("titled")
    (folder / "in.srt").write_text(SRT)
    tags = ["-metadata:s:s:0", "language=deu", "-disposition:s:0", "default"]
    maps = ["-map", "0", "-map", "1", "-c", "copy", "-c:s", "srt"]
    ffmpeg(["-i", short, "-i", folder / "in.srt", *maps, *tags, folder / "titled.mkv"])
    return folder / "titled.mkv"


def test_everything_at_once(run: Run, titled: Path, tmp_path: Path) -> None:
    (tmp_path / "scenes.json").write_text(json.dumps(SCENES))
    (tmp_path / "zones.txt").write_text("11 30 crf=20\n")
    done = run(
        titled, "-o", tmp_path / "out", *FAST, "--crf", "45", "--loudness", "-23", "--crop", "240:180:40:0",
        "--scenes", tmp_path / "scenes.json", "--zones", tmp_path / "zones.txt", "--chunk-s", "20",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shots = json.loads((tmp_path / "out/shots.json").read_bytes())["shots"]
    assert [(shot["start"], shot["end"]) for shot in shots] == [(0, 11), (11, 30)]
    with av.open(str(tmp_path / "out/renditions/90p.mp4")) as container:
        video = container.streams.video[0]
        assert (video.width, video.height) == (120, 90)
        packets = [packet for packet in container.demux(video) if packet.size]
    sizes = [packet.size for packet in sorted(packets, key=lambda packet: packet.pts or 0)]
    assert sizes[11] > 3 * sizes[0]  # both are key frames; the second is in the zone of better quality
    manifest = json.loads((tmp_path / "out/manifest.json").read_bytes())
    (facts,) = manifest["audio"]
    assert any("1 of the scenes have (zone_overrides)" in notice for notice in manifest["notices"])
    assert "--scenes scenes.json --zones zones.txt" in manifest["command"]
    assert abs(float(facts["loudness"]["integrated_lufs"]) + 23) <= 0.3 or "peaks" in str(facts["notices"])
    assert "cropped from 320x180 to 240x180" in done.stdout
    master = (tmp_path / "out/master.m3u8").read_text()
    assert 'TYPE=SUBTITLES,URI="text-0-deu/media.m3u8"' in master
    assert 'LANGUAGE="de",NAME="Deutsch",DEFAULT=YES' in master
    assert "Hello <i>there</i> &amp; bye" in (tmp_path / "out/text-0-deu/text.vtt").read_text()


@pytest.mark.slow
def test_hdr_is_kept_in_a_package(run: Run, clips: Path, tmp_path: Path) -> None:
    """Colours, mastering display and light levels are in the stream and in the container."""
    clip = clips / "awkward/hdr10_hevc_mdcv_clli.mp4"
    done = run(clip, "-o", tmp_path / "out", *FAST, "--codec", "x265", "--crf", "40", "--fps", "10")
    assert done.returncode == 0, done.stderr
    source, found = probe(str(clip)), probe(str(tmp_path / "out/renditions/90p.mp4"))
    assert found.video.colour == source.video.colour
    assert found.video.hdr == source.video.hdr
    assert found.video.format.name == "yuv420p10le"
    assert found.frame_count == 25
    assert found.video.frame_rate == Fraction(10)
    data = (tmp_path / "out/renditions/90p.mp4").read_bytes()
    assert b"mdcv" in data
    assert b"clli" in data
    init = (tmp_path / "out/video-90p/init.mp4").read_bytes()
    assert b"mdcv" in init
    assert b"clli" in init
    master = (tmp_path / "out/master.m3u8").read_text()
    assert "VIDEO-RANGE=PQ" in master
    assert 'CODECS="hvc1.2.' in master


def test_scenes_of_another_title_are_refused(run: Run, short: Path, tmp_path: Path) -> None:
    (tmp_path / "scenes.json").write_text(
        json.dumps({**SCENES, "scenes": SCENES["scenes"][:1], "frames": 11})
    )
    done = run(short, "-o", tmp_path / "out", *FAST, "--crf", "45", "--scenes", tmp_path / "scenes.json")
    assert done.returncode == 1
    assert "its scenes end at frame 11, the title has 30" in done.stderr
    assert not (tmp_path / "out").exists()
