"""Small clips of every kind, made with ffmpeg, for the tests that must run everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archer.process import ffmpeg, ffmpeg_path, run

MOVING = "testsrc2=size=192x108:rate={rate}:duration=1.4"
X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2 -g 12"
MASTERING = (
    "hdr10=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:max-cll=1000,400:"
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
)

RECIPES = {
    "h264.mp4": X264,
    "h264.mkv": X264,
    "h264.ts": X264,
    "open_gop.mp4": f"{X264} -flags -cgop -x264-params open-gop=1:scenecut=0",
    "intra_refresh.mp4": f"{X264} -x264-params intra-refresh=1:keyint=15",
    "tff.mp4": f"{X264} -vf tinterlace=mode=interleave_top,setfield=tff -flags +ilme+ildct -x264-params tff=1",
    "bff.mp4": f"{X264} -vf tinterlace=mode=interleave_bottom,setfield=bff -flags +ilme+ildct -x264-params bff=1",
    "bff.ts": "-vf tinterlace=mode=interleave_bottom,setfield=bff -c:v mpeg2video -bf 2 -flags +ilme+ildct",
    "hevc.mp4": "-c:v libx265 -preset ultrafast -pix_fmt yuv420p -x265-params log-level=none:keyint=12:open-gop=1:bframes=3",
    "hdr10.mp4": f"-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none:{MASTERING}",
    "vp8.webm": "-c:v libvpx -pix_fmt yuv420p -deadline realtime -auto-alt-ref 1 -lag-in-frames 16 -g 25 -b:v 100k",
    "vp9.webm": "-c:v libvpx-vp9 -pix_fmt yuv420p -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 16 -g 25 -b:v 100k",
    "av1.mkv": "-c:v libsvtav1 -pix_fmt yuv420p -preset 12 -g 25 -svtav1-params lp=1",
    "mpeg4.avi": "-c:v mpeg4 -bf 2 -g 12",
    "prores.mov": "-c:v prores_ks -profile:v 0 -pix_fmt yuv422p10le",
    "ffv1.mkv": "-c:v ffv1 -g 12 -pix_fmt yuv444p",
    "odd.mkv": "-vf crop=191:107:exact=1 -c:v ffv1 -pix_fmt yuv420p",
    "grey.mkv": "-c:v ffv1 -pix_fmt gray",
    "vfr.mkv": f"{X264} -vf select=not(mod(n\\,3))+not(mod(n\\,7)) -fps_mode passthrough",
    "vfr.mp4": f"{X264} -vf select=not(mod(n\\,3))+not(mod(n\\,7)) -fps_mode passthrough",
    "one_frame.mp4": f"{X264} -frames:v 1",
}
"""File -> arguments that make it of a moving test picture: 192x108, 25 frames per second, 35 frames (or twice the fields).
All are different to find frames in; ranges of each are tested."""

MARKED = {
    "anamorphic.mp4": f"{X264} -vf setsar=64/45",
    "full_range.mp4": f"{X264} -vf scale=out_range=full -pix_fmt yuvj420p",
    "timecode.mov": f"{X264} -timecode 01:02:03:04",
    "timecode.mkv": f"{X264} -timecode 01:02:03:04",
    "rgb.mkv": "-c:v ffv1 -pix_fmt gbrp",
    "bff.dv": "-vf scale=720:576,tinterlace=mode=interleave_bottom,setfield=bff -target pal-dv",
}
"""More of the same, which differ in what they say of themselves."""

EDITED = {
    "edit_list.mp4": "-ss 0.6 -i h264.mp4 -c copy",
    "rotated_90.mp4": "-display_rotation:v -90 -i h264.mp4 -c copy",
    "rotated_180.mp4": "-display_rotation:v 180 -i h264.mp4 -c copy",
    "rotated_270.mp4": "-display_rotation:v 90 -i h264.mp4 -c copy",
    "mirrored.mp4": "-display_hflip:v -i h264.mp4 -c copy",
    "mirrored_down.mp4": "-display_vflip:v -i h264.mp4 -c copy",
    "mirrored_90.mp4": "-display_rotation:v -90 -display_hflip:v -i h264.mp4 -c copy",
    "mirrored_270.mp4": "-display_rotation:v 90 -display_hflip:v -i h264.mp4 -c copy",
    "askew.mp4": "-display_rotation:v 85 -i h264.mp4 -c copy",
}
"""File -> arguments that make it of another one."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `recipe` for each clip that can be made here."""
    if "recipe" in metafunc.fixturenames:
        metafunc.parametrize("recipe", [*RECIPES, "edit_list.mp4"])


class ClipMaker:
    """Makes clips by name, each once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            words = EDITED[name].split() if name in EDITED else self._made_of_nothing(name)
            for source in {word for word in words if word in RECIPES}:
                words[words.index(source)] = str(self(source))
            run([ffmpeg_path(), "-v", "error", "-nostdin", *words, "-bitexact", path], timeout_s=60)
        return path

    @staticmethod
    def _made_of_nothing(name: str) -> list[str]:
        words = (RECIPES | MARKED)[name]
        rate = 50 if "interlace" in words else 25
        return ["-f", "lavfi", "-i", MOVING.format(rate=rate), *words.split()]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> ClipMaker:
    """`made(name)`: the path of a clip of `RECIPES`, `MARKED` or `EDITED`."""
    return ClipMaker(tmp_path_factory.mktemp("made"))


@pytest.fixture
def remake(made: ClipMaker, tmp_path: Path) -> Callable[..., Path]:
    """`remake(source, name, *arguments)`: a new file by ffmpeg from a clip of `RECIPES`."""

    def make(source: str, name: str, *arguments: str | Path) -> Path:
        ffmpeg(["-i", made(source), *arguments, tmp_path / name], timeout_s=60)
        return tmp_path / name

    return make
