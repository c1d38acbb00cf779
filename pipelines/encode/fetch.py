"""The small files of an output that lies at a URL, brought here for as long as they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.encode.cost import FILE as COST
from pipelines.encode.manifest import parsed
from pipelines.encode.place import report_place
from pipelines.encode.publish import MANIFEST, is_remote, local_path, read_remote
from pipelines.encode.record import RECORD

SMALL = (RECORD, COST, "features.parquet", "shots.json")
"""With the manifest and the ladders: what says how an output was made and how good it is; its videos stay where they are."""
LADDER = r"ladder(-[a-z0-9]+)*\.json"
"""Name of a ladder; those of further codecs have their names."""


@contextmanager
def output_folder(place: str) -> Iterator[Path]:
    """Yield an output as a local folder: itself, or a copy of the small files of one at a URL, which goes with the block.

    Args:
        place: path or URL of an output folder, of its manifest, or of one file that has its report beside it.

    Raises:
        OutputFailed: the store refused or could not be reached. What is missing there is missing in the folder.
    """
    base = report_place(place.rstrip("/").removesuffix(f"/{MANIFEST}"))
    if not is_remote(base):
        yield local_path(base)
        return
    with TemporaryDirectory(prefix="cinemill-output-") as temporary:
        folder = Path(temporary)
        manifest = read_remote(base, MANIFEST)
        files = parsed(manifest or b"").get("files", {})
        for name in (MANIFEST, *SMALL, *(name for name in files if re.fullmatch(LADDER, name))):
            content = manifest if name == MANIFEST else read_remote(base, name)
            if content is not None:
                (folder / name).write_bytes(content)
        yield folder
