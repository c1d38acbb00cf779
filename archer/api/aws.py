"""Requests and answers in the way of AWS: names of fields, errors, keys. For clients that are written for its services.

boto3 signs with a secret that we do not keep. Where keys are needed, ours is given as `aws_session_token`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from archer.api.auth import Caller, caller_of
from archer.api.errors import problem_of
from archer.api.problems import Problem
from cinemill_native.errors import CinemillError

ERRORS = {
    400: "BadRequestException",
    401: "ForbiddenException",
    403: "ForbiddenException",
    404: "NotFoundException",
    409: "ConflictException",
    422: "BadRequestException",
    429: "TooManyRequestsException",
}
NAMED_BY_USERS = ("UserMetadata", "Tags", "AudioSelectors", "AudioSelectorGroups", "CaptionSelectors")


async def answered(
    request: Request, scope: str, work: Callable[[Caller, Any], tuple[int, Mapping[str, Any]]]
) -> Response:
    """Answer in the way of AWS, refusals too."""
    try:
        token = request.headers.get("x-amz-security-token", "")
        caller = await caller_of(request, token, scope)
        text = await request.body()
        body = _renamed(json.loads(text or b"{}"), str.upper)
        status, value = await run_in_threadpool(work, caller, body)
        return JSONResponse(_renamed(value, str.lower), status_code=status)
    except (Problem, ValidationError, CinemillError) as error:
        found = _problem(error)
    except RecursionError:
        found = Problem("malformed-body", "it is nested too deeply")
    name = ERRORS.get(found.status, "InternalServerErrorException")
    status = 400 if found.status == 422 else found.status
    headers = {**found.headers, "x-amzn-ErrorType": name}
    return JSONResponse({"message": found.detail}, status_code=status, headers=headers)


def _problem(error: Problem | ValidationError | CinemillError) -> Problem:
    """Raises the error itself where it is a failure of the server."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return Problem("invalid-request", f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
    found = problem_of(error)
    if found is None:
        raise error
    return found


def _renamed(value: Any, change: Callable[[str], str]) -> Any:
    """Names of fields, which begin with a small letter on the wire and with a capital in the model; not those that users give."""
    if isinstance(value, list):
        return [_renamed(each, change) for each in value]
    if not isinstance(value, Mapping):
        return value
    found = {}
    for name, inner in value.items():
        named = change(name[:1]) + name[1:]
        if name[:1].upper() + name[1:] in NAMED_BY_USERS and isinstance(inner, Mapping):
            found[named] = {key: _renamed(each, change) for key, each in inner.items()}
        else:
            found[named] = _renamed(inner, change)
    return found
