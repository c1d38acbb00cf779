"""Facts as words for people: sizes, durations, ages, names of jobs."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from archer.api.models import iso

UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
LONGEST = 80
SAID = {
    "leased": "running",
    "poisoned": "failed",
    "retry": "to be tried again",
    "memo": "known already",
    "lost": "lost",
}


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def duration(seconds: float) -> str:
    """`4.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    whole = round(seconds)
    unit, name, part, its = next(each for each in UNITS if whole >= each[0])
    rest = whole % unit // part
    return f"{whole // unit} {name}" + (f" {rest} {its}" if rest else "")


def ago(at_ms: int) -> str:
    """How long ago a moment is."""
    passed = (now_ms() - at_ms) / 1000
    if passed < 5:
        return "now"
    unit, name = next(
        (size, name) for size, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")) if passed >= size
    )
    return f"{int(passed // unit)} {name} ago"


def clock(at_ms: int) -> str:
    """`2026-11-26 03:04:05`, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at_ms / 1000))


def size(number: int) -> str:
    """Bytes as people read them, in powers of a thousand."""
    if number < 1000:
        return f"{number} B"
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if number >= unit:
            return f"{number / unit:.3g} {name}" if number < 999 * unit else f"{number // unit:,} {name}"
    return str(number)


def money(text: str) -> str:
    """A decimal without zeros at its end, at least two places."""
    found = Decimal(text)
    short = found.quantize(Decimal("0.01"))
    return str(short) if short == found else f"{found.normalize():f}"


def percent(share: float) -> str:
    """A share from 0 to 1; 100 % only where it is all."""
    return "100 %" if share >= 1 else f"{min(int(share * 100), 99)} %"


def said(state: str) -> str:
    """A state of a task or a try as people call it."""
    return SAID.get(state, state)


def title(request: str | Mapping[str, Any]) -> str:
    """What a job is about: the name of its input, or of its nodes."""
    value = _value(request)
    inputs = value.get("input")
    if isinstance(inputs, str):
        return short(_name(inputs))
    if isinstance(inputs, dict) and inputs:
        return short(", ".join(_name(str(url)) for url in inputs.values()))
    return short(", ".join(map(str, value.get("nodes") or {})) or "nothing")


def kind(request: str | Mapping[str, Any]) -> str:
    """The kind of a job; `nodes` where it was joined by hand."""
    return short(str(_value(request).get("job") or "nodes"))


def short(text: str) -> str:
    """A text that fits into a line."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def pretty(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def _value(request: str | Mapping[str, Any]) -> Mapping[str, Any]:
    return json.loads(request or "{}") if isinstance(request, str) else request


def _name(url: str) -> str:
    path = url.partition("?")[0].rstrip("/")
    return urllib.parse.unquote(path.rpartition("/")[2]) or url


FILTERS: Mapping[str, Callable[..., str | None]] = {
    "duration": duration,
    "ago": ago,
    "clock": clock,
    "iso": iso,
    "size": size,
    "money": money,
    "percent": percent,
    "said": said,
    "title_of": title,
    "kind_of": kind,
    "short": short,
    "pretty": pretty,
    "urlpath": lambda text: urllib.parse.quote(str(text), safe="/"),
    "urlquote": lambda text: urllib.parse.quote(str(text), safe=""),
}
