"""Server-sent events: events of the store as lines of text that resume where a connection broke."""

from __future__ import annotations

import json

from archer.events import Event

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
HEARTBEAT = b": alive\n\n"
RETRY = b"retry: 1000\n\n"


def encoded(event: Event) -> bytes:
    """One event; its id is its place in the store, which a client sends back as Last-Event-ID."""
    return f"id: {event.seq}\nevent: {event.type}\ndata: {event.to_json()}\n\n".encode()


def ended(state: str) -> bytes:
    """The last words of a stream: the job is over. Not stored, so it has no id."""
    return f"event: end\ndata: {json.dumps({'state': state})}\n\n".encode()
