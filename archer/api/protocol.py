"""HTTP/1.1 connections that must speak: uvicorn's protocol, with a time for headers and problems as JSON."""

from __future__ import annotations

import json
from asyncio import BaseTransport, TimerHandle
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from archer.api.problems import MEDIA_TYPE, Problem

HEADERS_S = 10.0
"""Longest time from a connection, or from the first byte of a request, to the end of its headers."""


class PatientProtocol(H11Protocol):
    """One connection. uvicorn itself waits for headers for ever.

    The pure Python parser is used because it bounds the size of headers (64 KiB), which the faster one does not.
    """

    _timer: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """A client is there; it has a time to say what it wants."""
        super().connection_made(cast("Any", transport))
        self.app_state = {**self.app_state, "abort": self.transport.abort}
        self._arm()

    def data_received(self, data: bytes) -> None:
        """Bytes came; while headers are incomplete, the time runs."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._disarm()
        elif self._timer is None:
            self._arm()

    def on_response_complete(self) -> None:
        """An answer is out; the next request may come."""
        self._disarm()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._disarm()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(Problem("bad-request", msg))

    def _arm(self) -> None:
        self._timer = self.loop.call_later(HEADERS_S, self._too_slow)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self._refuse(Problem("slow-request", f"the headers did not arrive within {HEADERS_S:g} s"))

    def _refuse(self, problem: Problem) -> None:
        body = json.dumps(problem.body()).encode()
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        events = (
            h11.Response(status_code=problem.status, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        try:
            for event in events:
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:  # an answer is under way already
            pass
        self.transport.close()
