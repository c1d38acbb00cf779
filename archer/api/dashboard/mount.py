"""All pages as one line of the application."""

from __future__ import annotations

from fastapi import FastAPI

from archer.api.dashboard import jobs, login, queues, results, submit, tasks


def install(app: FastAPI) -> None:
    """Add the dashboard at `/`."""
    for part in (login, jobs, submit, tasks, results, queues):
        app.include_router(part.pages)
