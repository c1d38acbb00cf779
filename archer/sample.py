"""Small titles, made on the spot: one to work on, and awkward ones that are valid, or nearly."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from archer.media.asset import Asset
from archer.process import ffmpeg

AUDIO = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=1.2")
WORDS = b64encode(b"1\n00:00:00,200 --> 00:00:00,900\nWords.\n").decode()
SAMPLE = (
    *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=0.6"),
    *("-f", "lavfi", "-i", "mandelbrot=size=320x180:rate=25:end_pts=40"),
    *AUDIO,
    *("-f", "srt", "-i", f"data:text/plain;base64,{WORDS}"),
    *(
        "-filter_complex",
        "[1:v]trim=duration=0.6,format=yuv420p[b];[0:v]format=yuv420p[a];[a][b]concat=n=2:v=1[v]",
    ),
    *(
        "-map",
        "[v]",
        "-map",
        "2:a",
        "-map",
        "3:s",
        "-c:s",
        "mov_text",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "20",
        "-g",
        "12",
    ),
    *("-threads", "1", "-c:a", "aac", "-flags", "+bitexact", "-fflags", "+bitexact"),
)
AWKWARD: Mapping[str, tuple[str, ...]] = {
    "empty": (),
    "text": (),
    "one frame": ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-frames:v", "1", "-c:v", "ffv1"),
    "odd size": ("-f", "lavfi", "-i", "testsrc2=size=97x55:rate=25:duration=1", "-pix_fmt", "yuv444p", "-c:v", "ffv1"),
    "variable rate": (
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2", "-fps_mode", "vfr"),
        *("-vf", "select='not(mod(n,3))+gt(n,25)'", "-c:v", "libx264", "-preset", "veryfast"),
    ),
    "sound only": (*AUDIO, "-c:a", "aac"),
}  # fmt: skip
"""Name -> arguments of ffmpeg; none for those that are no media at all."""


def sample_title(folder: Path) -> Asset:
    """1.2 seconds of 320x180 at 25 fps with a cut in the middle, a tone, and a word of subtitles."""
    return _made(folder / "sample.mp4", SAMPLE)


def awkward_title(name: str, folder: Path) -> Asset:
    """One of `AWKWARD`."""
    return _made(folder / f"{name.replace(' ', '-')}.mkv", AWKWARD[name], text="no media" * (name == "text"))


def _made(path: Path, args: tuple[str, ...], text: str = "") -> Asset:
    from archer.media import identify

    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        if args:
            ffmpeg(["-y", *args, path], timeout_s=120)
        else:
            path.write_text(text)
    return identify(str(path))
