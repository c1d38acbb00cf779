"""The level at which kernels run is the best there is, or the one that was asked for."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from cinemill_native import Plane, TargetUnavailable, default_target, sse, targets

PRINT_DEFAULT = "import cinemill_native; print(cinemill_native.default_target())"


def ask(wanted: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"CINEMILL_NATIVE_TARGET": wanted}
    return subprocess.run(
        [sys.executable, "-c", PRINT_DEFAULT], env=env, capture_output=True, text=True, check=False
    )


def test_this_run_exercises_a_simd_target() -> None:
    if platform.machine() not in {"x86_64", "AMD64"}:
        pytest.skip(f"no SIMD kernels for {platform.machine()} yet")
    assert targets()[-1] != "scalar", "the kernels' tests are worth little on a machine without AVX2"


def test_targets_rise_from_scalar() -> None:
    assert targets()[0] == "scalar"
    assert len(set(targets())) == len(targets())


def test_default_is_the_best() -> None:
    assert default_target() == os.environ.get("CINEMILL_NATIVE_TARGET", targets()[-1])


@pytest.mark.parametrize("wanted", targets())
def test_environment_forces_a_level(wanted: str) -> None:
    assert ask(wanted).stdout.strip() == wanted


def test_environment_with_an_unknown_level_is_an_error_not_a_fall_back() -> None:
    child = ask("mmx")
    assert child.returncode != 0
    assert "CINEMILL_NATIVE_TARGET 'mmx': this processor and build have scalar" in child.stderr


@pytest.mark.parametrize("wanted", ["mmx", "", "AVX2", "neon"])
def test_keyword_with_an_unknown_level_is_an_error(wanted: str) -> None:
    plane = Plane(np.zeros((2, 2), np.uint8))
    with pytest.raises(TargetUnavailable, match=f"target '{wanted}': this processor and build have scalar"):
        sse(plane, plane, target=wanted)
