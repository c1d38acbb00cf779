"""Carry out an order of `cinemill encode`: run the job, publish what it made, say what it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archer.errors import JobFailed
from archer.media import MediaInfo
from archer.media.asset import Asset
from archer.plan import JobSpec, Plan, make_plan
from archer.store.discard import discard
from encoder import mark_of
from pipelines.cli.session import Done, run_job
from pipelines.encode.audio import chosen_first
from pipelines.encode.cost import FILE as COST
from pipelines.encode.cost import cost_of, cost_script
from pipelines.encode.errors import OutputExists, OutputFailed
from pipelines.encode.job import (
    MEDIA,
    PROXIES,
    QC,
    RENDITIONS,
    SHOTS,
    encode_job,
    is_edit,
    ladder_source,
    named,
    order_mark,
)
from pipelines.encode.manifest import (
    belongs,
    dump,
    file_name,
    file_table,
    is_current,
    manifest,
    parsed,
    read_manifest,
)
from pipelines.encode.place import OutputPlace
from pipelines.encode.publish import (
    MANIFEST,
    check_apart,
    check_free,
    check_remote,
    is_there,
    local_path,
    publish_file,
    publish_folder,
    publish_remote,
    read_remote,
)
from pipelines.encode.record import RECORD, run_record
from pipelines.encode.request import EncodeRequest
from pipelines.encode.sources import Sources
from pipelines.encode.subtitles import left_out
from pipelines.encode.summary import rendition_rows, summary_of
from pipelines.packaging.check import segment_packets
from pipelines.report.inputs import NAME as REPORT_INPUTS_NAME
from pipelines.report.inputs import SCHEMA as REPORT_INPUTS
from pipelines.report.inputs import blobs, inputs_of, kept
from pipelines.report.material import proxy_url
from pipelines.score.scorer import default_scorer
from pipelines.score.stage import scores_by_rendition
from vmaf import FrameScores
from vmaf.scores import read_parquet

Files = dict[str, Path]
FileTable = dict[str, dict[str, Any]]
NOT_SCORED = "not scored, so that nothing tells how good it is: --no-score"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeOrder:
    """What to encode, how, and where to.

    Attributes:
        asset: the mezzanine, or several; see `archer.media.asset.joined`.
        captions: subtitle files that come beside it.
        request: the settings, checked.
        title: name for people.
        command: the command line that makes it again.
        place: where the result goes.
    """

    asset: Asset
    request: EncodeRequest
    title: str
    command: str
    place: OutputPlace
    captions: Asset | None = None

    @property
    def spec(self) -> JobSpec:
        """The job."""
        return encode_job(
            self.asset, self.request, title=self.title, command=self.command, captions=self.captions
        )

    @property
    def mark(self) -> str:
        """Names it."""
        return order_mark(self.asset, self.request, self.captions)


def execute(
    order: EncodeOrder, *, workers: int | None, executor: str = "local", as_json: bool, quiet: bool
) -> dict[str, Any]:
    """Run the order to its end; returns what `summary_of` says.

    Raises:
        CinemillError: whatever failed; what was done stays in the work folder, and the same order goes on with it.
    """
    sources = Sources.of(order.asset, order.captions)
    place, spec = order.place, order.spec
    plan = make_plan(spec)
    job = plan.job
    known = _known(order, job)
    if known is not None:
        place.clean(job)
        return known
    fresh = not place.work_dir.exists()
    options: dict[str, Any] = {"workers": workers, "executor": executor, "as_json": as_json, "quiet": quiet}
    try:
        with run_job(spec, work_dir=str(place.work_dir), keep=True, **options) as done:
            _check_sources(order, sources, job)
            _known(order, job)  # somebody may have put something there meanwhile
            summary = (
                _publish_single(order, done, plan)
                if order.request.single
                else _publish_package(order, done, plan)
            )
    except JobFailed as error:
        _check_sources(order, sources, job)
        if fresh and error.failures and error.failures[0].task.startswith("ingest"):
            place.clean(job)  # refused before any work was done: there is nothing to go on with
        raise
    place.clean(job)
    return summary


def _known(order: EncodeOrder, job: str) -> dict[str, Any] | None:
    """The summary where the order is fulfilled already; refuses an output that holds something else."""
    place = order.place
    if place.remote:
        return _known_remote(order, job)
    folder, ours = local_path(place.report), True
    if order.request.single:
        ours = place.path.is_file() and mark_of(place.path) == order.mark
        if ours and not order.request.report:
            return summary_of({"renditions": [], "notices": []}, output=place.out, report="", up_to_date=True)
        _check_place(order, place.path, force=place.force or ours)
    if order.request.single and not order.request.report:
        return None
    if ours and is_current(folder, job):
        return summary_of(read_manifest(folder), output=place.out, report=_report(order), up_to_date=True)
    _check_place(order, folder, force=place.force or belongs(folder, job))
    return None


def _check_sources(order: EncodeOrder, sources: Sources, job: str) -> None:
    """Raises: ChangedObject: the job read files of which some were changed; its work is given up."""
    if error := sources.changed():
        discard(order.place.work_dir, job=job if order.place.named else "")
        raise error


def _check_place(order: EncodeOrder, place: Path, *, force: bool) -> None:
    check_apart(place, Sources.of(order.asset, order.captions).urls)
    check_free(place, force=force)


def _known_remote(order: EncodeOrder, job: str) -> dict[str, Any] | None:
    """The same at a URL, where the manifest is written last: a package that has one is whole. One file has a mark."""
    place, single = order.place, bool(order.request.single)
    if place.out in Sources.of(order.asset, order.captions).urls:
        raise OutputFailed(place.out, "is the input, and would be replaced; choose another -o")
    check_remote(place.out if single else f"{place.out.rstrip('/')}/{MANIFEST}")
    there = is_there(place.out) if single else read_remote(place.out, MANIFEST) is not None
    if not there:
        return None
    ours = not single or mark_of(place.out) == order.mark
    if ours and single and not order.request.report:
        return summary_of({"renditions": [], "notices": []}, output=place.out, report="", up_to_date=True)
    known = parsed(read_remote(place.report, MANIFEST) or b"") if ours else {}
    if known.get("job") == job:
        return summary_of(known, output=place.out, report=_report(order), up_to_date=True)
    if not place.force and not (single and ours):
        raise OutputExists(place.out)
    return None


def _publish_single(order: EncodeOrder, done: Done, plan: Plan) -> dict[str, Any]:
    lost = _lost_by_edit(order, done) if is_edit(order.asset, order.request) else ()
    notices = [*_remarks(order, done), *lost, *done.json("mux.facts")["notices"]]
    facts = {**_facts(order, done), "notices": notices}
    source, place = done.path("mux.file"), order.place
    if place.remote:
        publish_remote({"": source}, {}, place.out)
    else:
        publish_file(source, place.path, link=not place.keep)
    if order.request.report:
        name = file_name(place.out)
        single = file_table({f"../{name}": source}, {f"../{name}": facts["renditions"][0]["frames"]})
        files = _made_files(order, done) | _report_files(order, done)
        _publish_folder(order, done, plan, files, {**facts, "audio": []}, single)
    return summary_of(facts, output=place.out, report=_report(order), up_to_date=False)


def _publish_package(order: EncodeOrder, done: Done, plan: Plan) -> dict[str, Any]:
    files = _tree(done.path("packaging.package"), "") | _made_files(order, done) | _report_files(order, done)
    for part in done.parts("audio.parts"):
        files[f"renditions/{part.item.variant}.mp4"] = done.store.path(part.outputs["audio"])
    facts = {**_facts(order, done), "audio": _audio(done), "notices": _notices(order, done)}
    _publish_folder(order, done, plan, files, facts, {})
    return summary_of(facts, output=order.place.out, report=_report(order), up_to_date=False)


def _publish_folder(
    order: EncodeOrder, done: Done, plan: Plan, files: Files, facts: dict[str, Any], single: FileTable
) -> None:
    """A folder with its manifest and the record of the run.

    Args:
        single: the one file beside the folder that it is about, as the manifest lists it.
    """
    place, files = order.place, files | (_report_inputs(order, done, files) if order.request.reports else {})
    text = manifest(
        plan=plan,
        asset=order.asset,
        captions=order.captions,
        title=order.title,
        command=order.command,
        request=order.request,
        facts=facts,
        files=single | file_table(files, _frame_counts(done, files)),
    )
    cost = cost_of(done.store.root, plan.job)
    record = run_record(
        order.asset, done.store.root, plan.job, cost, captions=order.captions, remote=place.remote
    )
    beside = {MANIFEST: dump(text), RECORD: dump(record)}
    if order.request.reports:
        beside[COST] = cost_script(cost)
    if place.remote:
        publish_remote(files, beside, place.report)
    else:
        publish_folder(files, beside, local_path(place.report), link=not place.keep)


def _report(order: EncodeOrder) -> str:
    return f"{order.place.report}/report.html" if order.request.reports else ""


def _report_files(order: EncodeOrder, done: Done) -> Files:
    """What tells how good an output is, and what its player shows, by path in the folder."""
    if not order.request.reports:
        return {}
    files = _tree(done.path("report.scores_json"), "scores/")
    files |= _tree(done.path("report.plots"), "plots/")
    files |= {"report.html": done.path("report.report"), "features.parquet": done.path("report.features")}
    for part in done.parts(PROXIES) if order.request.proxies else ():
        files[proxy_url(part.item.variant)] = done.store.path(part.outputs["rendition"])
    return files


def _made_files(order: EncodeOrder, done: Done) -> Files:
    """The renditions, and what was found and decided on the way to them, by path in the folder."""
    files = {"shots.json": done.path(SHOTS)}
    for place in range(len(order.request.codecs)) if order.request.optimizes else ():
        name = named("ladder", place, order.request).replace("_", "-") + ".json"
        files[name] = done.path(f"{named('allocate', place, order.request)}.texts")
    for part in done.parts(RENDITIONS):
        files[f"renditions/{part.item.variant}.mp4"] = done.store.path(part.outputs["rendition"])
    if order.request.judged:
        files["qc.json"] = done.path(QC)
    return files


def _report_inputs(order: EncodeOrder, done: Done, files: Files) -> Files:
    """What `cinemill report` makes the report from again, beside the files that are there anyway."""
    node = next(node for node in order.spec.nodes if node.id == "report")
    found = inputs_of(node, done.result.outputs)
    listed = done.store.put_json(kept(found, done.store), kind=REPORT_INPUTS)
    there = set(files.values())
    others = {
        f"report-inputs/{path.name}": path for path in blobs(found, done.store).values() if path not in there
    }
    return {REPORT_INPUTS_NAME: done.store.path(listed), **others}


def _tree(folder: Path, prefix: str) -> Files:
    return {
        prefix + path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _frame_counts(done: Done, files: Mapping[str, Path]) -> dict[str, int]:
    """Frames of each file that holds pictures."""
    counts: dict[str, int] = {}
    for row in _rows(done):
        counts[f"renditions/{row['name']}.mp4"] = row["frames"]
        folder = f"video-{row['name']}/"
        segments = [name for name in files if name.startswith(folder) and name.endswith(".m4s")]
        counts |= {name: segment_packets(files[name]) for name in segments}
    return counts


def _facts(order: EncodeOrder, done: Done) -> dict[str, Any]:
    media, ladder = done.json(MEDIA), done.json(ladder_source(order.request))
    return {
        "media": {**media["video"], "container": media["container"], "frames": media["index"]["frames"]},
        "decision": {key: value for key, value in ladder.items() if key not in ("schema", "notices")},
        "renditions": rendition_rows(_rows(done), _scores(done) if order.request.score else {}),
        "model": ladder["model"],
        "scorer": default_scorer().version() if order.request.score else "",
    }


def _rows(done: Done) -> list[dict[str, Any]]:
    return [done.store.read_json(part.outputs["facts"]) for part in done.parts(RENDITIONS)]


def _audio(done: Done) -> list[dict[str, Any]]:
    parts = done.parts("audio.parts")
    first = chosen_first(parts)
    return [
        {**done.store.read_json(part.outputs["facts"]), "default": place == first}
        for place, part in enumerate(parts)
    ]


def _scores(done: Done) -> dict[str, FrameScores]:
    return scores_by_rendition(read_parquet(done.path("score.scores")))


def _notices(order: EncodeOrder, done: Done) -> list[str]:
    return [
        *_remarks(order, done),
        *_of_audio(done),
        *left_out(MediaInfo.from_json(done.json(MEDIA)), order.request.subtitles),
    ]


def _remarks(order: EncodeOrder, done: Done) -> list[str]:
    of_rungs = [notice for row in _rows(done) for notice in row["notices"]]
    unscored = [] if order.request.score else [NOT_SCORED]
    brought = done.json(SHOTS).get("notices", ())
    return [*done.json(ladder_source(order.request))["notices"], *brought, *of_rungs, *unscored]


def _lost_by_edit(order: EncodeOrder, done: Done) -> Iterator[str]:
    """What one file of a title that was put together of pieces does not keep."""
    info = MediaInfo.from_json(done.json(MEDIA))
    yield from _of_audio(done)
    yield from left_out(info, order.request.subtitles)
    if info.attachments:
        yield f"{len(info.attachments)} attachments left out: a title put together of pieces keeps none"


def _of_audio(done: Done) -> Iterator[str]:
    for facts in _audio(done):
        yield from facts["notices"]
