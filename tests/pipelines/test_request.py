"""Orders that no command line has looked at are refused in one line, too: jobs that are submitted as data."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.encode.errors import BadSetting
from pipelines.encode.request import NUMBERS, EncodeRequest, checked


@pytest.mark.parametrize(
    "given",
    [
        {"gop_s": "abc"},
        {"gop_s": ""},
        {"chunk_s": "nan"},
        {"segment_s": "0"},
        {"target_vmaf": "inf"},
        {"target_kbps": "-5"},
        {"target_bytes": "0"},
        {"threads": 0},
        {"max_renditions": 21, "ladder": "auto"},
    ],
)
def test_numbers_are_numbers_in_their_range(given: dict[str, Any]) -> None:
    with pytest.raises(BadSetting, match="wanted a number from"):
        checked(EncodeRequest(**given))


def test_what_is_usual_is_in_range() -> None:
    assert checked(EncodeRequest()) == EncodeRequest()
    assert all(hasattr(EncodeRequest(), field) for field in NUMBERS)
