"""A server's jobs from Python: submit, watch, fetch; the same in step and asynchronously.

    from archer import Client

    with Client("http://127.0.0.1:8080") as client:
        job = client.submit({"job": "encode", "input": "title.mov", "params": {"ladder": "720p,360p"}})
        for event in job.watch():
            print(event.type, event.node, event.item)
        job.result()
        job.fetch("packaging.package", "out")

What is decided (when to send again, what an answer means, where a stream goes on) is in `flows`, `follow` and `download`, without
any connection; `sync` and `asynchronous` carry it out.
"""

from __future__ import annotations

from archer.client.asynchronous import AsyncClient as AsyncClient
from archer.client.asynchronous import AsyncJob as AsyncJob
from archer.client.documents import Output as Output
from archer.client.documents import Outputs as Outputs
from archer.client.sync import Client as Client
from archer.client.sync import Job as Job

__all__ = ["AsyncClient", "AsyncJob", "Client", "Job", "Output", "Outputs"]
