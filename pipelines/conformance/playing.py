"""Tests in a browser: what a player in a page does with the package, and what is really seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from pipelines.conformance.browsers.base import Page
from pipelines.conformance.decoding import Bench, Found
from pipelines.conformance.devices import Device
from pipelines.conformance.listing import Listed
from pipelines.conformance.pictures import BOUND_DB, TILE_DB, grey_of_png, grey_of_tile, likeness_db, nearest
from pipelines.conformance.server import WRONG
from pipelines.packaging.argv import MANIFEST, MASTER
from pipelines.packaging.images import PLAYLIST as IMAGES
from pipelines.packaging.languages import shortest_tag
from pipelines.packaging.webvtt import read_cues

FASTEST = 4
"""Titles are played at this rate to their end, short ones at half of it: what counts is that all is shown in order."""
RATES, AHEAD = (1.0, 0.5, 0.5, 0.25, 0.25, 0.125), 6
"""Rates at which frames are watched, until all were presented; and frames that are played before those that matter."""
EDGE_S = 0.25
HEARD = 1e-3
PASSING = "hls.js passing"
"""What hls.js reports and gets over by itself: it breaks off loads and throws buffers away when it changes rungs."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A page in which a rendition is tested.

    Attributes:
        page: the tab, with the player's page loaded.
        url: root of the web server.
        device: whose player it is.
        bench: the package and the truth.
        whole: every frame of the title is watched, not parts of it.
    """

    page: Page
    url: str
    device: Device
    bench: Bench
    whole: bool = False

    def start(self, each: Listed, *, wrong_keys: bool = False, listen: bool = False) -> dict[str, Any]:
        """Load the package with one rung chosen; returns the player's state."""
        listing, keys = self.bench.listing, self.bench.keys
        order = {
            "player": self.device.player,
            "url": f"{self.url}/package/{listing.at}{MASTER if self.device.protocol == 'hls' else MANIFEST}",
            "rung": each.name,
            "codec": each.codec.partition(".")[0],
            "ids": {one.name: one.dash.id for one in listing.of("video") if one.dash},
            "protected": bool(listing.protection),
            "license": f"{self.url}/{'wrong' if wrong_keys else 'license'}",
            "keys": dict.fromkeys(keys, WRONG) if wrong_keys else dict(keys),
            "listen": listen,
        }
        return dict(self.page.evaluate(f"cinema.start({json.dumps(order)})", timeout_s=70))

    @cached_property
    def offset(self) -> float:
        """Where the player's clock has the first frame, seconds.

        It is 0, but hls.js counts transport streams from when the first packet is decoded, some frames before it is shown.
        """
        return float(self.state()["buffered"][0][0]) if self.bench.listing.at else 0.0

    def place(self, number: int) -> float:
        """A time of the player at which a frame is on the screen."""
        return self.bench.reference.middle(number) + self.offset

    def number(self, time: float) -> int:
        """The frame at a time of the player."""
        return self.bench.reference.number(time - self.offset)

    def state(self) -> dict[str, Any]:
        """The player's state."""
        return dict(self.page.evaluate("cinema.state()"))

    def see(self, each: Listed, number: int, found: Found, name: str = "") -> tuple[int, float]:
        """Go to a frame; which one of the rendition's own is seen, and how like it is to the truth, dB."""
        reference = self.bench.reference
        self.page.evaluate(f"cinema.seek({self.place(number)!r})", timeout_s=40)
        picture = self.page.screenshot()
        if name:
            found.pictures[name] = picture
        seen = grey_of_png(picture)
        shown, _ = nearest(seen, reference.own(each, number), number)
        return shown, likeness_db(seen, reference.picture(number, each))

    def complaints(self) -> list[str]:
        """Errors of player, page and browser; of transport streams without those that hls.js gets over at their beginning."""
        found = [*self.state()["trouble"], *self.page.complaints()]
        return [text for text in found if not (self.bench.listing.at and text.startswith(PASSING))]


