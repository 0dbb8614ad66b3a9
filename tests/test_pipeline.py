"""Restoring one picture: what stays untouched, seams, tiles, seeds, holes and sizes, and inversions kept to the bit."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from tiny_priors import save_tiny_prior

from pix2pix.data.conditions.degradations import compress, shrink
from pix2pix.priors.families import load_prior, prior_of
from pix2pix.priors.prior import Prior
from pix2pix.restoration import pipeline
from pix2pix.restoration.diagnosing import damaged
from pix2pix.restoration.inverting import invert, invertible, psnr, square_for
from pix2pix.restoration.observing import as_levels, levels_apart, observed, observed_at
from pix2pix.restoration.pasting import membrane, paste_into_holes, paste_square
from pix2pix.restoration.pipeline import Look, restore_with_prior, restore_without_prior
from pix2pix.restoration.saved import load_inversion, save_inversion
from pix2pix.restoration.searching import Settings
from pix2pix.restoration.solvers import DeepImagePrior, Patches, Pgd, Projector, Solver, Tuned
from pix2pix.restoration.tiling import Blend, tiles
from pix2pix.restoration.wanted import Box, Fault, box_in, largest_square, saved_quality

pytestmark = pytest.mark.usefixtures("one_thread")

SHORT = Tuned(Settings(steps=4, rate=0.1), Settings(steps=4, rate=0.04))
UNTRAINED = DeepImagePrior(Settings(steps=12, rate=0.01))


def unseen(look: Look) -> bool:
    return True


def photo(height: int = 64, width: int = 64, seed: int = 0) -> np.ndarray:
    """Smooth colours with a little texture, far from black and white."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.uniform(60, 200, (5, 6, 3)).astype(np.float32), (width, height))
    return np.rint(coarse + rng.uniform(-6, 6, (height, width, 3))).astype(np.uint8)


