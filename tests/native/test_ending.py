"""A process may end while its daemon threads are in native code."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

IN_THE_CACHE = """
    from cinemill_native._mount import BlockCache

    cache, data = BlockCache(8 << 20), bytes(1 << 20)

    def work(file):
        cache.claim(file, 1 << 20, 0, 1 << 20, spare=False, wait_s=0)
        cache.fill(file, 1 << 20, 0, data)
        cache.forget(file)
"""
IN_A_KERNEL = """
    import numpy as np

    from cinemill_native import Plane, sse

    plane = Plane(np.zeros((1080, 1920), np.uint8), 8)

    def work(_):
        sse(plane, plane)
"""
FOUR_THREADS = """
    import threading
    import time

    def forever(number):
        while True:
            work(number)

    for number in range(1, 5):
        threading.Thread(target=forever, args=(number,), daemon=True).start()
    time.sleep(0.05)
"""


@pytest.mark.parametrize("inside", [IN_THE_CACHE, IN_A_KERNEL], ids=["cache", "kernel"])
def test_a_process_ends_while_threads_are_in_native_code(inside: str) -> None:
    script = textwrap.dedent(inside) + textwrap.dedent(FOUR_THREADS)
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, "")
