"""Videos whose frames say their number in their picture, and a page with the A/B player over them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archer.media import frames, identify, probe
from archer.process import ffmpeg
from encoder.loudness import Loudness
from pipelines.conformance.browsers.chromium import Chromium, ChromiumPage, find_chromium
from pipelines.conformance.browsers.firefox import Firefox, find_firefox
from pipelines.conformance.server import serving
from pipelines.encode.cost import cost_script
from pipelines.report.coded import CodedAudio, read_video
from pipelines.report.gallery import make_gallery
from pipelines.report.material import Material, ShotFacts
from pipelines.report.page import render
from pipelines.report.player import Pieces, Side, Worst, pieces
from vmaf import FrameScores

BARS = 10
NUMBERED = f"format=gray,geq=lum='if(lt(Y,H/2),255*mod(floor(N/pow(2,floor(X*{BARS}/W))),2),mod(X+Y+N*7,256))',format=yuv420p"
"""Upper half: the number of the frame, least bit left, white for 1. Lower half: a texture that moves."""
CODECS = {
    "h264": ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "24", "-crf", "20"],
    "av1": ["-c:v", "libsvtav1", "-preset", "12", "-g", "48", "-crf", "30", "-svtav1-params", "lp=1"],
    "vp9": [
        "-c:v",
        "libvpx-vp9",
        "-cpu-used",
        "8",
        "-deadline",
        "realtime",
        "-g",
        "48",
        "-crf",
        "24",
        "-b:v",
        "0",
    ],
    "vfr": [
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-bf",
        "2",
        "-g",
        "24",
        "-crf",
        "20",
        "-fps_mode",
        "vfr",
    ],
    "late": ["-c:v", "libx264", "-preset", "veryfast", "-g", "24", "-crf", "20", "-output_ts_offset", "1.5"],
}
CODEC_STRINGS = {"av1": "av01.0.00M.08", "vp9": "vp09.00.10.08"}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>player</title><style>{0.style}</style>
<body><main><h1>player</h1></main>{0.markup}
<script type="application/json" id="ab-data">{0.data}</script><script type="module">{0.script}</script>"""
READ = """((video) => {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  let number = 0;
  for (let bar = 0; bar < BARS; bar++) {
    const x = Math.floor((bar + 0.5) * canvas.width / BARS);
    if (context.getImageData(x, Math.floor(canvas.height / 4), 1, 1).data[1] > 127) number += 2 ** bar;
  }
  return number;
})""".replace("BARS", str(BARS))
"""A function of a video element: the number in the picture that it shows."""


def numbered(out: Path, kind: str, frames: int, rate: str = "24000/1001") -> Path:
    """Encode a video of `frames` numbered frames, once."""
    if out.exists():
        return out
    uneven = ",setpts='(N+0.4*mod(N,3))/FR/TB'" if kind == "vfr" else ""
    source = ["-f", "lavfi", "-i", f"color=black:s=320x180:r={rate}:d=1000"]
    ffmpeg([*source, "-frames:v", str(frames), "-vf", NUMBERED + uneven, *CODECS[kind], out])
    return out


def side_of(path: Path, kind: str) -> Side:
    """What the player is told about a video."""
    info = probe(str(path))
    video = info.video
    return Side(
        label=kind,
        url=path.name,
        codec=CODEC_STRINGS.get(kind, "avc1.640015"),
        fps=Fraction(video.frame_rate),
        frames=info.frame_count,
        width=video.width,
        height=video.height,
        pts=np.asarray(info.index.pts),
        time_base=video.time_base,
        vmaf=np.linspace(60, 100, info.frame_count),
    )


