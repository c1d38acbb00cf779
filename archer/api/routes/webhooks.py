"""Webhooks: who is told what, and how that went."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from archer.api import cursor
from archer.api.auth import Caller, needs
from archer.api.hooks import new_hook, trial_delivery
from archer.api.models import Taken, iso
from archer.api.paths import CursorParam, Limit
from archer.api.problems import Problem, documented
from archer.api.services import Parts, Services
from archer.errors import PlaceRefused
from archer.store.hooks import DeliveryRow, HookRow
from archer.store.overview import last_event

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
Writer = needs("webhooks:write")
HookId = Annotated[str, Path(alias="webhook", pattern=r"^wh_[0-9a-f]{24}$")]
EventName = Literal[
    "job-submitted",
    "job-started",
    "job-paused",
    "job-continued",
    "job-done",
    "job-partial",
    "job-failed",
    "job-cancelled",
    "job-interrupted",
]
After = Annotated[CursorParam, Query(alias="cursor")]


class NewWebhook(Taken):
    """Whom to tell, and what."""

    url: str = Field(min_length=1, max_length=2000, description="A public https address.")
    events: list[EventName] = Field(
        default_factory=list, max_length=20, description="Kinds of events; by default the ends of jobs."
    )


class WebhookView(BaseModel):
    """A webhook."""

    id: str
    url: str
    events: list[str]
    owner: str
    made: str | None


class MadeWebhook(WebhookView):
    """A new webhook with its secret, which is not shown again."""

    secret: str = Field(description="`whsec_...`, for any library of Standard Webhooks.")


class WebhookPage(BaseModel):
    """Some webhooks."""

    items: list[WebhookView]
    next: str | None


class DeliveryView(BaseModel):
    """One message and how it went."""

    id: str = Field(description="The `webhook-id` header, the same at every try.")
    event: int
    type: str
    state: Literal["pending", "delivered", "given-up"]
    tries: int
    next_try: str | None
    status: int = Field(description="Of the last answer; 0 where there was none.")
    error: str
    made: str | None


class DeliveryPage(BaseModel):
    """Some messages, the latest first."""

    items: list[DeliveryView]
    next: str | None


@router.post("", status_code=201, responses=documented(413, 415))
def add(hook: NewWebhook, parts: Parts, caller: Caller = Writer) -> MadeWebhook:
    """Tell an address what happens to jobs that you reach from now on, signed by the Standard Webhooks scheme."""
    try:
        parts.callable_urls.checked(hook.url)
    except PlaceRefused as error:
        raise Problem("url-refused", str(error)) from error
    seen = last_event(parts.database)
    row = new_hook(hook.url, hook.events, owner=caller.owner, seen=seen)
    parts.hooks.add(row)
    return MadeWebhook(**_view(row).model_dump(), secret=row.secret)


@router.get("", responses=documented())
def page(parts: Parts, limit: Limit = 100, after: After = None, caller: Caller = Writer) -> WebhookPage:
    """List webhooks, without their secrets: your own, or everybody's with the scope `jobs:all`."""
    rows = parts.hooks.page(cursor.text_after("webhooks", after), limit + 1, reach=caller.reach)
    shown = rows[:limit]
    more = cursor.encode("webhooks", shown[-1].id) if len(rows) > limit else None
    return WebhookPage(items=[_view(row) for row in shown], next=more)


@router.get("/{webhook:word}", responses=documented(404))
def get(webhook: HookId, parts: Parts, caller: Caller = Writer) -> WebhookView:
    """One webhook."""
    return _view(_known(parts, caller, webhook))


@router.delete("/{webhook:word}", status_code=204, responses=documented(404))
def remove(webhook: HookId, parts: Parts, caller: Caller = Writer) -> Response:
    """Tell it nothing any more, not even what waits to be told."""
    if not parts.hooks.remove(_known(parts, caller, webhook).id):
        raise Problem("not-found", f"no webhook {webhook}")
    return Response(status_code=204)


@router.get("/{webhook:word}/deliveries", responses=documented(404))
def deliveries(
    webhook: HookId, parts: Parts, limit: Limit = 100, after: After = None, caller: Caller = Writer
) -> DeliveryPage:
    """What it was told, or is still to be told."""
    _known(parts, caller, webhook)
    rows = parts.hooks.deliveries(webhook, after=cursor.text_after("deliveries", after), limit=limit + 1)
    shown = rows[:limit]
    more = cursor.encode("deliveries", shown[-1].id) if len(rows) > limit else None
    return DeliveryPage(items=[_delivery(row) for row in shown], next=more)


@router.post("/{webhook:word}:test", status_code=202, responses=documented(404, 413, 415))
def test(webhook: HookId, parts: Parts, caller: Caller = Writer) -> DeliveryView:
    """Send it a message of the type `test`, as any other."""
    row = trial_delivery(_known(parts, caller, webhook))
    parts.hooks.put(row)
    return _delivery(row)


def _known(parts: Services, caller: Caller, webhook: str) -> HookRow:
    found = parts.hooks.get(webhook)
    if found is None or not caller.reaches(found.owner):
        raise Problem("not-found", f"no webhook {webhook}")
    return found


def _view(row: HookRow) -> WebhookView:
    return WebhookView(
        id=row.id, url=row.url, events=list(row.events), owner=row.owner, made=iso(row.made_ms)
    )


def _delivery(row: DeliveryRow) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        event=row.seq,
        type=row.type,
        state=row.state,  # type: ignore[arg-type]  # checked by the model
        tries=row.tries,
        next_try=iso(row.next_ms) if row.state == "pending" else None,
        status=row.status,
        error=row.error,
        made=iso(row.made_ms),
    )
