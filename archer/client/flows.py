"""What is asked of a server, and when it is asked again: generators that yield requests and take answers, without any I/O."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from archer.client.documents import Output, Outputs, ended, order_of, outputs_of
from archer.errors import ServerRefused, ServerUnreachable
from archer.plan import JobSpec

PATIENCE_S = 15.0
"""How long a request is sent again by default."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0
AGAIN = frozenset({408, 429, 502, 503, 504})
"""Answers after which the same request may succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `again` is False where a second one could do more than the first."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    again: bool = True


class OutOfPatience(Exception):
    """Thrown into a flow by a client that waits no longer."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be asked for some seconds; `waited_s` is how long that request has waited before."""

    seconds: float
    waited_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer. `value` is its parsed JSON, None where it has none; `wait_s` is what Retry-After says, 0 for nothing."""

    status: int
    value: Any
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """No answer came. `sent` is False where the request cannot have reached the server."""

    url: str
    reason: str
    sent: bool


T = TypeVar("T")
Flow = Generator[Call | Wait, Reply | Lost | None, T]


def asked(call: Call) -> Flow[Any]:
    """The value that a server answers with; asks again where that is safe and may help.

    Raises:
        ServerRefused: it refuses. ServerUnreachable: it does not answer.
    """
    wait_s, waited_s = FIRST_WAIT_S, 0.0
    while True:
        reply = yield call
        if isinstance(reply, Reply) and reply.status not in AGAIN:
            return checked(reply)
        if isinstance(reply, Lost) and reply.sent and not call.again:
            break
        said_s = reply.wait_s if isinstance(reply, Reply) else 0.0
        next_s = min(max(wait_s, said_s), 60.0)
        try:
            yield Wait(next_s, waited_s)
        except OutOfPatience:
            break
        wait_s, waited_s = min(2 * wait_s, LONGEST_WAIT_S), waited_s + next_s
    if isinstance(reply, Lost):
        raise ServerUnreachable(reply.url, reply.reason)
    return checked(reply)


def checked(reply: Reply | Lost | None) -> Any:
    """The value of an answer. Raises ServerRefused where it is a problem."""
    if not isinstance(reply, Reply):
        raise TypeError(f"wanted an answer, got {reply!r}")
    if reply.status < 400:
        if reply.value is None:
            raise ServerRefused(
                reply.status, "no-json", "it answers no JSON; is this the address of a `cinemill serve`?"
            )
        return reply.value
    problem = reply.value if isinstance(reply.value, dict) else {}
    kind = str(problem.get("type", "")).rpartition("/")[2] or "no-problem-document"
    detail = problem.get("detail") or problem.get("title") or "the server refuses without a reason"
    raise ServerRefused(reply.status, kind, str(detail))


def submitted(
    spec: JobSpec | Mapping[str, Any], terms: Mapping[str, Any], key: str | None
) -> Flow[dict[str, Any]]:
    """Submit a job; safe to be sent again, since it always has a key."""
    headers = {"Idempotency-Key": key or secrets.token_hex(16)}
    body = {**order_of(spec), **{name: value for name, value in terms.items() if value is not None}}
    return (yield from asked(Call(method="POST", path="/v1/jobs", body=body, headers=headers)))  # type: ignore[no-any-return]


def foreseen(spec: JobSpec | Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """What a job would do."""
    call = Call(method="POST", path="/v1/jobs", params={"dry_run": "true"}, body=order_of(spec))
    return (yield from asked(call))  # type: ignore[no-any-return]


def looked_at(job: str, noun: str = "", **params: Any) -> Flow[Any]:
    """A job, or one of its lists."""
    path = f"/v1/jobs/{job}/{noun}" if noun else f"/v1/jobs/{job}"
    return (yield from asked(Call(method="GET", path=path, params=params)))


def requested(job: str, action: str) -> Flow[dict[str, Any]]:
    """Ask something of a job. What goes on or tries again is not asked twice: the second might find it ended."""
    again = action in ("cancel", "pause")
    return (yield from asked(Call(method="POST", path=f"/v1/jobs/{job}:{action}", again=again)))  # type: ignore[no-any-return]


def paged(path: str, params: Mapping[str, Any]) -> Flow[list[dict[str, Any]]]:
    """All entries of a list, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = yield from asked(Call(method="GET", path=path, params={**params, **more}))
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


def outputs(job: str) -> Flow[Outputs]:
    """What a job gave. Raises JobFailed where it ended without it."""
    document = yield from looked_at(job)
    ended(document)
    return outputs_of(document, (yield from looked_at(job, "results")))


def output(job: str, name: str) -> Flow[Output]:
    """One output of a job, which may still run. Raises ServerRefused where it has none of that name."""
    listed = yield from looked_at(job, "results")
    found = {each["name"]: Output(**each) for each in listed}
    if name not in found:
        there = ", ".join(found) or "none yet"
        raise ServerRefused(404, "not-found", f"job {job} has no output {name!r}; there are: {there}")
    return found[name]


def files_of(href: str) -> Flow[list[dict[str, Any]]]:
    """The files of an output that is a folder."""
    return list((yield from asked(Call(method="GET", path=href)))["files"])
