"""Errors of the report.

CinemillError
├── CannotLoad(ValueError)     a folder is no output of `cinemill encode`, or lacks something
└── CannotRemake(ValueError)   something that a report is made from is missing or is not what it was
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class CannotLoad(CinemillError, ValueError):
    """A folder is no output of `cinemill encode`, or lacks something.

    Attributes:
        folder: which.
        reason: what is wrong.
    """

    def __init__(self, folder: str, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def __str__(self) -> str:
        return (
            f"{self.folder}: no output of cinemill encode: {self.reason}; wanted a folder with manifest.json"
        )


class CannotRemake(CinemillError, ValueError):
    """Something that a report is made from is missing, or is not what it was.

    Attributes:
        folder: where it was looked for.
        reason: what is wrong, and what to do.
    """

    def __init__(self, folder: str, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def __str__(self) -> str:
        return f"report of {self.folder}: {self.reason}"
