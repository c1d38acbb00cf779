"""Stores and servers for the tests of mezzfs; nothing leaves this machine."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from mezzfs.stores import register
from mezzfs.stores.memory import MemoryStore


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    """An empty store behind `mem://` URLs."""
    made = MemoryStore()
    register("mem", made)
    yield made
    register("mem", None)


@pytest.fixture(scope="session")
def noise() -> bytes:
    """8 MiB and a bit that no codec shortens and no two blocks share; not a multiple of a block."""
    return random.Random(7).randbytes((8 << 20) + 12345)
