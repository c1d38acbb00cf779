"""The main job reads a title from S3 and leaves its package there, with nothing but boto3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mezzfs
from archer.media import identify, probe
from pipelines.encode.place import OutputPlace
from pipelines.encode.request import EncodeRequest, single_of
from pipelines.encode.run import EncodeOrder, execute


def put(store: Any, url: str, data: bytes) -> None:
    upload = store.create(url)
    upload.write(data)
    upload.commit()


def test_from_s3_to_s3(s3: Any, tiny: Path, tmp_path: Path) -> None:
    source, out = "s3://bucket/in/short.mp4", "s3://bucket/out/package"
    put(s3, source, tiny.read_bytes())
    order = EncodeOrder(
        asset=identify(source),
        request=EncodeRequest(crf="40", preset="ultrafast", ladder="90p", single=single_of(out)),
        title="t",
        command="",
        place=OutputPlace.of(out, work_dir=str(tmp_path / "work"), keep=False, force=False),
    )
    done = execute(order, workers=1, executor="inline", as_json=False, quiet=True)
    assert done["renditions"][0]["frames"] == 12
    names = {entry.name for entry in s3.list(out)}
    assert "manifest.json" in names
    with mezzfs.open(f"{out}/manifest.json") as file:
        manifest = json.load(file)
    assert manifest["renditions"][0]["frames"] == 12
    playlist = next(name for name in names if name.endswith(".m3u8"))
    assert s3.stat(f"{out}/{playlist}").size > 0
    assert execute(order, workers=1, executor="inline", as_json=False, quiet=True)["up_to_date"]
    assert probe(source).frame_count == 12
