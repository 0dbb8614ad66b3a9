"""Sheets of what a prior knows: which picture stands where, and the figures beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny_priors import save_tiny_prior

from pix2pix.images import write_image
from pix2pix.metrics.judges import Unavailable
from pix2pix.metrics.perceptual import Lpips
from pix2pix.priors.commands_figures import step_figures, truncation_figures
from pix2pix.priors.exploring import (
    GAP,
    arithmetic_sheet,
    mixing_sheet,
    pictures,
    sample_sheet,
    seeded_pictures,
    truncation_sheet,
    walk_pictures,
    walk_sheet,
)
from pix2pix.priors.families import ReleasedPrior, load_prior, prior_of
from pix2pix.priors.judging import pictures_of
from pix2pix.priors.options import TruncateOptions
from pix2pix.priors.pacing import looks
from pix2pix.priors.prior import Prior
from pix2pix.priors.walks import PATHS, arithmetic, latents_of, named_layers, walk
from pix2pix.priors.walks import Path as WalkPath

pytestmark = pytest.mark.usefixtures("one_thread")

HEAD = 14  # pixels of a title above a picture of 64
COLUMNS = (("fid", 1), ("precision", 3), ("recall", 3))  # of a table, with their decimals


class MeanDistance:
    """In LPIPS' place: the difference of two pictures' mean levels."""

    name, weights = "mean", "none"

    def embed(self, picture: NDArray[np.uint8]) -> float:
        return float(picture.mean())

    def distance(self, one: float, other: float) -> float:
        return abs(one - other)

    def __call__(self, one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
        return self.distance(self.embed(one), self.embed(other))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> ReleasedPrior:
    return load_prior(save_tiny_prior(tmp_path_factory.mktemp("prior") / "p.safetensors"))


@pytest.fixture(scope="module")
def prior(released: ReleasedPrior) -> Prior:
    return prior_of(released)


def tile(sheet: NDArray[np.uint8], row: int, column: int, size: int = 64) -> NDArray[np.uint8]:
    """The picture in a place of a sheet, without its title."""
    top, left = GAP + row * (size + HEAD + GAP) + HEAD, GAP + column * (size + GAP)
    return sheet[top : top + size, left : left + size]


def test_pictures_are_those_of_the_prior_with_fixed_noise(prior: Prior) -> None:
    seeds = list(range(20))  # more than are made at once
    w = prior.map(latents_of(prior, seeds), 0.8)
    expected = pictures_of(prior.synthesize(w, "fixed"))
    found = seeded_pictures(prior, seeds, 0.8)
    assert found.shape == (20, 64, 64, 3)
    # One level: another count of pictures at once sums in another order.
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert float(found.std(axis=0).mean()) > 5


def test_samples_stand_in_a_square_in_the_order_of_their_seeds(prior: Prior) -> None:
    seeds = [9, 2, 4, 7, 1]
    found = seeded_pictures(prior, seeds, 1.0)
    sheet = sample_sheet(found, seeds)
    assert sheet.shape == (GAP + 2 * (64 + HEAD + GAP), GAP + 3 * (64 + GAP), 3)
    for place, picture in enumerate(found):
        np.testing.assert_array_equal(tile(sheet, place // 3, place % 3), picture)
    title = sheet[GAP : GAP + HEAD, GAP : GAP + 64]
    assert title.min() < 100  # something is written there


def test_a_walk_begins_and_ends_with_its_pictures(prior: Prior) -> None:
    seeds = (3, 5, 8)
    keys = seeded_pictures(prior, seeds, 0.7)
    for path in PATHS:
        frames, stops = walk_pictures(prior, seeds, 5, path, True, 0.7)
        assert len(frames) == 16
        assert len(stops) == 4
        assert (stops[0], stops[-1]) == (0, 15)
        assert np.abs(frames[stops].astype(int) - [*keys, keys[0]]).max() <= 1
        sheet = walk_sheet(frames, stops, seeds)
        ends = np.diff(stops)
        np.testing.assert_array_equal(tile(sheet, 0, 0), tile(sheet, 2, ends[2]))
        for row in (0, 1):
            np.testing.assert_array_equal(tile(sheet, row, ends[row]), tile(sheet, row + 1, 0))
        again, _ = walk_pictures(prior, seeds, 5, path, True, 0.7)
        np.testing.assert_array_equal(frames, again)
    frames, stops = walk_pictures(prior, seeds, 5, "spherical", False, 0.7)
    assert (len(frames), stops[0], stops[-1]) == (11, 0, 10)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("loop", [False, True])
def test_the_steps_of_a_walk_look_equally_long(prior: Prior, path: WalkPath, loop: bool) -> None:
    """By what is compared to pace it, where steps that are equal in z or w are plainly unequal."""
    seeds, steps = (1, 2, 4, 6), 12
    frames, _ = walk_pictures(prior, seeds, steps, path, loop, 1.0)
    keys = latents_of(prior, seeds) if path == "spherical" else prior.map(latents_of(prior, seeds))
    legs = len(seeds) - (not loop)
    plain = walk(keys, torch.arange(legs * steps + 1, dtype=torch.float64) / steps, path, loop)
    before = pictures(prior, prior.map(plain) if path == "spherical" else plain)
    assert unevenness(frames) < 1.15
    assert unevenness(before) > 1.5


def unevenness(frames: NDArray[np.uint8]) -> float:
    """The largest step over the mean."""
    seen = looks(torch.from_numpy(frames).permute(0, 3, 1, 2) / 127.5 - 1)
    steps = seen.diff(dim=0).norm(dim=1)
    return float(steps.max() / steps.mean())


def test_mixing_no_layer_of_the_column_is_the_row_and_all_are_the_column(prior: Prior) -> None:
    rows, columns = (1, 2), (4, 5, 6)
    for chosen in (range(0), range(prior.layers), named_layers("coarse", prior.layers)):
        sheet = mixing_sheet(prior, rows, columns, chosen, 1.0)
        assert sheet.shape == (GAP + 3 * (64 + HEAD + GAP), GAP + 4 * (64 + GAP), 3)
        assert tile(sheet, 0, 0).min() == 255
        for row in range(1, 3):
            for column in range(1, 4):
                mixed, left, top = (tile(sheet, *at).astype(int) for at in ((row, column), (row, 0), (0, column)))
                away = int(np.abs(mixed - left).max()), int(np.abs(mixed - top).max())
                assert (away[0] <= 1) is (len(chosen) == 0), away
                assert (away[1] <= 1) is (len(chosen) == prior.layers), away


def test_the_result_of_arithmetic_stands_amid_its_variations(prior: Prior) -> None:
    sheet = arithmetic_sheet(prior, (1, 2), (1, 2), (7,), 1.0, seed=0)
    plus = seeded_pictures(prior, [7], 1.0)[0]
    assert sheet.shape == (GAP + 3 * (64 + HEAD + GAP), GAP + 7 * (64 + GAP), 3)
    for place in ((1, 5), (0, 2), (2, 2)):  # result, source, and the mean of one
        assert np.abs(tile(sheet, *place).astype(int) - plus).max() <= 1
    around = [tile(sheet, row, column) for row in range(3) for column in range(4, 7) if (row, column) != (1, 5)]
    away = [np.abs(each.astype(int) - plus).mean() for each in around]
    apart = np.abs(seeded_pictures(prior, [8], 1.0)[0].astype(int) - plus).mean()
    assert all(0 < each < apart for each in away)
    assert not np.array_equal(sheet, arithmetic_sheet(prior, (1, 2), (1, 2), (7,), 1.0, seed=1))

    w = [prior.map(latents_of(prior, seeds)) for seeds in ((1, 2, 3, 4), (5,), (6, 7))]
    long = arithmetic_sheet(prior, (1, 2, 3, 4), (5,), (6, 7), 1.0, seed=0)
    result = pictures(prior, arithmetic(*w)[None])[0]
    assert np.abs(tile(long, 1, 5).astype(int) - result).max() <= 1
    mean = pictures(prior, w[0].mean(dim=0)[None])[0]
    assert np.abs(tile(long, 4, 0).astype(int) - mean).max() <= 1


def test_at_truncation_0_all_pictures_are_one_and_at_1_they_are_the_seeds(prior: Prior) -> None:
    sheet = truncation_sheet(prior, (0, 1, 2), (0.0, 0.5, 1.0))
    for column in (2, 3):
        assert np.abs(tile(sheet, 0, column).astype(int) - tile(sheet, 0, 1)).max() <= 1
    np.testing.assert_array_equal(
        np.stack([tile(sheet, 2, 1 + n) for n in range(3)]), seeded_pictures(prior, (0, 1, 2), 1.0)
    )
    assert tile(sheet, 1, 0).min() < 100  # the value is written at the left


def test_the_ratio_of_steps_is_1_where_they_are_equal() -> None:
    levels = np.array([10, 20, 30, 40], np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (4, 64, 64, 3))
    judge = cast("Lpips", MeanDistance())
    even = step_figures(frames, judge)
    assert (even.mean, even.largest, even.ratio) == (10, 10, 1)
    jump = step_figures(frames[[0, 1, 3]], judge)
    assert (jump.mean, jump.largest) == (15, 20)
    assert jump.ratio == pytest.approx(4 / 3)
    assert "mean 15.0000, largest 20.0000, 1.3 times" in jump.line()
    assert step_figures(frames[[0, 0]], judge).ratio == 1  # a walk on the spot


def test_without_data_truncation_is_judged_by_pairs(
    prior: Prior, released: ReleasedPrior, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pix2pix.priors.commands_figures as module

    monkeypatch.setattr(module, "load_lpips", lambda *_: MeanDistance())
    options, shown = TruncateOptions(samples=7, seed=3), list[str]()
    figures = truncation_figures(prior, released, (0.0, 1.0), options, print, shown.append)
    assert figures is not None
    found = seeded_pictures(prior, range(3, 9), 1.0).mean(axis=(1, 2, 3))
    assert figures.rows[1]["lpips"] == pytest.approx(np.abs(found[::2] - found[1::2]).mean())
    assert figures.rows[0]["lpips"] < 0.01
    assert figures.samples == 6
    assert figures.lines()[1:3] == ["truncation  LPIPS", "0           0.000"]
    assert shown == figures.lines()

    def missing(*_: object) -> Lpips:
        raise Unavailable("no weights")

    monkeypatch.setattr(module, "load_lpips", missing)
    told: list[str] = []
    assert truncation_figures(prior, released, (1.0,), options, told.append, shown.append) is None
    assert "without LPIPS: no weights" in told[0]
    by_name = TruncateOptions(samples=7, lpips="squeeze")
    with pytest.raises(Unavailable):
        truncation_figures(prior, released, (1.0,), by_name, told.append, shown.append)


def test_with_data_truncation_is_judged_by_sets(
    tmp_path: Path, prior: Prior, released: ReleasedPrior, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real pictures are the prior's own, so that nothing is nearer to them than its samples."""
    import pix2pix.priors.commands_figures as module

    class Colours:
        name, weights, dimensions = "colours", "0", 12

        def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.asarray(picture.reshape(2, 32, 2, 32, 3).mean(axis=(1, 3)).ravel() / 64, np.float32)

    monkeypatch.setattr(module, "load_extractor", lambda *_: Colours())
    monkeypatch.setenv("PIX2PIX_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data" / "val").mkdir(parents=True)
    for number, picture in enumerate(seeded_pictures(prior, range(100, 160), 1.0)):
        write_image(tmp_path / "data" / "val" / f"{number}.png", picture)
    options = TruncateOptions(data=str(tmp_path / "data"), samples=50)
    shown: list[str] = []
    figures = truncation_figures(prior, released, (0.0, 1.0), options, lambda line: None, shown.append)
    assert figures is not None
    mean, whole = figures.rows
    assert whole["kid"] < mean["kid"]
    assert whole["recall"] > 0.5 > mean["recall"]
    assert whole["kid_low"] <= whole["kid"] <= whole["kid_high"]
    assert figures.lines()[0] == "50 samples against data: 60 pictures in val; features colours"
    assert figures.lines()[1].split() == ["truncation", "KID", "x", "1000", "(95", "%)", "FID", "precision", "recall"]
    assert figures.lines()[3].split()[-3:] == [f"{whole[name]:.{d}f}" for name, d in COLUMNS]
    assert shown == figures.lines()
    figures.write(tmp_path / "f.json")
    assert json.loads((tmp_path / "f.json").read_text())["rows"][1]["recall"] == whole["recall"]


def test_noise_is_fixed_in_what_is_explored(prior: Prior) -> None:
    torch.manual_seed(0)
    once = seeded_pictures(prior, (1, 2), 1.0)
    torch.manual_seed(1)
    np.testing.assert_array_equal(once, seeded_pictures(prior, (1, 2), 1.0))
