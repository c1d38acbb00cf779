"""Errors of vmaf, drawn as a tree.

CinemillError
└── VmafError
    ├── UnknownModel(ValueError)        no model of this name
    ├── UnknownMetric(ValueError)       no metric of this name
    ├── BadModel(ValueError)            a model's file is missing, damaged, or of a kind that is not supported
    ├── BadRaw(ValueError)              a raw file does not hold what it should
    ├── BadCurve(ValueError)            points that give no rate-quality curve
    ├── NoAlignment(ValueError)         no constant offset between the sides can be told
    ├── MissingChroma(ValueError)       a metric needs chroma, and the pictures have luma only
    ├── TimingMismatch(ValueError)      the two sides show their frames at different times
    └── FrameCountMismatch(ValueError)  the two sides do not have the same frames
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class VmafError(CinemillError):
    """Something about scoring."""


class UnknownModel(VmafError, ValueError):
    """There is no model of this name.

    Attributes:
        name: what was asked for.
        known: what there is.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def __str__(self) -> str:
        return f"--model {self.name}: there is no such model; wanted one of {', '.join(self.known)}"


class UnknownMetric(VmafError, ValueError):
    """There is no metric of this name.

    Attributes:
        name: what was asked for.
        known: what there is.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def __str__(self) -> str:
        return f"--metric {self.name}: there is no such metric; wanted one of {', '.join(self.known)}"


class BadModel(VmafError, ValueError):
    """A model cannot be used.

    Attributes:
        origin: its name or file.
        why: what is wrong.
    """

    def __init__(self, origin: str, why: str) -> None:
        super().__init__(origin, why)
        self.origin, self.why = origin, why

    def __str__(self) -> str:
        return f"model {self.origin}: {self.why}"


class BadRaw(VmafError, ValueError):
    """A raw file does not hold what it should.

    Attributes:
        path: of the file.
        why: what is wrong.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


class BadCurve(VmafError, ValueError):
    """Points from which no rate-quality curve can be made."""


class NoAlignment(VmafError, ValueError):
    """No constant offset between two runs of frames stands out."""


class MissingChroma(VmafError, ValueError):
    """A metric needs chroma.

    Attributes:
        metric: which.
    """

    def __init__(self, metric: str) -> None:
        super().__init__(metric)
        self.metric = metric

    def __str__(self) -> str:
        return f"{self.metric} needs chroma, and the pictures have luma only; give all planes, or another model or metric"


class TimingMismatch(VmafError, ValueError):
    """The two sides show their frames at different times.

    Attributes:
        frame: number of the first frame that is out of step.
        reference_s, distorted_s: when each side shows it, seconds from its first frame.
    """

    def __init__(self, frame: int, reference_s: float, distorted_s: float) -> None:
        super().__init__(frame, reference_s, distorted_s)
        self.frame, self.reference_s, self.distorted_s = frame, reference_s, distorted_s

    def __str__(self) -> str:
        return (
            f"frame {self.frame} is shown after {self.reference_s:.3f} s in the reference and after {self.distorted_s:.3f} s "
            "in the distorted file: one of them dropped, repeated or re-timed frames (variable frame rate), and frames matched "
            "by number would not show the same; encode with the source's times (ffmpeg: -fps_mode passthrough), or score the "
            "numbers as they are with --ignore-times"
        )


class FrameCountMismatch(VmafError, ValueError):
    """The two sides do not have the same frames.

    Attributes:
        reference, distorted: frame counts.
    """

    def __init__(self, reference: int, distorted: int) -> None:
        super().__init__(reference, distorted)
        self.reference, self.distorted = reference, distorted

    def __str__(self) -> str:
        return (
            f"the reference has {self.reference} frames, the distorted side {self.distorted}; frames are matched by number, "
            "so both must have the same (cut the longer one, or score a range with --frames)"
        )
