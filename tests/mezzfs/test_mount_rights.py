"""A mount works as root, as root of a user namespace, and as nobody through fusermount3; else it says what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mezzfs
from mezzfs.mount import kernel, missing
from pipelines.cli.fstab import arguments

CINEMILL = f"{sys.executable} -m pipelines.cli.main"
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
CYCLE = """
{run} mount {source} {folder} 2>/dev/null &
for i in $(seq 200); do grep -q " {folder} " /proc/mounts && break; sleep 0.1; done; sleep 0.5
cat {folder}/hello; grep " {folder} " /proc/mounts | cut -d" " -f4; kill $!; wait $!; grep -c " {folder} " /proc/mounts
"""


def cycle(tmp_path: Path, wrap: list[str], run: str, before: str = "") -> list[str]:
    """Mount, read, unmount inside `wrap`; returns the lines printed."""
    source, folder = tmp_path / "source", tmp_path / "folder"
    source.mkdir()
    folder.mkdir()
    folder.chmod(0o777)
    (source / "hello").write_text("hello\n")
    script = before + CYCLE.format(run=run, source=source, folder=folder)
    done = subprocess.run(
        [*wrap, "bash", "-c", script], capture_output=True, text=True, timeout=100, cwd=tmp_path
    )
    return done.stdout.splitlines()


@ROOT
@pytest.mark.skipif(bool(missing()), reason=f"cannot mount here: {missing()}")
def test_in_a_user_namespace(tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode:
        pytest.skip("no user namespaces here")
    hello, options, left = cycle(tmp_path, ["unshare", "-Urm"], CINEMILL)
    assert (hello, "user_id=0" in options, left) == ("hello", True, "0")


@ROOT
@pytest.mark.skipif(bool(missing()), reason=f"cannot mount here: {missing()}")
def test_as_nobody_through_the_helper(tmp_path: Path) -> None:
    if not (shutil.which("fusermount3") and shutil.which("setpriv")):
        pytest.skip("needs fusermount3 and setpriv")
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True)
    if probe.returncode:
        pytest.skip("needs a mount namespace of its own")
    # A device that everybody may open, in this namespace only; the interpreter may lie where nobody may look.
    before = f"mknod -m 666 {tmp_path}/fuse c 10 229 && mount --bind {tmp_path}/fuse /dev/fuse\n"
    above = [str(folder) for folder in tmp_path.parents if folder.name.startswith(("pytest-", "popen-"))]
    before += f"chmod 711 {' '.join(above)} {tmp_path}; chown 65534 {tmp_path}/folder\n"
    rights = (
        "--reuid 65534 --regid 65534 --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override"
    )
    run = f"exec setpriv {rights} {CINEMILL}"
    lines = cycle(tmp_path, ["unshare", "-m"], run, before.replace("\n", "\nexec 3</dev/null\n", 1))
    # Root may not look into a mount of somebody else: that it answers is seen in the list of mounts.
    assert "user_id=65534" in lines[-2]
    assert lines[-1] == "0"


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kernel, "DEVICE", tmp_path / "nothing")
    assert "/dev/fuse is not there" in kernel.missing()
    with pytest.raises(mezzfs.CannotMount, match="load the kernel's fuse module"):
        kernel.attach(tmp_path, "x", writable=False, allow_other=False)
    (tmp_path / "device").touch()
    monkeypatch.setattr(kernel, "DEVICE", tmp_path / "device")
    monkeypatch.setattr(kernel, "_may_mount", lambda: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "fusermount3 is not installed" in kernel.missing()


@pytest.mark.skipif(bool(missing()), reason=f"cannot mount here: {missing()}")
def test_a_place_that_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(mezzfs.CannotMount, match="mkdir it first"):
        kernel.attach(tmp_path / "nowhere", "x", writable=False, allow_other=False)


@ROOT
@pytest.mark.skipif(bool(missing()), reason=f"cannot mount here: {missing()}")
def test_the_system_mounts_by_type(tmp_path: Path) -> None:
    """mount(8) finds its helper in /sbin, which is one of our own in a namespace of our own."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("needs a mount namespace of its own")
    source, folder, helper = tmp_path / "source", tmp_path / "folder", tmp_path / "mount.cinemill"
    source.mkdir()
    folder.mkdir()
    (source / "hello").write_text("hello\n")
    code = "from pipelines.cli.fstab import main; main()"
    helper.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{code}' \"$@\"\n")
    helper.chmod(0o755)
    line = f"{source} {folder} cinemill uid=12,umask=077,_netdev,nofail 0 0"
    script = f"""
    bin=$(readlink -f /sbin); umount=$(command -v umount)
    mount -t tmpfs none $bin && cp {helper} $bin/mount.cinemill && chmod 755 $bin/mount.cinemill || exit 77
    echo "{line}" > {tmp_path}/fstab
    mount -T {tmp_path}/fstab {folder} && cat {folder}/hello && stat -c '%u %a' {folder}/hello
    $umount {folder}
    """
    done = subprocess.run(["unshare", "-m", "bash", "-c", script], capture_output=True, text=True, timeout=60)
    if done.returncode == 77:
        pytest.skip("cannot put a helper into /sbin here")
    assert done.stdout.splitlines() == ["hello", "12 400"], done.stderr


@pytest.mark.parametrize(
    ("words", "made"),
    [
        ("s3://b/t /m", "mount --daemon -- s3://b/t /m"),
        (
            "s3://b /m -o rw,allow_other,profile=a,_netdev -n",
            "mount --daemon --allow-other --profile a -o _netdev -- s3://b /m",
        ),
        ("none /m -o manifest=http://h/m.json", "mount --daemon --manifest http://h/m.json -- /m"),
        ("s3://b /m -s -o strange,cache_size=99", "mount --daemon --cache-size 99 -- s3://b /m"),
        ("s3://b /m -sw -t fuse.cinemill -o write", "mount --daemon --write -- s3://b /m"),
        ("s3://b /m -f", None),
    ],
)
def test_fstab_options_are_those_of_the_command(words: str, made: str | None) -> None:
    assert arguments(words.split()) == (made.split() if made else None)
    with pytest.raises(ValueError, match="usage"):
        arguments(["s3://b", "-o", "ro"])
