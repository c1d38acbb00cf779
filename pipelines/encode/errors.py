"""Errors of the main job.

CinemillError
├── OutputExists(FileExistsError)   something that is not this job's is at the output
├── OutputFailed(OSError)           the output cannot be written
└── BadSetting(ValueError)          a setting is unknown, out of range, or contradicts another
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class OutputExists(CinemillError, FileExistsError):
    """Something that is not this job's result is at the output.

    Attributes:
        out: where.
    """

    def __init__(self, out: str) -> None:
        super().__init__(out)
        self.out = out

    def __str__(self) -> str:
        return f"output {self.out}: exists and is not the result of this command; choose another -o, or add --force to replace it"


class OutputFailed(CinemillError, OSError):
    """The output cannot be written.

    Attributes:
        out: where.
        reason: why.
    """

    def __init__(self, out: str, reason: str) -> None:
        super().__init__(out, reason)
        self.out = out
        self.reason = reason

    def __str__(self) -> str:
        return f"output {self.out}: {self.reason}"


class BadSetting(CinemillError, ValueError):
    """A setting is unknown, out of range, or contradicts another.

    Attributes:
        setting: its option name.
        got: what was given.
        wanted: what fits, and what to do.
    """

    def __init__(self, setting: str, got: str, wanted: str) -> None:
        super().__init__(setting, got, wanted)
        self.setting, self.got, self.wanted = setting, got, wanted

    def __str__(self) -> str:
        return f"{f'{self.setting} {self.got}'.strip()}: {self.wanted}"
