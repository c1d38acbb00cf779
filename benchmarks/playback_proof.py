"""A minute of film as a ladder of x264 and AV1 from one encode, clear and encrypted, proved to play in real browsers.

    python benchmarks/playback_proof.py OUT CLIP [CLIP] [--kind clear] [--device chromium-hls] [--test play] [--save]

Joins the first seconds of the clips to 60 s of 1280x720 at 24 frames per second with sound and subtitles in two languages,
encodes six rungs (three x264, three SVT-AV1) in one job, that of `cinemill encode`, encrypts the same renditions with both,
and runs `cinemill conformance` on each package. Everything stays in OUT; what is there already is not made again, and
results of devices and tests that are named replace those of before.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from archer.media import identify
from archer.plan import JobSpec
from archer.process import Limits, ffmpeg_path, run
from archer.store import History
from pipelines.cli.session import run_job
from pipelines.encode.job import RENDITIONS, SCORES, encode_job
from pipelines.encode.request import EncodeRequest, checked
from pipelines.packaging.build import build_package
from pipelines.packaging.description import read_description
from pipelines.packaging.keys import Protection
from pipelines.packaging.keystore import KeyStore
from pipelines.packaging.sources import encoded_texts
from pipelines.packaging.stage import shot_starts
from pipelines.packaging.tracks import AudioTrack, VideoTrack

SECONDS, RATE, FRAMES = 60, 24, 1440
CODECS, LADDER, CRF, PRESET = "x264,svtav1", "720p,432p,270p", "24,40", "veryfast,10"
LANGUAGES = {"eng": "volume=1", "deu": "volume=0.6"}
SEALED_TESTS = ("decrypt", "frames", "locked", "play", "seek", "sound")
KINDS = ("clear", "cenc", "cbcs")
DEVICES = (
    "package",
    "decoder",
    "chromium-hls",
    "chromium-dash",
    "firefox-hls",
    "firefox-dash",
    "webkit-hls",
    "webkit-dash",
)


def ffmpeg(*words: str | Path) -> None:
    """Run ffmpeg."""
    argv = [ffmpeg_path(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y", *words]
    run(argv, limits=Limits(memory_mb=None))


def source(out: Path, clips: list[Path]) -> Path:
    """The title: equal shares of the clips, one after the other; two languages of sound and of subtitles."""
    path = out / "source.mkv"
    if path.exists():
        return path
    share = SECONDS / len(clips)
    inputs: list[str | Path] = [word for clip in clips for word in ("-t", str(share), "-i", clip)]
    for language in LANGUAGES:
        inputs += ["-i", subtitles(out, language)]
    shape = f"scale=1280:720:force_original_aspect_ratio=decrease,pad=1280:720:-1:-1,fps={RATE},setsar=1"
    chains = [
        f"[{n}:v:0]{shape},tpad=stop_mode=clone:stop_duration=2,trim=duration={share},format=yuv420p[v{n}];"
        f"[{n}:a:0]aresample=48000,aformat=channel_layouts=stereo,apad,atrim=duration={share}[a{n}];"
        for n in range(len(clips))
    ]
    pads = "".join(f"[v{n}][a{n}]" for n in range(len(clips)))
    tones = "".join(f";[s{n}]{change}[{language}]" for n, (language, change) in enumerate(LANGUAGES.items()))
    graph = f"{''.join(chains)}{pads}concat=n={len(clips)}:v=1:a=1[v][a];[a]asplit[s0][s1]{tones}"
    maps = ["-map", "[v]", *(word for language in LANGUAGES for word in ("-map", f"[{language}]"))]
    for n, language in enumerate(LANGUAGES):
        maps += ["-map", f"{len(clips) + n}:s", f"-metadata:s:a:{n}", f"language={language}"]
        maps += [f"-metadata:s:s:{n}", f"language={language}"]
    coded = [
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "14",
        "-c:a",
        "aac",
        "-b:a",
        "192k",
        "-c:s",
        "srt",
    ]
    partial = out / "partial.mkv"
    ffmpeg(*inputs, "-filter_complex", graph, *maps, *coded, "-t", str(SECONDS), partial)
    return partial.rename(path)


def subtitles(out: Path, language: str) -> Path:
    """A cue every four seconds."""
    path = out / f"{language}.srt"
    cues = [
        f"{place}\n00:00:{n:02d},500 --> 00:00:{n + 2:02d},000\n{language} {n}\n"
        for place, n in enumerate(range(1, SECONDS - 4, 4), 1)
    ]
    path.write_text("\n".join(cues))
    return path


def encoded(out: Path, title: Path) -> Path:
    """The clear package, as `cinemill encode --codec x264,svtav1` makes it, without scores and report: one job, kept in `job`."""
    path = out / "clear"
    if path.exists():
        return path
    request = EncodeRequest(codec=CODECS, ladder=LADDER, crf=CRF, preset=PRESET)
    whole = encode_job(identify(str(title)), checked(request), title="proof")
    nodes = [
        replace(node, inputs={name: source for name, source in node.inputs.items() if source != SCORES})
        for node in whole.nodes
        if node.id not in ("score", "report", "proxies", "proxy_files")
    ]
    options: dict[str, Any] = {"workers": 1, "as_json": False, "quiet": False, "keep": True}
    with run_job(JobSpec(nodes=nodes), work_dir=str(out / "job"), **options) as done:
        shutil.copytree(done.path("packaging.package"), path)
        for part in [*done.parts(RENDITIONS), *done.parts("audio.parts")]:
            (output,) = [name for name in part.outputs if name != "facts"]
            place = out / "tracks" / f"{part.item.variant}.mp4"
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(done.store.path(part.outputs[output]), place)
        shutil.copyfile(done.path("shots.shots"), out / "shots.json")
    return path


def sealed(out: Path, scheme: str) -> Path:
    """The same renditions, encrypted."""
    path, scratch = out / scheme, out / f"{scheme}.scratch"
    if path.exists():
        return path
    known = read_description(out / "clear")["tracks"]
    rows = {kind: [row for row in known if row["kind"] == kind] for kind in ("video", "audio", "text")}
    named = [{key: row[key] for key in ("language", "label", "default")} for row in rows["audio"]]
    store = KeyStore(out / "keys", bytes.fromhex("5a" * 32))
    keys = store.obtain("proof")
    for folder in (path, scratch):
        folder.mkdir()
    build_package(
        [
            VideoTrack(name=name, path=out / "tracks" / f"{name}.mp4")
            for name in (row["folder"].removeprefix("video-") for row in rows["video"])
        ],
        [
            AudioTrack(name=row["folder"], path=out / "tracks" / f"{row['folder']}.mp4", **more)
            for row, more in zip(rows["audio"], named, strict=True)
        ],
        encoded_texts(out / "clear"),
        out=path,
        scratch=scratch,
        protection=Protection(scheme=scheme, keys=keys, clear_lead_s=Decimal(4)),  # type: ignore[arg-type]
        shots=shot_starts(json.loads((out / "shots.json").read_text())),
    )
    return path


def keys(out: Path) -> list[str | Path]:
    """A key store of this run."""
    key = out / "key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_text("5a" * 32)
    return ["--key-store", out / "keys", "--key-store-key", key]


def prove(out: Path, kind: str, devices: list[str], tests: list[str]) -> None:
    """Run the conformance tests of a package, each device by itself; of encrypted ones browsers try fewer."""
    for device in devices:
        fewer = kind != "clear" and device not in ("package", "decoder")
        asked = tests or (list(SEALED_TESTS) if fewer else [])
        options = [word for test in asked for word in ("--test", test)]
        proof = out / f"{kind}.proof" / device
        words: list[str | Path] = [
            "conformance",
            out / kind,
            "-o",
            proof,
            "--source",
            out / "source.mkv",
            "--device",
            device,
        ]
        subprocess.run([*command(), *words, *options, *([] if kind == "clear" else keys(out))], check=False)
        remember(proof)


def remember(proof: Path) -> None:
    """Add the results of a run to those of before: a case that was tried again has its last result."""
    made = json.loads((proof / "results.json").read_text())
    path = proof / "all.json"
    known = json.loads(path.read_text()) if path.exists() else {"results": [], "versions": {}}
    rows = {
        (row["device"], row["rendition"], row["test"]): row for row in [*known["results"], *made["results"]]
    }
    path.write_text(
        json.dumps({"versions": {**known["versions"], **made["versions"]}, "results": list(rows.values())})
    )


def found(out: Path) -> list[tuple[str, ...]]:
    """A row of figures for each package and device that was tried."""
    rows = []
    for kind in KINDS:
        for path in sorted((out / f"{kind}.proof").glob("*/all.json")):
            known = json.loads(path.read_text())
            version = next(iter(known["versions"].values()), "")
            if not known["results"]:
                continue
            rows.append((f"{kind}, {path.parent.name} {version}".strip(), *cells(known["results"])))
    return rows


def cells(results: list[dict[str, Any]]) -> tuple[str, ...]:
    """Tests passed of all (and how many at the second try), frames presented, worst seek, least PSNR."""
    passed = sum(row["state"] in ("passed", "flaky") for row in results)
    flaky = sum(row["state"] == "flaky" for row in results)
    measured = [row["measured"] for row in results]
    wanted = sum(int(one.get("wanted", 0)) for one in measured)
    presented = sum(int(one.get("presented", 0)) for one in measured)
    seeks = [one["worst_frames"] for one in measured if "worst_frames" in one]
    likes = [
        one["least_db"]
        for row, one in zip(results, measured, strict=True)
        if row["test"] != "tiles" and "least_db" in one
    ]
    return (
        f"{passed} of {len(results)}" + (f", {flaky} at the second try" if flaky else ""),
        f"{presented} of {wanted}" if wanted else "",
        f"{max(seeks):g} frames" if seeks else "",
        f"{min(likes):.1f} dB" if likes else "",
    )


def command() -> list[str | Path]:
    """Our command line."""
    return [sys.executable, "-m", "pipelines.cli.main"]


def overhead(out: Path) -> float:
    """Processor time of packaging in percent of that of encoding the renditions and the sound, over all runs of the job."""
    spent: dict[str, float] = {}
    with History(out / "job") as history:
        for job in history.jobs():
            for cost in history.costs(job.id):
                spent[cost.node] = max(spent.get(cost.node, 0.0), cost.cpu_ms / 1000)
    return 100 * spent["packaging"] / sum(spent[name] for name in ("encode", "assemble", "audio"))


def main() -> None:
    """Make what is missing, prove it, and print or keep what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--kind", action="append", choices=KINDS, help="default: all")
    parser.add_argument("--device", action="append", help="default: all; `none` to make the packages only")
    parser.add_argument("--test", action="append", default=[])
    parser.add_argument("--save", action="store_true", help="keep the figures in results/ and the README")
    asked = parser.parse_args()
    out: Path = asked.out
    out.mkdir(exist_ok=True)
    encoded(out, source(out, asked.clips))
    print(f"packaging: {overhead(out):.2f} % of the processor time of encoding")
    devices = [name for name in asked.device or DEVICES if name != "none"]
    for kind in asked.kind or KINDS:
        if kind != "clear":
            sealed(out, kind)
        prove(out, kind, devices, asked.test)
    rows = found(out)
    for row in rows:
        print(" | ".join(row))
    if asked.save:
        from pipelines.cli.bench import save_figures

        share = f"{overhead(out):.2f} % (bar 5)"
        save_figures(
            "playback",
            command="python benchmarks/playback_proof.py OUT bbb_1080p24_51.mp4 sintel_trailer_540p24.mp4 --save",
            headings=(
                "package, device",
                "tests passed",
                "frames presented, in order",
                "worst seek",
                "least PSNR",
            ),
            rows=[*rows, ("packaging's processor time of encoding's", share, "", "", "")],
        )


if __name__ == "__main__":
    main()
