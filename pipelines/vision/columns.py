"""The columns of the tables `vision-*@1`: the one place that says what each is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

FRAMES_SCHEMA = "vision-frames@1"
SHOTS_SCHEMA = "vision-shots@1"
STILLS_SCHEMA = "vision-stills@1"
FACES_SCHEMA = "vision-faces@1"
TRACKS_SCHEMA = "vision-tracks@1"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: of the column.
        kind: Arrow type: `float`, `int32`, `uint64`, `string`, `ints` (a list of int32), `strings`, `boxes` (a list of `left`,
            `top`, `width`, `height` and `score`).
        unit: unit of its values; `8-bit` are samples of the picture's own range divided by 2 ** (bit depth - 8).
        what: one sentence.
        nullable: False where every row has a value; such a column is read half as fast again.
    """

    name: str
    kind: str
    unit: str
    what: str
    nullable: bool = True


COMPARED = frozenset(
    {"change", "changed", "ti", "field_order", "top_change", "bottom_change"}
    | {"flash", "flash_dark", "red_flash", "pan_x", "pan_y", "zoom", "unexplained"}
)
"""Columns of frames that compare with the frame before: null in the first."""
CHROMA = frozenset(("cb_mean", "cr_mean", "cb_std", "cr_std", "colourfulness", "out_of_gamut", "red_flash"))
"""Columns of frames that are null in grey titles."""

_FRAME = (
    Column("frame", "int32", "frames", "number of the frame, from 0"),
    Column("luma_mean", "float", "8-bit", "mean luma"),
    Column("luma_std", "float", "8-bit", "standard deviation of luma"),
    Column("luma_min", "float", "8-bit", "darkest sample"),
    Column("luma_max", "float", "8-bit", "brightest sample"),
    Column("luma_p1", "float", "8-bit", "1st percentile of luma in even rows, in 256 bins"),
    Column("luma_p50", "float", "8-bit", "median of luma in even rows, in 256 bins"),
    Column("luma_p99", "float", "8-bit", "99th percentile of luma in even rows, in 256 bins"),
    Column("contrast", "float", "1", "(p99 - p1) / 255"),
    Column("cb_mean", "float", "8-bit", "mean Cb"),
    Column("cr_mean", "float", "8-bit", "mean Cr"),
    Column("cb_std", "float", "8-bit", "standard deviation of Cb"),
    Column("cr_std", "float", "8-bit", "standard deviation of Cr"),
    Column("colourfulness", "float", "8-bit", "Hasler & Suesstrunk 2003, on unclipped R'G'B'"),
    Column("sharpness", "float", "8-bit^2", "variance of the Laplacian (4 neighbours) of inner luma"),
    Column("noise", "float", "8-bit", "standard deviation of noise, Immerkaer 1996"),
    Column("si", "float", "8-bit", "spatial information, ITU-T P.910: deviation of the Sobel gradient"),
    Column("ti", "float", "8-bit", "temporal information, ITU-T P.910: deviation of the change from the frame before"),
    Column("blockiness", "float", "1", "steps at borders of 8x8 blocks over steps inside of them; 1 where there are no blocks"),
    Column("below_range", "float", "1", "share of luma samples (of even rows) below 16, black of video range"),
    Column("above_range", "float", "1", "share of luma samples (of even rows) above 235, white of video range"),
    Column("out_of_gamut", "float", "1", "share of chroma samples whose R', G' or B' is outside -5 to 105 % (EBU R 103)"),
    Column("bar_top", "int32", "rows", "black rows at the top"),
    Column("bar_bottom", "int32", "rows", "black rows at the bottom"),
    Column("bar_left", "int32", "columns", "black columns on the left"),
    Column("bar_right", "int32", "columns", "black columns on the right"),
    Column("change", "float", "8-bit", "mean absolute change of luma from the frame before"),
    Column("changed", "float", "1", "share of luma samples that differ from the frame before"),
    Column("comb", "float", "8-bit", "mean distance of rows from the mean of the rows around them"),
    Column("field_order", "float", "log2", "above 0 top field first, below 0 bottom field first, near 0 progressive"),
    Column("top_change", "float", "8-bit", "mean absolute change of even rows from the frame before"),
    Column("bottom_change", "float", "8-bit", "mean absolute change of odd rows from the frame before"),
    Column("spots", "int32", "samples", "lone samples that stand out of all eight neighbours"),
    Column("spot_places", "ints", "samples", "the first 16 of them, as row * width + column"),
    Column("flash", "float", "cd/m^2", "change of luminance that a quarter of the picture reaches beyond motion; white is 200"),
    Column("flash_dark", "float", "cd/m^2", "mean luminance of the darker of the two frames"),
    Column("red_flash", "float", "1", "change of (R - G - B) x 320 that a quarter of the picture reaches with saturated red"),
    Column("pan_x", "float", "% of width", "motion of the whole picture to the right from the frame before"),
    Column("pan_y", "float", "% of height", "motion of the whole picture downwards"),
    Column("zoom", "float", "%", "growth of the whole picture"),
    Column("unexplained", "float", "8-bit", "mean absolute change that this motion leaves"),
    Column("phash", "uint64", "bits", "perceptual hash: signs of 64 low frequencies"),
)  # fmt: skip
FRAME_COLUMNS = tuple(replace(each, nullable=each.name in COMPARED | CHROMA) for each in _FRAME)
"""Columns of `vision-frames@1`."""

