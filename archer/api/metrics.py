"""What the server counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """Counters of one server process.

    Attributes:
        registry: what `/metrics` shows.
        jobs: number of jobs by state, as the database has it.
        watchers: clients that follow events now.
        webhooks: tries to deliver a webhook, by how they ended.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "cinemill_http_requests",
            "Requests by route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "cinemill_http_request_seconds",
            "How long answers took.",
            ["route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.jobs = Gauge("cinemill_jobs", "Jobs by state.", ["state"], registry=self.registry)
        self.watchers = Gauge("cinemill_event_watchers", "Clients following events.", registry=self.registry)
        self.webhooks = Counter(
            "cinemill_webhook_tries", "Deliveries of webhooks.", ["result"], registry=self.registry
        )
        ProcessCollector(registry=self.registry)

    def request(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count a request; its route is the pattern, so that ids make no new series."""
        named = route or "unmatched"
        self._requests.labels(method if route else "other", named, str(status)).inc()
        self._seconds.labels(named).observe(took_s)
