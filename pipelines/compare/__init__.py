"""Two outputs of `cinemill encode` side by side: which is better, where, by how much, and what it cost.

    from pipelines.compare import compare

    found = compare("out-x264", "out-svtav1")
    print(found.rates[0].rate_pct, [pair.bits_pct for pair in found.pairs])
    found          # in a notebook: the page

B is judged against A: differences are B minus A, a negative BD-rate says that B needs fewer bits for the same quality.
"""

from __future__ import annotations

from pipelines.compare.comparison import Comparison as Comparison
from pipelines.compare.comparison import PairResult as PairResult
from pipelines.compare.comparison import compare as compare

__all__ = ["Comparison", "PairResult", "compare"]
