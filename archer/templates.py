"""What can be submitted: a document that names a kind of job and its settings, or says all of its nodes.

    {"job": "encode", "input": "s3://in/title.mov", "params": {"codec": "svtav1", "target_vmaf": 95}}
    {"job": "score", "input": {"reference": "s3://in/title.mov", "distorted": "s3://out/title.mp4"}}
    {"nodes": {"ingest": {"stage": "ingest", "inputs": {"asset": "s3://in/title.mov"}}}, "limits": {"budget_cpu_s": 3600}}

A kind of job is a `JobTemplate` that a package registers by entry point group `cinemill.jobs`; the engine imports none until one
is asked for. Documents come from anywhere, so stages are named as they are installed, never by module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_type_hints

from archer.errors import SpecError
from archer.media.asset import Asset
from archer.params import build
from archer.plan import JobSpec, Limits
from archer.registry import JOBS, installed, load, load_stage
from archer.spec import spec_from_plain

Assets = Mapping[str, Asset]
TEMPLATE_FIELDS = ("job", "input", "params", "limits")
NODE_FIELDS = ("nodes", "limits", "order")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTemplate:
    """A kind of job.

    Attributes:
        name: what documents call it; the name of its entry point.
        summary: one line for people.
        params: dataclass of its settings; its JSON schema is generated (`archer.schema`).
        build: from assets by input name, and an instance of `params`, to a job; refuses settings that do not fit together. Pure:
            it is also called with assets that nobody has read, whose identity is empty.
        inputs: names of the titles that it reads. A document gives the only one as text, several by name.
        more: names of further ones that may be there in any number, which a document gives by name and number: `join1`, `join2`.
        reads: settings that may name a file; see `archer.Stage`.
    """

    name: str
    summary: str
    params: type
    build: Callable[[Assets, Any], JobSpec]
    inputs: Sequence[str] = ("input",)
    more: Sequence[str] = ()
    reads: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A document that fits, as far as that can be said without reading its inputs.

    Attributes:
        plain: the document.
        template: what it names; None where it says its nodes.
        urls: input name -> where it is; of a document that says its nodes, `node.input`.
        params: its settings.
        limits: what it may use.
    """

    plain: Mapping[str, Any]
    template: JobTemplate | None
    urls: Mapping[str, str]
    params: Any = None
    limits: Limits = field(default_factory=Limits)

    def spec(self) -> JobSpec:
        """The job; reads the inputs, to name them by their content.

        Raises:
            SpecError: it does not fit together. mezzfs.MezzError: an input cannot be read.
        """
        if self.template is None:
            return spec_from_plain(self.plain, Path("/"))
        from archer.media import identify

        assets = {name: identify(url) for name, url in self.urls.items()}
        made = self.template.build(MappingProxyType(assets), self.params)
        return replace(made, limits=self.limits) if "limits" in self.plain else made


def read_order(document: str | bytes | Mapping[str, Any]) -> Order:
    """Check what was submitted; reads no input.

    Args:
        document: JSON text, or its value.

    Raises:
        SpecError: names the field that does not fit.
        CinemillError: what the template itself says of its settings.
    """
    value = document if isinstance(document, Mapping) else _parsed(document)
    if "job" not in value:
        _only(value, NODE_FIELDS, "")
        return Order(plain=value, template=None, urls=_urls_of_nodes(value))
    _only(value, TEMPLATE_FIELDS, "")
    template = template_named(value["job"])
    urls = _urls(value.get("input"), template)
    params = build(template.params, _with_texts(template.params, _given(value, "params")), "params")
    template.build({name: Asset(url=url, identity="", size=0) for name, url in urls.items()}, params)
    limits = build(Limits, _given(value, "limits"), "limits")
    return Order(plain=value, template=template, urls=urls, params=params, limits=limits)


def template_named(name: Any) -> JobTemplate:
    """An installed kind of job. Raises SpecError where there is none."""
    if not isinstance(name, str) or ":" in name:
        raise SpecError("job", f"wanted the name of a kind of job: {', '.join(sorted(installed(JOBS)))}")
    found = load(JOBS, name, "job")
    if not isinstance(found, JobTemplate):
        raise SpecError("job", f"{name!r} is not an archer.templates.JobTemplate")
    return found


