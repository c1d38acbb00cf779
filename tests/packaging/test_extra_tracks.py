"""Several codecs in one package, subtitles, pictures for trick play, and an index of all segments."""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from pipelines.packaging.description import read_description
from pipelines.packaging.errors import CannotPackage
from pipelines.packaging.images import step_of
from pipelines.packaging.tracks import AudioTrack, TextTrack, VideoTrack
from pipelines.packaging.webvtt import read_cues

Package = Callable[..., Path]
NS = {"d": "urn:mpeg:dash:schema:mpd:2011"}
WEBVTT = "WEBVTT\n\n00:01.000 --> 00:02.000 line:0\nOne\n\nnamed\n00:00:03.000 --> 00:00:04.500\nTwo\nlines\n"


@pytest.fixture(scope="session")
def subtitles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "text.vtt"
    path.write_text(WEBVTT)
    return path


@pytest.fixture
def made(ladder: Path, subtitles: Path, package: Package) -> Path:
    """H.264 and AV1, two languages, a description for the blind, three subtitle tracks, scores."""
    return package(
        [VideoTrack(name=name, path=ladder / f"{name}.mp4") for name in ("360p", "180p", "av1")],
        [
            AudioTrack(name="audio-en", path=ladder / "aac.mp4", language="eng", default=True),
            AudioTrack(name="audio-de", path=ladder / "aac.mp4", language="deu", roles=("dub",)),
            AudioTrack(name="audio-ad", path=ladder / "aac.mp4", language="eng", roles=("description",)),
        ],
        [
            TextTrack(name="text-forced", path=subtitles, language="eng", roles=("forced-subtitle",)),
            TextTrack(
                name="text-en", path=subtitles, language="eng", roles=("caption",), label="For <deaf> & hard"
            ),
            TextTrack(name="text-de", path=subtitles, language="deu", default=True),
        ],
        segment_s=Decimal(2),
        vmaf={"360p": np.arange(132, dtype=np.float64)},
    )


def tree_of(made: Path) -> ET.Element:
    return ET.fromstring((made / "manifest.mpd").read_text())  # noqa: S314  our own file


def media(made: Path, kind: str) -> list[dict[str, str]]:
    lines = (made / "master.m3u8").read_text().splitlines()
    return [
        {name: value.strip('"') for name, value in re.findall(r'([A-Z-]+)=("[^"]*"|[^,]*)', line)}
        for line in lines
        if line.startswith(f"#EXT-X-MEDIA:TYPE={kind}")
    ]


def test_codecs_share_one_master_and_one_mpd(made: Path) -> None:
    """Each codec is an adaptation set of its own, so that no player is asked to switch between codecs."""
    codecs = re.findall(r'STREAM-INF:.*CODECS="(\w+)\.', (made / "master.m3u8").read_text())
    assert [name for name in codecs if name != "jpeg"] == ["avc1", "avc1", "av01", "avc1", "avc1", "av01"]
    sets = tree_of(made).findall(".//d:AdaptationSet[@contentType='video']", NS)
    assert [
        [one.attrib["codecs"][:4] for one in group.findall("d:Representation", NS)] for group in sets
    ] == [
        ["avc1", "avc1"],
        ["av01"],
    ]


def test_roles_of_sound(made: Path) -> None:
    sets = tree_of(made).findall(".//d:AdaptationSet[@contentType='audio']", NS)
    roles = [node.find("d:Role", NS).attrib["value"] for node in sets]  # type: ignore[union-attr]
    assert roles == ["main", "alternate", "alternate"]
    assert [node.findall("d:Role", NS)[-1].attrib["value"] for node in sets] == ["main", "dub", "description"]
    assert sets[2].find("d:Accessibility", NS) is not None
    assert [track.get("CHARACTERISTICS", "") for track in media(made, "AUDIO")] == [
        "",
        "",
        "public.accessibility.describes-video",
    ]


def test_subtitles_in_hls_and_dash(made: Path, subtitles: Path) -> None:
    """One file for both, unchanged, in the order in which they are given."""
    tracks = media(made, "SUBTITLES")
    assert [(one["LANGUAGE"], one["NAME"], one["DEFAULT"], one["FORCED"]) for one in tracks] == [
        ("en", "English", "NO", "YES"),
        ("en", "For deaf hard", "NO", "NO"),
        ("de", "Deutsch", "YES", "NO"),
    ]
    assert "transcribes-spoken-dialog" in tracks[1]["CHARACTERISTICS"]
    assert (made / "master.m3u8").read_text().count('SUBTITLES="subtitles"') == 3
    sets = tree_of(made).findall(".//d:AdaptationSet[@contentType='text']", NS)
    roles = [[role.attrib["value"] for role in node.findall("d:Role", NS)] for node in sets]
    assert roles == [["forced-subtitle"], ["caption"], ["subtitle", "main"]]
    places = [node.find(".//d:BaseURL", NS).text for node in sets]  # type: ignore[union-attr]
    assert places == ["text-forced/text.vtt", "text-en/text.vtt", "text-de/text.vtt"]
    assert (made / "text-de/text.vtt").read_bytes() == subtitles.read_bytes()
    assert "#EXTINF:5.280,\ntext.vtt" in (made / "text-de/media.m3u8").read_text()
    numbers = [node.attrib["id"] for node in tree_of(made).iterfind(".//d:Representation", NS)]
    assert len(numbers) == len(set(numbers))


