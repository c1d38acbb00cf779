"""Tests by Shaka Packager itself: its parser reads every sample of a rendition back and writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory

from archer.errors import ToolFailed
from archer.process import Limits, packager_path, run
from pipelines.conformance.decoding import Bench, Found
from pipelines.conformance.listing import Listed
from pipelines.packaging.check import joined, timeline


def parse(bench: Bench, each: Listed) -> Found:
    """The segments in order are a file that it takes, with the packets that went in."""
    found = Found()
    with TemporaryDirectory(prefix="cinemill-parse-") as folder:
        given, written = Path(folder) / f"given{Path(each.segments[0]).suffix}", Path(folder) / "written.mp4"
        with given.open("wb") as file, joined(bench.listing.folder(each), each.segments) as segments:
            copyfileobj(segments, file)
        argv: list[str | Path] = [
            packager_path(),
            f"in={given},stream={each.kind},output={written}",
            "--quiet",
        ]
        try:
            run(argv, limits=Limits(memory_mb=2048))
            found.measured["packets"] = len(timeline(written).times)
        except (ToolFailed, OSError, ValueError) as error:
            said = error.stderr_tail.splitlines()[-1:] if isinstance(error, ToolFailed) else [str(error)]
            return Found(problems=[f"Shaka Packager does not take it: {' '.join(said)}"])
    wanted = int(each.meant.get("packets", found.measured["packets"]))
    if found.measured["packets"] != wanted:
        found.problems.append(f"{wanted} packets went in, it reads {found.measured['packets']:g}")
    return found


def tests_of(each: Listed) -> Iterator[str]:
    """Names of the tests of a rendition: encrypted ones, and text, are for the others."""
    if each.kind != "text" and not each.protected and each.segments:
        yield "parse"


RUN = {"parse": parse}
