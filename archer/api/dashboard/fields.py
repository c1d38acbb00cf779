"""Settings as fields of a form: from the JSON schema to inputs, from what was typed to values, from problems to fields; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PREFIX, INPUT = "p.", "input."
MORE = "more"
"""Field with further inputs by name, as JSON."""
FURTHER = "further"
"""Field with settings as JSON, which go before what the other fields say."""
UNITS = {"s": "s", "kbps": "kb/s", "bytes": "bytes", "frames": "frames", "mb": "MB"}
SHORT = ("crf", "vmaf", "drm", "fps", "qc", "hdr", "gop")
TERMS = ("queue", "priority", "deadline", "tags", "nodes", "limits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One setting: how it is typed (`text`, `number`, `choice`, `json`), what it may be, and what it is if nothing is."""

    name: str
    label: str
    kind: str
    choices: Sequence[str] = ()
    default: str = ""


class NotRead(ValueError):
    """Things typed that cannot be values of their fields.

    Attributes:
        problems: name of the field in the form -> what is wrong.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(dict(problems))
        self.problems = dict(problems)


class Gathered:
    """What is wrong with several fields, said at once: `with wrong:` around each, then `settle`."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = {}

    def __enter__(self) -> None:
        """Read a field."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, NotRead):
            self._problems = {**error.problems, **self._problems}
            return True
        return False

    def settle(self) -> None:
        """Raises NotRead where anything was wrong."""
        if self._problems:
            raise NotRead(self._problems)


def fields_of(schema: Mapping[str, Any]) -> list[Field]:
    """Fields for all settings of a schema."""
    return [_field(name, each) for name, each in schema["properties"].items()]


def label_of(name: str) -> str:
    """`target_vmaf` -> `Target VMAF`, `chunk_s` -> `Chunk (s)`."""
    *words, last = name.split("_")
    words = [*words, f"({UNITS[last]})" if words and last in UNITS else last]
    text = " ".join(word.upper() if word in SHORT else word for word in words)
    return text[:1].upper() + text[1:]


def read(schema: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """Settings that were typed; what was left empty stays out. Raises NotRead."""
    found: dict[str, Any] = {}
    wrong = Gathered()
    for name, each in schema["properties"].items():
        text = form.get(PREFIX + name, "")
        with wrong:
            found |= {name: _value(PREFIX + name, each, text)} if text else {}
    with wrong:
        found |= json_object(form, FURTHER)
    wrong.settle()
    return found


def json_object(form: Mapping[str, str], name: str) -> dict[str, Any]:
    """A field that holds a JSON object; none where it is empty. Raises NotRead."""
    text = form.get(name, "")
    if not text:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else ""
        raise NotRead({name: f"this is not JSON{where}"}) from error
    if not isinstance(value, dict):
        raise NotRead({name: 'wanted an object, as {"name": "value"}'})
    return value


def written(schema: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, str]:
    """Settings as they would be typed."""
    known = schema["properties"]
    return {PREFIX + name: _text(value) for name, value in params.items() if name in known}


def field_at(pointer: str, names: Sequence[str]) -> str:
    """The field that a problem is about, by its JSON pointer or its path in the job (`params.crf`); empty for none of them.

    Args:
        pointer: where, as the API says it. names: fields of the form.
    """
    parts = [part for part in re.split(r"[/.\[\]]", pointer) if part]
    if not parts:
        return ""
    head, second = parts[0], parts[1] if len(parts) > 1 else ""
    wanted = {"params": PREFIX + second, "input": INPUT + (second or "input")}.get(head, head)
    if wanted in names:
        return wanted
    if head == "input" and second and MORE in names:
        return MORE
    if head == "input":
        return next((name for name in names if name.startswith(INPUT)), "")
    setting = PREFIX + head.removeprefix("--").replace("-", "_")
    return setting if setting in names else FURTHER if head == "params" and FURTHER in names else ""


def _field(name: str, schema: Mapping[str, Any]) -> Field:
    default = _text(schema.get("default", ""))
    label = label_of(name)
    if "enum" in schema:
        return Field(
            name=name, label=label, kind="choice", choices=[*map(_text, schema["enum"])], default=default
        )
    match schema.get("type"):
        case "boolean":
            return Field(name=name, label=label, kind="choice", choices=["true", "false"], default=default)
        case "integer":
            return Field(name=name, label=label, kind="number", default=default)
        case "string" | ["string", "integer"]:
            return Field(name=name, label=label, kind="text", default=default)
    return Field(name=name, label=label, kind="json", default="" if default == "null" else default)


def _value(field: str, schema: Mapping[str, Any], text: str) -> Any:
    if "enum" in schema:
        return next((choice for choice in schema["enum"] if _text(choice) == text), text)
    match schema.get("type"):
        case "string" | ["string", "integer"]:
            return text
        case "integer":
            if not re.fullmatch(r"[+-]?\d{1,18}", text):
                raise NotRead({field: f"wanted a whole number, got {text[:40]!r}"})
            return int(text)
        case "boolean":
            return text == "true"
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotRead({field: "this is not JSON"}) from error


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
