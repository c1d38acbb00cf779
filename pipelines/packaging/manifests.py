"""The manifests that Shaka Packager writes, read and put right; text in, text out.

What it gets wrong for titles on demand: it leaves short segments out of the peak, so that the declared peak
can be below the declared average; and it marks a default track by its language only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from pipelines.packaging.bandwidth import Bandwidth

_RATES = re.compile(r"BANDWIDTH=\d+,AVERAGE-BANDWIDTH=\d+")
_KEY = re.compile(r"^#EXT-X-(?:KEY:.*|DISCONTINUITY)\n", re.MULTILINE)
_HLS_RATE, _MPD_RATE = re.compile(r"FRAME-RATE=[\d.]+"), re.compile(r'frameRate="[\d/]+"')
_JITTER = Fraction(1, 900)
"""Seconds: half a millisecond of rounding at both ends, and a little."""
_METHODS = {"cenc": "SAMPLE-AES-CTR", "cbcs": "SAMPLE-AES"}
CLEAR_KEY = "org.w3.clearkey"
_REPRESENTATION = re.compile(r'(<Representation id="(\d+)" bandwidth=")\d+(")')


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """A media playlist.

    Attributes:
        segments: file names, in order.
        durations: seconds of each.
        target: target duration, seconds.
    """

    segments: tuple[str, ...]
    durations: tuple[Fraction, ...]
    target: Fraction


def read_playlist(text: str) -> Playlist:
    """The segments of a media playlist."""
    lines = text.splitlines()
    durations = [Fraction(line[8:].partition(",")[0]) for line in lines if line.startswith("#EXTINF:")]
    target = next(Fraction(line[22:]) for line in lines if line.startswith("#EXT-X-TARGETDURATION:"))
    segments = [line for line in lines if line and not line.startswith("#")]
    return Playlist(segments=tuple(segments), durations=tuple(durations), target=target)


def keyed_playlist(text: str, *, scheme: str, key_id: bytes, clear: int) -> str:
    """A media playlist that names the key where the encrypted segments begin, and nothing before them.

    Shaka Packager leaves the key out (CENC) or names a format in which the key id is missing (CBCS), with a discontinuity
    before it; nothing that RFC 8216 (4.3.2.3) calls one changes there.

    Args:
        text: what Shaka Packager wrote.
        scheme: `cenc` or `cbcs`.
        key_id: of the track.
        clear: number of segments at the beginning that are not encrypted.
    """
    key = (
        f'#EXT-X-KEY:METHOD={_METHODS[scheme]},URI="urn:uuid:{UUID(bytes=key_id)}",KEYID=0x{key_id.hex()},'
        f'KEYFORMAT="{CLEAR_KEY}",KEYFORMATVERSIONS="1"\n'
    )
    parts = _KEY.sub("", text).split("#EXTINF:")
    return (
        "#EXTINF:".join(parts[: clear + 1]) + key + "".join(f"#EXTINF:{part}" for part in parts[clear + 1 :])
    )


def corrected_master(
    text: str,
    rates: Mapping[str, Bandwidth],
    *,
    audio: Bandwidth,
    default: str,
    rate: Fraction | None = None,
) -> str:
    """The master playlist with the real bit rates of each variant, and one default audio track.

    Args:
        text: what Shaka Packager wrote.
        rates: of each video track, by the URI of its playlist.
        audio: of the heaviest audio track; zeros without audio.
        default: URI of the default audio track's playlist; empty without audio.
        rate: frames per second, where they are known.
    """
    if rate:
        text = _HLS_RATE.sub(f"FRAME-RATE={float(rate):.3f}", text)
    lines = text.splitlines()
    for place, line in enumerate(lines):
        if line.startswith("#EXT-X-STREAM-INF:"):
            video = rates[lines[place + 1]]
            real = f"BANDWIDTH={video.peak + audio.peak},AVERAGE-BANDWIDTH={video.average + audio.average}"
            lines[place] = _RATES.sub(real, line)
        elif line.startswith("#EXT-X-MEDIA:TYPE=AUDIO"):
            chosen = f'URI="{default}"' in line
            lines[place] = (
                line.replace("DEFAULT=NO", "DEFAULT=YES")
                if chosen
                else line.replace("DEFAULT=YES", "DEFAULT=NO")
            )
    return "\n".join(lines) + "\n"


def steady_rate(times: Sequence[Fraction]) -> Fraction | None:
    """Frames per second of times that are even, but for what counting in milliseconds takes; None for others.

    Shaka Packager takes the length of the first frame instead, so that 24 becomes 23.81.

    Args:
        times: of all frames, seconds, rising.
    """
    if len(times) < 2:
        return None
    step = (times[-1] - times[0]) / (len(times) - 1)
    if step <= 0 or any(abs(time - times[0] - n * step) > _JITTER for n, time in enumerate(times)):
        return None
    rate, whole = 1 / step, Fraction(round(1 / step))
    usual = [one for one in (whole, whole * 1000 / 1001) if one and abs(rate / one - 1) < _JITTER / 5]
    return min(usual, key=lambda one: abs(one - rate)) if usual else rate.limit_denominator(1001)


def corrected_mpd(text: str, peaks: Mapping[int, int], rate: Fraction | None = None) -> str:
    """The MPD with the real peak bit rates, and frames per second where they are known.

    Args:
        text: what Shaka Packager wrote; representations are numbered by their place on its command line.
        peaks: bits per second of each representation.
    """
    if rate:
        text = _MPD_RATE.sub(f'frameRate="{rate.numerator}/{rate.denominator}"', text)
    return _REPRESENTATION.sub(lambda found: f"{found[1]}{peaks[int(found[2])]}{found[3]}", text)
