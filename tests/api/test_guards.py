"""Slow and hasty clients, against small limits: guards around an application of a line, on a real server in this process."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
import uvicorn

from archer.api import protocol
from archer.api.guards.asgi import Receive, Scope, Send
from archer.api.guards.bodies import Bodies
from archer.api.guards.origins import is_loopback
from archer.api.guards.rates import RateGuard, Rates
from archer.api.guards.requests import Requests
from archer.api.guards.slow import ClientTooSlow, SlowReaders
from archer.api.metrics import Metrics
from archer.api.server import listening

BLOCK = b"x" * 65536
sent = 0
cut_off = threading.Event()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """`/endless` answers for ever; all else once."""
    global sent
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    try:
        while scope["path"] == "/endless":
            await send({"type": "http.response.body", "body": BLOCK, "more_body": True})
            sent += len(BLOCK)
    except ClientTooSlow:
        cut_off.set()
        raise
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    protocol_s, protocol.HEADERS_S = protocol.HEADERS_S, 0.5
    app = Bodies(application, most=1000, patience_s=0.5)
    app = RateGuard(app, rates=Rates("20/minute"))
    app = SlowReaders(app, patience_s=0.5)
    guarded = Requests(app, metrics=Metrics())
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        config = uvicorn.Config(
            guarded, http=protocol.PatientProtocol, ws="none", lifespan="off", log_config=None
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        server.should_exit = True
        thread.join(10)
    protocol.HEADERS_S = protocol_s


def answer_to(port: int, *pieces: bytes) -> tuple[int, dict[str, object]]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        received = b""
        with suppress(ConnectionResetError):
            while b"\r\n\r\n" not in received or b"}" not in received:
                if not (data := connection.recv(65536)):
                    break
                received += data
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body) if b"problem+json" in head else {}


def test_headers_that_do_not_come(port: int) -> None:
    status, found = answer_to(port, b"GET / HTTP/1.1\r\nHost: a\r\n")
    assert (status, found["type"]) == (408, "/problems/slow-request")


def test_a_connection_that_says_nothing(port: int) -> None:
    status, _ = answer_to(port)
    assert status == 408


def test_a_body_that_does_not_come(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n"
    status, found = answer_to(port, head, b"{")
    assert (status, found["type"]) == (408, "/problems/slow-request")


def test_a_second_request_has_a_time_too(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        first = b""
        while not first.endswith(b"0\r\n\r\n"):  # the last chunk: answers come in pieces of any size
            first += connection.recv(65536)
        assert b" 200 " in first
        connection.sendall(b"GET / HT")
        assert b" 408 " in b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_client_that_does_not_read_is_cut_off(port: int) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", port))
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        assert cut_off.wait(30)
        before = sent
        with suppress(ConnectionResetError):  # what the kernel still held comes, then the end
            while connection.recv(1 << 20):
                pass
    assert before == sent < 64 << 20


def test_who_asks_too_often_is_told_when_to_come_back(port: int) -> None:
    for _ in range(30):
        status, found = answer_to(port, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        if status == 429:
            break
    assert (status, found["type"]) == (429, "/problems/too-many-requests")


def test_wrong_keys_run_out() -> None:
    from archer.api.problems import Problem

    async def guess() -> int:
        rates = Rates("1000/second")
        for number in range(100):
            try:
                await rates.guessed("10.0.0.1")
            except Problem as problem:
                assert int(problem.headers["Retry-After"]) > 0
                await rates.guessed("10.0.0.2")
                return number
        return 100

    assert asyncio.run(guess()) == 10


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("192.0.2.1", False)]
)
def test_which_addresses_only_this_machine_reaches(host: str, *, local: bool) -> None:
    assert is_loopback(host) == local


def test_answers_are_sent_at_once() -> None:
    """Asyncio turns the waiting for fuller packets off only where a socket names its protocol: 40 ms per answer."""
    with listening("127.0.0.1", 0) as made:
        assert made.proto == socket.IPPROTO_TCP
