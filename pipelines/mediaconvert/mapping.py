"""A MediaConvert job as an order of the template `encode`. Pure.

Names and meanings are those of the service model that botocore carries (2017-08-29). A field that would change the result and
that we do not carry out is refused with its path; nothing is dropped silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.mediaconvert.captions import captions_of
from pipelines.mediaconvert.checks import Fields, check_choices, mapping, one, only
from pipelines.mediaconvert.inputs import clipped, inputs_of
from pipelines.mediaconvert.outputs import group_of, outputs_of
from pipelines.mediaconvert.recipes import Find, expanded
from pipelines.mediaconvert.sound import audio_of

IGNORED = (
    "Role",
    "AccelerationSettings",
    "BillingTagsSource",
    "StatusUpdateInterval",
    "SimulateReservedQueue",
)
"""Fields of a job that say how AWS runs it, not what comes out."""
JOB = ("Settings", "Queue", "Priority", "ClientRequestToken", "UserMetadata", "Tags", *IGNORED)


def nothing_kept(kind: str, name: str) -> None:  # noqa: ARG001
    """The way to find job templates and presets where none are kept."""
    return


def order_of(job: Mapping[str, Any], find: Find = nothing_kept) -> dict[str, Any]:
    """The order that a CreateJob request is: `job`, `input`, `params`, `queue`, `priority`, `tags`.

    Args:
        job: the request.
        find: gives job templates and presets by name.

    Raises:
        Unsupported: names the field, what was got and what is wanted.
    """
    job = expanded(mapping(job, "the job"), find)
    only(job, JOB, "")
    settings = mapping(job.get("Settings"), "Settings")
    only(settings, ("Inputs", "OutputGroups", "TimecodeConfig", "AdAvailOffset"), "Settings.")
    check_choices(settings, "Settings.")
    source, params = _encoded(settings)
    tags = {**(job.get("UserMetadata") or {}), **(job.get("Tags") or {})}
    queue = str(job.get("Queue") or "default").rpartition("/")[2]
    return {
        "job": "encode",
        "input": source,
        "params": params,
        "queue": queue.lower() if queue == "Default" else queue,
        "priority": int(job.get("Priority") or 0),
        "tags": {str(name): str(value) for name, value in tags.items()},
    }


def _encoded(settings: Fields) -> tuple[str | dict[str, str], dict[str, Any]]:
    """What is read, and the settings of the encode."""
    where = "Settings.OutputGroups[0]."
    inputs, group = (
        inputs_of(settings.get("Inputs")),
        one(settings.get("OutputGroups"), "Settings.OutputGroups"),
    )
    outputs = outputs_of(group, where)
    params = {**group_of(group, outputs, where), **clipped(inputs), **audio_of(outputs, inputs)}
    texts, files = captions_of(outputs, inputs, single="single" in params)
    return _sources([each["FileInput"] for _, each in inputs], files), {**params, **texts}


def _sources(titles: Sequence[str], files: Sequence[str]) -> str | dict[str, str]:
    if len(titles) == 1 and not files:
        return titles[0]
    joined = {f"join{place}": url for place, url in enumerate(titles[1:], 1)}
    return {"input": titles[0], **joined, **{f"captions{place}": url for place, url in enumerate(files, 1)}}
