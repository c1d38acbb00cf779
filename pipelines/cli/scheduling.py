"""A scheduler beside a server: a process of its own, started again where it ends, ended with the server."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archer.api.settings import Settings
    from archer.process import Child

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
WELL_S = 60.0
"""A scheduler that ran for so long was well; the next wait is short again."""
GRACE_S = 10.0
NICE = 5
"""Answers to people go before work that takes hours anyway."""
log = logging.getLogger(__name__)


@contextmanager
def scheduler_beside(options: Mapping[str, Any], settings: Settings) -> Iterator[None]:
    """Keep a scheduler running, unless `--no-scheduler` says otherwise."""
    if not options["scheduler"]:
        yield
        return
    keeper = Keeper(_argv(options, settings), _environment(settings))
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class Keeper:
    """Runs a program again and again.

    One thread starts every child and outlives it, as the kernel ends a child with the thread that started it.

    Args:
        argv, env: the program.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self._argv, self._env = list(argv), dict(env)
        self._over = threading.Event()
        self._child: Child | None = None
        self._thread = threading.Thread(target=self._keep, name="scheduler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the program to end; what it does not within a time is killed."""
        self._over.set()
        child = self._child
        if child is not None:
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)
        self._thread.join(GRACE_S)

    def _keep(self) -> None:
        from archer.process import Child, Limits

        wait_s = FIRST_WAIT_S
        while not self._over.is_set():
            began = time.monotonic()
            with Child(
                self._argv,
                stdout=_said,
                on_stderr_line=lambda line: _said(f"{line}\n".encode()),
                limits=Limits(memory_mb=None, nice=NICE),
                env=self._env,
            ) as child:
                self._child = child
                code = child.finish(check=False).exit_code
                self._child = None
            if self._over.is_set():
                return
            wait_s = FIRST_WAIT_S if time.monotonic() - began > WELL_S else min(2 * wait_s, LONGEST_WAIT_S)
            log.error("the scheduler ended with code %d; it starts again in %.1f s", code, wait_s)
            self._over.wait(wait_s)


def _argv(options: Mapping[str, Any], settings: Settings) -> list[str]:
    argv = [sys.executable, "-m", "pipelines.cli.main", "scheduler", "-w", str(settings.work_dir)]
    argv += ["--executor", options["executor"], *(() if options["verbose"] else ("-q",))]
    argv += ["--workers", str(options["workers"])] if options["workers"] else []
    return argv + (["--artifacts", settings.artifacts] if settings.artifacts else [])


def _environment(settings: Settings) -> dict[str, str]:
    """Ours; the database's URL goes there since it may hold a password, and workers read for strangers."""
    from mezzfs.hosts import VARIABLE

    found = {**os.environ, VARIABLE: "0" if settings.private_hosts else "1"}
    found.pop("CINEMILL_STORE", None)
    return {**found, "CINEMILL_STORE": settings.database} if settings.database else found


def _said(data: bytes) -> None:
    sys.stderr.write(data.decode(errors="replace"))
    sys.stderr.flush()
