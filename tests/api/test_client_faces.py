"""Both clients say the same: same names, same parameters."""

from __future__ import annotations

import inspect

import pytest

from archer.client import AsyncClient, AsyncJob, Client, Job


@pytest.mark.parametrize(("step", "awaited"), [(Client, AsyncClient), (Job, AsyncJob)])
def test_the_clients_have_the_same_calls(step: type, awaited: type) -> None:
    assert _calls(step) == _calls(awaited)


def _calls(kind: type) -> dict[str, list[str]]:
    return {
        name: list(inspect.signature(member).parameters)
        for name, member in vars(kind).items()
        if not name.startswith("_") and callable(member)
    }
