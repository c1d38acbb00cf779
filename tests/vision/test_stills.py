"""What the harder look finds is what was put into the picture, and what independent code finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy import fft, ndimage

from archer.media import FrameRange, frames, probe
from cinemill_native.frames import Plane
from pipelines.vision import faces, models, text
from pipelines.vision.bars import Bars
from pipelines.vision.box import Box, covered, distinct
from pipelines.vision.columns import STILL_COLUMNS, STILLS_SCHEMA
from pipelines.vision.contact import COLOURS, marked
from pipelines.vision.regions import regions
from pipelines.vision.saliency import BLUR, interest, saliency
from pipelines.vision.still import banding, still_features, turned, upright
from pipelines.vision.table import read_facts, read_rows, write_rows


def textured(rows: int, columns: int) -> npt.NDArray[np.uint8]:
    """A regular ground with one thing on it, at three quarters of the width and a quarter of the height."""
    ground = (
        100 + 20 * np.sin(np.arange(columns) * 0.9)[None, :] + 10 * np.cos(np.arange(rows) * 1.1)[:, None]
    )
    y, x = rows // 4, 3 * columns // 4
    ground[y - 2 : y + 3, x - 2 : x + 3] = 240
    return ground.astype(np.uint8)


def test_saliency_is_the_spectral_residual() -> None:
    small = textured(36, 64)
    spectrum = fft.fft2(small.astype(float))
    log = np.log(np.abs(spectrum) + 1e-9)
    residual = log - ndimage.uniform_filter(log, 3, mode="wrap")
    power = np.abs(fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    smooth, ones = (
        ndimage.gaussian_filter(map_, BLUR, mode="constant", truncate=12)
        for map_ in (power, np.ones_like(power))
    )
    np.testing.assert_allclose(saliency(small), smooth / ones, rtol=1e-6)


@pytest.mark.parametrize("shape", [(36, 64), (64, 36), (64, 64)])
def test_interest_lies_on_what_stands_out(shape: tuple[int, int]) -> None:
    found = interest(textured(*shape))
    assert found is not None
    assert (found.x, found.y) == pytest.approx((0.75, 0.25), abs=0.08)
    box = found.box
    assert box.left <= found.x <= box.left + box.width
    assert box.top <= found.y <= box.top + box.height
    assert box.width < 0.5
    assert interest(np.full(shape, 77, np.uint8)) is None


@pytest.mark.parametrize("share", [0.0, 0.2, 0.45, 0.9])
def test_regions_are_those_of_scipy(share: float) -> None:
    mask = np.random.default_rng(1).random((60, 71)) < share
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    found = regions(mask)
    assert len(found) == count
    values = np.random.default_rng(2).random(mask.shape).astype(np.float32)
    for region in found:
        row, start, _ = region.runs[0]
        same = labels == labels[row, start]
        rows, columns = (np.flatnonzero(same.any(axis=axis)) for axis in (1, 0))
        assert (region.top, region.bottom) == (rows[0], rows[-1] + 1)
        assert (region.left, region.right) == (columns[0], columns[-1] + 1)
        assert region.mean(values) == pytest.approx(values[same].mean(), rel=1e-5)


def test_boxes_are_cut_and_kept_apart() -> None:
    one = Box.within(-0.1, 0.2, 0.5, 1.3, 0.9)
    assert (one.left, one.top, one.width, one.height) == pytest.approx((0, 0.2, 0.5, 0.8))
    near, far = replace(one, left=0.05, score=0.8), replace(one, left=0.5, score=0.7)
    assert one.shared(near) == pytest.approx(0.45 / 0.55)
    assert one.shared(far) == 0
    assert distinct([far, near, one], 0.3) == [one, far]
    assert covered([one, near, far]) == pytest.approx(0.8, abs=0.01)


def test_regions_of_text_grow_back() -> None:
    likely = np.zeros((320, 640), np.float32)
    likely[100:110, 200:400] = 0.95
    likely[200:210, 200:400] = 0.6  # not sure
    likely[20:22, 20:22] = 1.0  # dust
    likely[:, 600:620] = 1.0  # too tall
    (found,) = text.boxes(likely)
    grow = 10 * 200 * text.GROWTH / (2 * 210)
    assert found.left * 640 == pytest.approx(200 - grow)
    assert found.top * 320 == pytest.approx(100 - grow)
    assert found.height * 320 == pytest.approx(10 + 2 * grow)
    assert found.score == pytest.approx(0.95)


def test_faces_come_from_centres_and_sizes() -> None:
    centre, size, offset = (np.zeros(shape, np.float32) for shape in ((20, 40), (2, 20, 40), (2, 20, 40)))
    centre[10, 20], centre[10, 21], centre[5, 5] = 0.9, 0.8, 0.4
    size[:, 10, 20:22] = np.log([8, 4])[:, None]
    offset[0, 10, 20] = 0.5
    (found,) = faces.boxes(centre, size, offset)
    assert found.score == pytest.approx(0.9)
    assert (found.left * 40, found.top * 20) == pytest.approx((20.5 - 2, 11 - 4))
    assert (found.width * 40, found.height * 20) == pytest.approx((4, 8))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_places_turn_with_the_picture(rotation: int) -> None:
    mask = np.zeros((20, 40), np.bool_)
    mask[2:8, 10:30] = True
    shown = np.rot90(mask, k=-(rotation // 90))
    rows, columns = (np.flatnonzero(shown.any(axis=axis)) for axis in (1, 0))
    high, wide = shown.shape
    wanted = columns[0] / wide, rows[0] / high, len(columns) / wide, len(rows) / high
    assert turned(2, 10, 6, 20, 20, 40, rotation) == pytest.approx(wanted)


def test_bands_are_seen_and_light_decides_in_pq() -> None:
    """Steps of one level of 8 bits, 16 samples wide, up and down; and a quarter of that, which PQ makes visible."""
    places = np.abs(np.arange(640) // 16 % 20 - 10)
    coarse, fine = (
        Plane(np.repeat((level + step * places).astype(np.uint16)[None, :], 360, axis=0), 10)
        for level, step in ((400, 4), (600, 1))
    )
    noise = np.random.default_rng(1).normal(0, 3, coarse.samples.shape)
    assert banding(coarse, pq=False) > 20
    assert banding(Plane(np.rint(coarse.samples + noise).astype(np.uint16), 10), pq=False) < 2
    assert banding(fine, pq=False) < 0.5 < 2 * banding(fine, pq=True)


@pytest.mark.parametrize("size", [(4096, 2160), (7680, 4320)])
def test_bands_are_seen_in_pictures_larger_than_4k(size: tuple[int, int]) -> None:
    """Those of cinemas and 8K; the lower rows are left out, which makes the same window."""
    wide, high = size[0], size[1] // 9
    places = np.abs(np.arange(wide + 8 * high) // 24 % 20 - 10)[: wide + size[1] - high]
    assert banding(Plane(np.repeat((60 + places).astype(np.uint8)[None, :], high, axis=0)), pq=False) > 10
    assert banding(Plane(np.full((high, wide), 60, np.uint8)), pq=False) == 0


def test_only_dimensions_of_pictures_are_opened() -> None:
    header = b"\x12\x10\x0a\x02\x08\x0a\x0a\x02\x08\x03\x0a\x02\x08\x20\x0a\x02\x08\x20"
    assert models.opened(b"x" + header + b"\x08\x20", (10, 32)) == (
        b"x\x12\x10\x0a\x02\x12\x00\x0a\x02\x08\x03\x0a\x02\x12\x00\x0a\x02\x12\x00\x08\x20"
    )
    assert models.opened(header[2:], (10, 32)) == header[2:]


def test_text_of_a_title_is_found() -> None:
    if models.missing():
        pytest.skip("needs the extra vision")
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (960, 544), (30, 40, 60))
    ImageDraw.Draw(picture).text(
        (300, 400), "The quick brown fox", font=ImageFont.load_default(40), fill="white"
    )
    ink = np.argwhere(np.asarray(picture.convert("L")) > 150)
    (found,) = text.text_boxes(np.asarray(picture), models.session(models.TEXT, 1))
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0)
    assert found.left * 960 == pytest.approx(left, abs=14)
    assert found.top * 544 == pytest.approx(top, abs=14)
    assert (found.left + found.width) * 960 == pytest.approx(right, abs=14)
    assert (found.top + found.height) * 544 == pytest.approx(bottom, abs=14)


def test_faces_of_a_real_picture_are_found(clips: Path) -> None:
    if models.missing():
        pytest.skip("needs the extra vision")
    path = clips / "friday_speech_480p30.mp4"
    info = probe(str(path))
    (frame,) = frames(str(path), FrameRange(92, 93), info=info)
    picture = upright(frame, info.video, faces.SIDE, 32)
    found = faces.face_boxes(picture, models.session(models.FACES, 1))
    assert len(found) == 2
    speaker = min(found, key=lambda box: box.top)
    assert (speaker.left, speaker.top) == pytest.approx((0.6, 0.17), abs=0.03)
    assert faces.face_boxes(np.full((352, 640, 3), 90, np.uint8), models.session(models.FACES, 1)) == []


def test_without_the_extra_columns_are_null(
    bbb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "RUNTIME", "no_such_runtime")
    info = probe(str(bbb))
    (frame,) = frames(str(bbb), FrameRange(60, 61), info=info)
    found = still_features(frame, info.video, Bars(), 1)
    assert "text" not in found
    assert "faces" not in found
    assert 0 <= found["banding"] < 5
    rows = {each.name: [found.get(each.name, 0 if each.kind == "int32" else None)] for each in STILL_COLUMNS}
    path = tmp_path / "stills.parquet"
    write_rows(path, rows, STILL_COLUMNS, STILLS_SCHEMA, {"text_model": models.TEXT.label})
    read = read_rows(path, STILLS_SCHEMA)
    assert read["faces"] == read["text"] == [None]
    assert read_facts(path) == {"schema": STILLS_SCHEMA, "text_model": ""}
    assert [line.partition(":")[0] for line in models.missing()] == ["text", "faces"]
    assert all("pip install 'cinemill[vision]'" in line for line in models.missing())
    with pytest.raises(ValueError, match="analyze again"):
        read_rows(path, "vision-stills@9")


def test_boxes_are_drawn_where_they_are() -> None:
    row = dict.fromkeys((each.name for each in STILL_COLUMNS), None)
    row |= {"faces": [{"left": 0.25, "top": 0.5, "width": 0.5, "height": 0.25, "score": 1.0}]}  # type: ignore[dict-item]
    picture = np.zeros((40, 80, 3), np.uint8)
    drawn = marked(picture, row)
    green = (drawn == COLOURS["faces"]).all(axis=2)
    assert green[20, 20:60].all()
    assert green[20:30, 20].all()
    assert green[29, 20:60].all()
    assert not green[23:27, 23:57].any()
    assert not picture.any()
