"""What both clients need of httpx: options, requests, answers."""

from __future__ import annotations

from typing import Any

import httpx

from archer.client.flows import Call, Lost, Reply
from archer.client.follow import SILENCE_S

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
STREAM_TIMEOUT = httpx.Timeout(SILENCE_S, connect=5.0)
BYTES_TIMEOUT = httpx.Timeout(60.0, connect=5.0)


def options(url: str, key: str) -> dict[str, Any]:
    """Arguments of a client."""
    headers = {"User-Agent": "cinemill", **({"Authorization": f"Bearer {key}"} if key else {})}
    return {"base_url": url, "headers": headers, "timeout": TIMEOUT, "follow_redirects": False}


def request_of(call: Call) -> dict[str, Any]:
    """Arguments of a request."""
    body = {} if call.body is None else {"json": call.body}
    found = {"params": dict(call.params), "headers": dict(call.headers), **body}
    return {"method": call.method, "url": call.path, **found}


def reply_of(answer: httpx.Response) -> Reply:
    """An answer as a value."""
    kind = answer.headers.get("content-type", "")
    try:
        value = answer.json() if "json" in kind else None
    except ValueError:
        value = None
    wait = answer.headers.get("retry-after", "")
    return Reply(status=answer.status_code, value=value, wait_s=float(wait) if wait.isdigit() else 0.0)


def lost_by(error: httpx.TransportError, url: str) -> Lost:
    """No answer, and whether the request may have arrived all the same."""
    return Lost(
        url=url,
        reason=reason_of(error),
        sent=not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout),
    )


def reason_of(error: httpx.TransportError) -> str:
    """What happened to a connection, in a few words."""
    return " ".join(str(error).split()) or type(error).__name__
