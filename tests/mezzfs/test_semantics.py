"""Every paragraph of docs/mezzfs-semantics.md is held by tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mezzfs
from mezzfs.errors import shown

ROOT = Path(__file__).resolve().parents[2]


def paragraphs() -> list[str]:
    text = (ROOT / "docs" / "mezzfs-semantics.md").read_text()
    return [part for part in text.split("\n\n") if not part.startswith("#")]


@pytest.mark.parametrize("paragraph", paragraphs(), ids=lambda text: text[:40].replace("\n", " "))
def test_every_paragraph_is_a_test(paragraph: str) -> None:
    found = re.search(r"\[([a-z0-9_, \n]+)\]\s*$", paragraph)
    assert found, "it names no test"
    there = {
        name
        for path in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert set(re.split(r",\s*", found[1].strip())) <= there


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://ann:secret@host/a.mov?X-Signature=secret", "https://host/a.mov?..."),
        ("s3://bucket/a@b.mov", "s3://bucket/a@b.mov"),
        ("/local/a?b", "/local/a?b"),
    ],
)
def test_secrets_in_urls_are_not_shown(url: str, words: str) -> None:
    assert shown(url) == words
    assert "secret" not in str(mezzfs.NotFound(url))
