"""Codec strings by RFC 6381, from real decoder configurations."""

from __future__ import annotations

import pytest

from encoder.codec_string import codec_string

HVCC = "0102200000009000000000005df000fcfdfafa00000f03"
RECORDS = [
    ("h264", "0164001f", "avc1.64001f"),
    ("hevc", HVCC, "hvc1.2.4.L93.90"),
    ("hevc", "01016000000090000000000078", "hvc1.1.6.L120.90"),
    ("hevc", "0121600000000000000000007b", "hvc1.1.6.H123"),
    ("libdav1d", "81050c00", "av01.0.05M.08"),
    ("av1", "81094c00", "av01.0.09M.10"),
    ("vp9", "00148202020000", "vp09.00.20.08"),
    ("vp9", "0229a2090910000000", "vp09.02.41.10"),
    ("vp9", "", "vp9"),
]


@pytest.mark.parametrize(("codec", "record", "wanted"), RECORDS)
def test_string_of_a_record(codec: str, record: str, wanted: str) -> None:
    assert codec_string(codec, bytes.fromhex(record)) == wanted
