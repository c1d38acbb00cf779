"""The media map-reduce: split a title, map its chunks, collect the results, durably and in parallel.

from pathlib import Path
from archer import JobSpec, Node, run
from archer.media import identify

asset = identify("title.mov")
spec = JobSpec(nodes=[Node(id="ingest", stage="ingest", inputs={"asset": asset})])
result = run(spec, work_dir=Path("work"))
print(result.state, result.outputs["ingest.media"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cinemill_native.lazy import lazily

if TYPE_CHECKING:
    from archer.artifact import Artifact as Artifact
    from archer.client import AsyncClient as AsyncClient
    from archer.client import Client as Client
    from archer.driver import JobResult as JobResult
    from archer.driver import run as run
    from archer.events import Event as Event
    from archer.plan import JobSpec as JobSpec
    from archer.plan import Limits as Limits
    from archer.plan import Node as Node
    from archer.plan import Terms as Terms
    from archer.stage import Emit as Emit
    from archer.stage import Item as Item
    from archer.stage import Part as Part
    from archer.stage import Resources as Resources
    from archer.stage import Stage as Stage
    from archer.stage import Trial as Trial

_HOMES = {
    "AsyncClient": "client",
    "Client": "client",
    "Artifact": "artifact",
    "Emit": "stage",
    "Event": "events",
    "Item": "stage",
    "JobResult": "driver",
    "JobSpec": "plan",
    "Limits": "plan",
    "Node": "plan",
    "Part": "stage",
    "Resources": "stage",
    "Stage": "stage",
    "Terms": "plan",
    "Trial": "stage",
    "run": "driver",
}

__all__ = [
    "Artifact",
    "AsyncClient",
    "Client",
    "Emit",
    "Event",
    "Item",
    "JobResult",
    "JobSpec",
    "Limits",
    "Node",
    "Part",
    "Resources",
    "Stage",
    "Terms",
    "Trial",
    "run",
]

__getattr__ = lazily(__name__, _HOMES)  # the command line and the workers start fast
