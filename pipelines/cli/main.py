"""Entry point of the `cinemill` command: finds the command, and turns errors into one line and an exit code.

Exit codes: 0 ok, 1 failed, 2 usage, 3 partial, 130 interrupted (the same command goes on).
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

COMMANDS = {
    "analyze": (
        "pipelines.cli.analyze:analyze",
        "Look at the pictures of a title, and control their quality.",
    ),
    "bench": ("pipelines.cli.bench:bench", "Run benchmarks beside the peers (from a checkout)."),
    "cancel": ("pipelines.cli.jobs:cancel", "Stop, pause or continue a job that runs in another process."),
    "cards": ("pipelines.cli.jobs:cards", "List what the tasks of a job show of themselves."),
    "compare": ("pipelines.cli.compare:compare", "Say which of two encodes of a title is better, and where."),
    "completion": ("pipelines.cli.completion:completion", "Print the shell completion script."),
    "conformance": (
        "pipelines.cli.conformance:conformance",
        "Prove that a package plays: on device profiles, in browsers, decoders.",
    ),
    "cost": ("pipelines.cli.jobs:cost", "Say what a job cost, by stage."),
    "debug": ("pipelines.cli.debug:debug", "Run one task of a job here, with a debugger where it fails."),
    "doctor": ("pipelines.cli.doctor:doctor", "Say what is installed, what is missing, and how to get it."),
    "encode": (
        "pipelines.cli.encode:encode",
        "Encode a title to a scored, playable package or a single file.",
    ),
    "mount": ("pipelines.cli.mount:mount", "Show remote objects as files of the system."),
    "plugins": (
        "pipelines.cli.plugins:plugins",
        "List stages, splitters, executors and stores that are installed.",
    ),
    "replay": ("pipelines.cli.replay:replay", "Show or repeat what readers of a mount did."),
    "gc": ("pipelines.cli.jobs:gc", "Remove from a work folder what nothing needs."),
    "jobs": ("pipelines.cli.jobs:jobs", "List the jobs of a work folder."),
    "logs": ("pipelines.cli.jobs:logs", "Print what the tasks of a job logged, and why tries failed."),
    "package": (
        "pipelines.cli.package:package",
        "Package renditions, audio and subtitles for HLS and DASH.",
    ),
    "report": ("pipelines.cli.report:report", "Make the report of a package or a job again."),
    "reproduce": (
        "pipelines.cli.reproduce:reproduce",
        "Encode again what a manifest says, and report what differs.",
    ),
    "results": ("pipelines.cli.submit:results", "List or bring here what a job of a server gave."),
    "resume": ("pipelines.cli.run:resume", "Go on with a job of a work folder."),
    "retry": ("pipelines.cli.run:retry", "Try the failed tasks of a job again."),
    "run": ("pipelines.cli.run:run", "Run a job from a spec file."),
    "scheduler": ("pipelines.cli.scheduler:scheduler", "Run the jobs that were submitted."),
    "score": ("pipelines.cli.score:score", "Score a distorted file against its reference (VMAF, PSNR)."),
    "serve": ("pipelines.cli.serve:serve", "Serve jobs over HTTP, and run them."),
    "shots": ("pipelines.cli.shots:shots", "Find the shots of a title."),
    "sign": ("pipelines.cli.sign:sign", "Sign the manifest of a package."),
    "stages": ("pipelines.cli.stages:stages", "List the stages that are installed."),
    "submit": ("pipelines.cli.submit:submit", "Submit a job to a server."),
    "verify": ("pipelines.cli.sign:verify", "Check that a package is what was signed."),
    "watch": ("pipelines.cli.submit:watch", "Watch a job of a server."),
}
"""Command name -> (where it lives, its line in --help); kept here so that --help imports nothing."""

KEEPING = ("encode", "resume", "retry", "run")
"""Commands that have a work folder whether it is named or not."""


class LazyGroup(click.Group):
    """A command group that imports a command only when it is invoked."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All command names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command's own object, imported now; None where there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{name} is not a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command list from `COMMANDS`, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cinemill", prog_name="cinemill")
def cli() -> None:
    """Cinemill: give it a mezzanine file, get a scored package that plays.

    \b
    cinemill encode title.mov -o out/            a ladder, packaged for HLS and DASH, with a report
    cinemill encode title.mov -o out.mkv         one file, everything kept
    cinemill score title.mov out.mkv             VMAF and PSNR per frame
    """


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line and exit the process with its code."""
    _open_streams()
    sys.exit(_run(argv))


def _run(argv: list[str] | None) -> int:
    from cinemill_native.errors import CinemillError

    try:
        _check_words(sys.argv[1:] if argv is None else argv)
        result: Any = cli.main(args=argv, prog_name="cinemill", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo(_interrupted(sys.argv[1:] if argv is None else argv), err=True)
        return 130
    except BrokenPipeError:  # `cinemill ... | head`: the reader left, which is no error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except CinemillError as error:
        click.echo(f"error: {_one_line(error)}", err=True)
        return 1
    except OSError as error:
        click.echo(f"error: {_why(error)}", err=True)
        return 1
    return result if isinstance(result, int) else 0


def _interrupted(words: list[str]) -> str:
    """What becomes of the work of a command that was left: without a work folder it is gone."""
    if (words[:1] and words[0] in KEEPING) or any(word.startswith("--work-dir") for word in words):
        return "interrupted: what was done is kept; run the same command to go on"
    return "interrupted"


def _open_streams() -> None:
    """Open what is closed of the standard streams: else the next file has its number, and tools write into that."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, number)
            if nothing != number:
                os.close(nothing)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: PTH123, SIM115


def _check_words(words: list[str]) -> None:
    """Refuse what cannot be written down: job state, manifests, playlists and reports are UTF-8, and name their inputs."""
    for word in words:
        if any("\udc80" <= letter <= "\udcff" for letter in word):
            shown = word.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            raise click.UsageError(f"{shown}: not valid UTF-8; rename the file, or make a link to it")


def _why(error: OSError) -> str:
    try:
        Path.cwd()
    except FileNotFoundError:
        return "the folder that you are in was removed; go to another one"
    return _one_line(error)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    main()
