"""The parts of an embedded facade as plain data, measured in shares of the picture's side so that any size will do."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

Kind = Literal[
    "window", "french", "door", "garage", "cornice", "pediment", "sill", "balcony", "shutter", "roller",
    "deco", "molding", "entablature", "pillar", "shop", "sign", "awning", "dormer",
]  # fmt: skip


CLASSES: tuple[str, ...] = (
    "background", "facade", "window", "door", "cornice", "sill",
    "balcony", "blind", "deco", "molding", "pillar", "shop",
)  # fmt: skip
"""The classes of the CMP facades in the order of its report; their place here is their index in a label map."""

CLASS_INDEX: Mapping[str, int] = MappingProxyType({name: index for index, name in enumerate(CLASSES)})


class Box(NamedTuple):
    """A rectangle; x to the right and y down, both in shares of the picture's side."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    def wider(self, left: float, right: float | None = None) -> "Box":
        """The box grown by `left` to the left and by `right` (or as much) to the right."""
        return Box(self.x0 - left, self.y0, self.x1 + (left if right is None else right), self.y1)


class Part(NamedTuple):
    """One thing to paint. `form` chooses among the looks of its kind; parts of one row share it."""

    kind: Kind
    box: Box
    form: int = 0


@dataclass(frozen=True)
class Neighbour:
    """A building beside the facade, part of the background."""

    box: Box
    columns: int
    rows: int


@dataclass(frozen=True)
class Scene:
    """A facade and what is around it. `parts` are in the order of painting."""

    building: Box
    ground_top: float
    roof_top: float
    dormers: tuple[Part, ...]
    neighbours: tuple[Neighbour, ...]
    trees: tuple[tuple[float, float, float], ...]  # x, y of the crown's middle, and its radius
    parts: tuple[Part, ...]
