"""Whether two outputs can be compared, and which rung of one stands against which of the other; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipelines.compare.errors import NotComparable
from pipelines.compare.side import JobSide, RungData

Pair = tuple[RungData, RungData]


def check_match(one: JobSide, other: JobSide, *, force: bool) -> tuple[str, ...]:
    """Notes that the reader must know where two outputs are compared that are not of one source and scored alike.

    Raises:
        NotComparable: they are not, and `force` is off; or their frames are no pairs, which nothing helps.
    """
    apart = tuple(_apart(one, other))
    if one.frames != other.frames:
        what = f"frames {one.frames} and {other.frames}"
        rest = tuple(word for word in apart if not word.startswith("frames"))
        raise NotComparable(
            (*rest, what), "frames are compared one by one; name two encodes of the same frames"
        )
    if apart and not force and not _may_be_one(one, other):
        raise NotComparable(apart, "name two encodes of one title, scored alike, or add --force")
    return tuple(f"not alike: {word}" for word in apart)


def _apart(one: JobSide, other: JobSide) -> Iterator[str]:
    """What differs between the sources and the ways they were scored."""
    first, second = _facts(one), _facts(other)
    for name, value in first.items():
        if value != second[name]:
            yield f"{name} {value} and {second[name]}"


def _facts(side: JobSide) -> dict[str, str]:
    source, media = side.manifest["input"], side.manifest["media"]
    return {
        "source": str(source["identity"])[:19],
        "source bytes": f"{source['bytes']:,}",
        "source size": f"{media['width']}x{media['height']}",
        "frame rate": str(media["frame_rate"]),
        "VMAF model": str(side.manifest["model"]),
    }


def _may_be_one(one: JobSide, other: JobSide) -> bool:
    """Only the names of the source differ, and one of them is not of its content: nothing speaks against one source."""
    names = [side.manifest["input"]["identity"] for side in (one, other)]
    if all(name.startswith("sha256:") for name in names):
        return False
    return len(list(_apart(one, other))) == 1 and names[0] != names[1]


def paired(one: JobSide, other: JobSide) -> tuple[list[Pair], list[str]]:
    """Rungs of equal name, else of equal size, else the only one of each side; and notes about those left over."""
    pairs, left, right = _matched(list(one.rungs), list(other.rungs), lambda rung: rung.name)
    more, left, right = _matched(left, right, lambda rung: (rung.width, rung.height))
    pairs += more
    if not pairs and len(left) == len(right) == 1:
        pairs, left, right = [(left[0], right[0])], [], []
    if not pairs:
        names = [", ".join(rung.name for rung in side.rungs) for side in (one, other)]
        raise NotComparable(
            (f"rungs {names[0]} and {names[1]}",), "name two encodes with at least one rung of equal size"
        )
    places = {id(rung): place for place, rung in enumerate(one.rungs)}
    pairs.sort(key=lambda pair: places[id(pair[0])])
    notes = [
        f"rung {rung.name} is on side {side} only"
        for side, rest in (("A", left), ("B", right))
        for rung in rest
    ]
    return pairs, notes


def _matched(
    left: Sequence[RungData], right: Sequence[RungData], key: Any
) -> tuple[list[Pair], list[RungData], list[RungData]]:
    free = list(right)
    pairs, rest = [], []
    for rung in left:
        found = next((other for other in free if key(other) == key(rung)), None)
        if found is None:
            rest.append(rung)
        else:
            free.remove(found)
            pairs.append((rung, found))
    return pairs, rest, free
