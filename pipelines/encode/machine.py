"""The machine that a job ran on: what may decide about bytes where a tool's code differs between processors."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

SIMD = ("sse4_1", "sse4_2", "avx", "avx2", "fma", "bmi2", "avx512f", "avx512bw", "avx512vl", "avx512_vnni")
SIMD_ARM = ("asimd", "asimddp", "i8mm", "sve", "sve2")
"""Instruction sets that encoders and metrics have code of their own for, by their names in /proc/cpuinfo."""


def this_machine() -> dict[str, Any]:
    """Processor, those of its instruction sets that encoders use, the kernels' target, cores and system.

    What the system does not tell is an empty text or list.
    """
    from cinemill_native import default_target

    text = _cpuinfo()
    return {
        "processor": _field(text, "model name") or platform.processor(),
        "features": simd_features(text),
        "kernels": default_target(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def simd_features(cpuinfo: str) -> list[str]:
    """The instruction sets that count, from the text of /proc/cpuinfo."""
    flags = set((_field(cpuinfo, "flags") or _field(cpuinfo, "Features")).split())
    return [name for name in (*SIMD, *SIMD_ARM) if name in flags]


def _field(text: str, name: str) -> str:
    lines = (line.partition(":") for line in text.splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
