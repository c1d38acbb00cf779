"""The model that fits is named for every size, rate and distance, and what nobody validated is said."""

from __future__ import annotations

from fractions import Fraction

import pytest

from vmaf import advised_model

FILM, SPORT = Fraction(24000, 1001), Fraction(60)


@pytest.mark.parametrize(
    ("size", "rate", "viewing", "model"),
    [
        ((1920, 1080), FILM, "tv", "vmaf_v1.0.16_3d0h"),
        ((1280, 720), SPORT, "tv", "vmaf_v1.0.16_hfr_3d0h"),
        ((1080, 1920), FILM, "phone", "vmaf_v1.0.16_5d0h"),
        ((3840, 2160), FILM, "tv", "vmaf_v1.0.16_3d0h_2160"),
        ((3840, 1600), FILM, "desk", "vmaf_v1.0.16_1d5h_2160"),
        ((3840, 2160), SPORT, "phone", "vmaf_v1.0.16_hfr_5d0h"),
        ((1920, 1080), FILM, "desk", "vmaf_v1.0.16_3d0h"),
    ],
)
def test_the_model_that_fits(size: tuple[int, int], rate: Fraction, viewing: str, model: str) -> None:
    advice = advised_model(*size, rate, viewing=viewing)
    assert advice.model.name == model
    assert str(min(size)) in advice.reason


def test_what_is_not_validated_is_said() -> None:
    assert advised_model(1920, 1080, FILM).caveats == ()
    assert "HDR" in advised_model(1920, 1080, FILM, hdr=True).caveats[0]
    assert "10-bit" in advised_model(1920, 1080, FILM, bit_depth=8).caveats[0]
    assert "no phone model" in advised_model(3840, 2160, FILM, viewing="phone").caveats[0]
    assert "same angle" in advised_model(1920, 1080, FILM, viewing="desk").caveats[0]
    assert "360 lines" in advised_model(320, 240, FILM).caveats[0]
    with pytest.raises(ValueError, match="wanted one of tv"):
        advised_model(1920, 1080, FILM, viewing="cinema")
