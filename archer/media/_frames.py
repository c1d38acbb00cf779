"""Frame-exact decoding of any range, whatever the GOP structure."""

from __future__ import annotations

from collections.abc import Iterator

from archer.media.asset import Asset, urls_of
from archer.media.errors import FrameRangeError, ShortDecode
from archer.media.info import MediaInfo
from archer.media.layout import as_frame
from archer.media.range import FrameRange
from archer.media.reader import Reader
from cinemill_native.frames import Frame


def frames(
    asset: Asset | str, frames: FrameRange | None = None, *, info: MediaInfo | None = None, threads: int = 1
) -> Iterator[Frame]:
    """Exactly the frames of a range, in presentation order, with the source's times.

    Decoding starts at the key frame before the range. Every picture is compared with the index by its time; where one
    is missing (leading pictures of an open GOP, a container whose index lies), decoding starts again further back, at
    the start of the title if need be. Frames that probing found damaged come as the decoder patched them up; any other
    damage is an error, also where it is in a frame before the range from which the range is predicted.

    Args:
        asset: the title, or its URL.
        frames: half-open range; None for all of them.
        info: facts from `probe`, to save probing again.
        threads: threads of the decoder.

    Yields:
        Frames whose planes are views of the decoder's memory; keep a frame and its planes stay valid.

    Raises:
        FrameRangeError: the range reaches beyond the title.
        ShortDecode: decoding ends before the range does.
        DecodeError: a frame cannot be decoded or comes out damaged.
    """
    from archer.media._probe import probe

    url = asset.url if isinstance(asset, Asset) else asset
    facts = info or probe(url, threads=threads)
    wanted = FrameRange(0, facts.frame_count) if frames is None else frames
    if facts.edit is not None:
        yield from _edited(url, facts, wanted, threads)
        return
    if facts.view is not None:
        yield from _viewed(url, facts, wanted, threads)
        return
    for place, picture in Reader(url, facts, threads=threads).pictures(wanted):
        yield as_frame(picture, place, facts, url)


def _check(url: str, info: MediaInfo, wanted: FrameRange) -> None:
    if wanted.end > info.frame_count:
        text = f"frames [{wanted.start}, {wanted.end}) asked for, it has {info.frame_count}"
        raise FrameRangeError(url, text)


def _edited(url: str, info: MediaInfo, wanted: FrameRange, threads: int) -> Iterator[Frame]:
    """Frames of the files that a title is put together of, made to fit it."""
    from archer.media.fit import fitted

    _check(url, info, wanted)
    urls, edit = urls_of(url), info.edit
    for first, piece in edit.parts(wanted) if edit else ():
        source, place = info.sources[piece.source], urls[piece.source]
        found = frames(place, piece.frames, info=source, threads=threads)
        for number, picture in enumerate(fitted(found, source.video, info.video), first):
            yield as_frame(picture, number, info, place)


def _viewed(url: str, info: MediaInfo, wanted: FrameRange, threads: int) -> Iterator[Frame]:
    from archer.media.viewer import viewed_pictures

    _check(url, info, wanted)
    view = info.view
    if view is None or not len(wanted):
        return
    stored, following = info.stored, wanted.start
    found = frames(url, view.needed(wanted), info=stored, threads=threads)
    for place, picture in viewed_pictures(found, view, wanted):
        yield as_frame(picture, place, info, url)
        following = place + 1
    if following < wanted.end:
        raise ShortDecode(url, f"its view gives no frame {following}", following)
