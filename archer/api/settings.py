"""Settings of a server: where it listens, what it may read and write, how much it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from archer.api.guards.origins import is_loopback

RUNS_ANYTHING = frozenset({"command"})
"""Stages whose settings name a program to run: for a server they are doors to everything."""
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server is told when it starts.

    Attributes:
        work_dir: where artifacts, and the job state where `database` is empty, are kept.
        database: URL of the job state; empty for the file in the work folder.
        artifacts: URL where artifacts are kept too; results are then given by signed address where the store can.
        host, port: where it listens; port 0 for any that is free.
        names: hosts that it answers for; on a loopback address the names of this machine, elsewhere any, where it is empty.
        inputs, outputs: what may be read and written for others; see `archer.places.Places`.
        private_hosts: inputs and webhooks may be on private networks too.
        stages: names of stages that jobs may use although they run what their settings say.
        most_body: bytes of a body. body_s, send_s: seconds that a body, one piece of an answer may take.
        rate: requests per address, as `200/second`; empty for no limit.
        connections: at once.
        price_core_h, price_gb: of an hour of one core, of a gigabyte (1e9 bytes) of results; currency: of these.
        heartbeat_s: between signs of life of a quiet stream of events. stream_s: after which a stream ends, to be asked for again
            where it was: keys are looked at anew then.
        hook_waits_s: seconds from one try to deliver a webhook to the next; after the last one it is given up.
    """

    work_dir: Path
    database: str = ""
    artifacts: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    names: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ("https://", "http://")
    outputs: tuple[str, ...] = ()
    private_hosts: bool = False
    stages: tuple[str, ...] = ()
    most_body: int = 1 << 20
    body_s: float = 20.0
    send_s: float = 30.0
    rate: str = "200/second"
    connections: int = 1000
    price_core_h: Decimal = field(default_factory=Decimal)
    price_gb: Decimal = field(default_factory=Decimal)
    currency: str = "USD"
    heartbeat_s: float = 15.0
    stream_s: float = 900.0
    hook_waits_s: tuple[float, ...] = (5, 30, 120, 600, 3600, 4 * 3600, 12 * 3600)

    @property
    def loopback(self) -> bool:
        """Only this machine reaches the server."""
        return is_loopback(self.host)

    @property
    def answers_for(self) -> tuple[str, ...]:
        """Hosts that are accepted; empty for any."""
        return self.names or (tuple({*LOCAL_NAMES, self.host}) if self.loopback else ())

    @property
    def store(self) -> str | Path:
        """What `archer.store` opens."""
        return self.database or self.work_dir
