"""A minute of film as a ladder of x264 and AV1, packaged clear and encrypted, proved to play in real browsers.

    python benchmarks/playback_proof.py OUT CLIP [CLIP]

Joins the first seconds of the clips to 60 s of 1280x720 at 24 frames per second, encodes six rungs (three x264, three
SVT-AV1) and sound in two languages, packages them with subtitles and trick play, clear and with both schemes, runs
`cinemill conformance` on each, and prints what encoding and packaging cost in processor time. Everything stays in OUT;
what is there already is not made again.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

from archer.process import Limits, ffmpeg_path, run

SECONDS, RATE = 60, 24
RUNGS = {"720p": 720, "432p": 432, "270p": 270}
GOP = ["-g", "48", "-keyint_min", "48"]
CODECS = {
    "x264": ["-c:v", "libx264", "-preset", "medium", "-crf", "24", "-sc_threshold", "0", *GOP],
    "av1": ["-c:v", "libsvtav1", "-preset", "10", "-crf", "40", "-svtav1-params", "lp=1", "-g", "48"],
}
LANGUAGES = {"en": "volume=1", "de": "volume=0.6"}
CLEAR_TESTS: list[str] = []
SEALED_TESTS = ["--test", "decrypt", "--test", "locked", "--test", "play", "--test", "sound"]
DEVICES = ("package", "decoder", "chromium-hls", "chromium-dash", "firefox-hls", "firefox-dash")


def ffmpeg(*words: str | Path) -> float:
    """Run ffmpeg; returns its processor time, seconds."""
    argv = [ffmpeg_path(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y", *words]
    return run(argv, limits=Limits(memory_mb=None)).cpu_s


def source(out: Path, clips: list[Path]) -> Path:
    """The title: equal shares of the clips, one after the other, with sound."""
    path = out / "source.mp4"
    if path.exists():
        return path
    share = SECONDS / len(clips)
    inputs: list[str | Path] = [word for clip in clips for word in ("-t", str(share), "-i", clip)]
    shape = f"scale=1280:720:force_original_aspect_ratio=decrease,pad=1280:720:-1:-1,fps={RATE},setsar=1"
    chains = [
        f"[{n}:v:0]{shape},tpad=stop_mode=clone:stop_duration=2,trim=duration={share},format=yuv420p[v{n}];"
        f"[{n}:a:0]aresample=48000,aformat=channel_layouts=stereo,apad,atrim=duration={share}[a{n}];"
        for n in range(len(clips))
    ]
    pads = "".join(f"[v{n}][a{n}]" for n in range(len(clips)))
    graph = f"{''.join(chains)}{pads}concat=n={len(clips)}:v=1:a=1[v][a]"
    coded = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "14", "-c:a", "aac", "-b:a", "192k"]
    partial = out / "partial.mp4"
    ffmpeg(
        *inputs, "-filter_complex", graph, "-map", "[v]", "-map", "[a]", *coded, "-t", str(SECONDS), partial
    )
    return partial.rename(path)


def tracks(out: Path, title: Path) -> float:
    """Encode what is missing; returns the processor time of all, seconds, also of those made before."""
    spent_path = out / "encode.json"
    spent: dict[str, float] = json.loads(spent_path.read_text()) if spent_path.exists() else {}
    jobs = {
        f"{name}-{codec}": ["-an", "-vf", f"scale=-2:{height}", *settings]
        for codec, settings in CODECS.items()
        for name, height in RUNGS.items()
    }
    sound = ["-vn", "-c:a", "aac", "-b:a", "128k"]
    jobs |= {language: [*sound, "-af", change] for language, change in LANGUAGES.items()}
    for name, words in jobs.items():
        if name not in spent:
            spent[name] = ffmpeg("-i", title, *words, out / f"{name}.mp4")
            spent_path.write_text(json.dumps(spent))
            print(f"encoded {name}: {spent[name]:.1f} s", flush=True)
    for language in LANGUAGES:
        cues = [
            f"00:00:{n:02d}.500 --> 00:00:{n + 2:02d}.000\n{language} {n}\n" for n in range(1, SECONDS - 4, 4)
        ]
        (out / f"{language}.vtt").write_text("\n".join(["WEBVTT\n", *cues]))
    return sum(spent.values())


def package(out: Path, kind: str) -> float:
    """Package with the command line; returns its processor time with its children's, seconds."""
    words = ["package", "-o", out / kind, "--force"]
    for codec in CODECS:
        words += [word for name in RUNGS for word in ("--video", out / f"{name}-{codec}.mp4")]
    for language in LANGUAGES:
        words += [
            "--audio",
            f"{out / language}.mp4,lang={language}",
            "--text",
            f"{out / language}.vtt,lang={language}",
        ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*command(), *words, *sealed(out, kind)], check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, kind
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def sealed(out: Path, kind: str) -> list[str | Path]:
    """Options of encryption."""
    if kind == "clear":
        return []
    return ["--drm", kind, "--clear-lead-s", "4", *keys(out)]


def keys(out: Path) -> list[str | Path]:
    """A key store of this run."""
    key = out / "key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_text("5a" * 32)
    return ["--key-store", out / "keys", "--key-store-key", key]


def prove(out: Path, kind: str, devices: list[str]) -> int:
    """Run the conformance tests of a package; returns the exit code."""
    tests = CLEAR_TESTS if kind == "clear" else SEALED_TESTS
    options = [word for device in devices for word in ("--device", device)]
    words = ["conformance", out / kind, "-o", out / f"{kind}.proof", "--source", out / "source.mp4"]
    key_words = [] if kind == "clear" else keys(out)
    return subprocess.run([*command(), *words, *options, *tests, *key_words], check=False).returncode


def command() -> list[str | Path]:
    """Our command line."""
    return [sys.executable, "-m", "pipelines.cli.main"]


def main() -> None:
    """Make what is missing, and prove it."""
    out, clips = Path(sys.argv[1]), [Path(word) for word in sys.argv[2:] if not word.startswith("--")]
    devices = [word.removeprefix("--") for word in sys.argv[2:] if word.startswith("--")] or list(DEVICES)
    out.mkdir(exist_ok=True)
    encoding = tracks(out, source(out, clips))
    packaging = {kind: package(out, kind) for kind in ("clear", "cenc", "cbcs")}
    for kind, spent in packaging.items():
        print(
            f"packaging {kind}: {spent:.1f} s of processor time, {100 * spent / encoding:.1f} % of encoding's {encoding:.1f} s"
        )
    codes = {kind: prove(out, kind, devices) for kind in packaging}
    print(f"exit codes: {codes}")
    sys.exit(max(codes.values()))


if __name__ == "__main__":
    main()
