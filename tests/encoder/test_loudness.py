"""Loudness is measured as EBU R128 says, and corrected by a gain that keeps peaks below the ceiling."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import av
import pytest

from archer.media import MediaInfo, probe
from archer.process import ffmpeg
from encoder import BadOption, encode_audio
from encoder.loudness import Loudness, checked_target, gain_db

SINE_LUFS = -20.0
"""Of a 997 Hz sine at -20 dBFS in both channels: BS.1770 weighs it so that this is its loudness (EBU Tech 3341, case 1)."""


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Black pictures with a 997 Hz sine at -20 dBFS peak in both channels, eight seconds."""
    out = tmp_path / "tone.mov"
    sound = f"aevalsrc='{10 ** (-20 / 20)}*sin(2*PI*997*t)|{10 ** (-20 / 20)}*sin(2*PI*997*t)':s=48000:d=8"
    picture = ["-f", "lavfi", "-i", "color=black:s=64x64:r=2:d=8", "-f", "lavfi", "-i", sound]
    ffmpeg([*picture, "-c:v", "mpeg4", "-c:a", "pcm_f32le", out])
    return out


def coded(clip: Path, out: Path, **options: str) -> tuple[MediaInfo, dict[str, str], tuple[str, ...]]:
    info = probe(str(clip))
    facts = encode_audio(str(clip), info, info.audio[0], out, name="audio-0-und", **options)  # type: ignore[arg-type]
    values = {"lufs": facts.loudness.integrated_lufs, "peak": facts.loudness.peak_dbtp, "gain": facts.gain_db}
    return info, values, facts.notices


def test_a_reference_tone_measures_as_the_standard_says(tone: Path, tmp_path: Path) -> None:
    _, values, notices = coded(tone, tmp_path / "out.mp4")
    assert abs(float(values["lufs"]) - SINE_LUFS) <= 0.1
    assert abs(float(values["peak"]) + 20) <= 0.2
    assert values["gain"] == "0"
    assert notices == ()


@pytest.mark.parametrize("codec", ["aac", "opus"])
def test_correction_reaches_its_target(codec: str, tone: Path, tmp_path: Path) -> None:
    _, values, notices = coded(tone, tmp_path / "out.mp4", codec=codec, loudness="-23")
    assert abs(float(values["lufs"]) + 23) <= 0.1
    assert "-3.0 dB" in notices[0]
    with av.open(str(tmp_path / "out.mp4")) as container:
        powers = [float((frame.to_ndarray() ** 2).mean()) for frame in container.decode(audio=0)]
    assert abs(10 * math.log10(sorted(powers)[len(powers) // 2]) + 26) < 0.2


def test_peaks_hold_the_gain_back() -> None:
    loud = Loudness(integrated_lufs="-30.0", peak_dbtp="-4.0")
    assert gain_db(loud, "-23") == (
        "3.0", "brought to -27.0 instead of -23 LUFS: its peaks would pass -1 dBTP",
    )  # fmt: skip
    assert gain_db(Loudness(integrated_lufs="-12.0", peak_dbtp="1.5"), "-23")[0] == "-11.0"
    assert gain_db(Loudness(integrated_lufs="-30.0", peak_dbtp="0.5"), "-23")[0] == "0"


def test_silence_stays(tmp_path: Path) -> None:
    clip = tmp_path / "silent.mov"
    silence = ["-f", "lavfi", "-i", "color=black:s=64x64:r=5:d=1", "-f", "lavfi", "-i", "anullsrc=d=1"]
    ffmpeg([*silence, "-c:v", "mpeg4", "-c:a", "pcm_s16le", clip])
    _, values, notices = coded(clip, tmp_path / "out.mp4", loudness="-23")
    assert values["gain"] == "0"
    assert "silent" in notices[0]


@pytest.mark.parametrize("text", ["loud", "-4", "-60", "NaN"])
def test_targets_out_of_range(text: str) -> None:
    with pytest.raises(BadOption, match="-40 to -5"):
        checked_target(text)
    assert checked_target("-16") == "-16"


@pytest.mark.parametrize("codec", [pytest.param("aac", marks=pytest.mark.slow), "opus"])
def test_surround_keeps_its_channels(codec: str, clips: Path, tmp_path: Path) -> None:
    """Six tracks of different loudness come out in their own channels, also from the layout with side speakers."""
    clip, out = clips / "awkward/audio_51_ac3.mkv", tmp_path / "out.mp4"
    info, _, _ = coded(clip, out, codec=codec)

    def powers(path: Path) -> list[float]:
        total = [0.0] * 6
        with av.open(str(path)) as container:
            for frame in container.decode(audio=0):
                data = (
                    av.AudioResampler(format="fltp", layout=frame.layout.name).resample(frame)[0].to_ndarray()
                )
                total = [
                    one + float((row.astype(float) ** 2).sum()) for one, row in zip(total, data, strict=True)
                ]
        return [10 * math.log10(one + 1e-9) for one in total]

    assert info.audio[0].layout == "5.1(side)"
    for channel, (one, other) in enumerate(zip(powers(clip), powers(out), strict=True)):
        assert abs(one - other) < (6 if channel == 3 else 1.5), channel


@pytest.mark.parametrize("codec", ["aac", "opus"])
def test_priming_is_told_so_that_sample_zero_is_the_first(codec: str, tone: Path, tmp_path: Path) -> None:
    """The edit list (ISO/IEC 14496-12, 8.6.6) cuts exactly the encoder's priming and padding."""
    out = tmp_path / "out.mp4"
    coded(tone, out, codec=codec)
    data = out.read_bytes()
    at = data.index(b"elst")
    duration, media_time = struct.unpack_from(">Ii", data, at + 12)
    assert media_time == {"aac": 1024, "opus": 312}[codec]
    timescale = struct.unpack_from(">I", data, data.index(b"mvhd") + 16)[0]
    assert abs(duration / timescale - 8) <= 1 / timescale
