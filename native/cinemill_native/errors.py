"""The root of every error that users may see.

    CinemillError
    ├── ShapeMismatch(ValueError)      planes differ in shape, depth or type
    └── ... each package draws its own tree in its errors.py
"""

from __future__ import annotations


class CinemillError(Exception):
    """An error with a message for people: what was wrong, what was wanted, what was got, what to do.

    The message is one line. Subclasses keep the facts as attributes, survive pickling (they cross processes:
    `args` must rebuild them), and say by `retryable` whether trying again may help.
    """

    retryable: bool = False


class ShapeMismatch(CinemillError, ValueError):
    """Planes that must agree in shape, bit depth or sample type do not."""
