"""What the API takes and gives, as text: JSON documents, with their schemas in OpenAPI."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

State = Literal["queued", "running", "paused", "done", "partial", "failed", "interrupted", "cancelled"]
TaskState = Literal["pending", "leased", "retry", "done", "poisoned", "cancelled"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Whole = BeforeValidator(lambda value: _whole(value))
"""JSON has one kind of number: 5.0 is the integer 5."""
Source = Annotated[str, Field(min_length=1, max_length=4096)]


class Taken(BaseModel):
    """A document that is taken in: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def iso(at_ms: int | None) -> str | None:
    """Milliseconds since 1970 as RFC 3339 text; None where there are none."""
    if not at_ms:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(text: str) -> str:
    """Check that a text is a moment with its zone."""
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("wanted a time with its zone, as 2026-12-01T06:00:00Z")
    return text


Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}), AfterValidator(_moment)]


class Order(Taken):
    """A job as it is submitted: a template with its settings, or nodes joined by hand."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "job": "encode",
                    "input": "https://media.example/title.mov",
                    "params": {"ladder": "720p,360p"},
                }
            ]
        }
    )

    job: Name | None = Field(default=None, description="Name of a template; `GET /v1/templates` lists them.")
    input: Source | dict[str, Source] | None = Field(
        default=None, description="URL of the title; several by name where the template reads several."
    )
    params: dict[str, Any] | None = Field(default=None, description="Settings of the template.")
    nodes: dict[str, Any] | None = Field(default=None, description="Stages by name, instead of a template.")
    limits: dict[str, Any] | None = Field(default=None, description="What it may use: queues, budget_cpu_s.")
    queue: Name = "default"
    priority: Annotated[int, Field(ge=-1000, le=1000), Whole] = 0
    deadline: Moment | None = None
    tags: dict[str, Annotated[str, Field(max_length=256)]] = Field(
        default_factory=dict, max_length=50, description="Yours; kept with the job."
    )


class NodeView(BaseModel):
    """One stage of a job."""

    node: str
    stage: str
    version: int
    state: Literal["waiting", "running", "done"]
    items: int = Field(description="How many pieces it has, as far as known.")
    tasks: dict[str, int] = Field(description="Number of its tasks by state.")


class JobSummary(BaseModel):
    """A job in a list."""

    id: str
    state: State
    wanted: str = Field(
        description="What was asked for and is not done yet: cancel, pause, resume; or empty."
    )
    queue: str
    priority: int
    deadline: str | None
    owner: str
    tags: dict[str, str]
    submitted: str | None
    started: str | None
    ended: str | None
    runs: int


class JobView(JobSummary):
    """A job."""

    request: dict[str, Any] = Field(description="What was submitted.")
    done: float = Field(ge=0, le=1, description="Share of the known tasks that are done; 1 at the end.")
    nodes: list[NodeView]
    failures: list[str]


class JobPage(BaseModel):
    """Some jobs, the latest first."""

    items: list[JobSummary]
    next: str | None = Field(description="`cursor` of the page behind this one; null at the end.")
