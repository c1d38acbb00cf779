"""Errors of comparing.

CinemillError
├── NoJob(ValueError)          a folder is no output that can be compared
└── NotComparable(ValueError)  two outputs are not of one source, or not scored alike
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class NoJob(CinemillError, ValueError):
    """A folder is no output of `cinemill encode`, or not all of it is there.

    Attributes:
        folder: the folder.
        reason: what is wrong, and what to do.
    """

    def __init__(self, folder: str, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def __str__(self) -> str:
        return f"{self.folder}: {self.reason}"


class NotComparable(CinemillError, ValueError):
    """Two outputs cannot be compared.

    Attributes:
        differences: what stands between them, each in words.
        remedy: what to do.
    """

    def __init__(self, differences: tuple[str, ...], remedy: str) -> None:
        super().__init__(differences, remedy)
        self.differences, self.remedy = differences, remedy

    def __str__(self) -> str:
        return f"cannot be compared: {'; '.join(self.differences)}; {self.remedy}"
