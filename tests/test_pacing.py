"""Even pacing: on curves whose length is known, and what makes two pictures look unlike."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn import functional

from pix2pix.priors.pacing import MOST, Places, looks, paced, shared_out

pytestmark = pytest.mark.usefixtures("one_thread")

Curve = Callable[[Places], Places]


def even(places: Places) -> Places:
    return 0.8 * places


def slow_at_first(places: Places) -> Places:
    return places**3 / 9


def fast_at_first(places: Places) -> Places:
    return np.sqrt(places)


def nearly_a_jump(places: Places) -> Places:
    """Five sixths of the first leg's change lie in a fiftieth of it."""
    return 0.2 * places + 0.5 * np.tanh((places - 0.3) * 100)


def still_then_even(places: Places) -> Places:
    return np.maximum(places - 1, 0)


CURVES = (even, slow_at_first, fast_at_first, nearly_a_jump)


class Circle:
    """A look at a walk along a circle of radius 1, by the angle at each place: its length is the angle's change."""

    def __init__(self, angle: Curve) -> None:
        self.angle, self.count = angle, 0

    def __call__(self, places: Places) -> np.ndarray:
        self.count += len(places)
        angle = self.angle(places)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def legs_of(places: Places, legs: int) -> list[slice]:
    """The steps of each leg; every key has to be a place, exactly."""
    bounds = np.searchsorted(places, np.arange(legs + 1))
    np.testing.assert_array_equal(places[bounds], np.arange(legs + 1))
    return [slice(*each) for each in itertools.pairwise(bounds)]


@pytest.mark.parametrize("steps", [24, 60])
@pytest.mark.parametrize("legs", [1, 3])
@pytest.mark.parametrize("angle", CURVES)
def test_steps_are_equally_long_where_their_length_is_known(angle: Curve, legs: int, steps: int) -> None:
    circle = Circle(angle)
    places = paced(circle, legs, steps)
    assert (len(places), places[0], places[-1]) == (legs * steps + 1, 0, legs)
    lengths = np.diff(angle(places))
    for leg in legs_of(places, legs):
        assert lengths[leg].max() < 1.05 * lengths[leg].mean()
    # From leg to leg they are as equal as whole numbers of steps allow.
    assert lengths.max() < 1.05 * lengths.mean()
    assert circle.count <= 2.5 * legs * steps
    np.testing.assert_array_equal(places, paced(Circle(angle), legs, steps))


@pytest.mark.parametrize("angle", CURVES)
def test_one_step_a_leg_leads_from_key_to_key_and_looks_at_nothing(angle: Curve) -> None:
    circle = Circle(angle)
    np.testing.assert_array_equal(paced(circle, 3, 1), [0, 1, 2, 3])
    assert circle.count == 0


def test_where_nothing_changes_the_way_is_divided_as_it_is() -> None:
    np.testing.assert_allclose(paced(Circle(np.zeros_like), 2, 5), np.arange(11) / 5)
    places = paced(Circle(still_then_even), 3, 8)
    counts = [leg.stop - leg.start for leg in legs_of(places, 3)]
    assert counts[0] == 1
    assert sorted(counts[1:]) == [11, 12]


def test_a_break_in_the_way_is_not_looked_into_for_ever() -> None:
    broken = Circle(lambda places: (places > 0.3).astype(float))
    places = paced(broken, 1, 10)
    assert (np.diff(places) > 0).all()
    assert broken.count <= MOST * 10 + 10


def test_steps_are_shared_out_so_that_the_longest_is_as_short_as_can_be() -> None:
    assert shared_out([1, 2, 3], 12) == [2, 4, 6]
    assert shared_out([0, 5], 4) == [1, 3]
    rng = np.random.default_rng(0)
    for _ in range(20):
        lengths = rng.exponential(size=3)
        found = shared_out(lengths, 9)
        every = (each for each in itertools.product(range(1, 8), repeat=3) if sum(each) == 9)
        least = min(max(lengths / each) for each in every)
        assert (sum(found), max(lengths / found)) == (9, pytest.approx(least))


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """Between two pictures (3, S, S)."""
    first, second = looks(torch.stack([one, other]))
    return float((first - second).norm())


@pytest.mark.parametrize("size", [4, 8, 64, 256])
def test_plain_pictures_are_as_far_apart_as_their_colours(size: int) -> None:
    dark, light = torch.full((3, size, size), -0.2), torch.full((3, size, size), 0.3)
    assert distance(dark, dark) == 0
    assert distance(dark, light) == pytest.approx(0.5, abs=1e-6)
    assert distance(light, torch.full((3, size, size), 4.0)) == pytest.approx(0.7, abs=1e-6)  # 1 is the lightest


def test_what_moves_in_the_dark_counts_as_what_moves_in_the_light() -> None:
    def disc(left: int, contrast: float) -> torch.Tensor:
        rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
        inside = (rows - 32) ** 2 + (columns - left) ** 2 < 100
        return (-0.9 + contrast * inside)[None].expand(3, -1, -1)

    faint, strong = (distance(disc(30, contrast), disc(34, contrast)) for contrast in (0.3, 1.5))
    assert 0.6 < faint / strong < 1  # by their levels it would be 0.2
    far = distance(disc(20, 0.3), disc(44, 0.3))
    assert faint < far


def test_larger_pictures_are_compared_at_64_pixels() -> None:
    large = torch.rand(2, 3, 256, 256, generator=torch.Generator().manual_seed(0)) * 2 - 1
    torch.testing.assert_close(looks(large), looks(functional.avg_pool2d(large, 4)))
