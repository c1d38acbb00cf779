"""What a task reads: facts of a title are parsed once per process, and belong to the right title."""

from __future__ import annotations

from pathlib import Path

from archer.context import StoredInputs
from archer.media import MediaInfo, identify, probe
from archer.sample import sample_title
from archer.store import ArtifactStore


def test_facts_are_parsed_once_for_all_tasks(tmp_path: Path) -> None:
    asset = sample_title(tmp_path)
    store = ArtifactStore(tmp_path / "w")
    facts = store.put_json(probe(asset.url).to_json(), kind="media@1")
    first = StoredInputs(store, {"asset": asset, "media": facts}, [asset])
    other = StoredInputs(ArtifactStore(tmp_path / "w"), {"asset": asset, "title_media": facts}, [asset])
    assert first.media() == MediaInfo.from_json(first.json("media"))
    assert first.media() is other.media("title_media")
    assert first.media_of(asset) is first.media()
    assert first.media_of(identify(str(store.path(facts)))) is None, "that is another title"
