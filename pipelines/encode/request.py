"""What a user asks of the main job, and the pure rules that turn it into settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from encoder import BadOption, Codec, EncodeSettings
from pipelines.analyse.rungs import AUTOMATIC, Goals, automatic_of
from pipelines.analyse.rungs import Mode as Decides
from pipelines.encode.errors import BadSetting
from pipelines.ingest.params import Deinterlace, IngestParams, check_view

if TYPE_CHECKING:
    from encoder.ladder import Asked

AudioCodec = Literal["aac", "opus"]
Mode = Literal["", "fixed-crf", "constant-vmaf", "per-title", "dynamic"]
Pool = Literal["mean", "harmonic"]
SINGLE = (".mkv", ".mp4")
OTHER_FILES = (
    ".avi",
    ".flv",
    ".m2ts",
    ".m3u8",
    ".m4v",
    ".mov",
    ".mpd",
    ".mpeg",
    ".mpg",
    ".mxf",
    ".ogv",
    ".ts",
    ".webm",
    ".wmv",
)
SECONDS, VMAF, RATE = ("0.1", "3600"), ("0", "100"), ("0.001", "100000000")
NUMBERS = {
    "gop_s": ("--gop-s", *SECONDS),
    "chunk_s": ("--chunk-s", *SECONDS),
    "segment_s": ("--segment-s", *SECONDS),
    "clear_lead_s": ("--clear-lead-s", "0", "3600"),
    "target_vmaf": ("--target-vmaf", *VMAF),
    "shot_floor": ("--shot-floor", *VMAF),
    "shot_ceiling": ("--shot-ceiling", *VMAF),
    "rung_step": ("--rung-step", "0.5", "50"),
    "target_kbps": ("--target-bitrate", *RATE),
    "target_bytes": ("--target-size", "1", "1000000000000000"),
    "peak_kbps": ("--peak-bitrate", *RATE),
    "buffer_kbits": ("--buffer-size", *RATE),
    "min_kbps": ("--min-bitrate", *RATE),
    "max_kbps": ("--max-bitrate", *RATE),
    "max_renditions": ("--max-renditions", "1", "20"),
    "grain": ("--grain", "0", "50"),
    "threads": ("--threads", "1", "64"),
}
"""Field -> its option, and the least and greatest number."""
MOST = 5
"""Ladders of a title; the inputs of the stage that joins them are named one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeRequest:
    """The settings of `cinemill encode`, without where to read and write.

    Attributes:
        codec: name in the codec registry; several, separated by commas, for a ladder in each. Targets count for each ladder.
        ladder: rungs as text (`720p,360p`), empty for the default ladder of the source's size.
        mode: how the shots of a rung relate; empty: `fixed-crf` where `crf` is set, a search of one CRF for a single file that
            is to reach a VMAF, else `dynamic`.
        target_vmaf: VMAF that the top rung aims at, 0 to 100, as decimal text; unused where another target is set.
        target_kbps: average bit rate that the top rung aims at, decimal text.
        target_bytes: bytes that the pictures of all rungs may have together, decimal text.
        pool: which pooled VMAF counts.
        shot_floor, shot_ceiling: least and greatest VMAF of a shot, decimal text.
        peak_kbps, buffer_kbits: peak rate and buffer of every rung that names none of its own, see `encoder.vbv`; decimal text.
        max_renditions, min_kbps, max_kbps, rung_step: of the ladder `auto`: rungs at most, least and greatest bit rate, distance
            in VMAF.
        crf: constant quality of every rung, in the codec's own scale, as decimal text; empty: search for it.
        preset: the codec's speed preset; empty for its default.
        encoder_params: further options of the encoder, `key=value:key=value`. Of several codecs, these three are one value for
            all, or one for each, separated by commas.
        model: VMAF model that decides and scores.
        audio_codec: codec of the audio renditions of a package.
        gop_s: distance of forced key frames, seconds, as decimal text.
        chunk_s: longest chunk, seconds, as decimal text.
        threads: threads of one encoder process; part of what is encoded, since x264's output depends on it.
        segment_s: wanted length of a segment of a package, seconds, as decimal text.
        ts: a package has transport streams beside its CMAF segments, for old players of HLS.
        drm: `cenc` or `cbcs` to encrypt a package; empty for a clear one.
        key_set: id of the key set that encrypts it; public.
        clear_lead_s: seconds at the beginning of an encrypted package that stay clear, as decimal text.
        single: `mkv` or `mp4` for one file with everything kept, empty for a package.
        deinterlace, crop, pad, fps: how the title is looked at, see `IngestParams`.
        dynamic_range: `hdr`, `sdr`, or `auto`: HDR where every codec keeps it, which takes 10 bits, else tone-mapped.
            `hdr,sdr`, one for each codec, for ladders in both; one codec has both then.
        grain: strength of film grain tables, 0 for none.
        zones: text of a zone file, see `pipelines.encode.zones`.
        proxies: make the videos that the report's A/B player shows.
        qc: look at the pictures and judge them, for the report.
        qc_gate: refuse a title with a finding of this severity or a worse one, before it is encoded; `none` only reports.
        qc_profile: YAML text of a profile of thresholds, see `pipelines.qc.profile`; empty: the usual ones.
        report: make the report of one file, too; a package has one, unless it is not scored.
        score: score the result, every frame of every rung; without scores there is no report.
        scenes, scenes_format: text of a file of shots and the name of its format; empty: they are looked for.
        clips, timecode: ranges that are wanted of the inputs, and how timecodes count; see `IngestParams`.
        audio, subtitles: tracks that go out, see `pipelines.ingest.tracks`; empty for all.
        captions: language of each subtitle file that is brought along, see `pipelines.encode.captions`.
        bit_depth: `8` or `10` bits per sample of every rendition, or `auto`: the source's, where codec and players take them.
        loudness: integrated loudness that audio is brought to, LUFS, as decimal text; empty: only measured.
    """

    codec: str = "x264"
    ladder: str = ""
    mode: Mode = ""
    target_vmaf: str = "93"
    target_kbps: str = ""
    target_bytes: str = ""
    pool: Pool = "mean"
    shot_floor: str = ""
    shot_ceiling: str = ""
    peak_kbps: str = ""
    buffer_kbits: str = ""
    max_renditions: int = 6
    min_kbps: str = "150"
    max_kbps: str = ""
    rung_step: str = "6"
    crf: str = ""
    preset: str = ""
    encoder_params: str = ""
    model: str = "vmaf_v0.6.1"
    audio_codec: AudioCodec = "aac"
    gop_s: str = "2"
    chunk_s: str = "8"
    threads: int = 1
    segment_s: str = "4"
    ts: bool = False
    drm: Literal["", "cenc", "cbcs"] = ""
    key_set: str = ""
    clear_lead_s: str = "0"
    single: str = ""
    deinterlace: Deinterlace = "auto"
    crop: str = ""
    pad: str = ""
    fps: str = ""
    dynamic_range: str = "auto"
    grain: int = 0
    bit_depth: Literal["auto", "8", "10"] = "auto"
    loudness: str = ""
    zones: str = ""
    scenes: str = ""
    scenes_format: str = ""
    proxies: bool = True
    qc: bool = False
    qc_gate: Literal["none", "info", "warning", "error"] = "none"
    qc_profile: str = ""
    clips: str = ""
    timecode: str = ""
    audio: str = ""
    subtitles: str = ""
    captions: str = ""
    report: bool = False
    score: bool = True

    @property
    def codecs(self) -> tuple[str, ...]:
        """Name of the codec of each ladder, the first one for the players that know least."""
        names = tuple(self.codec.split(","))
        return names * len(self.dynamic_range.split(",")) if len(names) == 1 else names

    @property
    def ranges(self) -> tuple[str, ...]:
        """Dynamic range of each ladder."""
        from encoder.codecs import codec_named

        wanted = tuple(self.dynamic_range.split(","))
        if wanted == ("auto",):
            keeps = self.bit_depth != "8" and all(codec_named(name).hdr for name in self.codecs)
            wanted = ("hdr" if keeps else "sdr",)
        return wanted * len(self.codecs) if len(wanted) == 1 else wanted

    @property
    def both_ranges(self) -> bool:
        """There are ladders in HDR and ladders in SDR."""
        return len(set(self.ranges)) > 1

    @property
    def each(self) -> tuple[EncodeRequest, ...]:
        """The request for each codec alone. Raises: BadSetting: a setting has neither one value nor one for each."""
        names = self.codecs
        if len(names) == 1:
            return (self,)
        crfs, presets = _shared("--crf", self.crf, names), _shared("--preset", self.preset, names)
        params = _shared("--encoder-params", self.encoder_params, names, _params_split)
        rows = zip(names, self.ranges, crfs, presets, params, strict=True)
        return tuple(
            replace(self, codec=codec, dynamic_range=shown, crf=crf, preset=preset, encoder_params=more)
            for codec, shown, crf, preset, more in rows
        )

    @property
    def ingest(self) -> IngestParams:
        """How the title is taken in, in the dynamic range of the first ladder."""
        return IngestParams(
            deinterlace=self.deinterlace,
            crop=self.crop,
            pad=self.pad,
            fps=self.fps,
            dynamic_range="hdr" if self.ranges[0] == "hdr" else "sdr",
            needs_hdr=self.both_ranges,
            clips=self.clips,
            timecode=self.timecode,
            audio=self.audio,
            subtitles=self.subtitles,
        )

    @property
    def judged(self) -> bool:
        """Quality control looks at the title."""
        return self.qc or self.qc_gate != "none"

    @property
    def reports(self) -> bool:
        """A report is made."""
        return self.score and (self.report or not self.single)

    @property
    def capped(self) -> bool:
        """Some rung may have a peak rate."""
        return bool(self.goals.cap[0]) or "@peak" in self.ladder

    @property
    def optimizes(self) -> bool:
        """Shots are analysed and a quality value is found for each."""
        if self.mode:
            return self.mode != "fixed-crf"
        named = bool(self.target_kbps or self.target_bytes) or self._goals
        return not self.crf and (not self.single or named or bool(self.zones))

    @property
    def _goals(self) -> bool:
        """A rung is to reach something by itself."""
        from encoder.ladder import check_ladder

        return any(rung.goal for rung in check_ladder(automatic_of(self.ladder)[1]))

    @property
    def goals(self) -> Goals:
        """What the optimizer is to reach."""
        rate = bool(self.target_kbps or self.target_bytes)
        alone = (
            self.single and self.zones and not rate and not self._goals
        )  # one value, as the search without zones
        usual: Decides = "per-title" if alone else "dynamic"
        return Goals(
            mode=usual if self.mode == "" or self.mode == "fixed-crf" else self.mode,
            pool=self.pool,
            target_vmaf="" if rate else self.target_vmaf,
            target_kbps=self.target_kbps,
            target_bytes=self.target_bytes,
            floor=self.shot_floor,
            ceiling=self.shot_ceiling,
            peak_kbps=self.peak_kbps,
            buffer_kbits=self.buffer_kbits,
            most=self.max_renditions,
            min_kbps=self.min_kbps,
            max_kbps=self.max_kbps,
            step=self.rung_step,
        )

    @property
    def settings(self) -> EncodeSettings:
        """How chunks are encoded, of one codec; `crf` is empty where it is still to be found."""
        return EncodeSettings(
            codec=self.codec,
            crf=self.crf,
            preset=self.preset,
            params=self.encoder_params,
            gop_s=self.gop_s,
            threads=self.threads,
            depth="" if self.bit_depth == "auto" else self.bit_depth,
            grain=self.grain,
        )


