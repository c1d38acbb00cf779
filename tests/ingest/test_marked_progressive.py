"""Interlaced pictures in a file that is marked as progressive are deinterlaced where that is asked for."""

from __future__ import annotations

from pathlib import Path

from archer.media import frames, probe
from pipelines.ingest.params import IngestParams
from pipelines.ingest.view import viewed


def test_bwdif_on_request(short: Path) -> None:
    info = probe(str(short))

    def look(deinterlace: str) -> tuple[str, list[str]]:
        params = IngestParams(deinterlace=deinterlace)  # type: ignore[arg-type]
        seen = viewed(info, params, lambda facts, part: frames(str(short), part, info=facts))
        return (seen.view.fields if seen.view else ""), seen.remarks()

    assert look("auto") == ("", [])
    fields, remarks = look("bwdif")
    assert fields == "bwdif"
    assert "marked as progressive" in remarks[0]