def play(stage: Stage, each: Listed) -> Found:
    """It plays to the end: all is fetched, nothing missing in between, pictures come in order, nobody complains."""
    found, page = Found(), stage.page
    stage.start(each)
    rate = 2 if _length(each) < 8 else FASTEST
    page.evaluate(f"cinema.play({rate})")
    if not page.wait_for("video.ended || video.error", 30 + 4 * _length(each) / rate):
        found.problems.append(f"it stopped at {stage.state()['time']:.2f} s of {_length(each):.2f} s")
    state, shown = stage.state(), page.evaluate("cinema.shownTimes()")
    found.measured |= {name: state[name] for name in ("shown", "dropped", "stalls")}
    if (
        len(state["buffered"]) != 1
        or state["buffered"][0][0] > EDGE_S
        or state["buffered"][0][1] < _length(each) - EDGE_S
    ):
        found.problems.append(f"what was fetched has holes: {state['buffered']}")
    if [state["width"], state["height"]] != list(each.size):
        found.problems.append(
            f"{state['width']}x{state['height']} was played, wanted {each.size[0]}x{each.size[1]}"
        )
    breaks = set(page.evaluate("cinema.breaks()"))
    backwards = [one for n, (one, other) in enumerate(pairwise(shown), 1) if other < one and n not in breaks]
    if backwards and stage.device.engine != "firefox":  # which tells its clock's time, not the picture's
        found.problems.append(f"after the picture of {backwards[0]:.3f} s an earlier one was shown")
    if not shown:
        found.problems.append("no picture was shown")
    return _with_complaints(stage, found)


def frames(stage: Stage, each: Listed) -> Found:
    """Every frame of the parts that are watched is presented, one after the other: none left out, none twice, none late.

    A machine that is busy drops frames, which says nothing about the package: what was dropped is watched again, slower.
    """
    found, reference = Found(), stage.bench.reference
    stage.start(each)
    wanted: set[int] = set()
    presented: set[int] = set()
    slowest = 1.0
    for start, end in reference.watched(whole=stage.whole):
        wanted |= set(range(start, end))
        for rate in RATES:
            missing = sorted(set(range(start, end)) - presented)
            if not missing:
                break
            slowest = min(slowest, rate)
            for first, last in runs(missing):
                presented |= _watched(stage, max(0, first - AHEAD), last, rate, found)
    lost = sorted(wanted - presented)
    if lost:
        found.problems.append(f"{len(lost)} frames are never presented: {lost[0]} is the first")
    found.measured |= {"wanted": len(wanted), "presented": len(wanted & presented), "slowest_rate": slowest}
    return _with_complaints(stage, found)


def _watched(stage: Stage, first: int, last: int, rate: float, found: Found) -> set[int]:
    """Frames that are presented when a part is played; one that comes after a later one is a problem."""
    script = f"cinema.watch({stage.place(first)!r}, {stage.place(last)!r}, {rate})"
    told = stage.page.evaluate(script, timeout_s=40 + 5 * (last - first) / 24 / rate)
    seen = [(stage.number(time), int(count)) for time, count in told]
    before = [place for place in range(1, min(len(seen), 4)) if seen[place][0] < seen[place - 1][0]]
    seen = seen[
        before[-1] if before else 0 :
    ]  # told late: what was there before we went to the part's beginning
    late = next(((one, other) for (one, _), (other, _) in pairwise(seen) if other < one), None)
    if (
        late and stage.device.engine != "firefox"
    ):  # which tells, when it is busy, its clock's time, not the picture's
        found.problems.append(f"frame {late[1]} is presented after frame {late[0]}")
    return presented_of(seen)


def presented_of(seen: Sequence[tuple[int, int]]) -> set[int]:
    """Numbers of the frames that were presented.

    Args:
        seen: (frame, number of pictures presented so far) of each picture that the browser told of; it may leave some out
            when it is busy, but not from the count: as many pictures more as frames are all frames between.
    """
    found = {number for number, _ in seen}
    for (one, before), (other, after) in pairwise(seen):
        if other - one == after - before:
            found |= set(range(one, other))
    return found


def runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of each run of frames, those that are near to each other together.

    Args:
        numbers: rising.
    """
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number - found[-1][1] <= 2 * AHEAD:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return found


def seek(stage: Stage, each: Listed) -> Found:
    """Frame by frame over a joint of segments, backwards and forwards: each time the frame that was asked for."""
    found = Found()
    stage.start(each)
    worst = 0
    frames = stage.bench.reference.boundary
    for number in (*frames[::-1], *frames):
        shown, _ = stage.see(each, number, found)
        worst = max(worst, abs(shown - number))
        if shown != number:
            found.problems.append(f"asked for frame {number}, frame {shown} is seen")
    found.measured["worst_frames"] = worst
    return _with_complaints(stage, found)


def pictures(stage: Stage, each: Listed) -> Found:
    """At the named frames, the right pictures are seen, and like enough to the truth."""
    found, likes = Found(), []
    stage.start(each)
    for number in stage.bench.reference.named:
        shown, like = stage.see(each, number, found, f"frame-{number}")
        likes.append(like)
        if shown != number:
            found.problems.append(f"frame {shown} is seen where frame {number} should be")
        elif like < BOUND_DB:
            found.problems.append(f"frame {number} has {like:.1f} dB against the truth, wanted {BOUND_DB:g}")
    found.measured["least_db"] = min(likes)
    return _with_complaints(stage, found)


def switch(stage: Stage, each: Listed) -> Found:
    """While it plays, the player is told to take another rung of the codec: it does, and goes on."""
    found, page = Found(), stage.page
    other = next(one for one in stage.bench.listing.of("video") if _switchable(each, one))
    stage.start(each)
    page.evaluate("cinema.play(1)")
    page.wait_for("video.currentTime > 0.3", 20)
    page.evaluate(f"cinema.smooth({json.dumps(other.name)})", timeout_s=40)
    if not page.wait_for(
        f"video.videoHeight === {other.size[1]} && video.videoWidth === {other.size[0]}", 20
    ):
        found.problems.append(f"{other.name} was asked for, and never seen")
    before = stage.state()["time"]
    if not page.wait_for(f"video.ended || video.currentTime > {min(before + 0.5, _length(each) - 0.1)}", 20):
        found.problems.append("it stopped after the switch")
    found.problems += [text for text in stage.complaints() if not text.startswith(PASSING)]
    return found


def decrypt(stage: Stage, each: Listed) -> Found:
    """With its keys, encrypted pictures are right."""
    return pictures(stage, each)


def locked(stage: Stage, each: Listed) -> Found:
    """Without its keys, nothing of the encrypted part is seen: it is really encrypted."""
    found, page = Found(), stage.page
    clear = _clear_lead(stage, each)
    try:
        stage.start(each, wrong_keys=True)
        page.evaluate("cinema.play(2)", timeout_s=30)
        page.wait_for("video.ended || video.error || cinema.state().trouble.length", 6 + clear)
    except RuntimeError:  # it need not even begin
        pass
    shown = page.evaluate("cinema.shownTimes()")
    limit = clear + EDGE_S
    found.measured["shown_up_to_s"] = max(shown, default=0.0)
    number = stage.bench.reference.number(clear + 0.5)
    if max(shown, default=0.0) > limit:
        like = nearest(grey_of_png(page.screenshot()), stage.bench.reference.near(number, each), number)[1]
        if like >= BOUND_DB:
            found.problems.append(
                f"with wrong keys it shows pictures up to {max(shown):.2f} s; the clear lead ends at {clear:.2f} s"
            )
    return found


def sound(stage: Stage, each: Listed) -> Found:
    """Sound is decoded, and heard where the browser lets us listen; all languages are offered."""
    found, page = Found(), stage.page
    listing = stage.bench.listing
    listens = not listing.protection and stage.device.engine == "chromium"
    stage.start(each, listen=listens)
    (loud, peak), length = stage.bench.reference.loud, _length(each)
    page.evaluate(f"cinema.seek({min(max(0.0, loud - 0.3), max(0.0, length - 1.5))})", timeout_s=40)
    page.evaluate("cinema.play(1)")
    page.wait_for(f"video.ended || video.currentTime > {loud + 0.7}", 30)
    state = stage.state()
    found.measured |= {"decoded_bytes": state["audioBytes"], "loudest": state["loudest"]}
    if not state["audioBytes"]:
        found.problems.append("no sound is decoded")
    elif listens and state["loudest"] < min(HEARD, peak / 4):
        found.problems.append("nothing is heard")
    offered = sorted(filter(None, map(_short, page.evaluate("cinema.audios()"))))
    wanted = sorted(filter(None, (_short(str(one.meant.get("language", ""))) for one in listing.of("audio"))))
    if offered != wanted:
        found.problems.append(f"sound is offered in {offered}, meant is {wanted}")
    return _with_complaints(stage, found)


def subtitles(stage: Stage, each: Listed) -> Found:
    """Every subtitle track is offered, and its first cue shows when it should."""
    found, page = Found(), stage.page
    listing = stage.bench.listing
    stage.start(each)
    offered = [_short(tag) for tag in page.evaluate("cinema.texts()")]
    for track in listing.of("text"):
        tag = _short(str(track.meant.get("language", "")))
        if tag not in offered:
            found.problems.append(f"{track.name} ({tag}) is not offered; there are {offered}")
            continue
        cues = read_cues((listing.folder(track) / track.segments[0]).read_text(encoding="utf-8"))
        cue = next(one for one in cues if one.end > one.start)
        shown = page.evaluate(
            f"cinema.cues({offered.index(tag)}, {float((cue.start + cue.end) / 2)})", timeout_s=50
        )
        if _plain(cue.text) not in [_plain(text) for text in shown]:
            found.problems.append(f"{track.name} shows {shown}, wanted {cue.text!r}")
    return _with_complaints(stage, found)


def tiles(stage: Stage, each: Listed) -> Found:
    """Pictures for trick play are offered, and each shows the key frame that was there last at its time."""
    found, page, listing = Found(), stage.page, stage.bench.listing
    stage.start(each)
    if not page.evaluate("cinema.images()"):
        return Found(problems=["no pictures for trick play are offered"])
    likes = []
    for time in (0.0, _length(each) / 2, _length(each) - 0.2):
        tile = page.evaluate(f"cinema.image({time})")
        if not tile:
            found.problems.append(f"there is no picture for {time:.1f} s")
            continue
        sheet = (listing.base / tile["uri"].partition("/package/")[2]).read_bytes()
        shown = grey_of_tile(sheet, tile["x"], tile["y"], tile["width"], tile["height"])
        number = stage.bench.reference.key_before(float(tile["startTime"]))
        likes.append(likeness_db(shown, stage.bench.reference.picture(number)))
        if likes[-1] < TILE_DB:
            found.problems.append(
                f"the picture for {time:.1f} s has {likes[-1]:.1f} dB against frame {number}"
            )
    found.measured["least_db"] = min(likes, default=0.0)
    return _with_complaints(stage, found)


RUN: Mapping[str, Callable[[Stage, Listed], Found]] = {
    "play": play,
    "frames": frames,
    "seek": seek,
    "pictures": pictures,
    "switch": switch,
    "decrypt": decrypt,
    "locked": locked,
    "sound": sound,
    "subtitles": subtitles,
    "tiles": tiles,
}


def tests_of(bench: Bench, each: Listed, *, first: bool, player: str) -> Iterator[str]:
    """Names of the tests of a video rendition; `first` is the one that also stands for sound, subtitles and trick play."""
    yield from ("play", "frames", "seek")
    yield "decrypt" if each.protected else "pictures"
    if any(_switchable(each, one) for one in bench.listing.of("video")):
        yield "switch"
    if first and each.protected:
        yield "locked"
    if first and bench.listing.of("audio"):
        yield "sound"
    if first and bench.listing.of("text"):
        yield "subtitles"
    if first and player == "shaka" and (bench.listing.root / IMAGES).is_file():
        yield "tiles"


def _switchable(each: Listed, other: Listed) -> bool:
    same = each.codec.partition(".")[0] == other.codec.partition(".")[0]
    return each.name != other.name and same and other.size != each.size


def _with_complaints(stage: Stage, found: Found) -> Found:
    found.problems += stage.complaints()
    return found


def _length(each: Listed) -> float:
    return float(sum(each.durations))


def _clear_lead(stage: Stage, each: Listed) -> float:
    from pipelines.packaging.boxes import read_fragment, read_init

    folder, clear = stage.bench.listing.folder(each), 0.0
    init = read_init((folder / "init.mp4").read_bytes())
    for name, duration in zip(each.segments, each.durations, strict=True):
        if read_fragment((folder / name).read_bytes(), init).encrypted:
            return clear
        clear += float(duration)
    return clear


def _short(tag: str) -> str:
    return shortest_tag(tag).partition("-")[0]


def _plain(text: str) -> str:
    """Text of a cue without tags; some players give it as it is in the file, some with its characters resolved."""
    import html
    import re

    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())
