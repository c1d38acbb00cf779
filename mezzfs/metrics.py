"""Counters of an engine as Prometheus text, and a page that serves them on this machine."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

NAMES = {
    ("engine", "requests"): ("requests_total", "counter", "Requests to stores."),
    ("engine", "fetched_bytes"): ("fetched_bytes_total", "counter", "Bytes that stores sent."),
    ("engine", "failures"): ("failures_total", "counter", "Fetches that failed for good."),
    ("engine", "hedges"): ("hedges_total", "counter", "Second requests sent because the first was late."),
    ("engine", "opens"): ("opens_total", "counter", "Files opened."),
    ("cache", "read_bytes"): ("read_bytes_total", "counter", "Bytes that readers got."),
    ("cache", "hits"): ("hits_total", "counter", "Reads answered at once."),
    ("cache", "misses"): ("misses_total", "counter", "Reads that had to wait."),
    ("cache", "wasted_bytes"): ("wasted_bytes_total", "counter", "Bytes evicted before anybody read them."),
    ("cache", "ready"): ("blocks_ready", "gauge", "Blocks that hold bytes."),
    ("cache", "loading"): ("blocks_loading", "gauge", "Blocks on their way."),
    ("cache", "blocks"): ("blocks", "gauge", "Blocks that there is memory for."),
    ("mount", "reads"): ("mount_reads_total", "counter", "Reads that the kernel asked for."),
    ("mount", "interrupts"): ("mount_interrupts_total", "counter", "Reads given up by their readers."),
    ("mount", "threads"): ("mount_threads", "gauge", "Threads of the native loop."),
}

PER_FILE = {
    "opens": ("opens_total", "Openings of a file."),
    "requests": ("requests_total", "Requests to stores for a file."),
    "used_bytes": ("used_bytes_total", "Bytes of a file that readers got."),
    "fetched_bytes": ("fetched_bytes_total", "Bytes of a file that stores sent."),
}
"""Of the files that fetched most."""


def exposition(stats: dict[str, Any]) -> str:
    """The text that Prometheus scrapes.

    Args:
        stats: as `mezzfs.mount.server.Server.stats` gives them.
    """
    lines: list[str] = []
    for (group, key), (name, kind, words) in NAMES.items():
        if key in stats.get(group, {}):
            full = f"cinemill_mezzfs_{name}"
            lines += [f"# HELP {full} {words}", f"# TYPE {full} {kind}", f"{full} {stats[group][key]}"]
    lines += _files(stats.get("files", ()))
    lines += _histogram(stats.get("mount", {}).get("latency_log2_us", ()))
    return "\n".join(lines) + "\n"


def _files(files: Sequence[dict[str, Any]]) -> Iterator[str]:
    for key, (name, words) in PER_FILE.items():
        if files:
            yield f"# HELP cinemill_mezzfs_file_{name} {words}"
            yield f"# TYPE cinemill_mezzfs_file_{name} counter"
        totals: dict[str, int] = {}
        for file in files:  # versions of one name together
            totals[file["name"]] = totals.get(file["name"], 0) + file[key]
        for file_name, value in totals.items():
            label = file_name.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
            yield f'cinemill_mezzfs_file_{name}{{file="{label}"}} {value}'


def _histogram(counts: Sequence[int]) -> Iterator[str]:
    if not counts:
        return
    name = "cinemill_mezzfs_mount_read_seconds"
    yield f"# HELP {name} Time from the kernel's request to our answer."
    yield f"# TYPE {name} histogram"
    total = 0
    for power, count in enumerate(counts[:-1]):
        total += count
        yield f'{name}_bucket{{le="{(1 << power) / 1e6:.6g}"}} {total}'
    total += counts[-1]
    yield f'{name}_bucket{{le="+Inf"}} {total}'
    yield f"{name}_count {total}"


def serve(stats: Callable[[], dict[str, Any]], port: int) -> http.server.ThreadingHTTPServer:
    """Serve `/metrics` on 127.0.0.1 from a thread; port 0 takes a free one (see `server_port` of what is returned).

    Raises:
        OSError: the port is taken.
    """

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.partition("?")[0] == "/metrics"
            text = exposition(stats()).encode() if known else b"see /metrics\n"
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Page)
    threading.Thread(target=server.serve_forever, name="mezzfs-metrics", daemon=True).start()
    return server
