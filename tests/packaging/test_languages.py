"""Languages as players and the packager want them."""

from __future__ import annotations

import pytest

from pipelines.packaging.languages import language_name, language_tag


@pytest.mark.parametrize(
    ("code", "tag", "name"),
    [
        ("eng", "eng", "English"),
        ("de", "de", "Deutsch"),
        ("ger", "ger", "Deutsch"),
        ("fr-CA", "fr-CA", "Français"),
        ("gla", "gla", "gla"),
        ("und", "", ""),
        ("", "", ""),
        ("English", "", ""),
        ("zxx", "", ""),
    ],
)
def test_codes(code: str, tag: str, name: str) -> None:
    assert (language_tag(code), language_name(code)) == (tag, name)
