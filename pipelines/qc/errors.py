"""What quality control says no to.

CinemillError
├── BadProfile (ValueError)
└── QcRefused (ValueError)
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class BadProfile(CinemillError, ValueError):
    """A profile of thresholds cannot be used.

    Attributes:
        reason: what is wrong, and what to do.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        """One line."""
        return f"quality profile: {self.reason}"


class QcRefused(CinemillError, ValueError):
    """A title has findings that the gate does not let through.

    Attributes:
        gate: the severity from which on it refuses.
        findings: one line each.
    """

    def __init__(self, gate: str, findings: tuple[str, ...]) -> None:
        super().__init__(gate, findings)
        self.gate, self.findings = gate, findings

    def __str__(self) -> str:
        """One line."""
        shown = "; ".join(self.findings[:5]) + ("; ..." if len(self.findings) > 5 else "")
        return (
            f"refused by quality control (gate {self.gate}): {shown}; get a clean copy, or change the profile"
        )
