"""Stage `command`: a program instead of Python, on this system or in a container.

    thumbs:
      stage: command
      inputs: {asset: title.mp4}
      params:
        argv: [ffmpeg, -v, error, -i, "{asset}", -frames:v, "1", "{out}"]
        suffix: .png
        image: docker.io/linuxserver/ffmpeg@sha256:...     # none: a program of this system

What decides the output must be in the settings: name an image by its digest, a program of the system by its version.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from archer.errors import StageError, ToolMissing
from archer.process import Limits, ffmpeg_path, run
from archer.stage import TITLE, Item, Resources, Stage, TaskContext, Trial

ENGINES = ("podman", "docker")
FILE = "file@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandParams:
    """Settings.

    Attributes:
        argv: program and arguments; `{asset}` and `{file}` are the inputs' paths, `{out}` is where to write, `{threads}` how many
            threads to use. `ffmpeg` as program is the one that everything else here uses.
        suffix: of the output's name, for programs that go by it.
        image: container image to run it in, without network; empty for none.
        version: of what computes, where nothing else here says it.
        cpu, memory_mb, timeout_s: what it may use.
    """

    argv: tuple[str, ...]
    suffix: str = ""
    image: str = ""
    version: str = ""
    cpu: int = 1
    memory_mb: int = 2048
    timeout_s: int = 3600

    def __post_init__(self) -> None:
        """Say what does not fit before anything runs."""
        if not self.argv or not any("{out}" in word for word in self.argv):
            raise ValueError("argv: wanted a program and somewhere {out}, where it writes its output")


class Command(Stage[CommandParams]):
    """Runs one command for the whole title or file."""

    name, version, params = "command", 1, CommandParams
    inputs = MappingProxyType({"asset": "asset?", "file": f"{FILE}?"})
    outputs = MappingProxyType({"out": FILE})

    def resources(self, params: CommandParams) -> Resources:
        """As the settings say."""
        return Resources(cpu=params.cpu, memory_mb=params.memory_mb, timeout_s=params.timeout_s)

    def trial(self) -> Trial:
        """The first picture of a title."""
        argv = ("ffmpeg", "-v", "error", "-i", "{asset}", "-frames:v", "1", "{out}")
        return Trial(params=CommandParams(argv=argv, suffix=".png"), feeds={"asset": TITLE})

    def map(self, ctx: TaskContext, item: Item, params: CommandParams) -> None:
        """Run it; its last words are kept with the task."""
        out = ctx.scratch / f"made{params.suffix}"
        places = {"out": str(out), "threads": str(ctx.threads)}
        if "asset" in ctx.inputs:
            places["asset"] = ctx.inputs.asset().url
        if "file" in ctx.inputs:
            places["file"] = str(ctx.inputs.path("file"))
        argv = [_filled(word, places) for word in params.argv]
        argv = _contained(argv, params, places, str(ctx.scratch)) if params.image else _local(argv)
        done = run(
            argv, limits=Limits(memory_mb=params.memory_mb), timeout_s=params.timeout_s, cwd=ctx.scratch
        )
        for line in done.stderr_tail.splitlines():
            ctx.log(line)
        if not out.is_file():
            raise StageError(f"{params.argv[0]} ended well but wrote nothing to {{out}}")
        out.rename(ctx.out("out", params.suffix))


def _filled(word: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        word = word.replace(f"{{{name}}}", place)
    for name in ("asset", "file"):
        if f"{{{name}}}" in word:
            raise StageError(f"argv has {{{name}}}, but the node has no input {name!r}")
    return word


def _local(argv: list[str]) -> list[str]:
    return [str(ffmpeg_path()), *argv[1:]] if argv[0] == "ffmpeg" else argv


def _contained(argv: Sequence[str], params: CommandParams, places: dict[str, str], scratch: str) -> list[str]:
    """The command inside its image: inputs read-only, the scratch folder writable, no network."""
    engine = next((found for name in ENGINES if (found := shutil.which(name))), None)
    if engine is None:
        raise ToolMissing("podman or docker", "install one, or leave `image` out")
    mounts = [f"{places[name]}:{places[name]}:ro" for name in ("asset", "file") if name in places]
    words = [engine, "run", "--rm", "--network=none", f"--memory={params.memory_mb}m", f"--cpus={params.cpu}"]
    for mount in (*mounts, f"{scratch}:{scratch}:rw"):
        words += ["--volume", mount]
    return [*words, "--workdir", scratch, params.image, *argv]
