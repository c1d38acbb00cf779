"""Measured rate-distortion points of a title: every excerpt at every size and quality, and a fixed ladder; kept as JSON.

A file holds what a strategy needs to be judged without encoding again: bytes and VMAF of every third frame. It is
written after each excerpt, so that measuring can be interrupted and goes on.
"""

from __future__ import annotations

import json
import resource
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rd_titles import SHARED, Excerpt, Title

from archer.media import FrameRange, MediaInfo, frames, probe
from archer.media.convert import Converter
from archer.media.nut import write_nut
from archer.media.picture import picture_filters
from archer.process import Child, Limits, ffmpeg_path, tool_build
from cinemill_native.frames import Frame, Plane
from encoder import EncodeSettings, Rung, encode_chunk
from encoder.ladder import rung_of
from vmaf import DEFAULT_MODEL, NativeScorer, model_named
from vmaf.native import FORMATS
from vmaf.planes import score_planes

RESULTS = Path(__file__).parent / "results" / "rd"
SUBSAMPLE = 3
"""Every third frame of a point is scored: no multiple of the distance of B-frames, which would score the good ones only."""
GRID = {
    "x264": ((19, 25, 31, 37, 43), (18, 25, 29, 33, 37)),
    "svtav1": ((23, 35, 47, 58), (22, 37, 52)),
}
"""Quality values of the largest size, and of the others."""
FIXED = ((1920, 4500), (1280, 3000), (960, 2000), (768, 1100), (640, 730), (640, 365), (416, 145))
"""Width and kb/s of the fixed ladder: rungs of Apple's authoring specification for HLS (H.264), larger ones left out."""
SAVING = {"x264": 1.0, "svtav1": 0.6}
"""Rates of the fixed ladder are for H.264; AV1 gets this part of them."""


def cpu_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


class Reference:
    """Excerpts in memory: as decoded, and as the model sees them.

    Args:
        excerpts: of one size and rate.
        first: number of the first among the title's.
    """

    def __init__(self, excerpts: Sequence[Excerpt], first: int = 0) -> None:
        self.numbers = range(first, first + len(excerpts))
        self.infos = [probe(str(SHARED / "clips" / excerpt.clip)) for excerpt in excerpts]
        self.info: MediaInfo = self.infos[0]
        self.parts: list[list[Frame]] = [
            list(frames(str(SHARED / "clips" / one.clip), FrameRange(one.start, one.end), info=info))
            for one, info in zip(excerpts, self.infos, strict=True)
        ]
        video = self.info.video
        self.size = model_named(DEFAULT_MODEL).fit(video.width, video.height)

    @property
    def frames(self) -> list[Frame]:
        return [frame for part in self.parts for frame in part]

    @cached_property
    def shown(self) -> list[list[tuple[Plane, ...]]]:
        converter = Converter(self.info, *self.size, FORMATS[0], kernel="bicubic")
        return [[converter.planes(frame) for frame in part] for part in self.parts]

    def scores(self, coded: Path, subsample: int) -> list[float]:
        """VMAF of every n-th frame of each excerpt, of all renditions the same ones: the first frame's number is the excerpt's.

        So key frames are not scored more often than others; of the frames between only the reference matters, for motion.
        """
        info = probe(str(coded))
        converter, pictures = (
            Converter(info, *self.size, FORMATS[0], kernel="bicubic"),
            frames(str(coded), info=info),
        )
        found: list[float] = []
        for number, shown in zip(self.numbers, self.shown, strict=True):
            pairs = zip(shown, pictures, strict=False)
            distorted = (
                ref if (number + place) % subsample else converter.planes(frame)
                for place, (ref, frame) in enumerate(pairs)
            )
            scored = score_planes(shown, distorted, first=number, subsample=subsample)
            found += [round(float(value), 3) for value in scored.columns["vmaf"]]
        return found


def settings_of(codec: str, crf: str = "") -> EncodeSettings:
    return EncodeSettings(codec=codec, crf=crf, preset={"x264": "medium", "svtav1": "8"}[codec])


def measure(title: Title, codec: str) -> Path:
    """Measure what is missing; returns the file."""
    path = RESULTS / f"{title.name}.{codec}.json"
    known = json.loads(path.read_bytes()) if path.is_file() else _head(title, codec)
    for number in range(len(title.excerpts)):
        before = known["shots"][number : number + 1]
        measured = before[0]["points"] if before else []
        if len(measured) == len(_grid(title, codec)):
            continue
        known["shots"][number : number + 1] = [_shot(title, number, codec, known["subsample"], measured)]
        _write(path, known)
        print(f"{title.name} {codec}: {number + 1} of {len(title.excerpts)} excerpts", flush=True)
    if not known["fixed"]:
        excerpts = [
            Excerpt(**{key: shot[key] for key in ("clip", "start", "end")}) for shot in known["shots"]
        ]
        known["fixed"] = list(_fixed(title.name, excerpts, codec, known["subsample"]))
        _write(path, known)
    return path


