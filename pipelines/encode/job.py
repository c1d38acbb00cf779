"""The plan of the main job: which stages, joined how."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal

from archer.canonical import digest
from archer.media.asset import Asset
from archer.plan import JobSpec, Node, Source
from archer.templates import Assets, JobTemplate
from pipelines.allocate.stage import AllocateParams
from pipelines.analyse.rungs import RungsParams
from pipelines.analyse.stage import AnalyseParams
from pipelines.encode.assemble import AssembleParams
from pipelines.encode.audio import AudioParams
from pipelines.encode.mux import MuxParams
from pipelines.encode.request import EncodeRequest, checked, single_of
from pipelines.encode.scenes import ScenesParams
from pipelines.encode.search import SearchParams
from pipelines.encode.stage import EncodeParams
from pipelines.encode.subtitles import SubtitlesParams
from pipelines.packaging.stage import PackagingParams
from pipelines.proxies.stage import ProxiesParams
from pipelines.publish.stage import PublishParams
from pipelines.qc.stage import QcParams
from pipelines.report.stage import ReportParams
from pipelines.score.stage import ScoreParams
from pipelines.shots.stage import ShotsParams
from pipelines.vision.stage import VisionParams

MEDIA, SHOTS, RENDITIONS = "ingest.media", "shots.shots", "assemble.parts"
PROXIES, QC, PASSED = "proxy_files.parts", "qc.report", "qc.shots"
Inputs = dict[str, Source]
AUDIO, TEXTS, SCORES = "audio.parts", "subtitles.parts", "score.scores"


def encode_job(asset: Asset, request: EncodeRequest, *, title: str, command: str = "") -> JobSpec:
    """The main job on `asset`: a package, or one file where `request.single` says so.

    Args:
        asset: the mezzanine.
        request: the user's settings, validated.
        title: name for people, shown in the report.
        command: the command line that makes it again, shown in the report.
    """
    nodes = [
        *_read(asset, request),
        *_decide(asset, request),
        *_encode(asset, request),
        _score(asset, request),
    ]
    if request.single:
        nodes += [_mux(asset, request), *(_judged(asset, request) if request.qc_gate != "none" else [])]
    else:
        nodes += [_subtitles(asset), _package(request), *_looked_at(asset, request)]
        nodes.append(_report(asset, request, title, command))
    return JobSpec(nodes=nodes if request.qc_gate == "none" else _behind_gate(nodes))


def _behind_gate(nodes: list[Node]) -> list[Node]:
    """Those who take shots take them from quality control, which gives none of a title that it refuses."""
    return [
        node
        if node.id in ("vision", "qc")
        else replace(
            node, inputs={name: PASSED if source == SHOTS else source for name, source in node.inputs.items()}
        )
        for node in nodes
    ]


def order_mark(asset: Asset, request: EncodeRequest) -> str:
    """Names an order: this input, these settings."""
    return digest([asset.identity, asdict(request)])[:32]


def _read(asset: Asset, request: EncodeRequest) -> list[Node]:
    return [
        Node(id="ingest", stage="ingest", params=request.ingest, inputs={"asset": asset}),
        _shots(asset, request),
    ]


def _shots(asset: Asset, request: EncodeRequest) -> Node:
    if not request.scenes:
        return Node(id="shots", stage="shots", params=ShotsParams(), inputs={"asset": asset, "media": MEDIA})
    scenes = ScenesParams(format=request.scenes_format, text=request.scenes)
    return Node(id="shots", stage="scenes", params=scenes, inputs={"media": MEDIA})


def ladder_source(request: EncodeRequest) -> str:
    """Which output decides about rungs and quality."""
    return "allocate.ladder" if request.optimizes else "search.ladder"


def _decide(asset: Asset, request: EncodeRequest) -> list[Node]:
    """Either one quality value for all shots, or analysis and one for each."""
    if not request.optimizes:
        search = SearchParams(
            settings=request.settings,
            ladder=request.ladder,
            target_vmaf=request.target_vmaf,
            model=request.model,
            single=bool(request.single),
        )
        return [Node(id="search", stage="search", params=search, inputs={"asset": asset, "media": MEDIA})]
    rungs = RungsParams(ladder=request.ladder, goals=request.goals, single=bool(request.single))
    analyse = AnalyseParams(
        settings=request.settings, chunk_s=request.chunk_s, zones=request.zones, model=request.model
    )
    read: Inputs = {"asset": asset, "media": MEDIA, "shots": SHOTS, "rungs": "rungs.rungs"}
    known: Inputs = {"media": MEDIA, "rungs": "rungs.rungs", "points": "analyse.points"}
    allocate = AllocateParams(settings=request.settings, model=request.model)
    return [
        Node(id="rungs", stage="rungs", params=rungs, inputs={"media": MEDIA}),
        Node(id="analyse", stage="analyse", params=analyse, inputs=read),
        Node(id="allocate", stage="allocate", params=allocate, inputs=known),
    ]


def _encode(asset: Asset, request: EncodeRequest) -> list[Node]:
    encode = EncodeParams(settings=request.settings, chunk_s=request.chunk_s, zones=request.zones)
    audio = Node(
        id="audio",
        stage="audio",
        params=AudioParams(codec=request.audio_codec, loudness=request.loudness),
        inputs={"asset": asset, "media": MEDIA},
    )
    read: Inputs = {"asset": asset, "media": MEDIA, "shots": SHOTS, "ladder": ladder_source(request)}
    chunks: Inputs = {"media": MEDIA, "chunks": "encode.parts"}
    return [
        *([] if request.single else [audio]),
        Node(id="encode", stage="encode", params=encode, inputs=read),
        Node(id="assemble", stage="assemble", params=AssembleParams(), inputs=chunks),
    ]


def _score(asset: Asset, request: EncodeRequest) -> Node:
    inputs: Inputs = {"asset": asset, "media": MEDIA, "renditions": RENDITIONS}
    return Node(id="score", stage="score", params=ScoreParams(model=request.model), inputs=inputs)


def _mux(asset: Asset, request: EncodeRequest) -> Node:
    params = MuxParams(container=request.single, mark=order_mark(asset, request))
    inputs: Inputs = {"asset": asset, "media": MEDIA, "renditions": RENDITIONS}
    return Node(id="mux", stage="mux", params=params, inputs=inputs)


def _package(request: EncodeRequest) -> Node:
    inputs: Inputs = {"renditions": RENDITIONS, "audio": AUDIO, "subtitles": TEXTS, "scores": SCORES}
    params = PackagingParams(
        segment_s=Decimal(request.segment_s),
        scheme=request.drm,
        key_set=request.key_set,
        clear_lead_s=Decimal(request.clear_lead_s),
    )
    return Node(id="packaging", stage="packaging", params=params, inputs=inputs)


def _subtitles(asset: Asset) -> Node:
    inputs: Inputs = {"asset": asset, "media": MEDIA}
    return Node(id="subtitles", stage="subtitles", params=SubtitlesParams(), inputs=inputs)


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
        if key != "target_vmaf" or not (request.crf or request.target_kbps or request.target_bytes)
    }
    inputs: Inputs = {
        "asset": asset,
        "media": MEDIA,
        "shots": SHOTS,
        "ladder": ladder_source(request),
        "renditions": RENDITIONS,
        "audio": AUDIO,
        "scores": SCORES,
        **({"choices": "allocate.choices"} if request.optimizes else {}),
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
    asset = assets["input"]
    settings = {field.name: getattr(given, field.name) for field in fields(EncodeRequest)}
    settings["single"] = given.single or single_of(given.output)
    request = checked(EncodeRequest(**settings), both=given.target_vmaf != EncodeRequest().target_vmaf)
    name = asset.url.partition("?")[0].rstrip("/").rpartition("/")[2]
    spec = encode_job(asset, request, title=given.title or name.rpartition(".")[0] or name)
    return replace(spec, nodes=[*spec.nodes, _publish(request, given)]) if given.output else spec


def _publish(request: EncodeRequest, given: SubmittedEncode) -> Node:
    params = PublishParams(url=given.output, order=given.order)
    package: Inputs = {
        "package": "packaging.package",
        "report": "report.report",
        "features": "report.features",
        "scores": "report.scores_json",
        "shots": SHOTS,
    }
    inputs: Inputs = {"file": "mux.file"} if request.single else package
    return Node(id="publish", stage="publish", params=params, inputs=inputs)


TEMPLATE = JobTemplate(
    name="encode",
    summary="Encode a title to a scored, playable package or a single file.",
    params=SubmittedEncode,
    build=submitted_encode,
)