def test_key_frames_have_playlists(made: Path) -> None:
    """Each entry is a byte range that holds one whole key frame, without the rest of its segment."""
    text = (made / "video-360p/iframes.m3u8").read_text()
    entries = re.findall(r"#EXT-X-BYTERANGE:(\d+)@(\d+)\n(\d+\.m4s)", text)
    assert len(entries) == 3
    assert "#EXT-X-I-FRAMES-ONLY" in text
    for size, start, name in entries:
        segment = (made / "video-360p" / name).read_bytes()
        assert int(start) + int(size) < len(segment)
        assert segment[int(start) + 4 : int(start) + 8] == b"moof"


def test_pictures_for_trick_play(made: Path, ladder: Path) -> None:
    """The sheet shows the key frames at 0, 2 and 4 s, and both manifests say where."""
    text = (made / "images/media.m3u8").read_text()
    assert "#EXT-X-TILES:RESOLUTION=160x90,LAYOUT=5x5,DURATION=2.000\n1.jpg" in text
    assert 'RESOLUTION=160x90,CODECS="jpeg",URI="images/media.m3u8"' in (made / "master.m3u8").read_text()
    images = tree_of(made).find(".//d:AdaptationSet[@contentType='image']", NS)
    assert images is not None
    assert images.find(".//d:EssentialProperty", NS).attrib["value"] == "5x5"  # type: ignore[union-attr]
    assert images.find("d:SegmentTemplate", NS).attrib["duration"] == "50"  # type: ignore[union-attr]
    with av.open(str(made / "images/1.jpg")) as container:
        sheet = next(container.decode(video=0)).to_ndarray(format="gray").astype(float)
    assert sheet.shape == (450, 800)
    with av.open(str(ladder / "av1.mp4")) as container:
        frames = [frame.reformat(160, 90, format="gray").to_ndarray() for frame in container.decode(video=0)]
    for place in range(3):
        tile = sheet[:90, place * 160 : (place + 1) * 160]
        errors = [float(np.var(tile - frames[number])) for number in (0, 50, 100)]
        assert int(np.argmin(errors)) == place
    assert sheet[:90, 480:].mean() < 5  # nothing is there


def test_long_titles_have_fewer_pictures() -> None:
    assert step_of(Fraction(60)) == 2
    assert step_of(Fraction(7200)) == 18


def test_the_index_has_a_row_per_segment(made: Path) -> None:
    table = pq.read_table(made / "segments.parquet")
    rows = table.to_pylist()
    assert table.schema.metadata[b"schema"] == b"segments@1"
    assert len(rows) == len(list(made.glob("*/*.m4s"))) == 18
    for row in rows:
        content = (made / row["file"]).read_bytes()
        assert (row["bytes"], row["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    first = [row for row in rows if row["track"] == "video-360p"]
    assert [(row["start_s"], row["duration_s"], row["packets"]) for row in first] == [
        (0, 2, 50),
        (2, 2, 50),
        (4, 1.28, 32),
    ]
    assert [(row["vmaf_mean"], row["vmaf_min"]) for row in first] == [(24.5, 0), (74.5, 50), (115.5, 100)]
    assert {row["vmaf_mean"] for row in rows if row["track"] != "video-360p"} == {None}


def test_the_description_says_what_was_meant(made: Path) -> None:
    found = read_description(made)
    assert "protection" not in found
    assert [(track["folder"], track.get("roles", [])) for track in found["tracks"]] == [
        ("video-360p", []),
        ("video-180p", []),
        ("video-av1", []),
        ("audio-en", []),
        ("audio-de", ["dub"]),
        ("audio-ad", ["description"]),
        ("text-forced", ["forced-subtitle"]),
        ("text-en", ["caption"]),
        ("text-de", []),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("1\n00:00:01,000 --> 00:00:02,000\nSRT\n", "line 1 is '1', wanted WEBVTT"),
        ("WEBVTT\n\n00:00:01,000 --> 00:00:02,000\nSRT\n", "line 3"),
    ],
)
def test_subtitles_that_cannot_be_read_are_refused(
    content: str, reason: str, ladder: Path, package: Package, tmp_path: Path
) -> None:
    path = tmp_path / "bad.vtt"
    path.write_text(content)
    with pytest.raises(CannotPackage, match=re.escape(reason)):
        package([VideoTrack(name="90p", path=ladder / "90p.mp4")], [], [TextTrack(name="text", path=path)])


def test_cues_that_will_not_be_seen_are_told(ladder: Path, package: Package, tmp_path: Path) -> None:
    path, said = tmp_path / "late.vtt", []
    path.write_text(WEBVTT + "\n00:05.000 --> 00:05.000\nNever\n\n00:10.000 --> 00:11.000\nLate\n")
    texts = [TextTrack(name="text", path=path)]
    package([VideoTrack(name="90p", path=ladder / "90p.mp4")], [], texts, log=said.append)
    assert said == ["text: 2 of 4 cues begin after the title's end, or end before they begin"]


def test_cues_are_read_as_webvtt_writes_them() -> None:
    cues = read_cues("\ufeff" + WEBVTT.replace("\n", "\r\n"))
    assert [(cue.start, cue.end, cue.text) for cue in cues] == [
        (1, 2, "One"),
        (3, Fraction(9, 2), "Two\nlines"),
    ]
