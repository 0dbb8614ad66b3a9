"""Directions of a prior against generators whose axes are known; points and their w; priors that are kept."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from tiny_priors import save_tiny_prior
from torch import Tensor

from pix2pix.priors import opened
from pix2pix.priors.directions import LEVELS, Directions, principal
from pix2pix.priors.opened import DIRECTIONS, open_directions, open_prior
from pix2pix.priors.points import GROUPS, Point, groups_of, w_of
from pix2pix.priors.prior import Noise, latents, linear
from pix2pix.priors.walks import latents_of
from pix2pix.shelf import Shelf

SIDE = 16


class Linear:
    """A prior whose w is `mixing` @ z + 1, and whose pictures are `effect` @ w: all about it can be worked out."""

    size = SIDE

    def __init__(self, mixing: Tensor, effect: Tensor, layers: int) -> None:
        self.mixing, self.effect, self.layers = mixing, effect, layers
        self.w_dim, self.z_dim = mixing.shape

    def sample(self, count: int, rng: torch.Generator | None = None) -> Tensor:
        return latents(count, self.z_dim, rng)

    def map(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        w: Tensor = truncation * z @ self.mixing.T + 1
        return w[:, None].expand(-1, self.layers, -1)

    def synthesize(self, w: Tensor, noise: Noise = "fixed") -> Tensor:
        pictures: Tensor = (w.mean(dim=1) @ self.effect.T).reshape(-1, 3, SIDE, SIDE)
        return pictures

    def __call__(self, z: Tensor, noise: Noise = "fixed", truncation: float = 1.0) -> Tensor:
        return self.synthesize(self.map(z, truncation), noise)

    def track(self, z: Tensor, share: float) -> None:
        raise AssertionError


def rotation(size: int, seed: int) -> Tensor:
    """(size, size), its columns of length 1 and at right angles."""
    columns: Tensor = torch.linalg.qr(torch.randn(size, size, generator=torch.Generator().manual_seed(seed))).Q
    return columns


# --- axes ---


def test_axes_spread_and_change_of_a_linear_generator() -> None:
    """w spreads by 4, 3, 2, 1 along known axes; pictures feel the second most, then the fourth."""
    spread, gain = torch.tensor([4.0, 3.0, 2.0, 1.0]), torch.tensor([0.01, 0.05, 0.001, 0.1])
    axes = rotation(4, 0)
    pixels = rotation(3 * SIDE**2, 1)[:, :4]
    prior = Linear(axes * spread, pixels * gain @ axes.T, layers=6)
    found = principal(prior, count=2)  # of four candidates
    assert torch.allclose(found.mean, torch.ones(4), atol=0.2)
    assert torch.allclose(found.spread, torch.tensor([3.0, 1.0]), rtol=0.05)
    assert (found.axes @ axes[:, [1, 3]]).abs().diag().min() > 0.99
    # A pixel's column has length 1, so that its root mean square is 1 / sqrt(pixels).
    expected = LEVELS * torch.tensor([0.15, 0.1]) / (3 * SIDE**2) ** 0.5
    assert torch.allclose(found.change, expected, rtol=0.06)


def test_one_layer_has_axes_by_what_they_do_to_pictures() -> None:
    """z spreads alike in all directions; pictures by 3, 2 and 1 along what three of them do, and not by the others."""
    axes, gain = rotation(12, 2)[:, :3], torch.tensor([1.0, 3.0, 2.0]) * 0.01
    # Of one level over the whole picture each: shrinking it loses nothing.
    pixels = torch.zeros(3, 3, SIDE**2)
    for channel in range(3):
        pixels[channel, channel] = 1
    prior = Linear(torch.eye(12), pixels.reshape(3, -1).T * gain @ axes.T, layers=1)
    found = principal(prior, count=3)
    assert (found.axes @ axes[:, [1, 2, 0]]).diag().min() > 0.98  # with the sign that makes pictures brighter
    assert torch.allclose(found.spread, torch.ones(3), atol=0.05)
    assert torch.allclose(found.change, LEVELS * torch.tensor([0.03, 0.02, 0.01]) / 3**0.5, rtol=0.05)


@pytest.mark.parametrize("layers", [1, 6])
def test_forwards_is_brighter(layers: int) -> None:
    effect = torch.randn(3 * SIDE**2, 5, generator=torch.Generator().manual_seed(3)) * 0.01
    prior = Linear(rotation(5, 4) * torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0]), effect, layers)
    found = principal(prior, count=5)
    changes = found.axes @ effect.T
    assert (changes.mean(dim=1) > 0).all()


def test_a_step_is_so_many_standard_deviations() -> None:
    axes = torch.eye(3)[:2]
    found = Directions(torch.zeros(3), axes, torch.tensor([2.0, 5.0]), torch.ones(2))
    assert found.step((1.5, -1.0)).tolist() == [3.0, -5.0, 0.0]
    assert found.step((0.0, 2.0)).tolist() == [0.0, 10.0, 0.0]
    assert found.step((1.0,)).tolist() == [2.0, 0.0, 0.0]


@pytest.mark.parametrize("family", ["stylegan2", "dcgan"])
def test_directions_of_real_networks(family: str, tmp_path: Path) -> None:
    prior, _ = open_prior(save_tiny_prior(tmp_path / "p.safetensors", family))  # type: ignore[arg-type]
    found, again = principal(prior, 4, 256), principal(prior, 4, 256)
    assert torch.equal(found.axes, again.axes)
    assert torch.allclose(found.axes.norm(dim=1), torch.ones(4), atol=1e-5)
    assert found.change.tolist() == sorted(found.change.tolist(), reverse=True)
    assert found.change.min() > 0
    w = prior.map(prior.sample(64, torch.Generator().manual_seed(9)))[:, 0]
    if family == "stylegan2":  # of axes at right angles none shares its spread with another
        assert torch.allclose(found.axes @ found.axes.T, torch.eye(4), atol=1e-4)
        assert torch.allclose(((w - found.mean) @ found.axes.T).std(dim=0), found.spread, rtol=0.5)
    assert len(principal(prior, 20, 256).axes) == 8  # w has no more


# --- points ---


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_prior(tmp_path_factory.mktemp("prior") / "tiny.safetensors")


def test_a_seed_is_its_w(tiny: Path) -> None:
    prior, _ = open_prior(tiny)
    assert torch.equal(w_of(prior, Point(seed=7)), prior.map(latents_of(prior, [7])))
    assert torch.equal(w_of(prior, Point(7, 0.3)), prior.map(latents_of(prior, [7]), 0.3))
    assert torch.equal(w_of(prior, Point(7, 0.0)), w_of(prior, Point(8, 0.0)))


def test_a_walk_begins_and_ends_at_its_seeds(tiny: Path) -> None:
    prior, _ = open_prior(tiny)
    first, second = w_of(prior, Point(3)), w_of(prior, Point(4))
    assert torch.allclose(w_of(prior, Point(3, toward=4, share=0.0)), first, atol=1e-5)
    assert torch.allclose(w_of(prior, Point(3, toward=4, share=1.0)), second, atol=1e-5)
    middle = w_of(prior, Point(3, toward=4, share=0.5))
    assert not torch.allclose(middle, linear(first, second, 0.5), atol=1e-3)


def test_layers_from_the_crossing_on_are_the_other_seed(tiny: Path) -> None:
    prior, _ = open_prior(tiny)
    first, second = w_of(prior, Point(3)), w_of(prior, Point(4))
    for crossing in (0, 4, prior.layers):
        mixed = w_of(prior, Point(3, mixed=4, crossing=crossing))
        assert torch.equal(mixed[:, :crossing], first[:, :crossing])
        assert torch.equal(mixed[:, crossing:], second[:, crossing:])


def test_directions_move_only_the_layers_that_are_asked_for(tiny: Path) -> None:
    prior, _ = open_prior(tiny)
    directions, plain = open_directions(tiny), w_of(prior, Point(3))
    moved = {group: w_of(prior, Point(3, shifts=(0.0, 2.0), layers=group), directions) - plain for group in GROUPS}
    step = 2 * directions.spread[1] * directions.axes[1]
    assert torch.allclose(moved["all"], step.expand(1, prior.layers, -1), atol=1e-5)
    assert torch.allclose(moved["coarse"] + moved["middle"] + moved["fine"], moved["all"], atol=1e-5)
    still = {group: (each == 0).all(dim=2)[0].nonzero().flatten().tolist() for group, each in moved.items()}
    assert still["coarse"] == [3, 4, 5, 6, 7, 8, 9]
    assert still["middle"] == [0, 1, 2, 7, 8, 9]
    assert still["fine"] == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("point", "line"),
    [
        (Point(seed=-1), "seed: got -1, expected a number from 0"),
        (Point(toward=2**63), "toward: got 9223372036854775808"),
        (Point(truncation=1.5), "truncation: got 1.5, expected 0 to 1"),
        (Point(truncation=float("nan")), "truncation: got nan"),
        (Point(toward=1, share=-0.1), "share: got -0.1"),
        (Point(mixed=3), "mixed and crossing: .* give both"),
        (Point(mixed=3, crossing=11), "crossing: got 11, expected 0 .* to 10"),
        (Point(shifts=(0.0,) * 9), "shifts: got 9, expected at most 8"),
        (Point(shifts=(6.0,)), "shifts: got 6, expected -5 to 5 standard deviations"),
        (Point(shifts=(float("inf"),)), "shifts: got inf"),
        (Point(layers="thick"), "layers: got 'thick', expected one of all, coarse, middle, fine"),
    ],
)
def test_points_that_are_none(point: Point, line: str) -> None:
    with pytest.raises(ValueError, match=line) as error:
        point.check(10, 8)
    assert "\n" not in str(error.value)


def test_one_layer_has_no_ranges_of_layers() -> None:
    assert groups_of(1) == ("all",)
    with pytest.raises(ValueError, match="layers: got 'fine', expected all"):
        Point(layers="fine").check(1, 8)
    Point(shifts=(1.0,) * 8, mixed=1, crossing=1).check(1, 8)


# --- kept ---


def test_priors_are_opened_once_until_their_file_changes(tmp_path: Path) -> None:
    path = save_tiny_prior(tmp_path / "p.safetensors")
    first = open_prior(path)
    assert open_prior(str(path)) is first
    assert first[1].facts.images_seen == 7
    directions = open_directions(path)
    assert len(directions.axes) == DIRECTIONS
    assert open_directions(path) is directions
    save_tiny_prior(path, seed=1)
    os.utime(path, (5, 5))
    assert open_prior(path) is not first
    assert open_directions(path) is not directions
    assert opened.drop_idle(3600) == 0
    assert opened.drop_idle(0) >= 2
    assert opened.drop_idle(0) == 0


def test_a_prior_that_is_none_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "p.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="not a readable"):
        open_prior(tmp_path / "p.safetensors")
    with pytest.raises(ValueError, match="no prior 'nowhere'"):
        open_prior("nowhere")


def test_a_shelf_makes_once_for_all_and_keeps_the_last() -> None:
    shelf: Shelf[list[int]] = Shelf(2)
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> list[int]:
        begun.set()
        assert go_on.wait(20)
        return [1]

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(shelf.take, "slow", slow) for _ in range(2)]
        assert begun.wait(20)
        assert shelf.take("quick", lambda: [2]) == [2]  # meanwhile
        assert shelf.ready() == [[2]]
        assert shelf.drop_idle(0) == 1  # not what is being made
        go_on.set()
        assert waiting[0].result() is waiting[1].result()
    for number in (3, 4):
        shelf.take(number, lambda number=number: [number])  # type: ignore[misc]
    assert shelf.ready() == [[3], [4]]
    with pytest.raises(ZeroDivisionError):
        shelf.take("broken", lambda: [1 // 0])
    assert shelf.take("broken", lambda: [5]) == [5]
