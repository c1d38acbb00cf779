"""The root of every error that users may see.

CinemillError
├── ShapeMismatch(ValueError)      planes differ in shape, depth or type
├── TooSmall(ValueError)           a plane is smaller than a kernel's filter
├── NotAPlane(TypeError)           samples that no kernel can read: type, dimensions, layout
├── TargetUnavailable(ValueError)  an instruction set that this build or processor does not have
├── NotBuilt(ImportError)          the compiled part is not installed
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


class TooSmall(CinemillError, ValueError):
    """A plane has a side that is shorter than the filters of a kernel."""


class NotAPlane(CinemillError, TypeError):
    """An object is no plane of uint8 or uint16 samples with contiguous rows, or its size is out of range."""


class TargetUnavailable(CinemillError, ValueError):
    """A kernel was asked for an instruction set that this build or this processor does not have."""


class NotBuilt(CinemillError, ImportError):
    """The compiled part of the project is not installed."""
