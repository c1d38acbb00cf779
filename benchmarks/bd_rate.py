"""What per-shot optimisation saves: strategies beside each other on the same measured points of real titles.

    python benchmarks/bd_rate.py measure [--codec x264] [TITLE ...]
                                             encode and score; goes on where it stopped
    python benchmarks/bd_rate.py table       figures from the points, without encoding; titles of five excerpts and more,
                                             and shots of several titles as one

Titles: rd_titles.py, rd_mixed.py. Points and the fixed ladder: rd_points.py. Strategies: rd_strategies.py.
"""

from __future__ import annotations

import argparse
import json

from rd_mixed import MIXED, joined
from rd_points import RESULTS, measure
from rd_table import row, saved, show
from rd_titles import TITLES


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["measure", "table"])
    parser.add_argument("titles", nargs="*", help="names; all where none is given")
    parser.add_argument("--codec", choices=["x264", "svtav1"], default="x264")
    chosen = parser.parse_intermixed_args()
    if chosen.action == "table":
        table()
        return
    for title in TITLES:
        if not chosen.titles or title.name in chosen.titles:
            measure(title, chosen.codec)


def table() -> None:
    """Print the figures of all titles that are measured, and keep them."""
    known = [json.loads(path.read_bytes()) for path in sorted(RESULTS.glob("*.*.json"))]
    rows = [row(data) for data in known if len(data["shots"]) > 4]
    show(rows)
    print("\nShots of many clips as one title:")
    found = [joined(mixed, codec) for codec in ("x264", "svtav1") for mixed in MIXED]
    rows_of_mixed = [row(data) for data in found if data]
    show(rows_of_mixed)
    text = json.dumps(saved(rows + rows_of_mixed), indent=1, sort_keys=True)
    (RESULTS / "bd_rate.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