def single_of(output: str) -> str:
    """`mkv` or `mp4` where an output is one file by its name; empty for a package."""
    suffix = Path(output).suffix.lower()
    return suffix[1:] if suffix in SINGLE else ""


def check_name(output: str) -> None:
    """Refuse a name that promises a kind of file that is not made: it would become a folder.

    Raises:
        BadSetting: see there.
    """
    if Path(output).suffix.lower() in OTHER_FILES and not output.endswith("/"):
        wanted = f"one file is NAME.mkv or NAME.mp4; for a package in a folder of this name, write {output}/"
        raise BadSetting("--output", output, wanted)


def checked(request: EncodeRequest, *, both: bool = False) -> EncodeRequest:
    """The request, if every setting is one that can be carried out.

    Args:
        request: what was asked.
        both: the user named a target VMAF and something else that decides.

    Raises:
        BadSetting, BadOption, BadLadder, BadProfile, UnknownModel: name the option, what was got and what is wanted.
    """
    from encoder.ladder import check_ladder
    from encoder.loudness import checked_target
    from pipelines.encode.captions import words_of
    from pipelines.qc.profile import Profile
    from vmaf import model_named

    _check_numbers(request)
    _check_targets(request, both=both)
    _check_codecs(request)
    automatic, named = automatic_of(request.ladder)
    _check_rungs(request, check_ladder(named))
    if automatic and (request.single or not request.optimizes):
        raise BadSetting(
            "--ladder", AUTOMATIC, "needs a folder as -o and a target; leave out --crf, or name the rungs"
        )
    _check_used(request, automatic=automatic)
    _check_unscored(request)
    check_view(request.ingest)
    words_of(request.captions)
    checked_target(request.loudness)
    Profile.of(request.qc_profile)
    if request.single and "," in request.ladder:
        raise BadSetting("--ladder", request.ladder, "one file holds one rung; name one, or a folder as -o")
    if request.ts and (request.single or request.drm):
        raise BadSetting(
            "--ts", "", "one file and encrypted packages have no transport streams; leave it out"
        )
    if request.ts and ("x264" not in request.codecs or request.audio_codec != "aac"):
        raise BadSetting(
            "--ts", "", "transport streams hold H.264 and AAC; add --codec x264 and --audio-codec aac"
        )
    if request.single and request.drm:
        raise BadSetting("--drm", request.drm, "one file is not encrypted; name a folder as -o")
    model_named(request.model)
    return request


