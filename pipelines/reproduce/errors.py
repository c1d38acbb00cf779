"""Errors of reproduction.

CinemillError
└── ManifestUnusable(ValueError)   a manifest that does not say what to repeat
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class ManifestUnusable(CinemillError, ValueError):
    """A manifest does not say what to repeat: damaged, of another version, or something else.

    Attributes:
        path: the manifest.
        reason: what is wrong, and what to do.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"manifest {self.path}: {self.reason}"
