"""`mount.cinemill`: what mount(8) runs for file systems of type `cinemill`, so that /etc/fstab can have them.

ln -s "$(command -v mount.cinemill)" /sbin/mount.cinemill

# /etc/fstab
s3://bucket/mezzanines  /mnt/mezz  cinemill  allow_other,profile=media,cache_dir=/var/cache/mezz,_netdev,nofail  0 0
none                    /mnt/set   cinemill  manifest=s3://bucket/set.json,noauto,user                           0 0

mount(8) says `rw` wherever nothing is said, so that does not make a mount writable; `write` does.
"""

from __future__ import annotations

import sys
from typing import NoReturn

SWITCHES = ("allow_other", "anonymous", "no_split", "requester_pays", "write")
VALUES = (
    *("cache_dir", "cache_size", "endpoint_url", "face", "gid", "manifest", "memory"),
    *("metrics", "profile", "record", "region", "uid", "umask"),
)
"""Options of `cinemill mount` by their names here: `-` is `_`."""
USAGE = "usage: mount.cinemill URL|none DIR [-sfnvrw] [-N NAMESPACE] [-t TYPE] [-o OPTION,...]"


def arguments(words: list[str]) -> list[str] | None:
    """The command line of `cinemill` that does what mount(8) asks for with `words`; None where there is nothing to do.

    Raises:
        ValueError: it asks for something else.
    """
    places: list[str] = []
    options: list[str] = []
    sloppy = fake = False
    rest = iter(words)
    for word in rest:
        if word in ("-o", "-t", "-N"):
            value = next(rest, "")
            options += value.split(",") if word == "-o" else []
        elif word.startswith("-") and word[1:] and set(word[1:]) <= set("sfnvrw"):
            sloppy, fake = sloppy or "s" in word, fake or "f" in word
        else:
            places.append(word)
    if len(places) != 2 or places[1].startswith("-"):
        raise ValueError(USAGE)
    made = ["mount", "--daemon", *_translated(options, sloppy=sloppy)]
    return None if fake else [*made, "--", *places[places[0] == "none" :]]


def _translated(options: list[str], *, sloppy: bool) -> list[str]:
    made: list[str] = []
    others: list[str] = []
    for option in options:
        name, equals, value = option.partition("=")
        if name in VALUES and equals:
            made += [f"--{name.replace('_', '-')}", value]
        elif name in SWITCHES:
            made.append(f"--{name.replace('_', '-')}")
        elif option and name != "rw" and not sloppy:
            others.append(option)
    return made + (["-o", ",".join(others)] if others else [])


def main() -> NoReturn:
    """Mount, and exit when it is done: 0, or 1 with the reason."""
    from pipelines.cli.main import main as cinemill

    try:
        made = arguments(sys.argv[1:])
    except ValueError as error:
        sys.exit(str(error))
    if made is None:
        sys.exit(0)
    cinemill(made)
