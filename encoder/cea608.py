"""CEA-608 captions, pairs of bytes on the pictures of a title, as cues of WebVTT; pure.

Pop-on captions are shown as long as they are on screen; lines that roll up or are painted are cues once they are complete.
Rows, italics and characters are kept, colours and columns are not.

Source: ANSI/CTA-608-E, sections 6 and 7, annexes B and C.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from encoder.subtitles import Cue

PLAIN = {
    0x27: "\N{RIGHT SINGLE QUOTATION MARK}",
    **dict(zip((0x2A, 0x5C, 0x5E, 0x5F, 0x60, 0x7B, 0x7C, 0x7D, 0x7E, 0x7F), "áéíóúç÷Ññ█", strict=True)),
}
SPECIAL = "®°½¿™¢£♪à èâêîôû"
EXTENDED = {
    2: "ÁÉÓÚÜü\N{LEFT SINGLE QUOTATION MARK}¡*'—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»",
    3: "ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤│ÅåØø┌┐└┘",
}
ROWS = {1: (1, 2), 2: (3, 4), 5: (5, 6), 6: (7, 8), 7: (9, 10), 0: (11, 11), 3: (12, 13), 4: (14, 15)}
"""Low bits of the first byte of a preamble -> row without and with bit 5 of the second one."""
LAST, COLUMNS, TOP = 15, 32, 4
"""The lowest row; cells of a row; captions that stay in so many rows from above are shown above."""
MODES = {0x20: "pop", 0x29: "paint", 0x2A: "", 0x2B: ""}
"""Commands that choose how captions are shown; empty for text that is no caption."""
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
Cell = tuple[str, bool]


@dataclass(slots=True)
class Screen:
    """Rows of cells: character, italic; by row and column from 0."""

    cells: dict[int, dict[int, Cell]] = field(default_factory=dict)

    def put(self, row: int, column: int, cell: Cell) -> None:
        """Write a character."""
        self.cells.setdefault(row, {})[column] = cell

    def erase(self, row: int, start: int, end: int = COLUMNS) -> None:
        """Take characters of a row away."""
        for column in range(start, end):
            self.cells.get(row, {}).pop(column, None)

    def roll(self, base: int, depth: int) -> None:
        """Move rows up by one, and keep `depth` - 1 of them above the lowest."""
        self.cells = {row - 1: cells for row, cells in self.cells.items() if base - depth + 1 < row <= base}

    def text(self) -> str:
        """Its rows that are not empty, with WebVTT's tags."""
        rows = (_line(self.cells[row]) for row in sorted(self.cells))
        return "\n".join(row for row in rows if row)

    @property
    def settings(self) -> str:
        """Where it is."""
        used = [row for row, cells in self.cells.items() if _line(cells)]
        return "line:0" if used and max(used) <= TOP else ""


def _line(cells: dict[int, Cell]) -> str:
    """A row as text, with blanks where cells between are empty."""
    if not cells:
        return ""
    first, last = min(cells), max(cells)
    whole = [cells.get(column, (" ", False)) for column in range(first, last + 1)]
    text, slanted = "", False
    for letter, italic in whole:
        if italic != slanted and letter != " ":
            text += "<i>" if italic else "</i>"
            slanted = italic
        text += letter.translate(ESCAPES)
    text = " ".join((text + ("</i>" if slanted else "")).split())
    return text.replace("<i> ", "<i>").replace(" </i>", "</i> ").strip()


