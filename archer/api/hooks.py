"""Tells webhooks what happened: signed as Standard Webhooks says, tried again until it is taken or the patience ends.

The end of a job and its event are one transaction; a delivery is made of the event, in the store, before anything is sent. So a
server that is killed at any point tells it after its restart: at least once, always under the same `webhook-id`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
from standardwebhooks import Webhook
from starlette.concurrency import run_in_threadpool

from archer.api.metrics import Metrics
from archer.errors import PlaceRefused
from archer.events import Event
from archer.places import Places
from archer.store.hooks import DeliveryRow, HookRow, HookRows
from cinemill_native.errors import CinemillError

if TYPE_CHECKING:
    from archer.store.history import History

log = logging.getLogger(__name__)
EVENTS = (
    *("job-submitted", "job-started", "job-paused", "job-continued"),
    *("job-done", "job-partial", "job-failed", "job-cancelled", "job-interrupted"),
)
"""What a webhook can be told: what happens to a job as a whole."""
ENDS = ("job-done", "job-partial", "job-failed", "job-cancelled")
AT_ONCE = 20
LOOK_S = 0.5
TRY_S = 15.0


class Hooks:
    """Delivers webhooks of one store; several servers may, each message is one's at a time.

    Args:
        rows: where they are kept. history: where events are read.
        reach: owner of a webhook -> whose jobs it may be told of; None for everybody's. owners: jobs -> whose they are.
        places: which addresses may be called. waits_s: seconds between tries.
        metrics: where tries are counted.
    """

    def __init__(
        self,
        rows: HookRows,
        history: History,
        *,
        reach: Callable[[str], Sequence[str] | None],
        owners: Callable[[Sequence[str]], Mapping[str, str]],
        places: Places,
        waits_s: Sequence[float],
        metrics: Metrics,
    ) -> None:
        self._rows, self._history, self._places = rows, history, places
        self._reach, self._owners = reach, owners
        self._waits_s, self._metrics = waits_s, metrics

    async def run(self) -> None:
        """Look for news and deliver, until cancelled."""
        timeout = httpx.Timeout(TRY_S)
        async with httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False) as client:
            while True:
                try:
                    await run_in_threadpool(self.collect)
                    due = await run_in_threadpool(self._rows.take_due, _now_ms(), AT_ONCE)
                    await asyncio.gather(*(self._deliver(client, row) for row in due))
                except CinemillError as error:
                    log.warning("webhooks: %s; trying again", error)
                await asyncio.sleep(LOOK_S)

    def collect(self) -> None:
        """Make deliveries of the events that no one has looked at yet."""
        for hook in self._rows.page(limit=1000):
            while page := self._history.events(after=hook.seen, limit=500):
                rows = [_delivery(hook, event) for event in self._told(hook, page)]
                if not self._rows.enqueue(hook, page[-1].seq, rows):
                    break
                found = self._rows.get(hook.id)
                if found is None:
                    break
                hook = found

    def _told(self, hook: HookRow, page: Sequence[Event]) -> list[Event]:
        """The events of a page that a webhook is told of: of a kind that it wants, of a job that its owner reaches."""
        wanted = [event for event in page if event.type in hook.events]
        reach = self._reach(hook.owner) if wanted else None
        if reach is None:
            return wanted
        owners = self._owners([*{event.job for event in wanted}])
        return [event for event in wanted if owners.get(event.job) in reach]

    async def _deliver(self, client: httpx.AsyncClient, row: DeliveryRow) -> None:
        hook = await run_in_threadpool(self._rows.get, row.hook)
        if hook is None:
            return
        if await run_in_threadpool(self._reach, hook.owner) == ():
            error = "its owner has no valid key any more"
            await run_in_threadpool(self._rows.settle, row.id, state="given-up", error=error)
            return
        status, error = await self._send(client, hook, row)
        ok = 200 <= status < 300
        tries = row.tries + 1
        over = tries > len(self._waits_s)
        state = "delivered" if ok else "given-up" if over else "pending"
        wait_s = 0.0 if ok or over else self._waits_s[tries - 1]
        self._metrics.webhooks.labels(state if state != "pending" else "failed").inc()
        log.info("webhook %s: try %d of %s: %s %d %s", hook.id, tries, row.id, state, status, error)
        values = {"state": state, "tries": tries, "status": status, "error": error}
        await run_in_threadpool(self._rows.settle, row.id, next_ms=_now_ms() + round(1000 * wait_s), **values)

    async def _send(self, client: httpx.AsyncClient, hook: HookRow, row: DeliveryRow) -> tuple[int, str]:
        """Status of the answer, 0 where there is none, and what went wrong."""
        try:
            request = await run_in_threadpool(self._request, client, hook, row)
            async with asyncio.timeout(TRY_S):
                answer = await client.send(request, stream=True)
                await answer.aclose()
        except PlaceRefused as error:
            return 0, error.reason
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            return 0, type(error).__name__
        return answer.status_code, "" if answer.is_success else f"answered {answer.status_code}"

    def _request(self, client: httpx.AsyncClient, hook: HookRow, row: DeliveryRow) -> httpx.Request:
        """The signed request, to the very address that was checked: a name may resolve differently the next time."""
        url, address = httpx.URL(hook.url), self._places.address(hook.url)
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "user-agent": "cinemill-webhooks",
            "host": url.netloc.decode(),
            "webhook-id": row.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(hook.secret).sign(row.id, now, row.body),
        }
        return client.build_request(
            "POST",
            url.copy_with(host=address),
            content=row.body.encode(),
            headers=headers,
            extensions={"sni_hostname": url.host},
        )


def new_hook(url: str, events: Sequence[str], *, owner: str, seen: int) -> HookRow:
    """A webhook with a secret of its own, told of events behind the place `seen`."""
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    wanted = tuple(dict.fromkeys(events)) or ENDS
    identity = f"wh_{_now_ms():012x}{secrets.token_hex(6)}"
    return HookRow(
        id=identity, owner=owner, url=url, events=wanted, secret=secret, made_ms=_now_ms(), seen=seen
    )


def trial_delivery(hook: HookRow) -> DeliveryRow:
    """A message that says only that it arrives."""
    return _made(hook, f"msg_{_now_ms():012x}{secrets.token_hex(6)}", 0, "test", {})


def _delivery(hook: HookRow, event: Event) -> DeliveryRow:
    """What a webhook is told of an event; its id is the same whoever makes it."""
    data = {"job": event.job, "seq": event.seq, **event.payload}
    return _made(hook, f"msg_{event.seq:012x}{hook.id[-12:]}", event.seq, event.type, data)


def _made(hook: HookRow, identity: str, seq: int, kind: str, data: dict[str, object]) -> DeliveryRow:
    now = datetime.now(UTC)
    body = json.dumps({"type": kind, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False)
    return DeliveryRow(
        id=identity,
        hook=hook.id,
        seq=seq,
        type=kind,
        body=body,
        state="pending",
        tries=0,
        next_ms=_now_ms(),
        status=0,
        error="",
        made_ms=_now_ms(),
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
