"""What cannot be encoded yet, said clearly before any work is done."""

from __future__ import annotations

from archer.media import MediaInfo
from cinemill_native.errors import CinemillError


class RefusedInput(CinemillError, ValueError):
    """The title is readable, but the encoder cannot take it (yet).

    Attributes:
        reason: what it is, why that is refused, and what to do.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def refusal(info: MediaInfo) -> RefusedInput | None:
    """The reason why a title cannot be encoded; None where it can."""
    for problem in info.problems:
        if problem.fatal:
            return RefusedInput(f"input is {problem.code}: {problem.message}")
    video = info.video
    if video.colour.is_hdr:
        kind = {16: "PQ (HDR10)", 18: "HLG"}[video.colour.transfer]
        return RefusedInput(
            f"input is HDR, {kind}: it would be relabelled as SDR and look grey; tone-map it to BT.709 first"
        )
    if video.field_order != "progressive":
        return RefusedInput(
            f"input is interlaced ({video.field_order}): every frame holds two instants; deinterlace it first (bwdif)"
        )
    return None