def write_page(folder: Path, sides: Sequence[Side]) -> Path:
    """A page that is nothing but the player."""
    held: Pieces = pieces(sides, shots=[(0, 20), (20, sides[0].frames)], worst=[Worst(frame=17, side=1)])
    page = folder / "player.html"
    page.write_text(PAGE.format(held), encoding="utf-8")
    return page


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One browser for all tests of pages."""
    if find_chromium() is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def violations(page: ChromiumPage) -> list[str]:
    """What axe-core finds wrong with a page as it is, each rule with the first element that breaks it.

    `CINEMILL_AXE` may name a newer axe.min.js than the one that pip brings.
    """
    axe = find_spec("axe_core_python")
    if axe is None or axe.origin is None:
        pytest.skip("needs axe-core: pip install axe-core-python")
    script = Path(os.environ.get("CINEMILL_AXE", Path(axe.origin).parent / "axe.min.js"))
    page.evaluate(script.read_text(encoding="utf-8") + ";0")
    wrong = page.evaluate("axe.run().then(({ violations }) => violations)")
    return [f"{rule['id']}: {rule['help']}: {rule['nodes'][0]['html']}" for rule in wrong]


def coloured(page: ChromiumPage, scheme: str) -> None:
    """Look at a page in `light` or `dark`."""
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


@pytest.fixture
def flaws() -> Callable[[ChromiumPage], dict[str, list[str]]]:
    """What axe-core finds wrong with a page, in light and in dark."""

    def look(page: ChromiumPage) -> dict[str, list[str]]:
        found = {}
        for scheme in ("light", "dark"):
            coloured(page, scheme)
            found[scheme] = violations(page)
        return found

    return look


class Opened:
    """The player in a tab; keys are pressed in Chromium only."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def open(self, left: int, right: int, frame: int = 0) -> list[int]:
        """Open the player with two sides of its list; the frames that they show."""
        return self._frames(f"open({{frame: {frame}, left: {left}, right: {right}}})")

    def go_to(self, frame: int) -> list[int]:
        """Go to a frame; the frames that both sides then show, by what the browser says of the picture."""
        return self._frames(f"goTo({frame})")

    def drawn(self) -> list[int]:
        """The numbers in the pictures that both sides show."""
        return list(self.page.evaluate(f"[...document.querySelectorAll('.ab video')].map({READ})"))

    def press(self, key: str) -> None:
        """Press a key, as a user does."""
        text = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self.page.call(
                "Input.dispatchKeyEvent", type=kind, key=key, **(text if kind == "keyDown" else {})
            )

    def settled(self) -> list[int]:
        """The frames that are shown once nothing moves."""
        assert self.page.wait_for("document.querySelector('.ab').dataset.state === 'still'", 60)
        return list(
            self.page.evaluate("document.querySelector('.ab').player.pair.sides.map(({ shown }) => shown)")
        )

    def state(self, what: str) -> Any:
        """A property of the player."""
        return self.page.evaluate(f"document.querySelector('.ab').player.{what}")

    def _frames(self, call: str) -> list[int]:
        return list(self.page.evaluate(f"document.querySelector('.ab').player.{call}", 120) or [])


@pytest.fixture
def opened(chromium: Chromium) -> Iterator[Callable[[Path], Opened]]:
    """Opens a page of a folder that has the player, by HTTP, so that its pictures can be read."""
    tabs = ExitStack()

    def start(page: Path) -> Opened:
        root = tabs.enter_context(serving(page.parent, {}))
        tab = chromium.open(f"{root}/package/{page.name}")
        tabs.callback(tab.close)
        return Opened(tab)

    with tabs:
        yield start


