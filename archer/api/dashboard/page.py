"""A page: a template with its facts, and headers that let it load nothing but what is ours."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from archer.api.auth import Caller
from archer.api.dashboard import words
from archer.api.dashboard.session import may_change
from archer.api.services import services_of
from archer.store.transitions import STATES

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
STATIC = {path.name: path for path in sorted((HERE / "static").iterdir()) if path.is_file()}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    # With no-referrer, browsers hide the origin of forms, and we could not tell our own pages from others.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@cache
def environment() -> Environment:
    """The templates; everything that they are given is text unless they say otherwise."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= words.FILTERS
    made.globals |= {"version": version("cinemill"), "states": STATES, "now_ms": words.now_ms}
    return made


def page(request: Request, name: str, *, status: int = 200, **facts: Any) -> HTMLResponse:
    """The page of the template `name`."""
    caller: Caller | None = getattr(request.state, "caller", None)
    general = {
        "path": request.url.path,
        "server": str(request.base_url).rstrip("/"),
        "caller": caller,
        "who": _who(request, caller.id) if caller else "",
        "may_change": caller is not None and may_change(caller),
    }
    text = environment().get_template(name).render(**general, **facts)
    return HTMLResponse(text, status_code=status, headers=HEADERS)


def asset(request: Request, name: str) -> Response | None:
    """A style or a script of ours; None where there is none of this name."""
    if name not in STATIC:
        return None
    content, tag = _content(name)
    headers = {
        "Cache-Control": "no-cache",
        "ETag": tag,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(content, headers=headers, media_type=kind)


@cache
def _content(name: str) -> tuple[bytes, str]:
    content = STATIC[name].read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _who(request: Request, caller: str) -> str:
    row = services_of(request).keys.get(caller)
    return str(row["name"]) if row else ""
