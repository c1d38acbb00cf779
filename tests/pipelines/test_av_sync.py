"""Sound stays where it was: a beep with a flash still comes with the flash, late sound stays late."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from archer.media import probe
from archer.process import ffmpeg_path

SETTINGS = ["--crf", "35", "--preset", "ultrafast", "--ladder", "90p", "--no-score", "--executor", "inline"]
AUDIO_FRAME_S = 1024 / 48000
RATE = 8000


Encoded = Callable[..., Path]


@pytest.fixture
def encoded(cinemill: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> Encoded:
    def encode(clip: Path, *options: str) -> Path:
        out = tmp_path / "out"
        done = cinemill("encode", clip, "-o", out, *SETTINGS, *options)
        assert done.returncode == 0, done.stderr
        return out

    return encode


def sound(path: Path, zero: Fraction) -> npt.NDArray[np.float32]:
    """Mono samples at 8 kHz, the first one at `zero` seconds of the file's clock."""
    track = np.zeros(RATE * 20, np.float32)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            start = round((frame.pts * frame.time_base - zero) * RATE)
            for block in resampler.resample(frame):
                samples = block.to_ndarray().ravel()
                first = min(len(samples), max(0, -start))
                track[start + first : start + len(samples)] = samples[first:]
                start += len(samples)
    return track


def lag_s(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Seconds by which `other` comes later."""
    size = len(one) + len(other)
    product = np.fft.irfft(np.conj(np.fft.rfft(one, size)) * np.fft.rfft(other, size), size)
    place = int(np.argmax(product))
    return (place if place < size // 2 else place - size) / RATE


@pytest.mark.parametrize("codec", ["aac", "opus"])
def test_a_beep_comes_with_its_flash(codec: str, encoded: Encoded, tmp_path: Path) -> None:
    source, at = tmp_path / "flash.mov", 2.0
    picture = "color=gray:s=160x90:r=10:d=4,drawbox=t=fill:color=white:enable='eq(n,20)'"
    beep = f"aevalsrc='if(between(t,{at},{at}+0.2),0.8*sin(2*PI*1000*t),0)':s=48000:d=4"
    made = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", beep, "-c:v", "libx264", "-bf", "2"]
    subprocess.run([ffmpeg_path(), "-v", "error", *made, "-c:a", "pcm_s16le", source], check=True)
    out = encoded(source, "--audio-codec", codec)
    with av.open(str(out / "renditions" / "90p.mp4")) as container:
        levels = [(float(frame.time), frame.to_ndarray()[:90].mean()) for frame in container.decode(video=0)]
    flash = next(time for time, level in levels if level > 180)
    heard = (
        np.flatnonzero(np.abs(sound(next((out / "renditions").glob("audio-0*")), Fraction(0))) > 0.3)[0]
        / RATE
    )
    assert flash == at
    assert abs(heard - flash) < AUDIO_FRAME_S / 2


@pytest.mark.parametrize("clip", ["audio_starts_1500ms_late.mkv", "audio_51_ac3.mkv"])
def test_sound_keeps_its_distance_to_the_picture(clip: str, clips: Path, encoded: Encoded) -> None:
    source = clips / "awkward" / clip
    info = probe(str(source))
    out = encoded(source)
    zero = int(info.index.pts[0]) * info.video.time_base
    was = sound(source, zero)
    now = sound(next((out / "renditions").glob("audio-0*")), Fraction(0))
    assert np.abs(was).max() > 0.01
    assert abs(lag_s(was, now)) < AUDIO_FRAME_S / 4
