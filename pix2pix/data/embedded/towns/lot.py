"""One block of an embedded town and what can be put on it, in metres along its longer and its shorter side."""

from dataclasses import dataclass, field
from random import Random
from typing import Literal

from pix2pix.data.embedded.towns.plane import Box, Outline, box_outline, ellipse_outline

Roof = Literal["gable", "hip", "flat", "sheet"]


@dataclass(frozen=True)
class Building:
    """A box with a roof; `tone` within [0, 1) picks its colour."""

    box: Box
    height: float
    roof: Roof
    tone: float


@dataclass
class Contents:
    """All that is placed in the street coordinates of one town, in metres."""

    ground: list[tuple[str, Outline]] = field(default_factory=list)  # surface and outline, later ones on top
    buildings: list[Building] = field(default_factory=list)
    trees: list[tuple[float, float, float]] = field(default_factory=list)  # u, v, radius
    cars: list[Box] = field(default_factory=list)


@dataclass(frozen=True)
class Lot:
    """The ground of one block in its own coordinates: a along the longer side, b across."""

    box: Box
    into: Contents
    rng: Random

    @property
    def swapped(self) -> bool:
        """Whether the longer side lies along v."""
        return self.box[3] - self.box[1] > self.box[2] - self.box[0]

    @property
    def length(self) -> float:
        """Metres along the longer side."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def depth(self) -> float:
        """Metres along the shorter side."""
        return min(self.box[2] - self.box[0], self.box[3] - self.box[1])

    def at(self, a0: float, b0: float, a1: float, b1: float) -> Box:
        """The box in street coordinates."""
        u, v = self.box[0], self.box[1]
        return (u + b0, v + a0, u + b1, v + a1) if self.swapped else (u + a0, v + b0, u + a1, v + b1)

    def spot(self, a: float, b: float) -> tuple[float, float]:
        """The point in street coordinates."""
        u, v = self.box[0], self.box[1]
        return (u + b, v + a) if self.swapped else (u + a, v + b)

    def cover(self, surface: str, a0: float, b0: float, a1: float, b1: float) -> None:
        """Lay a surface on a rectangle."""
        self.into.ground.append((surface, box_outline(self.at(a0, b0, a1, b1), 40.0)))

    def disc(self, surface: str, a0: float, b0: float, a1: float, b1: float, power: float = 1.0) -> None:
        """Lay a surface on the ellipse in a rectangle."""
        self.into.ground.append((surface, ellipse_outline(self.at(a0, b0, a1, b1), 28, power)))

    def whole(self, surface: str) -> None:
        """Lay a surface on the entire lot."""
        self.cover(surface, 0.0, 0.0, self.length, self.depth)

    def build(self, a0: float, b0: float, a1: float, b1: float, height: float, roof: Roof, tone: float) -> None:
        """Put up a building."""
        self.into.buildings.append(Building(self.at(a0, b0, a1, b1), height, roof, tone))

    def tree(self, a: float, b: float, radius: float) -> None:
        """Plant a tree."""
        self.into.trees.append((*self.spot(a, b), radius))

    def trees(self, count: float, a0: float, b0: float, a1: float, b1: float, radius: float = 3.2) -> None:
        """Plant about `count` trees at random in a rectangle."""
        draw = self.rng.uniform
        for _ in range(int(count + self.rng.random())):
            self.tree(draw(a0, a1), draw(b0, b1), radius * draw(0.6, 1.35))

    def car(self, a: float, b: float, along: bool = True) -> None:
        """Park a car with its middle at (a, b), along the lot's length or across."""
        half_a, half_b = (2.3, 1.0) if along else (1.0, 2.3)
        self.into.cars.append(self.at(a - half_a, b - half_b, a + half_a, b + half_b))


def car_park(lot: Lot, a0: float, b0: float, a1: float, b1: float) -> None:
    """A rectangle of asphalt with rows of parked cars."""
    rng = lot.rng
    lot.cover("asphalt", a0, b0, a1, b1)
    full, b = rng.uniform(0.3, 0.9), b0 + 3.2
    while b < b1 - 2.5:
        lot.cover("mark", a0 + 1, b + 2.5, a1 - 1, b + 3.0)
        a = a0 + 3.0
        while a < a1 - 2.0:
            if rng.random() < full:
                lot.car(a, b, along=False)
            a += 2.9
        b += 5.4 if rng.random() < 0.4 else 9.5


def pitch(lot: Lot, a0: float, b0: float, a1: float, b1: float) -> None:
    """Mown stripes and white lines."""
    lot.cover("pitch", a0, b0, a1, b1)
    width = (a1 - a0) / 11
    for stripe in range(1, 11, 2):
        lot.cover("stripe", a0 + stripe * width, b0, a0 + (stripe + 1) * width, b1)
    middle, centre = (a0 + a1) / 2, (b0 + b1) / 2
    for left, right in ((a0, a0 + 0.5), (middle - 0.25, middle + 0.25), (a1 - 0.5, a1)):
        lot.cover("line", left, b0, right, b1)
    for low in (b0, b1 - 0.5):
        lot.cover("line", a0, low, a1, low + 0.5)
    for goal, to in ((a0, 1.0), (a1, -1.0)):
        lot.cover("line", *sorted_box(goal, centre - 9, goal + to * 10, centre + 9))
        lot.cover("pitch", *sorted_box(goal + to * 0.5, centre - 8.5, goal + to * 9.5, centre + 8.5))


def sorted_box(a0: float, b0: float, a1: float, b1: float) -> Box:
    """The same rectangle from its smaller to its larger corner."""
    return min(a0, a1), min(b0, b1), max(a0, a1), max(b0, b1)