@dataclass(slots=True)
class Decoder:
    """One of the two services of a field: `channel` 0 is CC1 (CC3 in the second field), 1 is CC2 (CC4).

    Attributes:
        channel: which one.
        cues: what was shown, in order.
    """

    channel: int
    cues: list[Cue] = field(default_factory=list)
    shown: Screen = field(default_factory=Screen)
    hidden: Screen = field(default_factory=Screen)
    mode: str = ""
    depth: int = 2
    row: int = LAST
    column: int = 0
    italic: bool = False
    since: Fraction | None = None
    chosen: bool = False
    before: tuple[int, int] = (0, 0)
    other_data: bool = False

    def push(self, time: Fraction, one: int, two: int) -> None:
        """The next pair of bytes, and when its picture is shown; parity bits do not matter."""
        one, two = one & 127, two & 127
        if 0x10 <= one <= 0x1F:
            self.other_data = False
            again, self.before = self.before == (one, two), (0, 0)
            if not again:
                self.before = (one, two)
                self.chosen = one >> 3 & 1 == self.channel
                if self.chosen:
                    self._control(time, one & 7, two)
        elif one or two:
            self.before = (0, 0)
            self.other_data = self.other_data or 0 < one < 0x10
            if self.chosen and not self.other_data and self.mode:
                for code in (one, two):
                    if code >= 0x20:
                        self._write(time, PLAIN.get(code, chr(code)))

    def finish(self, end: Fraction) -> list[Cue]:
        """All cues of a title that ends here."""
        self._shown_until(end)
        return self.cues

    @property
    def _screen(self) -> Screen:
        return self.hidden if self.mode == "pop" else self.shown

    def _control(self, time: Fraction, low: int, two: int) -> None:
        if two >= 0x40:
            self._preamble(time, low, two)
        elif low in (4, 5) and 0x20 <= two <= 0x2F:
            self._command(time, two)
        elif low == 1 and two >= 0x30 and self.mode:
            self._write(time, SPECIAL[two - 0x30])
        elif low == 1 and two >= 0x20 and self.mode:
            self.italic = two >> 1 & 7 == 7
            self._write(time, " ")
        elif low in EXTENDED and two >= 0x20 and self.mode:
            self.column = max(0, self.column - 1)  # a plain character stands before it, for old decoders
            self._write(time, EXTENDED[low][two - 0x20])
        elif low == 7 and 0x21 <= two <= 0x23:
            self.column = min(COLUMNS - 1, self.column + two - 0x20)

    def _preamble(self, time: Fraction, low: int, two: int) -> None:
        row = ROWS[low][two >> 5 & 1]
        if self.mode == "roll" and row != self.row:
            self._shown_until(time)
            shift = row - self.row
            self.shown.cells = {line + shift: cells for line, cells in self.shown.cells.items()}
        style = two & 0x1F
        self.row, self.column = row, (style & 0x0E) * 2 if style & 0x10 else 0
        self.italic = not style & 0x10 and style >> 1 == 7

    def _command(self, time: Fraction, two: int) -> None:
        if two in MODES:
            self.mode = MODES[two]
        elif two in (0x25, 0x26, 0x27):
            self._roll_up(time, two - 0x23)
        else:
            self._edit(time, two)

    def _edit(self, time: Fraction, two: int) -> None:
        if two == 0x21:
            self.column = max(0, self.column - 1)
            self._screen.erase(self.row, self.column, self.column + 1)
        elif two == 0x24:
            self._screen.erase(self.row, self.column)
        elif two == 0x2C:
            self._shown_until(time)
            self.shown = Screen()
        elif two == 0x2D and self.mode == "roll":
            self._shown_until(time)
            self.shown.roll(self.row, self.depth)
            self.column, self.italic = 0, False
        elif two == 0x2E:
            self.hidden = Screen()
        elif two == 0x2F:
            self._swap(time)

    def _roll_up(self, time: Fraction, depth: int) -> None:
        if self.mode != "roll":
            self._shown_until(time)
            self.shown, self.hidden = Screen(), Screen()
            self.row, self.column = LAST, 0
        self.mode, self.depth = "roll", depth

    def _swap(self, time: Fraction) -> None:
        self._shown_until(time)
        self.mode = "pop"
        self.shown, self.hidden = self.hidden, self.shown
        self.since = time if self.shown.text() else None

    def _write(self, time: Fraction, letter: str) -> None:
        if self.mode != "pop" and self.since is None:
            self.since = time
        self._screen.put(self.row, self.column, (letter, self.italic))
        self.column = min(COLUMNS - 1, self.column + 1)

    def _shown_until(self, time: Fraction) -> None:
        """What has been on screen is a cue, unless nothing was."""
        text = self.shown.text()
        if text and self.since is not None and self.since < time:
            self.cues.append(Cue(start=self.since, end=time, text=text, settings=self.shown.settings))
        self.since = None


def decoded(pictures: Iterable[tuple[Fraction, bytes]], end: Fraction) -> dict[str, list[Cue]]:
    """Cues of the services CC1 to CC4 that say something.

    Args:
        pictures: when each is shown, rising, and its triplets (`encoder.cea`).
        end: of the title.
    """
    services = {f"CC{2 * line + channel + 1}": Decoder(channel) for line in (0, 1) for channel in (0, 1)}
    for time, triplets in pictures:
        for at in range(0, len(triplets) - 2, 3):
            kind, one, two = triplets[at] & 7, triplets[at + 1], triplets[at + 2]
            if kind in (4, 5) and (one & 127 or two & 127):  # valid, of the first field or the second
                services[f"CC{2 * (kind - 4) + 1}"].push(time, one, two)
                services[f"CC{2 * (kind - 4) + 2}"].push(time, one, two)
    return {name: cues for name, service in services.items() if (cues := service.finish(end))}