def numbered(assets: Assets, name: str) -> list[Asset]:
    """Further inputs of a kind: `video`, `video1`, `video2` ... in the order of their numbers."""
    found = [each for each in assets if each.rstrip("0123456789") == name]
    return [assets[each] for each in sorted(found, key=lambda each: int(each.removeprefix(name) or 0))]


def _parsed(text: str | bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError("document", f"not JSON: {' '.join(str(error).split())}") from error
    if not isinstance(value, Mapping):
        raise SpecError("document", f"wanted an object, got {type(value).__name__}")
    return value


def _given(value: Mapping[str, Any], name: str) -> Any:
    """A field that may be missing or null."""
    found = value.get(name)
    return {} if found is None else found


def _only(value: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in value:
        if name not in known:
            raise SpecError(f"{where}{name}", f"no such field; known: {', '.join(known)}")


def _urls(given: Any, template: JobTemplate) -> dict[str, str]:
    """Where the inputs of a template are."""
    names = template.inputs
    if len(names) == 1 and isinstance(given, str):
        given = {names[0]: given}
    further = (
        re.compile(rf"({'|'.join(template.more)})[1-9]\d{{0,3}}") if template.more else re.compile("(?!)")
    )
    if (
        not isinstance(given, Mapping)
        or not set(names) <= set(given)
        or not all(isinstance(name, str) and (name in names or further.fullmatch(name)) for name in given)
    ):
        wanted = "the URL of a title" if len(names) == 1 else f"an object of URLs by {', '.join(names)}"
        wanted += "".join(f", with {name}1, {name}2 ..." for name in template.more)
        raise SpecError("input", f"wanted {wanted}, got {type(given).__name__}")
    for name, url in given.items():
        if not isinstance(url, str) or not url:
            raise SpecError(f"input.{name}", f"wanted a URL, got {type(url).__name__}")
    return dict(given)


def _urls_of_nodes(document: Mapping[str, Any]) -> dict[str, str]:
    """Where the assets of a document's nodes are, by `node.input`; refuses stages that are named by module."""
    nodes = document.get("nodes")
    if not isinstance(nodes, Mapping) or not nodes:
        raise SpecError("nodes", "wanted an object of nodes by name, or a field `job`")
    found = {}
    for name, node in nodes.items():
        where = f"nodes.{name}"
        stage = node.get("stage") if isinstance(node, Mapping) else None
        if not isinstance(stage, str) or ":" in stage:
            raise SpecError(f"{where}.stage", "wanted the name of an installed stage")
        given = _given(node, "inputs")
        if not isinstance(given, Mapping):
            raise SpecError(f"{where}.inputs", f"wanted an object, got {type(given).__name__}")
        kinds = load_stage(stage, f"{where}.stage").inputs
        for source, value in given.items():
            if (url := _url_of(value, kinds.get(source, ""))) is not None:
                found[f"{name}.{source}"] = url
    return found


def _url_of(source: Any, kind: str) -> str | None:
    """Where an input of a node is, as `archer.spec` will read it; None for what is no asset."""
    if isinstance(source, str):
        return _placed(source) if kind.removesuffix("?") == "asset" else None
    asset = source.get("asset") if isinstance(source, Mapping) else None
    url = asset.get("url") if isinstance(asset, Mapping) else asset
    return _placed(url) if isinstance(url, str) else None


def _placed(url: str) -> str:
    return url if "://" in url else str(Path("/") / url)


def _with_texts(kind: type, given: Any) -> Any:
    """Numbers as decimal text where a setting is text: settings hold no floats, JSON has nothing else."""
    if not isinstance(given, Mapping):
        return given
    hints = get_type_hints(kind)
    return {
        name: f"{value:.15g}"
        if hints.get(name) is str and isinstance(value, int | float) and not isinstance(value, bool)
        else value
        for name, value in given.items()
    }