def hole(height: int = 64, width: int = 64, seed: int = 0) -> np.ndarray:
    """(H, W) bool: a disc, and lines."""
    drawn = cv2.circle(np.zeros((height, width), np.uint8), (width // 2, height // 2), 12, 1, -1)
    return cv2.line(drawn, (0, seed), (width - 1, height // 3), 1, 2) > 0


def mask(holes: np.ndarray) -> np.ndarray:
    return (holes * 255).astype(np.uint8)[:, :, None]


@pytest.fixture(scope="module")
def prior(tmp_path_factory: pytest.TempPathFactory) -> Prior:
    return prior_of(load_prior(save_tiny_prior(tmp_path_factory.mktemp("prior") / "p.safetensors")))


@pytest.fixture
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "shipped_models", dict)


# --- pasting ---


def test_a_membrane_is_harmonic_and_meets_its_border() -> None:
    rows, columns = np.mgrid[:20, :24].astype(np.float32)
    plane = np.dstack([3 * rows - 2 * columns + 5] * 3)  # a plane is harmonic: nothing else fits its border
    holes = np.zeros((20, 24), bool)
    holes[5:14, 6:17] = True
    emptied = np.where(holes[:, :, None], 999, plane).astype(np.float32)
    np.testing.assert_allclose(membrane(emptied, holes), plane, atol=0.1)
    np.testing.assert_array_equal(membrane(emptied, holes)[~holes], plane[~holes])


@pytest.mark.parametrize("seed", range(4))
def test_a_made_picture_that_is_off_by_a_ramp_leaves_no_seam(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(40, 90, 2))
    picture, holes = photo(height, width, seed), hole(height, width, seed)
    ramp = np.linspace(-40, 30, width, dtype=np.float32)[None, :, None]
    pasted = paste_into_holes(picture, picture + ramp, holes)
    assert np.abs(pasted.astype(int) - picture).max() <= 2
    np.testing.assert_array_equal(pasted[~holes], picture[~holes])


def test_what_is_made_keeps_its_own_detail() -> None:
    picture, holes = np.full((40, 40, 3), 100, np.uint8), hole(40, 40)
    made = np.full((40, 40, 3), 150, np.float32)
    made[20, 20] += 60  # inside
    pasted = paste_into_holes(picture, made, holes)
    assert pasted[20, 20, 0] == pytest.approx(160, abs=1)
    assert np.abs(np.delete(pasted[holes][:, 0].astype(int), pasted[holes][:, 0].argmax()) - 100).max() <= 1


def test_a_square_replaces_what_it_covers_and_blends_in_only_at_inner_sides() -> None:
    base, made = np.zeros((64, 96, 3), np.uint8), np.full((64, 64, 3), 200, np.float32)
    whole = paste_square(base, made, Box(32, 0, 64))
    assert (whole[:, :32] == 0).all()
    np.testing.assert_array_equal(whole[:, 36:], 200)  # to the right border, and to both the upper and lower ones
    np.testing.assert_array_equal(whole[10, 32:36, 0], [25, 75, 125, 175])
    np.testing.assert_array_equal(paste_square(base[:, :64], made, Box(0, 0, 64)), made)


# --- tiles ---


def test_tiles_cover_overlap_and_blend_to_what_they_are_cut_from() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        height, width = (int(side) for side in rng.integers(5, 300, 2))
        places = tiles(height, width, 96, 16)
        picture, blend = rng.uniform(0, 255, (height, width, 3)).astype(np.float32), Blend(height, width)
        for rows, columns in places:
            assert max(rows.stop - rows.start, columns.stop - columns.start) <= 96
            blend.add((rows, columns), picture[rows, columns])
        np.testing.assert_allclose(blend.mean(), picture, atol=1e-2)
        starts = sorted({rows.start for rows, _ in places})
        assert all(after - before <= 96 - 16 for before, after in itertools.pairwise(starts))
    assert tiles(512, 100, 512, 64) == [(slice(0, 512), slice(0, 100))]


# --- what a solver is given ---


def test_what_is_observed_of_the_true_picture_leaves_nothing() -> None:
    true, rng = photo(32, 48), np.random.default_rng(0)
    x = torch.from_numpy(true.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
    small = np.rint(shrink(true, 4, "area")).astype(np.uint8)
    cases = [
        (Fault("inpaint"), true * ~hole(32, 48)[:, :, None], hole(32, 48), 0.0),
        (Fault("superres", factor=4), small, None, 0.3),
        (Fault("jpeg", quality=40), compress(true, 40), None, 1e-3),
        (Fault("denoise", sigma=9.0), true + rng.integers(0, 2, true.shape).astype(np.uint8), None, 0.8),
    ]
    for fault, part, holes, apart in cases:
        observation = observed(fault, part, holes)
        assert observation.operator.size == (32, 48)
        assert levels_apart(observation, x) <= apart
    assert observed(Fault("denoise", sigma=9.0), true, None).sigma == 9
    np.testing.assert_array_equal(np.rint(as_levels(x, np.dtype(np.uint8))), true)


def test_a_square_is_brought_to_the_priors_size_with_its_noise_blur_and_holes() -> None:
    large = photo(128, 128)
    assert observed_at(Fault("denoise", sigma=20.0), large, None, 64).sigma == 10
    assert observed_at(Fault("denoise", sigma=20.0), photo(32, 32), None, 64).sigma == 20
    lost = hole(128, 128)
    observation = observed_at(Fault("inpaint"), np.where(lost[:, :, None], 255, large).astype(np.uint8), lost, 64)
    known = np.asarray(observation.operator.known)[0, 0] > 0
    np.testing.assert_array_equal(~known, lost.reshape(64, 2, 64, 2).all(axis=(1, 3)))
    found = as_levels(observation.y, np.dtype(np.uint8))
    means = cv2.resize(large, (64, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(found[known] - means[known]).max() < 15  # never a mean with the white of the holes
    small = observed_at(Fault("superres", factor=4), photo(20, 20), None, 64)
    assert small.y.shape == (1, 3, 16, 16)
    with pytest.raises(ValueError, match="no more to give"):
        observed_at(Fault("superres"), large, None, 64)


def test_the_quality_of_a_jpeg_is_read_from_its_file(tmp_path: Path) -> None:
    for quality in (10, 35, 50, 75, 90, 97):
        Image.fromarray(photo()).save(tmp_path / "x.jpg", quality=quality)
        assert abs(saved_quality(tmp_path / "x.jpg") - quality) <= (5 if quality < 25 else 2)
    Image.fromarray(photo()).save(tmp_path / "x.png")
    with pytest.raises(ValueError, match="give --quality"):
        saved_quality(tmp_path / "x.png")


def test_boxes() -> None:
    assert largest_square(40, 100) == Box(30, 0, 40)
    assert box_in("3,4,50") == Box(3, 4, 50)
    for text in ("1,2", "a,b,c", "-1,0,5", "0,0,0"):
        with pytest.raises(ValueError, match="expected"):
            box_in(text)


# --- whole pictures ---


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_no_pixel_outside_the_mask_changes_with_a_prior(prior: Prior, dtype: type) -> None:
    pixels: np.ndarray = photo(90, 120).astype(dtype) * (257 if dtype is np.uint16 else 1)
    holes = hole(90, 120)
    holes[:, :15] = holes[:, -15:] = False
    made = [
        restore_with_prior(damaged(pixels, Fault("inpaint"), mask(holes)), prior, SHORT, None, seed, unseen).picture
        for seed in (0, 0, 1)
    ]
    assert made[0].dtype == dtype
    np.testing.assert_array_equal(made[0][~holes], pixels[~holes])
    np.testing.assert_array_equal(made[0], made[1])
    assert (made[0][holes] != made[2][holes]).any()
    assert (made[0][holes] != pixels[holes]).any()


@pytest.mark.parametrize("solver", ["w", "w+", "tuned", "pgd"])
def test_searches_of_other_seeds_than_0_start_apart(prior: Prior, solver: str) -> None:
    still = Settings(steps=1, rate=1e-9)
    ways: dict[str, Solver] = {
        "w": Projector(still, by_layer=False),
        "w+": Projector(still, by_layer=True),
        "tuned": Tuned(still, still, still),
        "pgd": Pgd(outer=1, inner=1, rate=1e-9),
    }
    damage = damaged(photo(16, 16), Fault("superres"))
    starts = np.stack(
        [
            restore_with_prior(damage, prior, ways[solver], None, seed, unseen).picture[::4, ::4].astype(np.float32)
            for seed in range(6)
        ]
    )
    assert starts[1:].std(axis=0).mean() > 5
    assert np.abs(starts[0] - starts[1:].mean(axis=0)).mean() < np.abs(starts[1] - starts[2:].mean(axis=0)).mean()


def test_no_pixel_outside_the_holes_changes_without_a_prior(no_models: None) -> None:
    pixels, holes = photo(40, 52), hole(40, 52)
    made = [
        restore_without_prior(damaged(pixels, Fault("inpaint"), mask(holes)), UNTRAINED, seed, unseen).picture
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(made[0][~holes], pixels[~holes])
    np.testing.assert_array_equal(made[0], made[1])
    assert (made[0][holes] != made[2][holes]).any()


def test_patches_begin_with_no_models_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "model_picture", None)  # not to be called
    pixels, holes = photo(40, 52), hole(40, 52)
    made = [
        restore_without_prior(damaged(pixels, Fault("inpaint"), mask(holes)), Patches(), seed, unseen)
        for seed in (0, 1)
    ]
    np.testing.assert_array_equal(made[0].picture, made[1].picture)
    np.testing.assert_array_equal(made[0].picture[~holes], pixels[~holes])
    in_one_colour = np.abs(pixels[~holes].mean(axis=0) - pixels[holes]).mean()
    assert np.abs(made[0].picture[holes].astype(int) - pixels[holes]).mean() < in_one_colour / 2
    assert made[0].steps == 3


def test_holes_are_what_is_transparent_and_the_rest_of_the_transparency_stays() -> None:
    alpha = np.full((40, 40, 1), 255, np.uint8)
    alpha[10:20, 10:20] = 0
    pixels = np.concatenate([photo(40, 40), alpha], axis=2)
    whole = damaged(pixels, Fault("inpaint"))
    assert whole.alpha is None
    np.testing.assert_array_equal(whole.holes, alpha[:, :, 0] == 0)
    pixels[30, 30, 3] = 100
    assert damaged(pixels, Fault("inpaint")).alpha[30, 30] == 100  # type: ignore[index]


def test_salt_and_pepper_is_found_and_only_that_is_replaced(no_models: None) -> None:
    true, rng = photo(48, 48), np.random.default_rng(0)
    lost = rng.random((48, 48)) < 0.2
    pixels = np.where(lost[:, :, None], rng.choice(np.array([0, 255], np.uint8), (48, 48, 1)), true).astype(np.uint8)
    made = restore_without_prior(damaged(pixels, Fault("salt_and_pepper")), UNTRAINED, 0, unseen).picture
    np.testing.assert_array_equal(made[~lost], true[~lost])
    assert np.abs(made[lost].astype(int) - true[lost]).mean() < 12


def test_sizes_channels_and_what_a_grey_picture_becomes(prior: Prior, no_models: None) -> None:
    grey = photo(48, 32)[:, :, :1]
    assert restore_with_prior(damaged(grey, Fault("denoise")), prior, SHORT, None, 0, unseen).picture.shape == (
        48,
        32,
        1,
    )
    coloured = restore_with_prior(damaged(grey, Fault("gray")), prior, SHORT, None, 0, unseen).picture
    assert coloured.shape == (48, 32, 3)
    inside = coloured[12:36, 4:28].astype(float)  # the square without the border that blends in
    kept = ((inside > 0) & (inside < 255)).all(axis=2)
    luma = (inside * (0.299, 0.587, 0.114)).sum(axis=2)
    assert np.abs(luma - grey[12:36, 4:28, 0])[kept].max() <= 1
    seen = np.concatenate([photo(20, 30), np.full((20, 30, 1), 90, np.uint8)], axis=2)
    larger = restore_with_prior(damaged(seen, Fault("superres", factor=3)), prior, SHORT, None, 0, unseen).picture
    assert larger.shape == (60, 90, 4)
    assert (larger[:, :, 3] == 90).all()
    assert restore_without_prior(
        damaged(photo(16, 20), Fault("superres", factor=2)), UNTRAINED, 0, unseen
    ).picture.shape == (
        32,
        40,
        3,
    )


def test_the_noise_level_is_estimated_only_where_it_is_not_given() -> None:
    noisy = np.clip(photo(96, 96) + np.random.default_rng(0).normal(0, 20, (96, 96, 3)), 0, 255).astype(np.uint8)
    estimated, given = damaged(noisy, Fault("denoise")), damaged(noisy, Fault("denoise", sigma=7.0))
    assert estimated.is_estimated
    assert estimated.fault.sigma == pytest.approx(20, rel=0.15)
    assert (given.is_estimated, given.fault.sigma) == (False, 7)


def test_large_pictures_are_searched_in_tiles_and_only_where_there_are_holes(
    no_models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "TILE", 40)
    monkeypatch.setattr(pipeline, "OVERLAP", 8)
    pixels, holes, parts = photo(40, 100), np.zeros((40, 100), bool), list[int]()
    holes[10:20, 4:12] = True

    def watch(look: Look) -> bool:
        parts.append(look.part)
        return True

    made = restore_without_prior(damaged(pixels, Fault("inpaint"), mask(holes)), UNTRAINED, 0, watch)
    assert (set(parts), made.steps) == ({0}, 12)
    np.testing.assert_array_equal(made.picture[~holes], pixels[~holes])
    everywhere = restore_without_prior(damaged(pixels, Fault("denoise", sigma=0.0)), UNTRAINED, 0, unseen)
    assert (everywhere.steps, everywhere.picture.shape) == (36, (40, 100, 3))


def test_a_search_from_a_models_picture_ends_near_it(monkeypatch: pytest.MonkeyPatch) -> None:
    true = photo(32, 32)
    monkeypatch.setattr(pipeline, "model_picture", lambda damage: true)
    far = DeepImagePrior(Settings(steps=120, rate=0.01))
    damage = damaged(np.full_like(true, 128), Fault("denoise", sigma=200.0))  # nothing to fit: it stays where it begins
    made = restore_without_prior(damage, far, 0, unseen)
    assert made.endings == ("discrepancy",)
    assert np.abs(made.picture.astype(int) - true).mean() < 40
    ended = restore_without_prior(damage, far, 0, lambda look: look.step < 5)
    assert np.abs(ended.picture.astype(int) - true).max() <= 1  # rather the model's picture than noise


def test_looks_show_what_there_is_if_the_search_ends_now(monkeypatch: pytest.MonkeyPatch) -> None:
    true, looks = photo(32, 32), list[Look]()
    monkeypatch.setattr(pipeline, "model_picture", lambda damage: true)

    def watch(look: Look) -> bool:
        looks.append(look)
        return True

    damage = damaged(np.full_like(true, 128), Fault("denoise", sigma=0.1))
    made = restore_without_prior(damage, DeepImagePrior(Settings(steps=40, rate=0.01)), 0, watch)
    assert [look.step for look in looks] == [0, *range(20), 20]  # 6 to learn the model's picture, then 14
    assert {look.steps for look in looks} == {20}
    shown = [np.rint(as_levels(look.picture, np.dtype(np.uint8))) for look in looks]
    assert all((each == true).all() for each in shown[:7])
    assert (shown[7] != true).any()
    apart = float(np.sqrt(np.mean((true.astype(float) - 128) ** 2)))
    assert looks[1].misfit == pytest.approx(apart, rel=0.02)
    assert looks[-1].misfit == pytest.approx(made.misfit)


@pytest.mark.slow
def test_shipped_models_begin_the_search_and_fit_what_they_are_for() -> None:
    from pix2pix.model_files import shipped_models

    if not set(pipeline.TRAINED.values()) <= set(shipped_models()):
        pytest.skip("the models for these are not shipped")
    small = photo(24, 30)
    shapes = [
        pipeline.model_picture(damaged(small, fault, mask(hole(24, 30)) if fault == Fault("inpaint") else None))
        for fault in (Fault("inpaint"), Fault("denoise"), Fault("superres"), Fault("superres", factor=3))
    ]
    assert [None if each is None else each.shape for each in shapes] == [(24, 30, 3), (24, 30, 3), (96, 120, 3), None]


@pytest.mark.parametrize(
    ("pixels", "given", "said"),
    [
        (photo(), None, "give --mask"),
        (photo(), np.zeros((64, 64, 1), np.uint8), "the mask is black"),
        (photo(), np.full((64, 64, 1), 255, np.uint8), "covers all"),
        (photo(), np.full((32, 64, 1), 255, np.uint8), "mask of 64x32 for a picture of 64x64"),
        (np.full((8, 8, 4), 255, np.uint8), None, "no pixel is fully transparent"),
    ],
)
def test_bad_masks_are_told(pixels: np.ndarray, given: np.ndarray | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        damaged(pixels, Fault("inpaint"), given)


def test_holes_outside_of_the_square_and_squares_outside_of_the_picture(prior: Prior) -> None:
    holes = np.zeros((64, 96), bool)
    holes[5, :30] = True
    damage = damaged(photo(64, 96), Fault("inpaint"), mask(holes))
    with pytest.raises(ValueError, match="16 pixels to be made lie outside of the square 16,0,64"):
        restore_with_prior(damage, prior, SHORT, None, 0, unseen)
    restore_with_prior(damage, prior, SHORT, Box(0, 0, 64), 0, unseen)
    with pytest.raises(ValueError, match="beyond the picture of 96x64"):
        restore_with_prior(damage, prior, SHORT, Box(50, 0, 64), 0, unseen)
    with pytest.raises(ValueError, match="no salt"):
        damaged(photo(), Fault("salt_and_pepper"))


# --- inversions ---


@pytest.mark.parametrize("family", ["stylegan2", "dcgan"])
@pytest.mark.parametrize("name", ["w", "w+", "tuned"])
def test_a_saved_inversion_is_the_same_to_the_bit(tmp_path: Path, family: str, name: str) -> None:
    released = load_prior(save_tiny_prior(tmp_path / "p.safetensors", family))  # type: ignore[arg-type]
    prior, solver = prior_of(released), invertible(name)
    short = replace(solver, search=replace(solver.search, steps=5))
    short = replace(short, exact=replace(short.exact, steps=5)) if isinstance(short, Tuned) else short
    square = square_for(photo(80, 100), None, 64)
    found = invert(square, prior, short, 3, lambda step, picture: True)
    save_inversion(tmp_path / "i.safetensors", found, released)
    again = load_inversion(tmp_path / "i.safetensors")
    assert torch.equal(again.picture(), found.picture())
    assert torch.equal(again.w, found.w)
    assert again.steps == found.steps == (10 if name == "tuned" else 5)
    twin = invert(square, prior, short, 3, lambda step, picture: True)
    assert torch.equal(twin.picture(), found.picture())  # and the prior was left as it is
    if name == "tuned":
        with torch.no_grad():
            assert not torch.equal(prior.synthesize(found.w), found.picture())


def test_files_that_are_no_inversions_are_told(tmp_path: Path) -> None:
    prior = save_tiny_prior(tmp_path / "p.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(prior.read_bytes()[:100])
    for name, said in (("p", "no inversion"), ("cut", "not a readable"), ("none", "no such file")):
        with pytest.raises(ValueError, match=said):
            load_inversion(tmp_path / f"{name}.safetensors")
    with pytest.raises(ValueError, match="expected w, w\\+ or tuned"):
        invertible("csgm")


def test_psnr_by_hand() -> None:
    black = np.zeros((4, 4, 3), np.uint8)
    assert psnr(black + np.uint8(51), black) == pytest.approx(20 * np.log10(5))
    assert psnr(black, black.astype(np.uint16)) == np.inf