SHOT_COLUMNS = (
    Column("shot", "int32", "shots", "number of the shot, from 0"),
    Column("start", "int32", "frames", "first frame"),
    Column("end", "int32", "frames", "frame behind the last"),
    Column("luma_mean", "float", "8-bit", "mean over the frames"),
    Column("contrast", "float", "1", "mean over the frames"),
    Column("colourfulness", "float", "8-bit", "mean over the frames"),
    Column("sharpness", "float", "8-bit^2", "median over the frames"),
    Column("noise", "float", "8-bit", "median over the frames"),
    Column("si", "float", "8-bit", "largest of the frames (ITU-T P.910)"),
    Column("ti", "float", "8-bit", "largest of the frames but its first (ITU-T P.910)"),
    Column("motion", "float", "% of width", "mean length of the motion of the whole picture per frame"),
    Column("camera", "string", "", "static, pan, tilt, zoom, handheld or mixed"),
    Column("key_frame", "int32", "frames", "the sharpest frame of its middle half"),
    Column("phash", "uint64", "bits", "perceptual hash of the key frame"),
    Column("like_shot", "int32", "shots", "the first shot whose key frame is nearly the same; null without one"),
    Column("match_shot", "int32", "shots", "the shot composed most alike but not nearly the same, for a match cut; or null"),
    Column("match_bits", "int32", "bits", "in how many of 64 bits the hashes of both differ"),
    Column("colours", "strings", "sRGB", "up to five colours of the key frame, most frequent first, as #rrggbb"),
)  # fmt: skip
"""Columns of `vision-shots@1`."""


STILL_COLUMNS = (
    Column("shot", "int32", "shots", "number of the shot, from 0"),
    Column("frame", "int32", "frames", "its key frame, which all other columns are about"),
    Column("banding", "float", "1", "CAMBI of luma: 0 is none, about 5 is annoying"),
    Column("interest_x", "float", "share of width", "centre of what stands out (spectral residual, Hou & Zhang 2007)"),
    Column("interest_y", "float", "share of height", "its place from the top"),
    Column("interest_left", "float", "share of width", "left edge of the box around nine tenths of it in each direction"),
    Column("interest_top", "float", "share of height", "top edge of the box"),
    Column("interest_width", "float", "share of width", "width of the box"),
    Column("interest_height", "float", "share of height", "height of the box"),
    Column("text", "boxes", "share of picture", "lines of text, the surest first; null where they were not looked for"),
    Column("text_area", "float", "share of picture", "what these boxes cover together"),
    Column("faces", "boxes", "share of picture", "faces, the surest first; null where they were not looked for"),
    Column("face_area", "float", "share of picture", "what these boxes cover together"),
)  # fmt: skip
"""Columns of `vision-stills@1`; places are those of the picture as it is shown, upright."""


FACE_COLUMNS = (
    Column("shot", "int32", "shots", "number of the shot, from 0"),
    Column("frame", "int32", "frames", "the frame that was looked at"),
    Column("track", "int32", "tracks", "whose face it is, from 0: the row of vision-tracks@1"),
    Column("left", "float", "share of width", "left edge of the face"),
    Column("top", "float", "share of height", "its top edge"),
    Column("width", "float", "share of width", "its width"),
    Column("height", "float", "share of height", "its height"),
    Column("score", "float", "1", "how sure the model is, 0.5 to 1"),
)
"""Columns of `vision-faces@1`; places are those of the picture as it is shown, upright."""

TRACK_COLUMNS = (
    Column("track", "int32", "tracks", "number of the track, from 0, by shot and first frame"),
    Column("shot", "int32", "shots", "its shot; a track never goes over a cut"),
    Column("start", "int32", "frames", "first frame in which the face was seen"),
    Column("end", "int32", "frames", "frame behind the last in which it was seen"),
    Column("seen", "int32", "frames", "frames in which it was seen"),
    Column("looked", "int32", "frames", "frames that were looked at from the first to the last of them"),
    Column("frame", "int32", "frames", "where it is surest"),
    Column("left", "float", "share of width", "left edge of the face there"),
    Column("top", "float", "share of height", "its top edge there"),
    Column("width", "float", "share of width", "its width there"),
    Column("height", "float", "share of height", "its height there"),
    Column("score", "float", "1", "how sure the model is there, 0.5 to 1"),
)
"""Columns of `vision-tracks@1`."""


def arrow_schema(columns: tuple[Column, ...], name: str, facts: Mapping[str, str] | None = None) -> pa.Schema:
    """The Arrow schema of a table; fields carry `unit` and `description`, the table `schema` and other facts."""
    import pyarrow as pa

    edges = ("left", "top", "width", "height", "score")
    kinds = {
        "float": pa.float32(),
        "int32": pa.int32(),
        "uint64": pa.uint64(),
        "string": pa.string(),
        "ints": pa.list_(pa.int32()),
        "strings": pa.list_(pa.string()),
        "boxes": pa.list_(pa.struct([(edge, pa.float32()) for edge in edges])),
    }
    fields = [
        pa.field(
            each.name,
            kinds[each.kind],
            nullable=each.nullable,
            metadata={"unit": each.unit, "description": each.what},
        )
        for each in columns
    ]
    metadata: dict[bytes | str, bytes | str] = {"schema": name}
    metadata.update(facts or {})
    return pa.schema(fields, metadata=metadata)
