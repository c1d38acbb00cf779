"""Each feature is what its definition says, computed by scipy, scikit-image or numpy on the same picture."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pyarrow import parquet
from scipy import fft, ndimage

from archer.media import FrameRange, frames, probe
from cinemill_native.frames import Frame, PixelFormat, Plane
from pipelines.vision import table
from pipelines.vision.columns import (
    CHROMA,
    COMPARED,
    FACE_COLUMNS,
    FRAME_COLUMNS,
    FRAMES_SCHEMA,
    SHOT_COLUMNS,
    STILL_COLUMNS,
    STILLS_SCHEMA,
    TRACK_COLUMNS,
)
from pipelines.vision.flash import NEAR, Red, flash, luminance, red_flash, redness
from pipelines.vision.levels import Levels
from pipelines.vision.measure import Rows, measured
from pipelines.vision.motion import GRID, Motion, motion
from pipelines.vision.palette import palette
from pipelines.vision.phash import distances, phash
from pipelines.vision.shots import camera, key_frame, like_shots, match_shots

EXACT = 1e-9
"""Relative tolerance of what the kernels add up exactly."""
ROUNDED = 0.04
"""Tolerance of spatial information, 8-bit units: gradients are rounded to sixteenths."""


@pytest.fixture(scope="module", params=[8, 10])
def pair(request: pytest.FixtureRequest, bbb: Path) -> tuple[Frame, Frame]:
    """Two neighbouring frames of a real title, at 8 bits and widened to 10."""
    found = list(frames(str(bbb), FrameRange(60, 62)))
    if request.param == 8:
        return found[0], found[1]
    return widened(found[0]), widened(found[1])


def widened(frame: Frame) -> Frame:
    """The picture in 10 bits, its two lowest bits filled with what is not the same everywhere."""
    planes = [
        plane.samples.astype(np.uint16) * 4 + plane.samples.astype(np.uint16) % 3 for plane in frame.planes
    ]
    layout = PixelFormat(name="yuv420p10le", bit_depth=10, chroma_shift=(1, 1))
    return Frame(
        planes=tuple(Plane(plane, 10) for plane in planes),
        format=layout,
        index=frame.index,
        pts=frame.pts,
        time_base=Fraction(1, 25),
    )


def levels(frame: Frame) -> Levels:
    return Levels(full_range=False, bit_depth=frame.format.bit_depth, red=0.2126, blue=0.0722)


def values(pair: tuple[Frame, Frame]) -> dict[str, Any]:
    return list(measured(pair, levels(pair[0])))[1][0]


def unit(plane: Plane) -> npt.NDArray[np.float64]:
    """Samples in 8-bit units."""
    return plane.samples.astype(np.float64) / 2 ** (plane.bit_depth - 8)


def test_every_column_is_filled(pair: tuple[Frame, Frame]) -> None:
    first, second = (found for found, _ in measured(pair, levels(pair[0])))
    assert set(second) == {each.name for each in FRAME_COLUMNS}
    assert set(second) - set(first) == COMPARED


def test_only_columns_that_may_be_null_are_null(pair: tuple[Frame, Frame], tmp_path: Path) -> None:
    """A grey title, whose first frame has the least that a row can have, makes a table."""
    grey = PixelFormat(name="gray", bit_depth=pair[0].format.bit_depth, chroma_shift=None)
    rows = Rows()
    for found, tiny in measured(
        [replace(each, planes=each.planes[:1], format=grey) for each in pair], levels(pair[0])
    ):
        rows.add(found, tiny)
    table.write_part(tmp_path / "part.parquet", rows.columns, rows.tiny)
    table.join_parts([tmp_path / "part.parquet"], tmp_path / "joined.parquet")
    read = parquet.read_table(tmp_path / "joined.parquet")
    assert {each.name for each in read.schema if each.nullable} == COMPARED | CHROMA
    assert {name for name in read.column_names if read[name].null_count} == COMPARED | CHROMA


def test_levels_of_luma_and_chroma(pair: tuple[Frame, Frame]) -> None:
    found, (y, u, v) = values(pair), map(unit, pair[1].planes)
    for name, plane in (("luma", y), ("cb", u), ("cr", v)):
        assert found[f"{name}_mean"] == pytest.approx(plane.mean(), rel=EXACT)
        assert found[f"{name}_std"] == pytest.approx(plane.std(), rel=1e-6)
    assert (found["luma_min"], found["luma_max"]) == (y.min(), y.max())
    for name, share in (("luma_p1", 1), ("luma_p50", 50), ("luma_p99", 99)):
        assert found[name] == np.floor(np.percentile(y[::2], share, method="inverted_cdf"))
    assert found["below_range"] == pytest.approx((y[::2] < 16).mean(), abs=EXACT)
    assert found["above_range"] == pytest.approx((y[::2] >= 236).mean(), abs=EXACT)


def test_sharpness_noise_and_spatial_information_equal_scipy(pair: tuple[Frame, Frame]) -> None:
    found, y = values(pair), unit(pair[1].luma)
    assert found["sharpness"] == pytest.approx(ndimage.laplace(y)[1:-1, 1:-1].var(), rel=1e-6)
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    rows, columns = y.shape
    ripple = np.abs(ndimage.convolve(y, mask)[1:-1, 1:-1]).sum()
    assert found["noise"] == pytest.approx(
        np.sqrt(np.pi / 2) * ripple / (6 * (rows - 2) * (columns - 2)), rel=1e-6
    )
    edges = np.hypot(ndimage.sobel(y, axis=0), ndimage.sobel(y, axis=1))[1:-1, 1:-1]
    assert found["si"] == pytest.approx(edges.std(), abs=ROUNDED)


def test_changes_equal_numpy(pair: tuple[Frame, Frame]) -> None:
    found, (before, after) = values(pair), (unit(frame.luma) for frame in pair)
    assert found["ti"] == pytest.approx((after - before).std(), rel=1e-6)
    assert found["change"] == pytest.approx(np.abs(after - before).mean(), rel=1e-6)
    assert found["changed"] == pytest.approx((after != before).mean(), rel=EXACT)


def test_colourfulness_is_that_of_rgb(pair: tuple[Frame, Frame]) -> None:
    """Hasler & Suesstrunk on R'G'B' of BT.709, each chroma sample with any luma: luma cancels out."""
    found, (_, u, v) = values(pair), map(unit, pair[1].planes)
    u, v = (u - 128) / 224 * 255, (v - 128) / 224 * 255
    luma = np.random.default_rng(1).uniform(0, 255, u.shape)
    red, green, blue = luma + 1.5748 * v, luma - 0.187324 * u - 0.468124 * v, luma + 1.8556 * u
    rg, yb = red - green, (red + green) / 2 - blue
    wanted = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    assert found["colourfulness"] == pytest.approx(wanted, rel=1e-4)


