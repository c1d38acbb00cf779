"""Making and unmaking mounts: mount(2) where we may, fusermount3 where we may not, and what is missing otherwise."""

from __future__ import annotations

import array
import ctypes
import errno
import os
import shutil
import socket
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

from mezzfs.errors import CannotMount

DEVICE = Path("/dev/fuse")
OLDEST = 5, 4
MNT_FORCE, MNT_DETACH = 1, 2
MS_RDONLY, MS_NOSUID, MS_NODEV = 1, 2, 4


def missing() -> str:
    """What is missing to mount here, in words; empty where nothing is."""
    if _kernel() < OLDEST:
        return (
            f"the kernel is older than {OLDEST[0]}.{OLDEST[1]}, and speaks an older FUSE protocol than 7.31"
        )
    if not DEVICE.exists():
        return (
            "/dev/fuse is not there; load the kernel's fuse module, or give the container --device /dev/fuse"
        )
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return "/dev/fuse may not be opened by this user; make it readable and writable (crw-rw-rw-)"
    if _may_mount() or shutil.which("fusermount3"):
        return ""
    return "this user may not mount, and fusermount3 is not installed; apt-get install fuse3, or run as root"


def attach(folder: Path, name: str, *, writable: bool, allow_other: bool) -> int:
    """Mount on `folder`; returns the descriptor of /dev/fuse that serves it.

    Args:
        folder: an empty or stale folder.
        name: what `mount` and `df` show.
        writable: whether the kernel lets writes through.
        allow_other: whether other users may look in.

    Raises:
        CannotMount: with what is missing.
    """
    if lacking := missing():
        raise CannotMount(str(folder), lacking)
    prepare(folder)
    options = ["default_permissions", "max_read=1048576"] + (["allow_other"] if allow_other else [])
    if _may_mount():
        return _mount(folder, name, options, writable=writable)
    return _ask_helper(folder, name, options, writable=writable)


def prepare(folder: Path) -> None:
    """Clear away what a dead process left on `folder`. Raises: CannotMount where it is none."""
    recover(folder)
    if not folder.is_dir():
        raise CannotMount(str(folder), "wanted a folder to mount on; mkdir it first")


def detach(folder: Path, *, force: bool) -> bool:
    """Unmount; True if it is done. `force` ends it under those who still use it."""
    if _may_mount():
        flags = MNT_FORCE | MNT_DETACH if force else 0
        return int(_libc().umount2(os.fsencode(folder), flags)) == 0
    helper = shutil.which("fusermount3") or shutil.which("fusermount") or "fusermount3"
    argv = [helper, "-u", *(["-z"] if force else []), "--", str(folder)]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0  # noqa: S603


def recover(folder: Path) -> bool:
    """Clear away a mount whose process has died; True if there was one."""
    try:
        with os.scandir(folder) as names:  # not stat: the kernel may still remember that answer
            next(names, None)
    except OSError as error:
        if error.errno not in (errno.ENOTCONN, errno.ECONNABORTED):
            return False
        return detach(folder, force=True)
    return False


def _kernel() -> tuple[int, int]:
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(filter(str.isdigit, minor)))


def _may_mount() -> bool:
    """CAP_SYS_ADMIN in the user namespace that owns the mount namespace; the same bit in both."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> 21 & 1)
    return False


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _mount(folder: Path, name: str, options: list[str], *, writable: bool) -> int:
    device = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    mode = stat.S_IFMT(folder.stat().st_mode)
    facts = [f"fd={device}", f"rootmode={mode:o}", f"user_id={os.geteuid()}", f"group_id={os.getegid()}"]
    data = ",".join(facts + options).encode()
    flags = MS_NOSUID | MS_NODEV | (0 if writable else MS_RDONLY)
    target, kind = os.fsencode(folder), b"fuse.cinemill"
    if _libc().mount(name.encode(), target, kind, ctypes.c_ulong(flags), data) != 0:
        number = ctypes.get_errno()
        os.close(device)
        remedy = "; in a container, give it CAP_SYS_ADMIN" if number == errno.EPERM else ""
        raise CannotMount(str(folder), f"the kernel refuses to mount: {os.strerror(number)}{remedy}")
    return device


def _ask_helper(folder: Path, name: str, options: list[str], *, writable: bool) -> int:
    """fusermount3 mounts for us and hands the descriptor over a socket whose number is in _FUSE_COMMFD."""
    ours, theirs = socket.socketpair()
    words = [
        *options,
        f"fsname={name.replace(',', '_')}",
        "subtype=cinemill",
        "nosuid",
        "nodev",
        "rw" if writable else "ro",
    ]
    argv = [shutil.which("fusermount3") or "fusermount3", "-o", ",".join(words), "--", str(folder)]
    environment = os.environ | {"_FUSE_COMMFD": str(theirs.fileno())}
    with ours, theirs:
        done = subprocess.run(  # noqa: S603
            argv, env=environment, pass_fds=[theirs.fileno()], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise CannotMount(str(folder), f"fusermount3 refuses: {done.stderr.strip()}")
        _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
    numbers = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers.frombytes(data[:4])
    if not numbers:
        raise CannotMount(str(folder), "fusermount3 did not hand over /dev/fuse")
    os.set_inheritable(numbers[0], False)  # noqa: FBT003
    return numbers[0]
