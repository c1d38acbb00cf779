"""`cinemill mount`: remote objects as files of the system."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mezzfs.core import Core
    from mezzfs.mount import Mount
    from mezzfs.mount.catalog import Catalog

MIB = 1 << 20
LOOK_S = 0.2
"""How often it is looked whether a signal came."""
SDK = {
    "endpoint_url": "AWS_ENDPOINT_URL",
    "profile": "AWS_PROFILE",
    "region": "AWS_DEFAULT_REGION",
    "anonymous": "CINEMILL_S3_ANONYMOUS",
    "requester_pays": "CINEMILL_S3_REQUESTER_PAYS",
}
"""Option -> the variable that the SDK, or our S3 store, reads."""
IGNORED = {
    "ro",
    "nosuid",
    "nodev",
    "noatime",
    "auto",
    "noauto",
    "nofail",
    "user",
    "users",
    "_netdev",
    "exec",
    "noexec",
    "suid",
    "dev",
    "defaults",
}
"""fstab options that are always so, or are not for us."""


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[URL] DIR")
@click.option("--manifest", metavar="URL", help="Show the files of this JSON manifest.")
@click.option(
    "--range",
    "ranges",
    multiple=True,
    metavar="NAME=URL:FIRST-END",
    help="Show bytes of an object as a file.",
)
@click.option(
    "--memory", type=click.IntRange(min=8), default=256, show_default=True, help="Memory for blocks, MiB."
)
@click.option(
    "--cache-dir",
    type=click.Path(file_okay=False),
    help="Keep what was fetched on this disk, for later mounts.",
)
@click.option(
    "--cache-size", type=click.IntRange(min=64), default=10240, show_default=True, help="Disk for that, MiB."
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False),
    metavar="FILE.mzr",
    help="Write what happens, for `cinemill replay`.",
)
@click.option(
    "--no-split",
    is_flag=True,
    help="One request for what a reader waits for, also of a far store: slower, but cheaper where requests are paid for.",
)
@click.option("--metrics", type=int, metavar="PORT", help="Serve Prometheus metrics on 127.0.0.1:PORT.")
@click.option(
    "--write", is_flag=True, help="Let new files be made (in order, whole); existing ones are only replaced."
)
@click.option("--uid", type=int, help="Owner of all files; default: you.")
@click.option("--gid", type=int, help="Group of all files; default: yours.")
@click.option("--umask", default="022", show_default=True, help="Permission bits to take away, octal.")
@click.option("--allow-other", is_flag=True, help="Let other users in.")
@click.option(
    "--face",
    type=click.Choice(["native", "mfusepy"]),
    help="What speaks to the kernel; default: native, or mfusepy where only that can run.",
)
@click.option("--daemon", is_flag=True, help="Go on in the background once mounted.")
@click.option("--endpoint-url", metavar="URL", help="S3: another server than Amazon's.")
@click.option("--profile", help="S3: profile of the SDK's configuration.")
@click.option("--region", help="S3: region.")
@click.option("--anonymous", is_flag=True, help="S3: sign nothing.")
@click.option("--requester-pays", is_flag=True, help="S3: agree to pay.")
@click.option(
    "-o",
    "options",
    metavar="OPT,...",
    help="Options of mount(8): allow_other, uid=, gid=, umask=, rw. For fstab there is mount.cinemill.",
)
def mount(**given: Any) -> int:
    """Show the objects below URL (or one object, or a manifest) as files in DIR, until it is unmounted or the command ends.

    \b
    cinemill mount s3://bucket/mezzanines /mnt/mezz
    cinemill mount --range shot.mov=s3://bucket/title.mov:0-80000000 /mnt/mezz
    """
    _fstab(given)
    url, folder = _places(given["arguments"])
    for name, variable in SDK.items():
        if given[name]:
            os.environ[variable] = "1" if given[name] is True else str(given[name])
    catalog = _catalog(url, given["manifest"], given["ranges"])
    from mezzfs.mount import recover

    if recover(folder):
        click.echo(f"{folder}: cleared away a mount whose process had died", err=True)
    ready = _background() if given["daemon"] else None
    return _serve(catalog, folder, url or str(given["manifest"] or "ranges"), given, ready)


def _places(arguments: tuple[str, ...]) -> tuple[str | None, Path]:
    if len(arguments) > 2:
        raise click.UsageError("wanted [URL] DIR, got more")
    return (arguments[0] if len(arguments) == 2 else None), Path(arguments[-1]).absolute()


def _fstab(given: dict[str, Any]) -> None:
    for word in (given["options"] or "").split(","):
        name, _, value = word.partition("=")
        if name in ("uid", "gid"):
            given[name] = int(value)
        elif name == "umask":
            given["umask"] = value
        elif name in ("allow_other", "rw"):
            given["write" if name == "rw" else name] = True
        elif name and name not in IGNORED and not name.startswith("x-"):
            raise click.BadParameter(
                f"{name}: unknown; known are allow_other, uid=, gid=, umask=, ro, rw", param_hint="-o"
            )


def _catalog(url: str | None, manifest: str | None, ranges: tuple[str, ...]) -> Catalog:
    from mezzfs.manifest import parse_range, read_manifest
    from mezzfs.mount import FilesCatalog, Found, catalog_for
    from mezzfs.objects import Extent, ObjectMap, Stat

    layouts: dict[str, tuple[ObjectMap, dict[str, Stat]]] = read_manifest(manifest) if manifest else {}
    for name, source, first, end in map(parse_range, ranges):
        layouts[name] = ObjectMap((Extent(url=source, offset=first, length=end - first),)), {}
    if (url is None) == (not layouts):
        raise click.UsageError("wanted a URL, or --manifest or --range, and not both")
    if url is not None:
        return catalog_for(url)
    files = {
        name: Found(stat=Stat(size=layout.size), layout=layout, stats=stats)
        for name, (layout, stats) in layouts.items()
    }
    return FilesCatalog(files)


def _background() -> int:
    """Fork; the parent waits until the mount is there and ends; returns the child's descriptor to say so."""
    hear, tell = os.pipe()
    if os.fork():
        os.close(tell)
        with os.fdopen(hear) as words:
            said = words.read()
        if said != "ready":
            click.echo(f"error: {said or 'the mount ended at once'}", err=True)
        os._exit(0 if said == "ready" else 1)
    os.close(hear)
    os.setsid()
    return tell


