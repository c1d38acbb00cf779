"""Rows of one rendition, of tables that hold the frames of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def rendition_rows(table: pa.Table, name: str) -> pa.Table:
    """The rows whose column `rendition` is `name`, by column `frame`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # an expression would do, but those import pyarrow.dataset
    return table.filter(pc.equal(table["rendition"], pa.scalar(name))).sort_by("frame")
