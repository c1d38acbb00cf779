"""What routes use: opened once per server, handed to each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from archer.api.guards.rates import Rates
from archer.api.metrics import Metrics
from archer.api.settings import Settings
from archer.api.tail import Tail
from archer.places import Places
from archer.store import ArtifactStore, History, JobQueue
from archer.store.database import Database
from archer.store.hooks import HookRows
from archer.store.keys import KeyRows
from archer.store.recipes import RecipeRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The server's parts. All may be used by any number of threads."""

    settings: Settings
    database: Database
    queue: JobQueue
    history: History
    artifacts: ArtifactStore
    keys: KeyRows
    hooks: HookRows
    recipes: RecipeRows
    inputs: Places
    outputs: Places
    callable_urls: Places
    rates: Rates
    metrics: Metrics
    tail: Tail

    @classmethod
    def opened(cls, settings: Settings) -> Services:
        """Open the store; its tables are made or brought up to date.

        Raises:
            StoreUnreachable, StateUnusable, StoreTooNew: it cannot be used.
        """
        settings.work_dir.mkdir(parents=True, exist_ok=True)
        database = Database(settings.store)
        private = settings.private_hosts
        web = ["https://", "http://"] if private or settings.loopback else ["https://"]
        return cls(
            settings=settings,
            database=database,
            queue=JobQueue(database),
            history=History(database),
            artifacts=ArtifactStore(settings.work_dir, remote=settings.artifacts),
            keys=KeyRows(database),
            hooks=HookRows(database),
            recipes=RecipeRows(database),
            inputs=Places(settings.inputs, private=private),
            outputs=Places(settings.outputs, private=private),
            callable_urls=Places(web, private=private),
            rates=Rates(settings.rate),
            metrics=Metrics(),
            tail=Tail(database),
        )


def services_of(request: Request) -> Services:
    """The services of the application that a request came to."""
    return cast("Services", request.app.state.services)


async def _services(request: Request) -> Services:
    """The same as a dependency; asynchronous, as others cost a change of threads."""
    return services_of(request)


Parts = Annotated[Services, Depends(_services)]
"""As a parameter of a route."""
