"""A stream of events over connections that may break: what was received, where to go on, when to give up; without any I/O."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from archer.client.flows import Reply, checked
from archer.errors import ServerUnreachable
from archer.events import Event

SILENCE_S = 45.0
"""A server gives a sign of life every 15 s; one that is silent for longer is gone."""
PATIENCE = 30
"""Connections in a row that bring nothing."""


class Follower:
    """Takes the bytes of event streams and gives events, each once, in order.

    Args:
        after: place of the last event that is known; 0 for all. follow: go on when a stream ends.

    Attributes:
        place: of the last event that was given.
        done: nothing more will come; `state` is how the job ended then, where the server said it.
    """

    def __init__(self, after: int = 0, *, follow: bool = True) -> None:
        self.place, self.done, self.state, self._follow = after, False, "", follow
        self._buffer, self._failed = b"", 0

    @property
    def headers(self) -> dict[str, str]:
        """Of the next connection."""
        known = {"Last-Event-ID": str(self.place)} if self.place else {}
        return {"Accept": "text/event-stream", **known}

    @property
    def wait_s(self) -> float:
        """Seconds until the next connection."""
        return float(min(0.1 * 2 ** min(self._failed, 6), 5.0))

    def opened(self, status: int) -> None:
        """A connection is answered. Raises ServerRefused where it is refused for good."""
        self._buffer = b""
        self.done = status == 204
        if status >= 400 and status not in (408, 429, 502, 503, 504):
            checked(Reply(status=status, value=None))

    def ended(self, url: str) -> None:
        """A stream ended by itself: all is told, or the server stopped."""
        if not self._follow:
            self.done = True
        if not self.done:
            self.lost(url, "the stream ended")

    def lost(self, url: str, reason: str) -> None:
        """A connection broke, or never was. Raises ServerUnreachable where that happened too often."""
        self._failed += 1
        if self._failed > PATIENCE:
            raise ServerUnreachable(url, reason)

    def feed(self, data: bytes) -> Iterator[Event]:
        """Bytes came; gives the events that are whole with them."""
        self._buffer += data.replace(b"\r\n", b"\n")
        *blocks, self._buffer = self._buffer.split(b"\n\n")
        for block in blocks:
            if block.startswith(b":"):  # a heartbeat: the server is there, and has nothing to tell
                self._failed = 0
            fields = dict(_field(line) for line in block.decode().split("\n") if line and line[0] != ":")
            if fields.get("event") == "end":
                self.done, self.state = True, json.loads(fields["data"])["state"]
            elif "data" in fields and int(fields.get("id", "0")) > self.place:
                self.place, self._failed = int(fields["id"]), 0
                yield event_of(json.loads(fields["data"]))


def event_of(value: dict[str, Any]) -> Event:
    """The event of a line of NDJSON, as `Event.to_json` writes it."""
    own = ("seq", "job", "type", "node", "item", "attempt")
    payload = {name: entry for name, entry in value.items() if name not in own}
    return Event(payload=payload, **{name: value[name] for name in own})


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.removeprefix(" ")
