"""What can go wrong with detectors.

CinemillError
└── DetectorMissing (ImportError)
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class DetectorMissing(CinemillError, ImportError):
    """A detector of shots needs a package that is not installed.

    Attributes:
        detector: its name.
        remedy: how to get it.
    """

    def __init__(self, detector: str, remedy: str) -> None:
        super().__init__(detector, remedy)
        self.detector, self.remedy = detector, remedy

    def __str__(self) -> str:
        """One line."""
        return f"detector {self.detector}: its package is not installed; {self.remedy}"
