"""The client whose calls are awaited; otherwise `sync` word for word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from archer.client import flows
from archer.client.documents import OVER, Output, Outputs, address, key_of
from archer.client.download import Download, inside
from archer.client.follow import Follower
from archer.client.transport import (
    BYTES_TIMEOUT,
    STREAM_TIMEOUT,
    lost_by,
    options,
    reason_of,
    reply_of,
    request_of,
)
from archer.events import Event
from archer.plan import JobSpec

T = TypeVar("T")


class AsyncClient:
    """A server's jobs. Requests are sent again where that is safe, so a server may be restarted meanwhile.

    Args:
        url: of the server; default: $CINEMILL_SERVER, or http://127.0.0.1:8080.
        key: of the API; default: $CINEMILL_KEY, or none.
        patience_s: how long a request is sent again, where that is safe.

    Every call raises ServerRefused (with the kind of problem) and ServerUnreachable.
    """

    def __init__(
        self, url: str | None = None, *, key: str | None = None, patience_s: float = flows.PATIENCE_S
    ) -> None:
        self.url, self._patience_s = address(url), patience_s
        self._http = httpx.AsyncClient(**options(self.url, key_of(key)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def submit(
        self,
        spec: JobSpec | Mapping[str, Any],
        *,
        key: str | None = None,
        queue: str | None = None,
        priority: int | None = None,
        deadline: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> AsyncJob:
        """Submit a job; it is kept when this returns.

        Args:
            spec: a `JobSpec`, or a document: `{"job": "encode", "input": URL, "params": {...}}`, or `{"nodes": {...}}`.
            key: idempotency key; one job, however often it is submitted. Default: a new one.
            queue, priority, deadline (RFC 3339), tags: see `Order` in /openapi.json.
        """
        terms = {
            "queue": queue,
            "priority": priority,
            "deadline": deadline,
            "tags": dict(tags) if tags else None,
        }
        return AsyncJob(self, await self.run(flows.submitted(spec, terms, key)))

    async def preview(self, spec: JobSpec | Mapping[str, Any]) -> dict[str, Any]:
        """What a job would do, and what it may cost; submits nothing."""
        return await self.run(flows.foreseen(spec))

    async def job(self, job: str) -> AsyncJob:
        """A job by its id."""
        return AsyncJob(self, await self.run(flows.looked_at(job)))

    async def ask(self, job: str, action: str) -> AsyncJob:
        """Ask a job to `cancel`, `pause`, `resume` or `retry`."""
        return AsyncJob(self, await self.run(flows.requested(job, action)))

    async def jobs(self, **wanted: Any) -> list[dict[str, Any]]:
        """All jobs, the latest first; `state`, `queue`, `owner` narrow them down."""
        return await self.run(flows.paged("/v1/jobs", {"limit": 500, **wanted}))

    async def run(self, flow: flows.Flow[T]) -> T:
        """Carry out a flow."""
        answer: flows.Reply | flows.Lost | None = None
        while True:
            try:
                wanted = flow.send(answer)
                while isinstance(wanted, flows.Wait) and wanted.waited_s >= self._patience_s:
                    wanted = flow.throw(flows.OutOfPatience)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            answer = await self._carried_out(wanted)

    async def events(self, path: str, follower: Follower) -> AsyncIterator[Event]:
        """Events of a stream, over as many connections as it takes."""
        while not follower.done:
            try:
                async with self._http.stream(
                    "GET", path, headers=follower.headers, timeout=STREAM_TIMEOUT
                ) as answer:
                    follower.opened(answer.status_code)
                    if answer.status_code == 200:
                        async for data in answer.aiter_raw():
                            for event in follower.feed(data):
                                yield event
                follower.ended(self.url)
            except httpx.TransportError as error:
                follower.lost(self.url, reason_of(error))
            if not follower.done:
                await asyncio.sleep(follower.wait_s)

    async def download(self, href: str, download: Download) -> None:
        """The bytes at an address, over as many connections as it takes."""
        while not download.done:
            try:
                way: dict[str, Any] = {
                    "headers": download.headers,
                    "timeout": BYTES_TIMEOUT,
                    "follow_redirects": True,
                }
                async with self._http.stream("GET", href, **way) as answer:
                    download.opened(answer.status_code)
                    async for data in answer.aiter_bytes():
                        download.write(data)
                download.finished()
            except httpx.TransportError as error:
                download.lost(self.url, reason_of(error))
            if not download.done:
                await asyncio.sleep(download.wait_s)

    async def _carried_out(self, wanted: flows.Call | flows.Wait) -> flows.Reply | flows.Lost | None:
        if isinstance(wanted, flows.Wait):
            await asyncio.sleep(wanted.seconds)
            return None
        try:
            return reply_of(await self._http.request(**request_of(wanted)))
        except httpx.TransportError as error:
            return lost_by(error, self.url)


class AsyncJob:
    """A job at a server.

    Attributes:
        id: its id.
        document: as the server last gave it; `refresh` asks again.
    """

    def __init__(self, client: AsyncClient, document: Mapping[str, Any]) -> None:
        self._client, self.document = client, document
        self.id: str = document["id"]

    @property
    def state(self) -> str:
        """Where it stood when it was last looked at."""
        return str(self.document["state"])

    async def refresh(self) -> Self:
        """Look again."""
        self.document = await self._client.run(flows.looked_at(self.id))
        return self

    async def watch(self, *, after: int = 0, follow: bool = True) -> AsyncIterator[Event]:
        """Its events, until it is over; lost connections are made again, and nothing is missed.

        Args:
            after: only what follows this place. follow: stay for what is still to happen.
        """
        path = f"/v1/jobs/{self.id}/events" + ("" if follow else "?follow=false")
        async for event in self._client.events(path, Follower(after, follow=follow)):
            yield event

    async def wait(self) -> Self:
        """Return when it is over."""
        if (await self.refresh()).state not in OVER:
            async for _ in self.watch():
                pass
        return await self.refresh()

    async def result(self) -> Outputs:
        """Wait for its end; returns its outputs. Raises JobFailed where it has none."""
        await self.wait()
        return await self._client.run(flows.outputs(self.id))

    async def fetch(self, output: str | Output, place: str | Path) -> Path:
        """Bring an output here, whole and verified: a file, or a folder of files.

        Args:
            output: `node.output`, or one of `result`. place: path of the file, or of the folder.
        """
        found = (
            output if isinstance(output, Output) else await self._client.run(flows.output(self.id, output))
        )
        target = Path(place)
        if not found.tree:
            await self._client.download(found.href, Download(target, found.hash, found.size))
            return target
        for file in await self._client.run(flows.files_of(found.href)):
            await self._client.download(
                file["href"], Download(inside(target, file["path"]), file["hash"], file["size"])
            )
        return target

    async def outputs(self) -> list[dict[str, Any]]:
        """What it gave so far, as the server lists it."""
        return await self._client.run(flows.looked_at(self.id, "results"))

    async def cancel(self) -> Self:
        """Stop it for good."""
        return await self._ask("cancel")

    async def pause(self) -> Self:
        """Start nothing more of it."""
        return await self._ask("pause")

    async def resume(self) -> Self:
        """Go on."""
        return await self._ask("resume")

    async def retry(self) -> Self:
        """Try what failed again."""
        return await self._ask("retry")

    async def logs(self) -> list[dict[str, Any]]:
        """Tries that have something to say."""
        return await self._client.run(flows.paged(f"/v1/jobs/{self.id}/logs", {"limit": 500}))

    async def attempts(self, task: str) -> list[dict[str, Any]]:
        """All tries of one task that ended."""
        return await self._client.run(flows.paged(f"/v1/jobs/{self.id}/attempts", {"task": task}))

    async def tasks(self, **wanted: Any) -> list[dict[str, Any]]:
        """Its tasks; `state` narrows them down."""
        return await self._client.run(flows.paged(f"/v1/jobs/{self.id}/tasks", {"limit": 500, **wanted}))

    async def usage(self) -> dict[str, Any]:
        """What it used, and what that costs."""
        return await self._client.run(flows.looked_at(self.id, "usage"))

    async def _ask(self, action: str) -> Self:
        self.document = await self._client.run(flows.requested(self.id, action))
        return self
