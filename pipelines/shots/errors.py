"""What can be wrong with shot files.

CinemillError
└── ShotFileError (ValueError)
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class ShotFileError(CinemillError, ValueError):
    """A file of shots cannot be read, or its format is not known.

    Attributes:
        name: of the file.
        reason: what is wrong, and what to do.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason

    def __str__(self) -> str:
        """One line."""
        return f"{self.name}: {self.reason}"
