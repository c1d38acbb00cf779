"""Digits for captions: three by five dots each, so that no font is needed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

GLYPHS = {
    "0": "75557",
    "1": "26227",
    "2": "71747",
    "3": "71717",
    "4": "55711",
    "5": "74717",
    "6": "74757",
    "7": "71122",
    "8": "75757",
    "9": "75717",
    "@": "02020",
    " ": "00000",
}
"""Rows of a glyph, three dots each, as octal digits from the top: 7 is a full row, 5 its ends."""
SCALE = 2


def lettered(text: str) -> npt.NDArray[np.bool_]:
    """A mask (5 * 2, n) of digits, spaces and `@` (shown as a colon); other characters are left out."""
    glyphs = [GLYPHS[letter] for letter in text if letter in GLYPHS]
    rows = [[bit for glyph in glyphs for bit in (*f"{int(glyph[row], 8):03b}", "0")] for row in range(5)]
    mask = np.array(rows) == "1"
    return np.asarray(np.kron(mask, np.ones((SCALE, SCALE), np.bool_)), np.bool_)