def _head(title: Title, codec: str) -> dict[str, Any]:
    settings = settings_of(codec)
    return {
        "title": title.name,
        "kind": title.kind,
        "codec": codec,
        "preset": settings.preset,
        "gop_s": settings.gop_s,
        "heights": list(title.heights),
        "encoder": tool_build(ffmpeg_path()),
        "scorer": NativeScorer().version(),
        "model": DEFAULT_MODEL,
        "subsample": SUBSAMPLE,
        "shots": [],
        "fixed": [],
    }


def _grid(title: Title, codec: str) -> list[tuple[int, int]]:
    """Height and quality value of every point of an excerpt."""
    largest, others = GRID[codec]
    return [
        (height, crf)
        for height in title.heights
        for crf in (largest if height == title.heights[0] else others)
    ]


def _shot(
    title: Title, number: int, codec: str, subsample: int, known: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """All points of an excerpt: those that are known, and what is missing."""
    excerpt = title.excerpts[number]
    reference = Reference([excerpt], number)
    found = {(point["height"], point["crf"]): point for point in known}
    points = []
    for height, crf in _grid(title, codec):
        rung = rung_of(reference.info.video, height)
        new = {"height": height, "crf": crf}
        points.append(found.get((height, crf)) or new | _point(reference, rung, codec, crf, subsample))
    return {**asdict(excerpt), "fps": str(reference.info.video.frame_rate), "points": points}


def _point(reference: Reference, rung: Rung, codec: str, crf: int, subsample: int) -> dict[str, Any]:
    before = cpu_seconds()
    with tempfile.TemporaryDirectory() as folder:
        coded = Path(folder) / "point.mp4"
        settings = replace(settings_of(codec), crf=str(crf))
        facts = encode_chunk(reference.frames, reference.info, rung, settings, coded)
        spent = cpu_seconds()
        scores = reference.scores(coded, subsample)
    return {
        "bytes": facts.payload,
        "encode_cpu_s": round(spent - before, 3),
        "score_cpu_s": round(cpu_seconds() - spent, 3),
        "vmaf": scores,
    }


def _fixed(name: str, excerpts: Sequence[Excerpt], codec: str, subsample: int) -> Iterator[dict[str, Any]]:
    """The whole title at each rung of the fixed ladder: VBR, a key frame every 2 s wherever cuts are."""
    reference = Reference(excerpts)
    for height, kbps in _ladder(reference):
        rung, rate = rung_of(reference.info.video, height), round(kbps * SAVING[codec])
        with tempfile.TemporaryDirectory() as folder:
            coded = _variable(reference, rung, codec, rate, Path(folder))
            info = probe(str(coded))
            size = _payload(coded)
            scores = reference.scores(coded, subsample)
        print(f"{name} {codec}: fixed {height}p {rate} kb/s", flush=True)
        yield {"height": height, "kbps": rate, "frames": info.frame_count, "bytes": size, "vmaf": scores}


def _ladder(reference: Reference) -> list[tuple[int, int]]:
    """Six rungs at most, as height and kb/s."""
    video = reference.info.video
    return [
        (round(width * video.height / video.width), kbps) for width, kbps in FIXED if width <= video.width
    ][:6]


def _variable(reference: Reference, rung: Rung, codec: str, kbps: int, folder: Path) -> Path:
    """Two passes of x264; SVT-AV1 as ffmpeg has it takes one."""
    out = folder / "fixed.mp4"
    gop = str(round(2 * reference.info.video.frame_rate))
    rate = ["-b:v", f"{kbps}k", "-maxrate", f"{kbps * 3 // 2}k", "-bufsize", f"{kbps * 2}k"]
    if codec == "svtav1":
        words = ["-c:v", "libsvtav1", "-preset", "8", "-g", gop, "-b:v", f"{kbps}k"]
        words += ["-svtav1-params", "rc=1:scd=0:irefresh-type=2:lp=1"]
        _encode(reference, rung, words, out)
        return out
    words = ["-c:v", "libx264", "-preset", "medium", "-threads", "1", "-profile:v", "high", *rate]
    words += ["-x264-params", f"keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0"]
    for number in (1, 2):
        passes = ["-pass", str(number), "-passlogfile", str(folder / "pass")]
        _encode(reference, rung, [*words, *passes], out)
    return out


def _encode(reference: Reference, rung: Rung, words: Sequence[str], out: Path) -> None:
    info = reference.info
    filters = picture_filters(info, rung.width, rung.height, "yuv420p", kernel="lanczos")
    argv: list[str | Path] = [
        ffmpeg_path(), "-hide_banner", "-nostdin", "-loglevel", "error", "-protocol_whitelist", "pipe,file", "-threads", "1",
        "-r", str(info.video.frame_rate), "-f", "nut", "-i", Child.feed_url(0), "-vf", filters, "-fps_mode", "passthrough",
        *words, "-f", "mp4", "-y", out,
    ]  # fmt: skip
    with Child(argv, feeds=1, limits=Limits(memory_mb=8192)) as child:
        child.feed(0, lambda file: write_nut(file, reference.frames, info.video) and None)
        child.finish()


def _payload(coded: Path) -> int:
    import av

    with av.open(str(coded)) as container:
        return sum(packet.size for packet in container.demux(container.streams.video[0]))


def _write(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")
    partial.replace(path)
