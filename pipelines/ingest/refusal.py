"""What cannot be encoded, said clearly before any work is done."""

from __future__ import annotations

from archer.media import MediaInfo
from cinemill_native.errors import CinemillError
from pipelines.ingest.params import IngestParams

UNSPECIFIED = 2
SCALED = frozenset({0, 1, 2, 4, 5, 6, 7, 9})
"""Matrices that ffmpeg's scaler takes, by their code points."""


class RefusedInput(CinemillError, ValueError):
    """The title is readable, but the encoder cannot take it as it is.

    Attributes:
        reason: what it is, why that is refused, and what to do.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def refusal(info: MediaInfo, params: IngestParams | None = None) -> RefusedInput | None:
    """The reason why a title cannot be encoded; None where it can."""
    for problem in info.problems:
        if problem.fatal:
            return RefusedInput(f"input is {problem.code}: {problem.message}")
    video, wanted = info.video, params or IngestParams()
    if _dolby_only(info):
        return RefusedInput(
            "input is Dolby Vision without a base layer that other players show (profile 5): its colours need the metadata; "
            "convert it to HDR10 first"
        )
    if video.colour.matrix not in SCALED:
        return RefusedInput(
            f"input states matrix {video.colour.matrix} (H.273), which cannot be scaled; convert it to that of BT.709 or "
            "BT.2020, or, where that is a wrong tag only, write the right one with ffmpeg's h264_metadata or hevc_metadata"
        )
    if video.field_order != "progressive" and wanted.deinterlace == "off":
        return RefusedInput(
            f"input is interlaced ({video.field_order}): every frame holds two instants; leave --deinterlace off out"
        )
    return None


def _dolby_only(info: MediaInfo) -> bool:
    """Dolby Vision whose pictures are not PQ, HLG or SDR by themselves: such streams do not say what their colours are."""
    hdr, colour = info.video.hdr, info.video.colour
    return (
        hdr is not None and "dolby vision" in hdr.dynamic and UNSPECIFIED in (colour.transfer, colour.matrix)
    )
