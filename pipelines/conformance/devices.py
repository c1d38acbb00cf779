"""Devices: what one can play, on paper, and by which program it is tried here; a device is a record, so pools can join."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pipelines.conformance.codecs import depth_of, family_of, level_of
from pipelines.conformance.errors import UnknownDevice
from pipelines.conformance.listing import Listed, Listing

Protocol = Literal["hls", "dash", "files"]
Engine = Literal["", "static", "decoder", "chromium", "firefox", "webkit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A kind of device.

    Attributes:
        name, title: for options; for people.
        protocol: which manifest it takes; `files` for one that reads segments.
        engine: what tries it here: `static` checks, a `decoder`, a browser; empty where only the profile decides.
        player: of a browser: `hls.js` or `shaka`.
        video, audio: codec family -> highest level as ten times its number; 0 for any level.
        width, height: largest picture, samples.
        rate: most frames per second.
        bitrate_kbps: most of a variant; 0 for no bound.
        depth: most bits per sample.
        drm: schemes it decrypts.
    """

    name: str
    title: str
    protocol: Protocol = "hls"
    engine: Engine = ""
    player: str = ""
    video: Mapping[str, int] = field(default_factory=dict)
    audio: Mapping[str, int] = field(default_factory=dict)
    width: int = 1920
    height: int = 1080
    rate: int = 60
    bitrate_kbps: int = 0
    depth: int = 8
    drm: tuple[str, ...] = ()


ANY_AUDIO = {"aac": 0, "opus": 0}
WEB = {"h264": 62, "av1": 63, "vp9": 0}
BROWSER: dict[str, Any] = {
    "width": 7680,
    "height": 4320,
    "rate": 120,
    "depth": 10,
    "drm": ("cenc", "cbcs"),
    "audio": ANY_AUDIO,
    "video": WEB,
}
WEBKIT: dict[str, Any] = {**BROWSER, "drm": ()}
"""Debian builds it without Encrypted Media Extensions."""
KNOWN: tuple[Device, ...] = (
    Device(name="package", title="The package itself", protocol="files", engine="static"),
    Device(name="decoder", title="FFmpeg's decoders", protocol="files", engine="decoder"),
    Device(name="chromium-hls", title="Chromium, hls.js", engine="chromium", player="hls.js", **BROWSER),
    Device(
        name="chromium-dash",
        title="Chromium, Shaka Player",
        protocol="dash",
        engine="chromium",
        player="shaka",
        **BROWSER,
    ),
    Device(name="firefox-hls", title="Firefox, hls.js", engine="firefox", player="hls.js", **BROWSER),
    Device(
        name="firefox-dash",
        title="Firefox, Shaka Player",
        protocol="dash",
        engine="firefox",
        player="shaka",
        **BROWSER,
    ),
    Device(name="webkit-hls", title="WebKitGTK, hls.js", engine="webkit", player="hls.js", **WEBKIT),
    Device(
        name="webkit-dash",
        title="WebKitGTK, Shaka Player",
        protocol="dash",
        engine="webkit",
        player="shaka",
        **WEBKIT,
    ),
    Device(
        name="tv-1080p",
        title="Television of 2016: H.264 up to 1080p, DASH",
        protocol="dash",
        video={"h264": 42},
        audio={"aac": 0},
        bitrate_kbps=15000,
        drm=("cenc",),
    ),
    Device(
        name="tv-2160p",
        title="Television of 2021: AV1 and HEVC up to 2160p, DASH",
        protocol="dash",
        video={"h264": 52, "hevc": 51, "av1": 51},
        audio={"aac": 0, "eac3": 0},
        width=3840,
        height=2160,
        bitrate_kbps=50000,
        depth=10,
        drm=("cenc", "cbcs"),
    ),
    Device(
        name="phone",
        title="Telephone: H.264 and HEVC, HLS",
        video={"h264": 42, "hevc": 50},
        audio={"aac": 0},
        bitrate_kbps=12000,
        depth=10,
        drm=("cbcs",),
    ),
)


def devices_named(names: Sequence[str], more: Sequence[Device] = ()) -> list[Device]:
    """The devices with these names; all that something tries here where none is named.

    Raises:
        UnknownDevice: there is none of a name.
    """
    known = {device.name: device for device in (*KNOWN, *more)}
    missing = next((name for name in names if name not in known), None)
    if missing is not None:
        raise UnknownDevice("device", missing, list(known))
    return [known[name] for name in dict.fromkeys(names)] if names else list(known.values())


def read_devices(path: Path) -> list[Device]:
    """Devices from a JSON list of objects with the fields of `Device`.

    Raises:
        UnknownDevice: it is no such list.
    """
    names = [each.name for each in fields(Device)]
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [Device(**{**entry, "drm": tuple(entry.get("drm", ()))}) for entry in entries]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UnknownDevice(
            "device", f"{path.name} ({error})", [f"a list of objects with {', '.join(names)}"]
        ) from error


def misfit(device: Device, listing: Listing, each: Listed) -> str:
    """Why a device cannot play a rendition, on paper; empty where it can.

    Text is not judged: what shows it is the player.
    """
    if device.protocol == "files" or each.kind == "text":
        return ""
    listed = each.hls if device.protocol == "hls" else each.dash
    if listed is None:
        return f"it is not listed for {device.protocol.upper()}"
    family, level = family_of(each.codec), level_of(each.codec)
    allowed = device.video if each.kind == "video" else device.audio
    if family not in allowed:
        return f"it does not play {family or 'an unnamed codec'}"
    if allowed[family] and level > allowed[family]:
        return f"level {level / 10:g} is above {allowed[family] / 10:g}"
    return _too_much(device, each) or _locked(device, listing, each)


def _too_much(device: Device, each: Listed) -> str:
    if each.kind != "video":
        return ""
    width, height = each.size
    rate = each.dash.rate if each.dash else Fraction(0)
    kbps = (each.hls.bandwidth if each.hls else each.dash.bandwidth if each.dash else 0) // 1000
    if max(width, height) > max(device.width, device.height) or min(width, height) > min(
        device.width, device.height
    ):
        return f"{width}x{height} is above {device.width}x{device.height}"
    if rate > device.rate:
        return f"{float(rate):g} frames per second are above {device.rate}"
    if device.bitrate_kbps and kbps > device.bitrate_kbps:
        return f"{kbps} kb/s are above {device.bitrate_kbps}"
    if depth_of(each.codec) > device.depth:
        return f"{depth_of(each.codec)} bits per sample are above {device.depth}"
    return ""


def _locked(device: Device, listing: Listing, each: Listed) -> str:
    scheme = listing.protection.get("scheme", "")
    if each.protected and scheme not in device.drm:
        return f"it does not decrypt {scheme}"
    return ""