def _serve(catalog: Catalog, folder: Path, name: str, given: dict[str, Any], ready: int | None) -> int:
    import mezzfs
    from mezzfs.errors import shown
    from mezzfs.mount import Mount, Owner

    owner = Owner(
        uid=os.geteuid() if given["uid"] is None else given["uid"],
        gid=os.getegid() if given["gid"] is None else given["gid"],
        umask=int(given["umask"], 8),
        writable=given["write"],
    )
    try:
        core = _core(given)
        made = Mount(
            catalog,
            folder,
            name=shown(name),
            core=core,
            owner=owner,
            allow_other=given["allow_other"],
            face=given["face"],
        )
    except mezzfs.MezzError as error:
        if ready is not None:
            os.write(ready, str(error).encode())
            os.close(ready)
        raise
    if given["metrics"] is not None:
        from mezzfs.metrics import serve

        serve(made.server.stats, given["metrics"])
    _tell_ready(ready, folder, name)
    return _until_the_end(made)


def _core(given: dict[str, Any]) -> Core:
    from mezzfs.core import Core
    from mezzfs.disk import DiskCache
    from mezzfs.replay import Recorder

    recorder = Recorder(Path(given["record"])) if given["record"] else None
    disk = None
    if given["cache_dir"]:
        disk = DiskCache(Path(given["cache_dir"]), size=given["cache_size"] * MIB)
    return Core(
        budget=given["memory"] * MIB, touch=True, observer=recorder, disk=disk, split=not given["no_split"]
    )


def _tell_ready(ready: int | None, folder: Path, name: str) -> None:
    from mezzfs.errors import shown

    if ready is None:
        click.echo(f"{shown(name)} is on {folder}; end with Ctrl-C, SIGTERM or: umount {folder}", err=True)
        return
    os.write(ready, b"ready")
    os.close(ready)
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)


def _until_the_end(made: Mount) -> int:
    asked: list[int] = []

    # A handler that raises may leave locks taken that the wait below needs.
    def end(number: int, _: object) -> None:
        asked.append(number)

    sys.setswitchinterval(0.001)  # events must not wait 5 ms for each fetch that computes
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    while not asked and not made.wait(LOOK_S):
        pass
    made.close()
    made.core.close()
    if made.core.observer is not None:
        made.core.observer.close()
    sys.stderr.flush()
    return 0
