"""What a service may read for others: only below what is allowed, only public hosts, whatever tricks the name plays."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from archer.errors import PlaceRefused
from archer.places import Places, shown
from mezzfs import hosts

NAMES = {
    "media.example": ["93.184.215.14"],
    "inside.example": ["10.0.0.7"],
    "both.example": ["93.184.215.14", "127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "six.example": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "tunnel.example": ["64:ff9b::a9fe:a9fe"],
}


def resolve(host: str, port: int, **_: Any) -> Sequence[Any]:
    """Names of this test; numbers in any notation as the system reads them, which asks nobody."""
    if host in NAMES:
        return [(0, 0, 0, "", (address, port)) for address in NAMES[host]]
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=0)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    (folder / "sub").mkdir(parents=True)
    (folder / "title.mov").write_bytes(b"1")
    (folder / "sub" / "a b.mov").write_bytes(b"1")
    (tmp_path / "secret").write_bytes(b"1")
    (tmp_path / "media2").mkdir()
    (tmp_path / "media2" / "title.mov").write_bytes(b"1")
    (folder / "link.mov").symlink_to(tmp_path / "secret")
    (folder / "good.mov").symlink_to(folder / "title.mov")
    return folder


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("title.mov", "title.mov"),
        ("{root}/title.mov", "title.mov"),
        ("file://{root}/title.mov", "title.mov"),
        ("sub/a b.mov", "sub/a b.mov"),
        ("good.mov", "title.mov"),
    ],
)
def test_files_below_a_folder_that_is_allowed(media: Path, given: str, used: str) -> None:
    assert Places([str(media)]).checked(given.format(root=media)) == str(media / used)


@pytest.mark.parametrize(
    "given",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "file://localhost/etc/passwd",
        "../secret",
        "sub/../../secret",
        "file://{root}/../secret",
        "file://{root}/%2e%2e/secret",
        "%2e%2e/secret",
        "..%2fsecret",
        "{root}2/title.mov",
        "link.mov",
        "sub",
        "missing.mov",
        "~/title.mov",
        "title.mov\0.txt",
        "..\\secret",
        "title\n.mov",
        "a" * 300,
        "/".join("a" * 200),
        "",
        "x" * 5000,
    ],
)
def test_nothing_else_of_this_machine(media: Path, given: str) -> None:
    with pytest.raises(PlaceRefused):
        Places([str(media)]).checked(given.format(root=media))


def test_no_file_at_all_where_no_folder_is_allowed(media: Path) -> None:
    with pytest.raises(PlaceRefused, match="no folder is allowed"):
        Places(["https://"]).checked(str(media / "title.mov"))


def test_a_file_outside_is_refused_in_the_words_of_one_that_is_not_there(media: Path) -> None:
    """Else answers would tell which files the server has."""
    places = Places([str(media)])
    reasons = []
    for name in ("/etc/passwd", "/etc/no-such-file", "link.mov"):
        with pytest.raises(PlaceRefused) as caught:
            places.checked(name)
        reasons.append(caught.value.reason)
    assert len(set(reasons)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://media.example/title.mov",
        "https://media.example:8443/title.mov?sig=a%2Fb",
        "https://six.example/t.mov",
        "s3://masters/2026/t.mov",
    ],
)
def test_urls_below_a_prefix(url: str) -> None:
    assert Places(["https://", "s3://masters/2026/"], resolve=resolve).checked(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://media.example/t.mov",
        "ftp://media.example/t.mov",
        "gopher://media.example/",
        "s3://masters/2025/t.mov",
        "s3://masters/2026-secret/t.mov",
        "s3://masters/2026/../2025/t.mov",
        "s3://masters/2026/%2e%2e/2025/t.mov",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fe80::1]/",
        "https://[fd00:ec2::254]/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://2130706433/",
        "https://0.0.0.0/",
        "https://100.64.0.1/",
        "https://224.0.0.1/",
        "https://inside.example/",
        "https://both.example/",
        "https://metadata.example/",
        "https://mapped.example/",
        "https://tunnel.example/",
        "https://name:hunter2@media.example/t.mov",
        "https://media.example@127.0.0.1/",
        "https://media.example\\@127.0.0.1/",
        "https://media.example/a b",
        "https:///t.mov",
        "https://media.example:port/",
        "https://",
        "data:text/plain,x",
        "memory://x",
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(PlaceRefused):
        Places(["https://", "s3://masters/2026/"], resolve=resolve).checked(url)


def test_a_refusal_shows_no_password() -> None:
    with pytest.raises(PlaceRefused) as caught:
        Places(["https://"], resolve=resolve).checked("https://name:hunter2@media.example/t?token=x")
    assert "hunter2" not in str(caught.value)
    assert "token" not in shown("https://media.example/t?token=x")


def test_what_is_to_be_written_need_not_be_there(media: Path) -> None:
    assert Places([str(media)]).checked("new/out.mkv", exists=False) == str(media / "new" / "out.mkv")
    with pytest.raises(PlaceRefused):
        Places([str(media)]).checked("../out.mkv", exists=False)
    with pytest.raises(PlaceRefused):
        Places([str(media)]).checked("link.mov/out", exists=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    assert hosts.is_public(address)


@pytest.mark.parametrize("address", ["", "x", "fe80::1%eth0", "2002:7f00:1::", "2002:a9fe:a9fe::", "::"])
def test_addresses_that_are_not(address: str) -> None:
    assert not hosts.is_public(address)
