"""The page of metrics is what Prometheus reads, and tells what happened."""

from __future__ import annotations

import re
import urllib.request

from mezzfs.metrics import NAMES, exposition, serve

STATS = {
    "engine": {"requests": 3, "fetched_bytes": 1000, "failures": 0, "hedges": 1, "opens": 2},
    "cache": {
        "read_bytes": 900,
        "hits": 5,
        "misses": 3,
        "wasted_bytes": 0,
        "ready": 4,
        "loading": 0,
        "blocks": 128,
    },
    "mount": {"reads": 8, "interrupts": 0, "threads": 2, "latency_log2_us": [1, 0, 4, 3]},
}


def test_every_number_has_its_line() -> None:
    text = exposition(STATS)
    assert text.count("# TYPE") == len(NAMES) + 1
    assert "cinemill_mezzfs_fetched_bytes_total 1000\n" in text
    for line in text.splitlines():
        assert line.startswith("# ") or re.fullmatch(r'[a-z_]+(\{le="[^"]+"\})? [0-9.e+]+', line)


def test_the_histogram_adds_up() -> None:
    buckets = re.findall(r'read_seconds_bucket\{le="([^"]+)"\} (\d+)', exposition(STATS))
    assert buckets == [("1e-06", "1"), ("2e-06", "1"), ("4e-06", "5"), ("+Inf", "8")]


def test_the_page_is_served_on_this_machine_only() -> None:
    server = serve(lambda: STATS, 0)
    assert server.server_address[0] == "127.0.0.1"
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as page:
        assert page.read().decode() == exposition(STATS)
    server.shutdown()
    server.server_close()


def test_versions_of_one_file_are_counted_together_and_names_are_escaped() -> None:
    costs = {"opens": 1, "requests": 2, "used_bytes": 30, "fetched_bytes": 40}
    files = [{"name": 'a "b"\\c', **costs}, {"name": "d", **costs}, {"name": 'a "b"\\c', **costs}]
    text = exposition(STATS | {"files": files})
    assert 'cinemill_mezzfs_file_fetched_bytes_total{file="a \\"b\\"\\\\c"} 80\n' in text
    assert 'cinemill_mezzfs_file_opens_total{file="d"} 1\n' in text
    assert text.count("# TYPE") == len(NAMES) + 1 + 4
