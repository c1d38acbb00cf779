"""Stage `proxies`: the source, and renditions that browsers do not play, as small H.264 with short GOPs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from archer.media import FrameRange, MediaInfo, VideoStream, display_size, frames, probe
from archer.split import Chunk
from archer.stage import Inputs, Item, Resources, Scalar, Stage, TaskContext, Trial
from cinemill_native.frames import Frame
from encoder import EncodeSettings, Rung
from encoder.chunk import chunk_coder
from encoder.ladder import rung_of
from encoder.unbroken import encode_unbroken
from pipelines.encode.limits import coder_limits, coder_resources

SOURCE = "source"
TALLEST = 720
"""Lines of a proxy at most: what a window shows, in a file that seeks fast."""
CHUNK_S = 10
SETTINGS = EncodeSettings(codec="x264", crf="18", preset="superfast", params="bframes=0", gop_s="0.5")
"""Measured on two clips of 720p: VMAF 97, 6 to 8 Mb/s, 0.4 processor seconds for a second of title."""
UNPLAYED = ("hvc1", "hev1", "dvh1", "dvhe")
"""Codecs that Chromium and Firefox play nowhere, or only where the machine has hardware for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiesParams:
    """Proxies have no settings."""


class Proxies(Stage[ProxiesParams]):
    """Coded chunks of every proxy; `assemble` joins them, with the source's times."""

    name, version, params = "proxies", 2, ProxiesParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1", "renditions": "parts@1"})
    parts = MappingProxyType({"chunk": "coded-chunk@1", "facts": "chunk-facts@1"})
    outputs = MappingProxyType({"parts": "parts@1"})
    unit = "frames"

    def resources(self, params: ProxiesParams) -> Resources:
        """A decoder in the worker, an encoder beside it."""
        return coder_resources(SETTINGS)

    def fingerprint(self, params: ProxiesParams) -> str:
        """The encoder's build, and the scaler's."""
        return chunk_coder()

    def trial(self) -> Trial:
        """Whole renditions."""
        return Trial(feeds={"renditions": "assemble.parts"})

    def split(self, inputs: Inputs, params: ProxiesParams) -> Sequence[Item]:
        """Chunks of equal length, times what needs a proxy."""
        info = inputs.media()
        plain = {"asset": inputs["asset"], "media": inputs["media"]}
        shown = rung_of(info.video, _short(info.video))
        items = [_item(shown, SOURCE, chunk, plain) for chunk in _chunks(info)]
        for part in inputs.parts("renditions"):
            facts = inputs.read(part.outputs["facts"])
            if needs_proxy(facts["codec"]):
                uses = {**plain, "rendition": part.outputs["rendition"]}
                rung = _smaller(facts["width"], facts["height"])
                items += [_item(rung, part.item.variant, chunk, uses) for chunk in _chunks(info)]
        return items

    def map(self, ctx: TaskContext, item: Item, params: ProxiesParams) -> None:
        """Encode one chunk."""
        assert item.chunk is not None  # noqa: S101  every item of this stage has one
        part, values = item.chunk.frames, item.values
        info, pictures = _source(ctx, item, part)
        rung = Rung(name=item.variant, width=int(values["width"]), height=int(values["height"]))
        facts = encode_unbroken(
            pictures,
            info,
            rung,
            SETTINGS,
            ctx.out("chunk", ".mp4"),
            frame=part.start,
            on_frame=lambda done: ctx.progress(done, len(part)),
            limits=coder_limits(SETTINGS),
        )
        ctx.out_json("facts", asdict(facts))


def needs_proxy(codec: str) -> bool:
    """True for an RFC 6381 codec string that browsers cannot be relied on to play."""
    return codec.split(".")[0] in UNPLAYED


def _source(
    ctx: TaskContext, item: Item, part: FrameRange
) -> tuple[MediaInfo, Callable[[], Iterator[Frame]]]:
    """What to encode, as often as it is asked for: frames of the source, or of a rendition."""
    if item.variant == SOURCE:
        return ctx.inputs.media(), lambda: ctx.frames(ctx.inputs.asset(), part)
    path = str(ctx.inputs.path("rendition"))
    info = probe(path)
    return info, lambda: frames(path, part, info=info, threads=ctx.threads)


def _item(rung: Rung, name: str, chunk: Chunk, uses: Any) -> Item:
    values: dict[str, Scalar] = {
        "name": name,
        "width": rung.width,
        "height": rung.height,
        "crf": SETTINGS.crf,
    }
    return Item(chunk=chunk, variant=name, values=values, uses=uses, weight=len(chunk.frames))


def _chunks(info: MediaInfo) -> Iterator[Chunk]:
    length = max(1, round(CHUNK_S * info.video.frame_rate))
    for index, start in enumerate(range(0, info.frame_count, length)):
        yield Chunk(index=index, frames=FrameRange(start, min(info.frame_count, start + length)))


def _short(video: VideoStream) -> int:
    """The shorter side of the source's proxy: no more than `TALLEST` lines, nothing enlarged."""
    width, height = display_size(video)
    return min(width, height) * min(height, TALLEST) // height


def _smaller(width: int, height: int) -> Rung:
    """The size of a rendition, brought down to `TALLEST` lines."""
    scale = min(Fraction(1), Fraction(TALLEST, height))
    return Rung(
        name="", width=max(2, 2 * round(width * scale / 2)), height=max(2, 2 * round(height * scale / 2))
    )
