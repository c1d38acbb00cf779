"""Names of ASGI types, and how a guard answers by itself."""

from __future__ import annotations

from starlette.types import ASGIApp as ASGIApp
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

from archer.api.problems import Problem, answer


async def refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a problem instead of asking the application."""
    await answer(problem, request_id(scope))(scope, receive, send)


def request_id(scope: Scope) -> str:
    """Id of the request, as the log has it; empty before it has one."""
    return str(scope.get("state", {}).get("request_id", ""))


def header(scope: Scope, name: bytes) -> str:
    """Value of a header (lower-case name), empty where there is none; the first where there are several."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def client_of(scope: Scope) -> str:
    """Address of the client."""
    return str(scope["client"][0]) if scope.get("client") else ""
