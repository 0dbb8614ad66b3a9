"""The words in which an embedded street is planned: kinds of place, strips of ground, things, and the whole street."""

from typing import NamedTuple

from pix2pix.data.embedded.streets.materials import MaterialName

EXPOSED = 64  # in the form of a building: its near end can be seen
END = 150.0  # metres: beyond, only a skyline

Lots = tuple[tuple[str, float], ...]


class Place(NamedTuple):
    """A kind of street; lengths in metres, `parking` a chance, `people` a density."""

    name: str
    left: int
    right: int
    parking: float
    verge: float
    sidewalk: tuple[float, float]
    set_back: float
    left_lots: Lots
    right_lots: Lots
    trees: float
    people: float


class Strip(NamedTuple):
    """A band of ground beside the road, from `inner` to `outer` metres away from the middle of our lane."""

    name: str
    material: MaterialName
    side: int
    inner: float
    outer: float
    height: float


class Item(NamedTuple):
    """A thing at (x, z), drawn after everything whose far end is farther; `heading` 0 looks along the street."""

    kind: str
    far: float
    x: float
    z: float
    side: int
    width: float
    height: float
    heading: float = 0.0
    form: int = 0


class Street(NamedTuple):
    """A street without its light: edges of the road, strips, lane marks, crossing street, tram track, things."""

    name: str
    left: float
    right: float
    strips: tuple[Strip, ...]
    marks: tuple[tuple[float, bool], ...]
    crossing: tuple[float, float] | None
    rails: tuple[float, float] | None
    items: tuple[Item, ...]