def _check_numbers(request: EncodeRequest) -> None:
    """Every number is one, and in its range; a command line has seen to it, other orders have not. Raises: BadSetting."""
    for field, (option, least, greatest) in NUMBERS.items():
        text = str(getattr(request, field))
        try:
            fits = not text or Decimal(least) <= Decimal(text) <= Decimal(greatest)
        except InvalidOperation:
            fits = False
        if not fits or (not text and getattr(EncodeRequest(), field)):
            raise BadSetting(option, text, f"wanted a number from {least} to {greatest}")


def _check_rungs(request: EncodeRequest, rungs: Sequence[Asked]) -> None:
    """Every rung can have the quality that it names. Raises: BadSetting, BadOption."""
    from encoder.codecs import codec_named

    for rung in rungs:
        if request.crf and rung.goal:
            why = f"a rung that is to reach something contradicts --crf {request.crf}; leave that out, or name its @crf"
            raise BadSetting("--ladder", rung.text, why)
        if request.target_bytes and rung.crf:
            why = f"what it takes is not known before, so that --target-size {request.target_bytes} cannot count it"
            raise BadSetting("--ladder", rung.text, f"{why}; give it a rate or a VMAF instead")
        for name in request.codecs if rung.crf else ():
            try:
                codec_named(name).check(crf=rung.crf, preset="", encoder_params="")
            except BadOption as error:
                raise BadSetting("--ladder", rung.text, error.wanted) from error