def test_perceptual_hash_is_signs_of_a_dct() -> None:
    small = np.random.default_rng(2).integers(0, 256, (32, 32), np.uint8)
    low = fft.dctn(small.astype(float), type=2)[:8, :8].ravel()
    low[:8] *= 1  # scipy's DCT-II has the same rows up to a factor of 2 each
    bits = low > np.median(low[1:])
    assert phash(small) == int("".join("01"[int(bit)] for bit in bits), 2)
    brighter = np.clip(small.astype(int) // 2 + 60, 0, 255).astype(np.uint8)
    other = np.random.default_rng(3).integers(0, 256, (32, 32), np.uint8)
    hashes = np.array([phash(brighter), phash(other)], np.uint64)
    near, far = distances(phash(small), hashes)
    assert near <= 4 < 16 < far
    assert like_shots([phash(small), phash(other), phash(brighter)]) == [None, None, 0]


@pytest.fixture(scope="module")
def world(bbb: Path) -> npt.NDArray[np.float64]:
    """A real picture, softly enlarged, to move a camera over."""
    from skimage.transform import resize  # here, since it takes a while, which the other workers need not

    (frame,) = frames(str(bbb), FrameRange(60, 61))
    return np.asarray(resize(frame.luma.samples.astype(float), (270, 480), anti_aliasing=True), np.float64)


def seen(world: npt.NDArray[np.float64], x: float, y: float, size: float = 1.0) -> npt.NDArray[np.uint8]:
    """What a camera shows: 54x96 cells, each a mean of what lies in it."""
    rows, columns = (np.arange(4 * side) / 4 - side / 2 + 0.125 for side in GRID)
    grid = np.meshgrid(rows * 2 * size + 135 + y * 2, columns * 2 * size + 240 + x * 2, indexing="ij")
    fine = ndimage.map_coordinates(world, grid, order=1)
    return np.rint(fine.reshape(GRID[0], 4, GRID[1], 4).mean(axis=(1, 3))).astype(np.uint8)


@pytest.mark.parametrize(("x", "y"), [(0.3, 0.0), (1.0, -0.5), (-3.0, 2.0), (7.5, -4.0), (0.0, 0.0)])
def test_pans_are_measured(world: npt.NDArray[np.float64], x: float, y: float) -> None:
    """As scikit-image's phase correlation measures them, and as they were made."""
    from skimage.registration import phase_cross_correlation

    before, after = seen(world, 0, 0), seen(world, -x, -y)
    found = motion(before, after)
    cells = np.array([found.pan_y * GRID[0] / 100, found.pan_x * GRID[1] / 100])
    assert cells == pytest.approx([y, x], abs=0.12)
    other, _, _ = phase_cross_correlation(after, before, upsample_factor=20, normalization=None)
    assert cells == pytest.approx(other, abs=0.75)
    assert abs(found.zoom) < 0.2


@pytest.mark.parametrize("zoom", [0.5, 2.0, -1.5])
def test_zooms_are_measured(world: npt.NDArray[np.float64], zoom: float) -> None:
    found = motion(seen(world, 0, 0), seen(world, 0, 0, 1 / (1 + zoom / 100)))
    assert found.zoom == pytest.approx(zoom, rel=0.25, abs=0.1)
    assert abs(found.pan_x) < 0.15


def test_cameras_are_told_apart() -> None:
    still, steady = np.zeros(40, np.float32), np.full(40, 0.5, np.float32)
    shaky = np.random.default_rng(4).normal(0, 0.3, 40).astype(np.float32)
    assert camera(still, still, still) == "static"
    assert camera(steady, still, still) == "pan"
    assert camera(still, -2 * steady, still) == "tilt"
    assert camera(still, still, 2 * steady) == "zoom"
    assert camera(shaky, shaky, still) == "handheld"
    assert camera(steady, 2 * steady, still) == "mixed"
    assert camera(still[:0], still[:0], still[:0]) == "static"
    assert key_frame(np.array([9, 1, 2, 5, 3, 1, 1, 9], np.float32)) == 3


def test_flashes_are_measured_in_candela() -> None:
    video = Levels(full_range=False, bit_depth=8, red=0.2126, blue=0.0722)
    assert luminance(np.array([16, 235], np.uint8), video).tolist() == pytest.approx([0, 200])
    dark = luminance(np.full((27, 48), 60, np.uint8), video)
    part = dark.copy()
    part[:7] = 150  # 7 of 27 rows: more than a quarter
    still = Motion(pan_x=0, pan_y=0, zoom=0, unexplained=0)
    change, darker = flash(dark, part, still)
    assert change == pytest.approx(150 - float(dark[0, 0]), rel=1e-5)
    assert darker == pytest.approx(float(dark.mean()), rel=1e-5)
    part[6:] = dark[0, 0]  # 6 rows: less
    assert flash(dark, part, still)[0] == 0
    stripes = np.tile(np.repeat(dark[:1, :1] + [0, 90], 12, axis=1), (54, 4)).astype(np.float32)
    panned = np.roll(stripes, 6, axis=1)
    assert abs(flash(stripes, panned, still)[0]) == pytest.approx(90)
    assert flash(stripes, panned, Motion(pan_x=6.25, pan_y=0, zoom=0, unexplained=0))[0] == 0
    assert flash(stripes, panned + 30, Motion(pan_x=6.25, pan_y=0, zoom=0, unexplained=0))[
        0
    ] == pytest.approx(30)


def test_the_palette_names_the_colours_of_a_picture() -> None:
    video = Levels(full_range=False, bit_depth=8, red=0.2126, blue=0.0722)
    luma = np.full((9, 16), 235, np.uint8)
    luma[:, :4] = 16
    grey = np.full((2, 9, 16), 128, np.uint8)
    assert palette(luma.tobytes() + grey.tobytes(), video) == ["#ffffff", "#000000"]


def test_blocks_bars_and_spots_are_seen(bbb: Path) -> None:
    (frame,) = frames(str(bbb), FrameRange(60, 61))
    y = frame.luma.samples.copy()
    plain = values_of(y)
    blocky = (
        y.reshape(90, 8, 160, 8).mean(axis=(1, 3), dtype=float).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    )
    assert 0.9 < plain["blockiness"] < 1.3
    assert values_of(blocky)["blockiness"] > 5
    y[:90], y[-88:], y[:, :6] = 16, 17, 20
    y[300, 700] = 255 if y[300, 700] < 128 else 0
    found = values_of(y)
    assert [found[f"bar_{side}"] for side in ("top", "bottom", "left", "right")] == [90, 88, 6, 0]
    assert 300 * 1280 + 700 in found["spot_places"]
    assert found["spots"] >= plain["spots"]


def values_of(luma: npt.NDArray[np.uint8]) -> dict[str, Any]:
    frame = Frame(
        planes=(Plane(luma),),
        format=PixelFormat(name="gray", bit_depth=8, chroma_shift=None),
        index=0,
        pts=0,
        time_base=Fraction(1, 25),
    )
    return next(measured([frame], Levels(full_range=False, bit_depth=8, red=0.2126, blue=0.0722)))[0]


def test_any_chunking_gives_the_same(short: Path) -> None:
    """A chunk reads one frame before its own, and nothing else of what is around it."""
    info = probe(str(short))
    video = Levels.of(info.video)
    whole = list(measured(frames(str(short), info=info), video))
    for edges in ([0, 1, 2, 30], [0, 13, 17, 30]):
        parts: list[Any] = []
        for start, end in pairwise(edges):
            read = FrameRange(max(0, start - 1), end)
            parts += list(measured(frames(str(short), read, info=info), video))[start - read.start :]
        assert parts == whole


def test_tables_do_not_depend_on_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte, also where groups of rows end within parts."""
    monkeypatch.setattr(table, "GROUP", 8)
    random, files = np.random.default_rng(6), []
    columns: dict[str, Any] = {each.name: random.integers(0, 99, 30).tolist() for each in FRAME_COLUMNS}
    columns["frame"], columns["spot_places"] = list(range(30)), [[1, 2][: place % 3] for place in range(30)]
    columns["ti"][0] = None
    for edges in ([0, 30], [0, 1, 8, 9, 30], [0, 13, 26, 30]):
        parts = []
        for place, (start, end) in enumerate(pairwise(edges)):
            parts.append(tmp_path / f"{place}.parquet")
            rows = {name: column[start:end] for name, column in columns.items()}
            table.write_part(parts[-1], rows, [b"x"] * (end - start))
        table.join_parts(parts, tmp_path / "joined.parquet")
        files.append((tmp_path / "joined.parquet").read_bytes())
        assert table.read_tiny(parts, [0, 29]) == [b"x", b"x"]
    assert files[0] == files[1] == files[2]
    found = table.read_columns(tmp_path / "joined.parquet", ["ti", "frame", "spot_places"])
    assert np.isnan(found["ti"][0])
    assert found["frame"].tolist() == columns["frame"]
    assert list(found["spot_places"]) == columns["spot_places"]


def test_columns_are_described() -> None:
    for columns in (FRAME_COLUMNS, SHOT_COLUMNS, STILL_COLUMNS, FACE_COLUMNS, TRACK_COLUMNS):
        assert len({each.name for each in columns}) == len(columns)
        assert all(each.what for each in columns)
    page = (Path(__file__).resolve().parents[2] / "docs" / "vision.md").read_text()
    for each in (*FRAME_COLUMNS, *SHOT_COLUMNS, *STILL_COLUMNS, *FACE_COLUMNS, *TRACK_COLUMNS):
        assert f"| `{each.name}` | {each.kind} | {each.unit} | {each.what} |" in page


def test_redness_is_that_of_linear_light() -> None:
    """Pure red of BT.709 in video range, dark red, grey, green: (R - G - B) * 320, and which are saturated."""
    of = Levels(full_range=False, bit_depth=8, red=0.2126, blue=0.0722)
    y, cb, cr = (
        np.array([row], np.uint8) for row in ([63, 39, 126, 173], [102, 115, 128, 42], [240, 184, 128, 26])
    )
    found = redness(y, cb, cr, of)
    assert found.value[0] == pytest.approx([320, 320 * 0.5**2.4, 0, 0], abs=4)
    assert found.saturated[0].tolist() == [True, True, False, False]
    assert found.near
    grey = redness(
        np.full((1, 4), 126, np.uint8), np.full((1, 4), 128, np.uint8), np.full((1, 4), 128, np.uint8), of
    )
    red = redness(*(np.repeat(plane[:, :1], 4, axis=1) for plane in (y, cb, cr)), of)
    assert red_flash(grey, red) == pytest.approx(320, abs=4)
    assert red_flash(red, grey) == pytest.approx(-320, abs=4)
    assert red_flash(grey, grey) == 0


def test_redness_is_worked_out_where_it_may_count() -> None:
    """What is left out by `near` has no cell of saturated red, by the definition on all its colours."""
    parts = np.random.default_rng(3).random((3, 40, 50), np.float32)
    rough = parts.copy()
    rough[1] = np.maximum(rough[1], np.float32(NEAR) * rough[0] + np.float32(1e-5))
    for each, near in ((parts, True), (rough, False)):
        linear = each.astype(np.float64) ** 2.4
        saturated = linear[0] / linear.sum(axis=0) >= 0.8
        found = Red(each)
        assert found.near == near == saturated.any()
        assert (found.saturated == saturated).mean() > 0.999


def test_match_cuts_are_proposed_between_pictures_composed_alike() -> None:
    """Near, but not nearly the same; the nearest first, and nothing where all is far."""
    one, far = 0, (1 << 64) - 1
    near, nearer, same = (1 << 18) - 1, (1 << 12) - 1, 0b11
    assert match_shots([one, far, near, nearer, same]) == [(3, 12), None, (4, 16), (4, 10), (3, 10)]
    assert match_shots([one]) == [None]


@pytest.mark.parametrize("reader", ["duckdb", "pandas", "polars"])
def test_tables_load_in_one_line(tmp_path: Path, reader: str) -> None:
    """With numbers, lists and boxes, as docs/vision.md says."""
    library = pytest.importorskip(reader, reason=f"pip install {reader}; make test-full does")
    box = {"left": 0.25, "top": 0.5, "width": 0.125, "height": 0.25, "score": 0.75}
    still: dict[str, Any] = {
        each.name: [None, 2] if each.kind == "float" else [0, 1] for each in STILL_COLUMNS
    }
    still |= {"text": [None, []], "faces": [[], [box, box]]}
    frame: dict[str, Any] = {each.name: [3, 4] for each in FRAME_COLUMNS}
    frame |= {"spot_places": [[], [7]], "phash": [1 << 63, 1], "flash": [None, 2]}
    stills, frames_ = tmp_path / "stills.parquet", tmp_path / "frames.parquet"
    table.write_rows(stills, still, STILL_COLUMNS, STILLS_SCHEMA)
    table.write_rows(frames_, frame, FRAME_COLUMNS, FRAMES_SCHEMA)
    if reader == "duckdb":
        found, rows = (library.from_parquet(str(path)) for path in (stills, frames_))
        seen = found.filter("banding < 5 and len(faces) > 0").project("shot, frame, len(faces)")
        assert seen.fetchall() == [(1, 1, 2)]
        assert rows.project("phash, flash").fetchall() == [(1 << 63, None), (1, 2)]
        return
    read = library.read_parquet
    assert [[face["top"] for face in faces] for faces in read(stills)["faces"]] == [[], [0.5, 0.5]]
    assert [list(places) for places in read(frames_)["spot_places"]] == [[], [7]]
    assert [int(each) for each in read(frames_)["phash"]] == [1 << 63, 1]
