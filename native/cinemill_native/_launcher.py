"""Where the launcher of child processes was installed."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from cinemill_native.errors import NotBuilt

_NAME = "cinemill-exec"


@cache
def exec_path() -> Path:
    """Path of `cinemill-exec`, through which every child process is started.

    It lies beside the extension module, which in an editable install is not where the Python files are.

    Raises:
        NotBuilt: the native part is not installed.
    """
    spec = find_spec("cinemill_native._kernels")
    path = Path(spec.origin).parent / _NAME if spec and spec.origin else None
    if path is None or not path.is_file():
        raise NotBuilt(
            f"{_NAME}: not found beside the native kernels; install the project with `pip install .`"
        )
    return path
