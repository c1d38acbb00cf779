"""A small title as a package: two x264 rungs, AV1, sound in two languages, subtitles; clear and encrypted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from archer.process import ffmpeg
from pipelines.conformance.devices import devices_named
from pipelines.conformance.results import Verdict
from pipelines.conformance.run import Order, run_conformance
from pipelines.packaging.build import build_package
from pipelines.packaging.keys import KeySet, Protection
from pipelines.packaging.tracks import AudioTrack, TextTrack, VideoTrack

KEYS = KeySet(id="5e", label="test", secret=bytes(range(32)))
CUES = "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\n{0} <i>one</i>\n\n00:00:02.500 --> 00:00:04.500\n{0} two\n"
Conform = Callable[..., Verdict]


@pytest.fixture(scope="session")
def title(bbb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of tracks: 180p, 90p (x264), av1, en, de (AAC), en.vtt, de.vtt; 132 frames, a key frame each second.

    `source` is what they were made from: the clip in a small size, since it is decoded again and again.
    """
    folder = tmp_path_factory.mktemp("title")
    small = ["-an", "-vf", "scale=-2:180", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", "-bf", "0"]
    ffmpeg(["-i", bbb, *small, folder / "source.mp4"])
    x264 = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-bf",
        "2",
        "-crf",
        "26",
        "-g",
        "25",
        "-sc_threshold",
        "0",
    ]
    for height in (180, 90):
        ffmpeg(["-i", folder / "source.mp4", "-vf", f"scale=-2:{height}", *x264, folder / f"{height}p.mp4"])
    av1 = ["-c:v", "libsvtav1", "-preset", "12", "-crf", "40", "-g", "25", "-svtav1-params", "lp=1"]
    ffmpeg(["-i", folder / "180p.mp4", *av1, folder / "av1.mp4"])
    for language, volume in (("en", "1"), ("de", "0.5")):
        sound = ["-af", f"volume={volume}", "-ac", "2", "-c:a", "aac", "-b:a", "96k"]
        ffmpeg(["-i", bbb, "-vn", *sound, folder / f"{language}.mp4"])
        (folder / f"{language}.vtt").write_text(CUES.format(language))
    return folder


@pytest.fixture(scope="session")
def packages(title: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The package of the title: `clear`, `cenc` or `cbcs`; made once, so do not change it."""
    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            out, scratch = folder / "package", folder / "scratch"
            out.mkdir()
            scratch.mkdir()
            scheme = {"cenc": "cenc", "cbcs": "cbcs"}.get(kind)
            lead = Decimal("0.5")
            build_package(
                [VideoTrack(name=name, path=title / f"{name}.mp4") for name in ("180p", "90p", "av1")],
                [
                    AudioTrack(name="audio-en", path=title / "en.mp4", language="eng", default=True),
                    AudioTrack(name="audio-de", path=title / "de.mp4", language="deu", roles=("dub",)),
                ],
                [
                    TextTrack(name="text-en", path=title / "en.vtt", language="eng"),
                    TextTrack(name="text-de", path=title / "de.vtt", language="deu", roles=("caption",)),
                ],
                out=out,
                scratch=scratch,
                segment_s=Decimal(1),
                protection=Protection(scheme=scheme, keys=KEYS, clear_lead_s=lead) if scheme else None,  # type: ignore[arg-type]
            )
            made[kind] = out
        return made[kind]

    return make


@pytest.fixture
def broken(packages: Callable[[str], Path], tmp_path: Path) -> Callable[..., Path]:
    """A copy of a package that may be changed."""

    def copy(kind: str = "clear") -> Path:
        return Path(shutil.copytree(packages(kind), tmp_path / f"broken-{kind}"))

    return copy


@pytest.fixture
def conform(title: Path, tmp_path: Path) -> Conform:
    """Run the tests of some devices on a package."""

    def run(
        package: Path, *devices: str, keys: KeySet | None = KEYS, source: bool = True, **options: object
    ) -> Verdict:
        order = Order(
            package=package,
            devices=devices_named(devices),
            out=tmp_path / "evidence",
            source=title / "source.mp4" if source else None,
            keys=keys,
            **options,  # type: ignore[arg-type]
        )
        return run_conformance(order)

    return run
