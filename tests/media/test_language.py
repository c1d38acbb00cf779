"""Tags of languages, as mp4 files take them."""

from __future__ import annotations

import pytest

from archer.media.language import three_letters


@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ("de", "deu"),
        ("eng", "eng"),
        ("ger", "ger"),
        ("pt-BR", "por"),
        ("zh_Hant_TW", "zho"),
        ("EN", "eng"),
        ("yue-HK", "yue"),
        ("", "und"),
        ("english", "und"),
        ("x-klingon", "und"),
        ("xx", "und"),
    ],
)
def test_three_letters(tag: str, wanted: str) -> None:
    assert three_letters(tag) == wanted
