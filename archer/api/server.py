"""A running server: socket, signals, and an end that leaves no stream hanging."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

import uvicorn

from archer.api.app import create_app, guarded
from archer.api.protocol import PatientProtocol
from archer.api.services import Services
from archer.api.settings import Settings
from archer.errors import CannotListen, OpenServer

GRACE_S = 5
log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Tells streams to end before it waits for them."""

    def __init__(self, config: uvicorn.Config, services: Services, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._services, self._ready = services, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say where."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            self._ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams, then everything."""
        await self._services.tail.close()
        await super().shutdown(sockets)


def serve(settings: Settings, *, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Args:
        settings: of the server.
        ready: told the address, once it listens.

    Raises:
        OpenServer: it would listen to the network without any key.
        CannotListen: the address is taken, or not of this machine.
        StoreError: the store cannot be used.
    """
    app = create_app(settings)
    services: Services = app.state.services
    if not settings.loopback and not services.keys.any():
        services.database.close()
        raise OpenServer(settings.host)
    config = uvicorn.Config(
        guarded(app),
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=settings.connections,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_S,
        backlog=1024,
    )
    bound = listening(settings.host, settings.port)
    try:
        _Server(config, services, ready).run(sockets=[bound])
    finally:
        bound.close()


def listening(host: str, port: int) -> socket.socket:
    """A socket bound to an address. Raises: CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio sends at once only where it is.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise CannotListen(f"{host}:{port}", error.strerror or str(error)) from error
    return made
