"""Faults that were put into a package are found, each by the check that is named for it; clean packages raise no alarm."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.conformance.results import Verdict
from pipelines.packaging.index import INDEX, file_hash, read_index
from pipelines.packaging.keys import ContentKey, KeySet

Conform = Callable[..., Verdict]
Broken = Callable[..., Path]


class WrongKeys(KeySet):
    """The test's keys, each with one bit changed."""

    def key(self, track: str) -> ContentKey:
        right = KeySet.key(self, track)
        return ContentKey(key_id=right.key_id, key=bytes([right.key[0] ^ 1, *right.key[1:]]))


WRONG = WrongKeys(id="5e", label="test", secret=bytes(range(32)))


def failures(verdict: Verdict) -> dict[str, str]:
    return {result.case.label: result.message for result in verdict.results if result.failed}


def indexed_again(package: Path) -> None:
    """The index as the packager would have written it of these files: hashes must not be what finds a fault."""
    rows = []
    for row in read_index(package):
        path = package / row["file"]
        if path.is_file():
            rows.append(row | {"bytes": path.stat().st_size, "sha256": file_hash(path)})
    schema = pq.read_schema(package / INDEX)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), package / INDEX)


def edit(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text()
    path.write_text(change(before))
    assert path.read_text() != before


def shifted(segment: Path, ticks: int) -> None:
    """Move a segment in time: its decoding time and its index grow by so many ticks."""
    data = bytearray(segment.read_bytes())
    at = data.index(b"tfdt") + 4
    size = 8 if data[at] == 1 else 4
    time = int.from_bytes(data[at + 4 : at + 4 + size]) + ticks
    data[at + 4 : at + 4 + size] = time.to_bytes(size)
    segment.write_bytes(data)


@pytest.mark.parametrize("kind", ["clear", "cenc", "cbcs"])
def test_a_clean_package_raises_no_alarm(
    kind: str, packages: Callable[[str], Path], conform: Conform
) -> None:
    verdict = conform(packages(kind), "package", "decoder", "packager", "phone", "tv-1080p", "tv-2160p")
    assert failures(verdict) == {}
    assert {name: why.partition(":")[0] for name, why in verdict.unplayable.items()} == {
        "clear": {},
        "cenc": {"phone": "no video fits"},
        "cbcs": {"tv-1080p": "no video fits"},
    }[kind]
    assert verdict.counts["passed"] == len(verdict.results) > 60


def test_a_swapped_segment_is_out_of_order(broken: Broken, conform: Conform) -> None:
    package = broken()
    folder = package / "video-180p"
    (folder / "2.m4s").rename(folder / "x")
    (folder / "3.m4s").rename(folder / "2.m4s")
    (folder / "x").rename(folder / "3.m4s")
    indexed_again(package)
    found = failures(conform(package, "package", "decoder", renditions=["video-180p"]))
    assert "segment 2 plays at 2.000 s" in found["package/video-180p/order"]
    assert "package/video-180p/files" not in found


def test_a_segment_of_elsewhere_with_the_right_times_shows_the_wrong_pictures(
    broken: Broken, conform: Conform
) -> None:
    """Headers are in order and every frame decodes: only the pictures tell."""
    package = broken()
    folder = package / "video-180p"
    (folder / "5.m4s").write_bytes((folder / "1.m4s").read_bytes())
    shifted(folder / "5.m4s", 4 * 12800)
    indexed_again(package)
    found = failures(conform(package, "package", "decoder", renditions=["video-180p"]))
    assert "frame" in found.pop("decoder/video-180p/pictures")
    also = {
        "package/video-180p/bitrates",
        "decoder/video-180p/iframes",
    }  # it may be heavier; its key frame is shown as well
    assert set(found) <= also


@pytest.mark.parametrize("kind", ["cenc", "cbcs"])
def test_a_wrong_key_does_not_decrypt(kind: str, broken: Broken, conform: Conform) -> None:
    """The key ids are right, the keys are others."""
    found = failures(conform(broken(kind), "decoder", keys=WRONG, renditions=["video-*"]))
    assert all(f"decoder/{name}/decrypt" in found for name in ("video-180p", "video-90p", "video-av1"))


def test_missing_sound_is_missed(broken: Broken, conform: Conform) -> None:
    """Neither manifest lists it, so that no player would complain."""
    package = broken()
    edit(
        package / "master.m3u8", lambda text: re.sub(r"#EXT-X-MEDIA:TYPE=AUDIO,URI=\"audio-de.*\n", "", text)
    )
    edit(package / "manifest.mpd", lambda text: _without(text, "audio-de/"))
    found = failures(conform(package, "package"))
    assert found["package/audio-de/audio"] == "no manifest lists this sound"


def test_a_wrong_codec_string_is_told(broken: Broken, conform: Conform) -> None:
    package = broken()
    for name in ("master.m3u8", "manifest.mpd"):
        edit(package / name, lambda text: re.sub(r"avc1\.4d40", "avc1.6400", text))
    found = failures(conform(package, "package", tests=["codecs"]))
    assert set(found) == {"package/video-180p/codecs", "package/video-90p/codecs"}
    assert "DASH declares avc1.6400" in found["package/video-180p/codecs"]


def test_a_gap_in_time_is_found(broken: Broken, conform: Conform) -> None:
    """From the fourth segment on, everything is two frames late."""
    package = broken()
    for number in (4, 5, 6):
        shifted(package / f"video-180p/{number}.m4s", 1024)
    indexed_again(package)
    found = failures(conform(package, "package", tests=["gaps", "order", "whole"]))
    assert found == {"package/video-180p/gaps": "there is a gap of 80.0 ms before segment 4"}


def test_more_bits_than_declared_are_found(broken: Broken, conform: Conform) -> None:
    package = broken()
    edit(package / "master.m3u8", lambda text: re.sub(r":BANDWIDTH=\d+", ":BANDWIDTH=90000", text))
    edit(package / "manifest.mpd", lambda text: re.sub(r'bandwidth="\d{6,}"', 'bandwidth="1000"', text))
    found = failures(conform(package, "package", tests=["bitrates"]))
    assert "HLS declares 90000 bit/s" in found["package/video-180p/bitrates"]
    assert "DASH declares 1000 bit/s" in found["package/video-180p/bitrates"]


def test_a_cut_off_segment_is_found(broken: Broken, conform: Conform) -> None:
    package = broken()
    path = package / "video-180p/3.m4s"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    indexed_again(package)
    found = failures(conform(package, "package", "decoder", "packager", renditions=["video-180p"]))
    assert "packager/video-180p/parse" in found
    assert "cut off" in found["package/video-180p/whole"]
    assert "package/video-180p/files" not in found


def test_a_changed_or_missing_file_is_found(broken: Broken, conform: Conform) -> None:
    package = broken()
    path = package / "video-180p/3.m4s"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    (package / "video-90p/2.m4s").unlink()
    found = failures(conform(package, "package", tests=["files"]))
    assert "another hash" in found["package/video-180p/files"]
    assert "video-90p/2.m4s is missing" in found["package/video-90p/files"]


@pytest.mark.parametrize(
    ("manifest", "right", "wrong"),
    [("master.m3u8", '"de"', '"en"'), ("manifest.mpd", 'lang="de"', 'lang="fr"')],
)
def test_a_wrong_language_is_found(
    manifest: str, right: str, wrong: str, broken: Broken, conform: Conform
) -> None:
    package = broken()
    edit(package / manifest, lambda text: text.replace(right, wrong))
    found = failures(conform(package, "package", tests=["languages"]))
    assert set(found) == {"package/audio-de/languages", "package/text-de/languages"}


def test_what_is_said_to_be_encrypted_and_is_not(
    broken: Broken, packages: Callable[[str], Path], conform: Conform
) -> None:
    package = broken("cenc")
    for name in ("init.mp4", "3.m4s"):
        (package / "video-180p" / name).write_bytes((packages("clear") / "video-180p" / name).read_bytes())
    found = failures(conform(package, "package", tests=["encryption"]))
    assert "the media is clear" in found["package/video-180p/encryption"]


def _without(mpd: str, folder: str) -> str:
    sets = re.split(r"(?=    <AdaptationSet )|(?=  </Period>)", mpd)
    return "".join(part for part in sets if folder not in part)


def test_the_last_segment_may_be_short(packages: Callable[[str], Path]) -> None:
    rows = [row for row in read_index(packages("clear")) if row["track"] == "video-180p"]
    assert [row["packets"] for row in rows] == [25, 25, 25, 25, 25, 7]
    assert [Fraction(row["duration_s"]).limit_denominator(100) for row in rows][-1] == Fraction(7, 25)
