"""Errors of the MediaConvert dialect.

CinemillError
└── Unsupported(ValueError)   a field of a MediaConvert job that is not carried out
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class Unsupported(CinemillError, ValueError):
    """A field of a MediaConvert job is not carried out.

    Attributes:
        field: its path, `Settings.Inputs[0].InputClippings`. problem: what was got and what is wanted.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field, self.problem = field, problem

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"
