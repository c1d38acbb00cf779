"""Results that are kept at S3 come from there: by an address that is signed for a while, which needs no key of ours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from archer import Client


@pytest.mark.slow
def test_bytes_come_from_the_store_by_a_signed_address(
    s3: Any,
    gateway: str,
    start: Callable[..., Any],
    keep_key: Callable[..., str],
    media: Path,
    tmp_path: Path,
) -> None:
    work = tmp_path / "work"
    key = keep_key(work, "*")
    options = ("--allow-input", str(media), "--workers", "1", "--rate", "")
    server = start(work, *options, "--artifacts", "s3://bucket/kept")
    with Client(server.url, key=key, patience_s=60) as client:
        job = client.submit({"job": "shots", "input": "title.mp4"})
        output = job.result()["shots.shots"]
        place = job.fetch("shots.shots", tmp_path / "shots.json")
    assert json.loads(place.read_text())["schema"].startswith("shots")
    answer = httpx.get(f"{server.url}{output.href}", headers={"Authorization": f"Bearer {key}"}, timeout=60)
    assert (answer.status_code, answer.headers["cache-control"]) == (302, "no-store")
    signed = urlsplit(answer.headers["location"])
    assert f"{signed.scheme}://{signed.netloc}" == gateway
    assert 0 < int(parse_qs(signed.query)["X-Amz-Expires"][0]) <= 3600
    assert "mezzfs-secret" not in answer.headers["location"]
    whole = httpx.get(answer.headers["location"], timeout=60)
    assert f"sha256:{hashlib.sha256(whole.content).hexdigest()}" == output.hash
    part = httpx.get(answer.headers["location"], headers={"Range": "bytes=5-14"}, timeout=60)
    assert (part.status_code, part.content) == (206, whole.content[5:15])
    unsigned = httpx.get(f"{gateway}{signed.path}", timeout=60)
    assert unsigned.status_code == 403
    without = httpx.get(f"{server.url}{output.href}", timeout=60)
    assert without.status_code == 401
    assert parse_qs(signed.query)["X-Amz-Signature"][0] not in server.output
