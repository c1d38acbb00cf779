"""Job templates and presets: kept parts of a MediaConvert job, put under what the job itself says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pipelines.mediaconvert.checks import Fields, mapping, mappings
from pipelines.mediaconvert.errors import Unsupported

Find = Callable[[Literal["JobTemplate", "Preset"], str], Fields | None]
"""What is kept under a name: the body of a CreateJobTemplate or CreatePreset request; None where there is none."""
BY_PLACE = ("OutputGroups", "Outputs")
"""Lists of which the n-th of the job lies over the n-th of the template; other lists of the job replace the template's."""


def expanded(job: Fields, find: Find) -> Fields:
    """The job with everything that it takes from a template and from presets; what the job itself says wins.

    Each input of the job lies over the only one of a template.

    Raises:
        Unsupported: a name under which nothing is kept, or a preset beside ContainerSettings.

    Source: botocore's model of MediaConvert (CreateJobRequest, JobTemplateSettings.Inputs, Output.Preset).
    """
    job = (
        _templated(job, find)
        if job.get("JobTemplate")
        else {key: job[key] for key in job if key != "JobTemplate"}
    )
    settings = job.get("Settings")
    if not isinstance(settings, Mapping) or not isinstance(settings.get("OutputGroups"), list):
        return job
    groups = [
        {
            **group,
            **(
                {"Outputs": [_preset(output, at, find) for at, output in _outputs(group, where)]}
                if "Outputs" in group
                else {}
            ),
        }
        for where, group in mappings(settings["OutputGroups"], "Settings.OutputGroups")
    ]
    return {**job, "Settings": {**settings, "OutputGroups": groups}}


def _outputs(group: Fields, where: str) -> list[tuple[str, Fields]]:
    return mappings(group["Outputs"], f"{where}.Outputs")


def _templated(job: Fields, find: Find) -> Fields:
    template = _found("JobTemplate", job["JobTemplate"], "JobTemplate", find)
    kept, own = mapping(template.get("Settings") or {}, "JobTemplate.Settings"), job.get("Settings") or {}
    settings = over(kept, mapping(own, "Settings"))
    base = next((each for _, each in mappings(kept.get("Inputs"), "JobTemplate.Settings.Inputs")), {})
    inputs = mappings(mapping(own, "Settings").get("Inputs"), "Settings.Inputs")
    if inputs:
        settings = {**settings, "Inputs": [over(base, each) for _, each in inputs]}
    terms = {name: template[name] for name in ("Queue", "Priority") if name in template}
    rest = {name: value for name, value in job.items() if name not in ("JobTemplate", "Settings")}
    return {**terms, **rest, "Settings": settings}


def _preset(output: Fields, where: str, find: Find) -> Fields:
    if not output.get("Preset"):
        return output
    if "ContainerSettings" in output:
        raise Unsupported(f"{where}.Preset", "stands beside ContainerSettings; wanted one of them")
    preset = _found("Preset", output["Preset"], f"{where}.Preset", find)
    settings = mapping(preset.get("Settings") or {}, f"{where}.Preset.Settings")
    return over(settings, {name: value for name, value in output.items() if name != "Preset"})


def _found(kind: Literal["JobTemplate", "Preset"], given: Any, where: str, find: Find) -> Fields:
    name = str(given).rpartition("/")[2]  # of an ARN, its last part
    kept = find(kind, name)
    if kept is None:
        raise Unsupported(where, f"nothing is kept under the name {name!r}; create it first")
    return kept


def over(base: Fields, given: Fields) -> dict[str, Any]:
    """What is given, and of the base what it does not say."""
    return {**base, **{name: _over(name, base.get(name), value) for name, value in given.items()}}


def _over(name: str, base: Any, given: Any) -> Any:
    if isinstance(base, Mapping) and isinstance(given, Mapping):
        return over(base, given)
    if name in BY_PLACE and isinstance(base, list) and isinstance(given, list):
        pairs = [_over("", one, other) for one, other in zip(base, given, strict=False)]
        return [*pairs, *base[len(given) :], *given[len(base) :]]
    return given