def _check_unscored(request: EncodeRequest) -> None:
    """A report is made of scores, so nothing that it is for is asked for without them. Raises: BadSetting."""
    if request.score:
        return
    if request.report:
        raise BadSetting("--report", "", "a report is made of scores; leave out --no-score")
    if request.qc and request.qc_gate == "none":
        why = "findings stand in the report, which is made of scores; leave out --no-score, or add --qc-gate"
        raise BadSetting("--qc", "", why)


def _params_split(text: str) -> list[str]:
    """Parameters of each codec: a comma ends those of one unless what follows is no `key=value`, as in `psy-rd=1.0,0.2`."""
    found: list[str] = []
    for part in text.split(","):
        if found and part.strip() and "=" not in part.partition(":")[0]:
            found[-1] += f",{part}"
        else:
            found.append(part)
    return found


def _shared(
    option: str,
    value: str,
    codecs: Sequence[str],
    split: Callable[[str], Sequence[str]] = lambda text: text.split(","),
) -> list[str]:
    """A setting for each codec: all the same, or one for each."""
    values = [part.strip() for part in split(value)]
    if len(values) not in (1, len(codecs)) or (option == "--crf" and any(values) != all(values)):
        raise BadSetting(option, value, f"wanted one value, or one for each of {', '.join(codecs)}")
    return values * (len(codecs) // len(values))


def _check_codecs(request: EncodeRequest) -> None:
    """Every codec can do what is asked of it. Raises: BadSetting, BadOption."""
    from encoder.codecs import codec_named
    from pipelines.encode.zones import check_encoders, parse_zones

    _check_ranges(request)
    check_encoders(request.zones, request.codecs)
    ladders = list(zip(request.codecs, request.ranges, strict=True))
    if len(set(ladders)) < len(ladders):
        raise BadSetting("--codec", request.codec, "names one twice; name each once")
    if len(ladders) > MOST:
        raise BadSetting("--codec", request.codec, f"{len(ladders)} ladders; wanted {MOST} at most")
    if request.single and len(request.codecs) > 1:
        raise BadSetting(
            "--codec", request.codec, "one file holds one codec in one range; name a folder as -o"
        )
    for one in request.each:
        codec = codec_named(one.codec)
        codec.check(crf=one.crf, preset=one.preset, encoder_params=one.encoder_params)
        parse_zones(one.zones, one.codec)
        _check_extras(one, codec)


def _check_ranges(request: EncodeRequest) -> None:
    """Dynamic ranges are one for all ladders or one for each, and rungs are marked with one that there is. Raises: BadSetting."""
    option, given = "--dynamic-range", request.dynamic_range
    words, names = given.split(","), request.codec.split(",")
    if given != "auto" and not set(words) <= {"hdr", "sdr"}:
        raise BadSetting(option, given, "wanted auto, hdr, sdr, or hdr and sdr, one for each codec: hdr,sdr")
    if len(words) > 1 and len(names) not in (1, len(words)):
        raise BadSetting(option, given, f"wanted one, or one for each of {', '.join(names)}")
    twice = {name for name in request.codecs if request.codecs.count(name) > 1}
    settings = {(one.codec, one.preset, one.encoder_params) for one in request.each if one.codec in twice}
    if len(settings) > len(twice):
        why = "one codec in both ranges has one preset and one set of parameters; give one"
        raise BadSetting("--preset", request.preset or request.encoder_params, why)


def _check_targets(request: EncodeRequest, *, both: bool) -> None:
    """One thing decides: a constant quality, a VMAF, a bit rate, or a size; and it is in range."""
    given = [
        ("--crf", request.crf),
        ("--target-vmaf", request.target_vmaf if both else ""),
        ("--target-bitrate", request.target_kbps),
        ("--target-size", request.target_bytes),
    ]
    named = [(option, value) for option, value in given if value]
    if len(named) > 1:
        (option, value), (other, number) = named[:2]
        raise BadSetting(option, value, f"contradicts {other} {number}; give one of them")
    if request.mode == "fixed-crf" and not request.crf:
        raise BadSetting("--mode", request.mode, "needs the constant quality; add --crf")
    if request.crf and request.mode not in ("", "fixed-crf"):
        raise BadSetting(
            "--mode", request.mode, f"finds the quality of each shot; leave out --crf {request.crf}"
        )
    if request.buffer_kbits and not request.peak_kbps:
        raise BadSetting(
            "--buffer-size", request.buffer_kbits, "a buffer fills at the peak rate; add --peak-bitrate"
        )
    _check_order("--shot-floor", request.shot_floor, "--shot-ceiling", request.shot_ceiling)
    _check_order("--min-bitrate", request.min_kbps, "--max-bitrate", request.max_kbps)
    if not 0 < Decimal(request.target_vmaf) <= 100:
        raise BadSetting("--target-vmaf", request.target_vmaf, "wanted a VMAF above 0, up to 100, as 93")


def _check_used(request: EncodeRequest, *, automatic: bool) -> None:
    """Refuse what would be without effect. Raises: BadSetting."""
    usual = EncodeRequest()
    of_shots = {"shot_floor": "--shot-floor", "shot_ceiling": "--shot-ceiling", "pool": "--pool"}
    of_rules = {
        "max_renditions": "--max-renditions",
        "min_kbps": "--min-bitrate",
        "max_kbps": "--max-bitrate",
    }
    of_rules |= {"rung_step": "--rung-step"}
    add = "leave out --crf" if request.crf else "add --mode dynamic"
    unused = dict.fromkeys(
        of_shots.items(), f"is for shots that are decided by what they cost and give; {add}"
    )
    checks = unused if not request.optimizes else {}
    checks |= (
        {} if automatic else dict.fromkeys(of_rules.items(), "is for a ladder by rule; add --ladder auto")
    )
    for (field, option), why in checks.items():
        value = getattr(request, field)
        if value != getattr(usual, field):
            raise BadSetting(option, str(value), why)


def _check_order(option: str, least: str, other: str, greatest: str) -> None:
    """Refuse a least value above the greatest one. Raises: BadSetting."""
    if least and greatest and Decimal(least) > Decimal(greatest):
        raise BadSetting(option, least, f"wanted no more than {other} {greatest}")


def _check_extras(request: EncodeRequest, codec: Codec) -> None:
    """Refuse what the codec or the container cannot do. Raises: BadSetting."""
    if request.loudness and request.single:
        why = "one file keeps the source's audio as it is; name a folder as -o, or leave it out"
        raise BadSetting("--loudness", request.loudness, why)
    if request.dynamic_range == "hdr" and not codec.hdr:
        raise BadSetting(
            "--dynamic-range", "hdr", f"{request.codec} is not coded in HDR; use --codec x265 or svtav1"
        )
    if request.bit_depth == "10" and not codec.ten_bit:
        why = f"{request.codec} in 10 bit plays in few players; use --codec x265, svtav1, aom or vp9, or leave it out"
        raise BadSetting("--bit-depth", "10", why)
    if request.bit_depth == "8" and request.dynamic_range == "hdr":
        raise BadSetting("--bit-depth", "8", "HDR needs 10 bits; leave it out, or add --dynamic-range sdr")
    if request.grain and not codec.grain:
        raise BadSetting(
            "--grain",
            str(request.grain),
            f"{request.codec} has no film grain tables; use --codec svtav1 or aom",
        )
    if request.single and request.single not in codec.containers:
        raise BadSetting(
            "--codec", request.codec, f"goes into {', '.join(sorted(codec.containers))} files only"
        )
    if not request.single and not codec.packaged:
        raise BadSetting("--codec", request.codec, "cannot be packaged; name one file as -o")
