"""Options of encoders are checked by kind and range before anything is started."""

from __future__ import annotations

import pytest

from encoder import BadOption, EncodeSettings, codec_named


@pytest.mark.parametrize(
    ("codec", "params"),
    [
        ("x264", "bframes=5:psy-rd=1.0,0.15:aq-mode=2:me=umh:tune=film"),
        ("x265", "psy-rd=2.0:sao=0:ctu=32:tune=grain"),
        ("svtav1", "tune=0:enable-qm=1:sharpness=-2"),
        ("vp9", "row-mt=1:tile-columns=2"),
        ("aom", "enable-cdef=0:lag-in-frames=35"),
    ],
)
def test_options_that_fit(codec: str, params: str) -> None:
    codec_named(codec).check(crf="", preset="", encoder_params=params)


@pytest.mark.parametrize(
    ("codec", "params", "words"),
    [
        ("x264", "bframes=17", "whole number from 0 to 16"),
        ("x264", "bframes=2.5", "whole number"),
        ("x264", "psy-rd=1.0,x", "one or two numbers"),
        ("x264", "me=star", "one of dia, hex, umh"),
        ("x264", "bframe=3", "did you mean bframes"),
        ("x264", "bframes", "key=value"),
        ("x264", "open-gop=1", "structure"),
        ("x265", "pools=8", "structure"),
        ("svtav1", "film-grain=8", "structure"),
        ("vp9", "speed=4", "structure"),
        ("aom", "aq-mode=NaN", "whole number"),
    ],
)
def test_options_that_do_not(codec: str, params: str, words: str) -> None:
    with pytest.raises(BadOption, match=words):
        codec_named(codec).check(crf="", preset="", encoder_params=params)


def test_a_tune_goes_where_presets_are_chosen() -> None:
    settings = EncodeSettings(codec="x264", params="tune=film:bframes=2")
    command = codec_named("x264").command(settings, 48)
    assert command[command.index("-tune") + 1] == "film"
    assert "tune" not in command[command.index("-x264-params") + 1]


def test_grain_is_carried_out_or_refused() -> None:
    settings = EncodeSettings(codec="svtav1", grain=12)
    assert "film-grain=12" in codec_named("svtav1").command(settings, 48)[-1]
    with pytest.raises(Exception, match="svtav1 or aom"):
        codec_named("x264").check_picture(64, 64, settings)