@pytest.fixture(scope="session")
def numbered_title(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A title of 144 frames whose pictures say their number."""
    return numbered(tmp_path_factory.mktemp("title") / "title.mp4", "h264", 144)


@pytest.fixture
def player(chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Opened]]:
    """Opens the player in Chromium, see `players`."""
    with players(chromium, tmp_path_factory.getbasetemp() / "numbered") as start:
        yield start


@pytest.fixture
def player_in_firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Opened]]:
    """Opens the player in Firefox, see `players`."""
    if find_firefox() is None:
        pytest.skip("needs Firefox: apt-get install firefox-esr")
    profile, folder = tmp_path_factory.mktemp("firefox"), tmp_path_factory.getbasetemp() / "numbered"
    with Firefox(profile) as browser, players(browser, folder) as start:
        yield start


@contextmanager
def players(browser: Chromium | Firefox, folder: Path) -> Iterator[Callable[..., Opened]]:
    """Opens the player on numbered videos of some kinds (another name: one that is not there), by HTTP or from disk."""
    tabs = ExitStack()
    folder.mkdir(exist_ok=True)

    def start(*kinds: str, frames: int, disk: bool = False) -> Opened:
        made = [kind for kind in kinds if kind in CODECS]
        sides = [side_of(numbered(folder / f"{kind}-{frames}.mp4", kind, frames), kind) for kind in made]
        sides += [replace(sides[0], label=kind, url=f"{kind}.mp4") for kind in kinds if kind not in CODECS]
        path = write_page(folder, sides)
        url = path.as_uri() if disk else f"{tabs.enter_context(serving(folder, {}))}/package/{path.name}"
        page = browser.open(url)
        tabs.callback(page.close)
        return Opened(page)

    with tabs:
        yield start


RATES = (4000, 2400, 1400, 800, 400, 150)
"""Of up to six made-up rungs, kb/s."""


def material_from(
    source: Path, renditions: Sequence[Path], shots: int, names: Sequence[str] = (), **more: Any
) -> Material:
    """What is known of a job, without running it: real files, scores that fall with the rung and dip in every shot.

    Args:
        source, renditions: videos with the same frames.
        shots: how many.
        names: of rungs that all are the first rendition; empty: each rendition is one.
        more: replaces what is made up.
    """
    info = probe(str(source))
    edges = np.linspace(0, info.frame_count, shots + 1).astype(int).tolist()
    videos = tuple(read_video(path, path.stem) for path in renditions)
    videos = tuple(replace(videos[0], name=name) for name in names) or videos
    frames = np.arange(info.frame_count)
    scores = {
        video.name: FrameScores(
            frames=frames,
            columns={
                "vmaf": 96 - 9 * place - 8 * np.abs(np.sin(frames / 11 + place)),
                "psnr_y": 40.0 - place + 0 * frames,
            },
            model="vmaf_v0.6.1",
            scorer="made up",
        )
        for place, video in enumerate(videos)
    }
    known: dict[str, Any] = {
        "shots": tuple(
            ShotFacts(start=start, end=end, transition="cut" if start else "start", confidence_pct=99)
            for start, end in pairwise(edges)
        ),
        "crfs": {video.name: "20.5-31.2" for video in videos},
        "audios": (SOUND,),
        "choices": choices([video.name for video in videos], shots),
        "qc": {
            "findings": [
                {
                    "kind": "dead_pixel",
                    "severity": "warning",
                    "start": 3,
                    "end": 9,
                    "message": "a dot at 4, 7",
                }
            ]
        },
        "notices": ("rung 2160p left out: the source is 320x180, and nothing is enlarged",),
    }
    paths = {path.stem: path for path in renditions}
    return Material(
        asset=identify(str(source)), info=info, videos=videos, paths=paths, scores=scores, **{**known, **more}
    )


SOUND = CodedAudio(
    language="eng",
    title="Original",
    codec="AAC LC",
    rate=48000,
    layout="5.1",
    kbps=384,
    default=True,
    loudness=Loudness(integrated_lufs="-23.1", range_lu="8.2", peak_dbtp="-1.3"),
    gain_db="2.4",
)


def choices(names: Sequence[str], shots: int) -> dict[str, Any]:
    """A `choices@1` object as the optimizer makes it."""
    rungs = [
        {
            "name": name,
            "size": [320, 180],
            "goal": {"vmaf": 93.0 - 9 * place, "kbps": 0.0},
            "met": place != 1,
            "level": 0.005 * (place + 1),
            "planned": {
                "bytes": 1,
                "kbps": float(RATES[place]),
                "vmaf_mean": 93.0 - 9 * place,
                "vmaf_harmonic": 92.0,
            },
            "modes": [
                {"what": mode, "kbps": RATES[place] * 1.04, "vmaf_mean": 90.0, "met": True} for mode in MODES
            ],
            "sizes": [
                {"what": f"{320 + one}x180", "kbps": RATES[place] * 1.3, "vmaf_mean": 90.0, "met": one != 2}
                for one in range(5)
            ],
        }
        for place, name in enumerate(names)
    ]
    parts = [
        {
            "frames": 40,
            "seconds": 1.6,
            "points": [{"size": [320, 180], "crf": "20", "bytes": 1000, "vmaf": 90.0}] * 6,
            "hull": [[100.0, 40.0, 90], [800.0 + 50 * shot, 70.0, 180], [5000.0, 99.0, 180]],
            "choices": [
                {
                    "crf": f"{20 + place}",
                    "kbps": RATES[place] * (0.6 + 0.1 * (shot % 9)),
                    "vmaf": 92.0 - 9 * place - shot % 5,
                }
                for place in range(len(names))
            ],
        }
        for shot in range(shots)
    ]
    curve = [[float(rate), 98.0 - 9 * place] for place, rate in enumerate(RATES)][::-1]
    curves = [{"size": size, "points": curve} for size in ([320, 180], [160, 90])]
    return {
        "goals": {"mode": "dynamic", "pool": "mean"},
        "rungs": rungs,
        "curves": curves,
        "shots": parts,
        "encodes": 6 * shots,
    }


MODES = ("dynamic", "constant-vmaf", "per-title")


@pytest.fixture(scope="session")
def made_up() -> Callable[..., Material]:
    """Makes up what is known of a job, see `material_from`."""
    return material_from


FACTS = {"codec": "avc1.640015", "width": 320, "height": 180}


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """What is known of a numbered title in six rungs, which lie in a folder as `cinemill encode` leaves it."""
    folder = tmp_path_factory.mktemp("output")
    for name in ("renditions", "proxies"):
        (folder / name).mkdir()
    source = numbered(folder / "proxies" / "source.mp4", "h264", 60)
    names = ("1080p", "720p", "540p", "432p", "360p", "234p")
    files = [folder / "renditions" / f"{name}.mp4" for name in names]
    for file in files:
        shutil.copyfile(source, file)
    return material_from(
        source, files, 4, codecs=dict.fromkeys(names, FACTS["codec"]), proxies={"source": FACTS}
    )


@pytest.fixture(scope="session")
def output(material: Material) -> Path:
    """That folder, with the report and its cost."""
    source = material.asset.url
    folder = Path(source).parent.parent
    gallery = make_gallery(material, partial(frames, source), lambda *_: None)
    page = render(
        material,
        gallery,
        title="A <title>",
        settings='{"codec": "x264"}',
        command="cinemill encode title.mov -o OUT",
    )
    (folder / "report.html").write_text(page, encoding="utf-8")
    nodes = [
        {"node": name, "stage": name, "cpu_s": 2.5, "wall_s": 3.0, "tries": 4, "wasted": 0, "reused": 2}
        for name in ("encode", "score")
    ]
    (folder / "cost.js").write_bytes(cost_script({"nodes": nodes, "cpu_s": 5.0}))
    return folder


@pytest.fixture
def report(chromium: Chromium, output: Path) -> Iterator[ChromiumPage]:
    """The report of that folder, opened from disk at 1200 pixels."""
    page = chromium.open("about:blank")
    page.call("Emulation.setDeviceMetricsOverride", width=1200, height=900, deviceScaleFactor=1, mobile=False)
    coloured(page, "light")
    page.call("Page.navigate", url=(output / "report.html").as_uri())
    assert page.wait_for(
        "document.readyState === 'complete' && document.documentElement.classList.contains('js')", 60
    )
    yield page
    page.close()
