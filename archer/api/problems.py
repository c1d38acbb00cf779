"""Errors as RFC 9457 problem details: every kind has one name, one status, and a page that says what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
PAGES = "/problems"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its HTTP status, its title, and what helps."""

    status: int
    title: str
    remedy: str


KINDS: Mapping[str, Kind] = {
    "malformed-body": Kind(400, "The body is not JSON", "Send a JSON object in UTF-8."),
    "bad-request": Kind(400, "The request cannot be understood", "Compare it with /openapi.json."),
    "wrong-host": Kind(
        421, "This server does not answer for that host", "Use the address that the server printed."
    ),
    "no-key": Kind(
        401, "A key is needed", "Send `Authorization: Bearer cmk_...`; `cinemill serve keys add`."
    ),
    "bad-key": Kind(401, "The key is not known", "Check it, or make a new one: `cinemill serve keys add`."),
    "expired-key": Kind(
        401, "The key has expired or was revoked", "Make a new one: `cinemill serve keys add`."
    ),
    "wrong-scope": Kind(403, "The key may not do this", "Use a key with the scope that `detail` names."),
    "cross-origin": Kind(
        403, "Other sites may not use this server from a browser", "Call it from its own pages."
    ),
    "not-found": Kind(404, "There is nothing here", "Compare the address with /openapi.json."),
    "job-not-found": Kind(404, "There is no such job", "`GET /v1/jobs` lists them."),
    "method-not-allowed": Kind(405, "This method is not for this address", "See the Allow header."),
    "slow-request": Kind(408, "The request took too long to arrive", "Send it again, faster."),
    "key-reused": Kind(
        409, "The idempotency key belongs to another request", "Use a new key for a new request."
    ),
    "name-taken": Kind(409, "The name is taken", "Choose another name, or change what it stands for."),
    "wrong-state": Kind(409, "The job is not in a state for this", "See the state in `detail`."),
    "not-ready": Kind(409, "The job has not given this yet", "Watch its events, then ask again."),
    "gone": Kind(
        410, "The bytes are no longer kept", "Submit the job again; what is known is not recomputed."
    ),
    "body-too-large": Kind(413, "The body is too large", "Name media by URL; they are never part of a body."),
    "not-json": Kind(415, "The body is not declared as JSON", "Send `Content-Type: application/json`."),
    "range-not-satisfiable": Kind(416, "The range lies outside", "Ask for a range within Content-Range."),
    "invalid-request": Kind(422, "Something in the request does not fit", "See `errors`."),
    "invalid-job": Kind(422, "The job does not fit together", "See `detail`; `GET /v1/stages` has schemas."),
    "input-refused": Kind(
        422, "This input may not be read", "Start the server with `--allow-input` for where it lies."
    ),
    "output-refused": Kind(
        422, "This output may not be written", "Start the server with `--allow-output` for where it goes."
    ),
    "url-refused": Kind(422, "This URL may not be called", "Use a public https address."),
    "too-many-requests": Kind(429, "Too many requests", "Wait as long as Retry-After says."),
    "header-too-large": Kind(431, "The headers are too large", "Send fewer or shorter ones."),
    "internal": Kind(500, "The server failed", "Its log has the reason, under the id in `instance`."),
    "busy": Kind(503, "The server cannot answer now", "Wait as long as Retry-After says."),
    "disk-full": Kind(507, "No space is left where work is kept", "Free some, or choose another --work-dir."),
}
BY_STATUS = {
    400: "bad-request",
    401: "no-key",
    403: "wrong-scope",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "not-json",
    416: "range-not-satisfiable",
    422: "invalid-request",
    429: "too-many-requests",
    503: "busy",
}


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    pointer: str = Field(description="Where: a JSON pointer into the body, or the name of a parameter.")
    detail: str


class ProblemBody(BaseModel):
    """An RFC 9457 problem."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="Which kind; the page behind it says what helps.")
    title: str
    status: int
    detail: str
    instance: str | None = Field(default=None, description="Id of the request, as in the server's log.")
    errors: list[FieldProblem] | None = None


class Problem(Exception):
    """A request that is refused.

    Attributes:
        kind: a key of `KINDS`.
        detail: what was wrong this time; never holds a secret.
        errors: by part of the request.
        headers: more of them for the answer.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind, detail)
        self.kind, self.detail, self.errors, self.headers = kind, detail, errors, dict(headers or {})

    @property
    def status(self) -> int:
        """HTTP status."""
        return KINDS[self.kind].status

    def body(self, instance: str = "") -> dict[str, Any]:
        """The JSON object of the answer."""
        kind = KINDS[self.kind]
        found = ProblemBody(
            type=f"{PAGES}/{self.kind}",
            title=kind.title,
            status=kind.status,
            detail=self.detail,
            instance=instance or None,
            errors=list(self.errors) or None,
        )
        return found.model_dump(exclude_none=True)


def answer(problem: Problem, instance: str = "") -> JSONResponse:
    """The answer that tells of a problem."""
    headers = dict(problem.headers)
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="cinemill"')
    return JSONResponse(
        problem.body(instance), status_code=problem.status, headers=headers, media_type=MEDIA_TYPE
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Entries for `responses=` of routes that may answer so; what any route may answer is always among them."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    titles = {kind.status: kind.title for kind in KINDS.values()}
    usual = (400, 401, 403, 408, 421, 422, 429, 500, 503)
    return {
        status: {"description": titles[status], "content": content} for status in sorted({*usual, *statuses})
    }
