"""The plan of the main job: which stages, joined how."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal
from functools import partial

from archer.canonical import digest
from archer.media.asset import Asset, joined
from archer.plan import JobSpec, Node, Source
from archer.templates import Assets, JobTemplate, numbered
from pipelines.allocate.stage import AllocateParams
from pipelines.analyse.rungs import RungsParams
from pipelines.analyse.stage import AnalyseParams
from pipelines.encode.assemble import AssembleParams
from pipelines.encode.audio import AudioParams
from pipelines.encode.captions import words_of
from pipelines.encode.embedded import EmbeddedParams
from pipelines.encode.errors import BadSetting
from pipelines.encode.ladders import CHOICES, LADDER, LaddersParams, input_of
from pipelines.encode.manifest import file_name
from pipelines.encode.mux import MuxParams
from pipelines.encode.ranges import OTHER
from pipelines.encode.request import EncodeRequest, check_name, checked, single_of
from pipelines.encode.scenes import ScenesParams
from pipelines.encode.search import SearchParams
from pipelines.encode.stage import EncodeParams
from pipelines.encode.subtitles import SubtitlesParams
from pipelines.ingest.clips import parse_clips
from pipelines.ingest.params import Range
from pipelines.packaging.stage import PackagingParams
from pipelines.proxies.stage import ProxiesParams
from pipelines.publish.stage import PublishParams
from pipelines.qc.stage import QcParams
from pipelines.report.stage import ReportParams
from pipelines.score.stage import ScoreParams
from pipelines.shots.stage import ShotsParams
from pipelines.vision.stage import VisionParams

WAITS = "passed"
"""Input that is not read: what has it begins once quality control let the title pass."""
MEDIA, SHOTS, RENDITIONS = "ingest.media", "shots.shots", "assemble.parts"
PROXIES, QC, PASSED = "proxy_files.parts", "qc.report", "qc.shots"
Inputs = dict[str, Source]
AUDIO, TEXTS, SCORES = "audio.parts", "subtitles.parts", "score.scores"
CARRIED = "embedded.captions"
TOLD = {"report": "report", "features": "features", "scores": "scores_json"}
"""Input of `publish` -> output of the report."""


def encode_job(
    asset: Asset, request: EncodeRequest, *, title: str, command: str = "", captions: Asset | None = None
) -> JobSpec:
    """The main job on `asset`: a package, or one file where `request.single` says so.

    Args:
        asset: the mezzanine, or several; see `archer.media.asset.joined`.
        request: the user's settings, validated.
        title: name for people, shown in the report.
        command: the command line that makes it again, shown in the report.
        captions: subtitle files that come beside it, one for each word of `request.captions`.

    Raises:
        BadSetting: there are other numbers of files than the settings speak of.
    """
    check_inputs(asset, captions, request)
    texts = _subtitles(asset, captions, request)
    nodes = [
        *_read(asset, request),
        *_decide(asset, request),
        *_encode(asset, request),
        *_score(asset, request),
    ]
    if request.single:
        beside = [texts] if captions or is_edit(asset, request) else []
        out = [*beside, _mux(asset, request, captions)]
    else:
        out = [texts, _package(request)]
    gated = request.qc_gate != "none"
    told = [*_looked_at(asset, request), _report(asset, request, title, command)] if request.reports else []
    nodes += [*out, *told, *(_judged(asset, request) if gated and not request.reports else [])]
    return JobSpec(nodes=_behind_gate(nodes) if gated else nodes)


def _behind_gate(nodes: list[Node]) -> list[Node]:
    """Those who take shots take them from quality control, which gives none of a title that it refuses; others wait for it."""
    return [node if node.id in ("vision", "qc") else replace(node, inputs=_passed(node)) for node in nodes]


def _passed(node: Node) -> Inputs:
    inputs = {name: PASSED if source == SHOTS else source for name, source in node.inputs.items()}
    return {**inputs, WAITS: PASSED} if node.stage in ("search", "audio") else inputs


def order_mark(asset: Asset, request: EncodeRequest, captions: Asset | None = None) -> str:
    """Names an order: this input, these settings, these subtitle files; one file is the same with its report and without."""
    settings = {key: value for key, value in asdict(request).items() if key != "report"}
    return digest([asset.identity, settings, *([captions.identity] if captions else [])])[:32]


def is_edit(asset: Asset, request: EncodeRequest) -> bool:
    """The title is put together of pieces."""
    return bool(request.clips) or len(asset.urls) > 1


def check_inputs(asset: Asset, captions: Asset | None, request: EncodeRequest) -> None:
    """Refuse settings that speak of inputs or files that are not there. Raises: BadSetting."""
    inputs, files = len(asset.urls), len(captions.urls) if captions else 0
    words = words_of(request.captions)
    if len(words) != files:
        raise BadSetting("--captions", request.captions, f"names {len(words)} languages for {files} files")
    spoken = [("--captions", source) for source, _ in words]
    spoken += [("--clip", clip.source) for clip in parse_clips(request.clips)]
    for option, source in spoken:
        if source >= inputs:
            raise BadSetting(option, f"{source + 1}@", f"there are {inputs} inputs; add --join for more")
    coded = request.single == "mp4" and is_edit(asset, request)
    if request.single and not coded and request.audio_codec != EncodeRequest().audio_codec:
        why = "one file keeps the source's audio, or FLAC of pieces in .mkv; name a folder as -o, or leave it out"
        raise BadSetting("--audio-codec", request.audio_codec, why)


def _read(asset: Asset, request: EncodeRequest) -> list[Node]:
    return [
        Node(id="ingest", stage="ingest", params=request.ingest, inputs={"asset": asset}),
        *(_other_view(asset, request) if request.both_ranges else []),
        _shots(asset, request),
    ]


def _other_view(asset: Asset, request: EncodeRequest) -> list[Node]:
    """Takes the title in once more, in the dynamic range that the first ladder has not."""
    shown: Range = "sdr" if request.ranges[0] == "hdr" else "hdr"
    params = replace(request.ingest, dynamic_range=shown, needs_hdr=False)
    return [Node(id=f"ingest_{shown}", stage="ingest", params=params, inputs={"asset": asset})]


def _shots(asset: Asset, request: EncodeRequest) -> Node:
    if not request.scenes:
        return Node(id="shots", stage="shots", params=ShotsParams(), inputs={"asset": asset, "media": MEDIA})
    scenes = ScenesParams(format=request.scenes_format, text=request.scenes)
    return Node(id="shots", stage="scenes", params=scenes, inputs={"media": MEDIA})


def ladder_source(request: EncodeRequest) -> str:
    """Which output decides about rungs and quality."""
    return "ladders.ladder" if len(request.codecs) > 1 else _ladder_of(request)


def choices_source(request: EncodeRequest) -> str:
    """Which output says why, where the optimizer decides."""
    return "ladders.choices" if len(request.codecs) > 1 else "allocate.choices"


def named(node: str, place: int, request: EncodeRequest) -> str:
    """Name of a node that there is for each codec: that of the first one is plain."""
    codec, before = request.codecs[place], request.codecs[:place]
    again = f"_{request.ranges[place]}" if codec in before else ""
    return f"{node}_{codec}{again}" if place else node


def media_source(request: EncodeRequest, place: int) -> str:
    """Which output has the facts of the title in the dynamic range of a ladder; that of the first one is plain."""
    other = request.ranges[place] != request.ranges[0]
    return f"ingest_{request.ranges[place]}.media" if other else MEDIA


def _medias(request: EncodeRequest) -> Inputs:
    """Inputs with the facts of the title, in one dynamic range or in both."""
    found = dict.fromkeys(media_source(request, place) for place in range(len(request.codecs)))
    return dict(zip(("media", OTHER), found, strict=False))


def _ladder_of(request: EncodeRequest, place: int = 0) -> str:
    return f"{named('allocate' if request.optimizes else 'search', place, request)}.ladder"


def _decide(asset: Asset, request: EncodeRequest) -> list[Node]:
    """Either one quality value for all shots, or analysis and one for each; for every codec by itself, then joined."""
    nodes = _rungs(request) if request.optimizes else []
    for place, one in enumerate(request.each):
        media = media_source(request, place)
        shown = request.ranges[place] if request.both_ranges else ""
        name = partial(named, place=place, request=request)
        nodes += (
            _analyse(asset, one, name, media)
            if request.optimizes
            else _search(asset, one, name, media, shown)
        )
    if len(request.codecs) > 1:
        inputs: Inputs = {}
        for place in range(len(request.codecs)):
            inputs[input_of(LADDER, place)] = _ladder_of(request, place)
            if request.optimizes:
                inputs[input_of(CHOICES, place)] = f"{named('allocate', place, request)}.choices"
        nodes.append(Node(id="ladders", stage="ladders", params=LaddersParams(), inputs=inputs))
    return nodes


def _rungs(request: EncodeRequest) -> list[Node]:
    """What is wanted, for each dynamic range that there are ladders in."""
    made = {}
    for place, shown in enumerate(request.ranges):
        media = media_source(request, place)
        rungs = RungsParams(
            ladder=request.ladder,
            goals=request.goals,
            single=bool(request.single),
            dynamic_range=shown if request.both_ranges else "",
        )
        made[media] = Node(id=_rungs_of(media), stage="rungs", params=rungs, inputs={"media": media})
    return list(made.values())


def _rungs_of(media: str) -> str:
    """Name of the node that says what is wanted of the title as it is looked at there."""
    return media.partition(".")[0].replace("ingest", "rungs")


def _search(
    asset: Asset, request: EncodeRequest, name: Callable[[str], str], media: str, shown: str
) -> list[Node]:
    """Of one codec; `name` names its nodes, `media` and `shown` say in which dynamic range."""
    search = SearchParams(
        settings=request.settings,
        ladder=request.ladder,
        target_vmaf=request.target_vmaf,
        model=request.model,
        single=bool(request.single),
        dynamic_range=shown,
        peak_kbps=request.goals.cap[0],
        buffer_kbits=request.goals.cap[1],
    )
    return [Node(id=name("search"), stage="search", params=search, inputs={"asset": asset, "media": media})]


def _analyse(asset: Asset, request: EncodeRequest, name: Callable[[str], str], media: str) -> list[Node]:
    """Of one codec; `name` names its nodes, `media` says in which dynamic range."""
    analyse = AnalyseParams(
        settings=request.settings, chunk_s=request.chunk_s, zones=request.zones, model=request.model
    )
    rungs = f"{_rungs_of(media)}.rungs"
    read: Inputs = {"asset": asset, "media": media, "shots": SHOTS, "rungs": rungs}
    known: Inputs = {"media": media, "rungs": rungs, "points": f"{name('analyse')}.points"}
    allocate = AllocateParams(settings=request.settings, model=request.model)
    return [
        Node(id=name("analyse"), stage="analyse", params=analyse, inputs=read),
        Node(id=name("allocate"), stage="allocate", params=allocate, inputs=known),
    ]


def _encode(asset: Asset, request: EncodeRequest) -> list[Node]:
    settings, *others = [one.settings for one in request.each]
    encode = EncodeParams(
        settings=settings,
        others=tuple(others),
        chunk_s=request.chunk_s,
        zones=request.zones,
        segment_s=request.segment_s,
    )
    audio = Node(
        id="audio",
        stage="audio",
        params=AudioParams(
            codec="flac" if request.single == "mkv" else request.audio_codec,
            loudness=request.loudness,
            tracks=request.audio,
        ),
        inputs={"asset": asset, "media": MEDIA},
    )
    medias = _medias(request)
    read: Inputs = {"asset": asset, **medias, "shots": SHOTS, "ladder": ladder_source(request)}
    chunks: Inputs = {**medias, "chunks": "encode.parts", "embedded": "embedded.data"}
    embedded: Inputs = {"asset": asset, "media": MEDIA}
    return [
        Node(id="embedded", stage="embedded", params=EmbeddedParams(), inputs=embedded),
        *([audio] if not request.single or is_edit(asset, request) else []),
        Node(id="encode", stage="encode", params=encode, inputs=read),
        Node(
            id="assemble",
            stage="assemble",
            params=AssembleParams(segment_s=request.segment_s, coding=encode if request.capped else None),
            inputs={"asset": asset, **chunks},
        ),
    ]


def _score(asset: Asset, request: EncodeRequest) -> list[Node]:
    if not request.score:
        return []
    inputs: Inputs = {"asset": asset, **_medias(request), "renditions": RENDITIONS}
    return [Node(id="score", stage="score", params=ScoreParams(model=request.model), inputs=inputs)]


def _mux(asset: Asset, request: EncodeRequest, captions: Asset | None) -> Node:
    params = MuxParams(
        container=request.single,
        mark=order_mark(asset, request, captions),
        audio=request.audio,
        subtitles=request.subtitles,
    )
    inputs: Inputs = {"asset": asset, "media": MEDIA, "renditions": RENDITIONS}
    edit = is_edit(asset, request)
    inputs |= {"audio": AUDIO} if edit else {}
    inputs |= {"texts": TEXTS} if edit or captions else {}
    return Node(id="mux", stage="mux", params=params, inputs=inputs)


def _package(request: EncodeRequest) -> Node:
    inputs: Inputs = {
        "renditions": RENDITIONS,
        "audio": AUDIO,
        "subtitles": TEXTS,
        "shots": SHOTS,
        "embedded": CARRIED,
        **({"scores": SCORES} if request.score else {}),
    }
    params = PackagingParams(
        segment_s=Decimal(request.segment_s),
        ts=request.ts,
        scheme=request.drm,
        key_set=request.key_set,
        clear_lead_s=Decimal(request.clear_lead_s),
    )
    return Node(id="packaging", stage="packaging", params=params, inputs=inputs)


def _subtitles(asset: Asset, captions: Asset | None, request: EncodeRequest) -> Node:
    inputs: Inputs = {"asset": asset, "media": MEDIA, **({"captions": captions} if captions else {})}
    inputs |= {} if request.single else {"embedded": CARRIED}
    params = SubtitlesParams(tracks=request.subtitles, brought=request.captions)
    return Node(id="subtitles", stage="subtitles", params=params, inputs=inputs)


def _looked_at(asset: Asset, request: EncodeRequest) -> list[Node]:
    """What only the report shows: proxies for its player, and findings of quality control."""
    proxies = [
        Node(
            id="proxies",
            stage="proxies",
            params=ProxiesParams(),
            inputs={"asset": asset, "media": MEDIA, "renditions": RENDITIONS},
        ),
        Node(
            id="proxy_files",
            stage="assemble",
            params=AssembleParams(),
            inputs={"media": MEDIA, "chunks": "proxies.parts"},
        ),
    ]
    return [*(proxies if request.proxies else []), *(_judged(asset, request) if request.judged else [])]


def _judged(asset: Asset, request: EncodeRequest) -> list[Node]:
    """Who looks at the pictures, and who judges them; banding, which needs key frames looked at again, is left out."""
    known: Inputs = {"media": MEDIA, "shots": SHOTS}
    params = QcParams(profile=request.qc_profile, gate=request.qc_gate)
    return [
        Node(id="vision", stage="vision", params=VisionParams(), inputs={"asset": asset, **known}),
        Node(id="qc", stage="qc", params=params, inputs={**known, "frames": "vision.frames"}),
    ]


def _report(asset: Asset, request: EncodeRequest, title: str, command: str) -> Node:
    settings = {
        key: value
        for key, value in asdict(request).items()
        if key != "report"
        and (key != "target_vmaf" or not (request.crf or request.target_kbps or request.target_bytes))
    }
    inputs: Inputs = {
        "asset": asset,
        **_medias(request),
        "shots": SHOTS,
        "ladder": ladder_source(request),
        "renditions": RENDITIONS,
        "scores": SCORES,
        **({} if request.single else {"audio": AUDIO}),
        **({"choices": choices_source(request)} if request.optimizes else {}),
        **({"proxies": PROXIES} if request.proxies else {}),
        **({"qc": QC} if request.judged else {}),
    }
    params = ReportParams(title=title, settings=json.dumps(settings, sort_keys=True), command=command)
    return Node(id="report", stage="report", params=params, inputs=inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedEncode(EncodeRequest):
    """The settings of a submitted job: those of `cinemill encode`, and its title.

    Attributes:
        title: name for people; empty for the input's.
        output: folder or URL where the results go as well; one file where it ends in `.mkv` or `.mp4`; empty for nowhere else.
        order: names the order; see `pipelines.publish`.
    """

    title: str = ""
    output: str = ""
    order: str = ""


def submitted_encode(assets: Assets, given: SubmittedEncode) -> JobSpec:
    """The main job as it is submitted. Raises BadSetting and the like; see `pipelines.encode.request.checked`."""
    asset = joined([assets["input"], *numbered(assets, "join")])
    files = numbered(assets, "captions")
    captions = joined(files) if files else None
    settings = {field.name: getattr(given, field.name) for field in fields(EncodeRequest)}
    check_name(given.output)
    settings["single"] = given.single or single_of(given.output)
    request = checked(EncodeRequest(**settings), both=given.target_vmaf != EncodeRequest().target_vmaf)
    name = file_name(asset.urls[0])
    title = given.title or name.rpartition(".")[0] or name
    spec = encode_job(asset, request, title=title, captions=captions)
    return replace(spec, nodes=[*spec.nodes, _publish(request, given)]) if given.output else spec


def _publish(request: EncodeRequest, given: SubmittedEncode) -> Node:
    params = PublishParams(url=given.output, order=given.order)
    told: Inputs = {name: f"report.{output}" for name, output in TOLD.items()} if request.reports else {}
    package: Inputs = {"package": "packaging.package", "shots": SHOTS, **told}
    inputs: Inputs = {"file": "mux.file"} if request.single else package
    return Node(id="publish", stage="publish", params=params, inputs=inputs)


TEMPLATE = JobTemplate(
    name="encode",
    summary="Encode a title to a scored, playable package or a single file.",
    params=SubmittedEncode,
    build=submitted_encode,
    more=("join", "captions"),
    reads=("model",),
)
