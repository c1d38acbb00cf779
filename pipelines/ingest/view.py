"""From what a title is and what the user wants to how it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from archer.media import FrameRange, MediaInfo, VideoStream
from archer.media.layout import layout_named
from archer.media.view import Fields, View, hdr_kind, regular_index, resampled
from archer.media.viewer import toned_format
from cinemill_native.frames import Colour, Frame
from pipelines.ingest.borders import picture_area, sample_ranges
from pipelines.ingest.params import BadView, IngestParams, crop_of, fps_of, pad_of
from pipelines.ingest.refusal import RefusedInput
from pipelines.ingest.telecine import CYCLE, SAMPLE, film_frames, is_telecined

Read = Callable[[MediaInfo, FrameRange], Iterator[Frame]]
"""Frames of a range of a title with these facts."""
BT709 = Colour(primaries=1, transfer=1, matrix=1, full_range=False)


def viewed(info: MediaInfo, params: IngestParams, read: Read) -> MediaInfo:
    """The title as the user wants to see it; unchanged where that is how it is stored.

    Args:
        info: the title as stored.
        params: what is wanted.
        read: gives frames, where they must be looked at to know.

    Raises:
        RefusedInput: it is telecined, and the user must say what is to happen.
        BadView: a setting does not fit the title.
    """
    fields = _fields(info, params, read)
    view = View(
        fields=fields,
        crop=_crop(info, params, read),
        sdr=params.dynamic_range == "sdr" and bool(hdr_kind(info.video)),
        stored=info.video,
    )
    view = replace(view, pad=_pad(view, params))
    changed = _timed(_pictured(info, view), params, read)
    return changed if changed.view is not None and changed.view.remarks() else info


def _fields(info: MediaInfo, params: IngestParams, read: Read) -> Fields:
    if params.deinterlace == "film":
        return "match"
    if params.deinterlace == "bwdif":
        return "bwdif"
    if info.video.field_order == "progressive" or params.deinterlace == "off":
        return ""
    if params.deinterlace == "auto" and is_telecined(read(info, _middle(info.frame_count))):
        raise RefusedInput(
            "input is telecined film (3:2 pull-down): add --deinterlace film for its film frames at 4/5 of the rate, "
            "or --deinterlace bwdif to keep every video frame"
        )
    return "bwdif"


def _middle(total: int) -> FrameRange:
    start = max(0, (total - SAMPLE) // 2)
    return FrameRange(start, min(total, start + SAMPLE))


def _crop(info: MediaInfo, params: IngestParams, read: Read) -> tuple[int, int, int, int] | None:
    if not params.crop:
        return None
    video = info.video
    if params.crop == "auto":
        looks = (frame for part in sample_ranges(info.frame_count) for frame in read(info, part))
        return picture_area(looks, video)
    left, top, width, height = crop_of(params.crop)
    if left + width > video.width or top + height > video.height:
        raise BadView(
            "--crop", params.crop, f"the stored picture is {video.width}x{video.height}; stay inside"
        )
    across, down = video.format.chroma_shift or (0, 0)
    if any(value % (1 << across) for value in (left, width)) or any(
        value % (1 << down) for value in (top, height)
    ):
        raise BadView(
            "--crop", params.crop, f"{video.format.name} needs multiples of {1 << across} and {1 << down}"
        )
    return None if (width, height) == (video.width, video.height) else (left, top, width, height)


def _pad(view: View, params: IngestParams) -> tuple[int, int, int, int] | None:
    """Where the kept part lies on a larger black picture; the shape is that of the picture as shown."""
    if not params.pad:
        return None
    stored, shape = view.stored, pad_of(params.pad)
    width, height = view.crop[2:] if view.crop else (stored.width, stored.height)
    turned = 1 / shape if stored.rotation in (90, 270) else shape
    if width * stored.sar < turned * height:
        wide, high = _even(turned * height / stored.sar), height
    else:
        wide, high = width, _even(width * stored.sar / turned)
    wide, high = max(wide, width), max(high, height)
    if (wide, high) == (width, height):
        return None
    return (wide - width) // 4 * 2, (high - height) // 4 * 2, wide, high


def _even(value: Fraction) -> int:
    return 2 * round(value / 2)


def _pictured(info: MediaInfo, view: View) -> MediaInfo:
    """The title with the pictures of a view, all frames kept."""
    video = info.video
    width, height = view.crop[2:] if view.crop else (video.width, video.height)
    if view.pad:
        width, height = view.pad[2:]
    video = replace(video, width=width, height=height)
    if view.fields:
        video = replace(video, field_order="progressive")
    if view.sdr:
        video = replace(video, colour=BT709, hdr=None, format=layout_named(toned_format(view.stored)))
    return replace(info, video=video, view=view)


def _timed(info: MediaInfo, params: IngestParams, read: Read) -> MediaInfo:
    """The title with the frames that the user wants, where not all of them."""
    view, video, index = info.view, info.video, info.index
    if view is None or not (params.fps or view.fields == "match"):
        return info
    if view.fields == "match":
        kept = film_frames(read(info, FrameRange(0, info.frame_count)))
        rate = video.frame_rate * (CYCLE - 1) / CYCLE
    else:
        rate = fps_of(params.fps)
        if rate == video.frame_rate and not video.vfr:
            return info
        last = index.last * video.time_base or 1 / video.frame_rate
        kept, _ = resampled(index, video.time_base, last, rate)
    made, time_base = regular_index(len(kept), int(index.pts[0]) * video.time_base, rate, video.time_base)
    return replace(
        info,
        video=_rated(video, len(kept), rate, time_base),
        index=made,
        view=replace(view, index=index, sources=kept),
    )


def _rated(video: VideoStream, frames: int, rate: Fraction, time_base: Fraction) -> VideoStream:
    return replace(video, frames=frames, frame_rate=rate, vfr=False, time_base=time_base)
