"""Finding and reading pairs: every layout, every split, every mistake a user can make, and the embedded pairs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pix2pix.config import Data, Source, Task, load_task
from pix2pix.data import pairs as pairs_module
from pix2pix.data.drawn_pairs import EmbeddedPairs
from pix2pix.data.layouts import dev_stems, find_pairs
from pix2pix.data.pair_files import PairSet, load_pairs
from pix2pix.data.pairs import open_pairs
from pix2pix.data.recipes import OfflineError

REAL = Path(os.environ.get("PIX2PIX_TEST_DATA", Path(__file__).parents[1] / "../shared/data"))
RED, BLUE = (255, 0, 0), (0, 0, 255)
LABELS = {"one": RED, "two": BLUE}


def solid(colour: tuple[int, int, int], width: int = 64, height: int = 64) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def save(path: Path, picture: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path


def save_side_by_side(folder: Path, count: int, side: int = 64) -> None:
    """Left red, right blue."""
    for index in range(count):
        save(folder / f"{index}.png", np.hstack([solid(RED, side, side), solid(BLUE, side, side)]))


def small(**fields: object) -> Data:
    return Data.model_validate({"size": 64, **fields})


def load(root: Path, split: str, data: Data, said: list[str] | None = None) -> PairSet:
    return load_pairs(find_pairs(root, split, data), data, (said if said is not None else []).append)


FOLDER_FORMS = {
    "split first": ("train/labels", "train/photos", {}),
    "split last": ("labels/train", "photos/train", {}),
    "no split": ("input", "target", {}),
    "A and B": ("trainA", "trainB", {}),
    "A and B, from B": ("trainB", "trainA", {"input_side": "right"}),
    "A and B as folders": ("A/train", "B/train", {}),
    "the task's own": ("train/lines", "train/shoes", {"input_folder": "lines", "target_folder": "shoes"}),
}


@pytest.mark.parametrize("form", FOLDER_FORMS)
@pytest.mark.parametrize("layout", ["auto", "folders"])
def test_folders_are_found_and_the_right_one_is_the_input(tmp_path: Path, form: str, layout: str) -> None:
    source, target, fields = FOLDER_FORMS[form]
    save(tmp_path / source / "x.png", solid(RED))
    save(tmp_path / target / "x.jpg", solid(BLUE))
    data = small(layout=layout, **fields)
    found = find_pairs(tmp_path, "train", data)
    assert (found.layout, [pair.stem for pair in found.pairs]) == ("folders", ["x"])
    image, wanted = load(tmp_path, "train", data).read(0)
    assert image.shape == wanted.shape == (72, 72, 3)  # 64 * 286 / 256, rounded
    np.testing.assert_array_equal(image[0, 0], RED)
    assert np.abs(wanted[0, 0].astype(int) - BLUE).max() <= 2


@pytest.mark.parametrize("where", ["train", "."])
@pytest.mark.parametrize(("side", "first"), [("left", RED), ("right", BLUE)])
def test_side_by_side_gives_the_half_that_the_task_names(
    tmp_path: Path, where: str, side: str, first: tuple[int, int, int]
) -> None:
    save_side_by_side(tmp_path / where, 3)
    pairs = load(tmp_path, "train", small(input_side=side))
    assert len(pairs) == 2  # the third is dev
    for image, target in (pairs.read(0), pairs.read_full(0)):
        assert (image == first).all()
        assert (target != first).any(axis=2).all()


def test_the_description_says_what_there_is(tmp_path: Path) -> None:
    save_side_by_side(tmp_path / "set" / "train", 20)
    save_side_by_side(tmp_path / "set" / "val", 3)
    data = small(size=128, input="labels_onehot", palette=LABELS)
    assert find_pairs(tmp_path / "set", "train", data).description == (
        "set: 18 side-by-side pairs (128x64) in train, 2 in dev, 3 in val; input left, labels snapped to 2 classes, "
        "enlarged to 128x128"
    )


def test_dev_and_train_share_nothing_and_together_are_all(tmp_path: Path) -> None:
    save_side_by_side(tmp_path, 25)
    train, dev = ({pair.stem for pair in find_pairs(tmp_path, split, small()).pairs} for split in ("train", "dev"))
    assert not train & dev
    assert train | dev == {str(index) for index in range(25)}
    assert len(dev) == 2


def test_dev_is_a_fixed_choice_that_new_pairs_hardly_change() -> None:
    stems = [f"{index:03d}" for index in range(100)]
    assert dev_stems(stems) == dev_stems(reversed(stems))
    assert len(dev_stems(stems)) == 10
    assert len(dev_stems(stems) - dev_stems([*stems, "new"])) <= 1
    assert dev_stems(["a"]) == frozenset()
    assert len(dev_stems(["a", "b"])) == 1
    # Pinned: a changed choice would let trainings see what earlier models were selected on.
    assert sorted(dev_stems(str(index) for index in range(20))) == ["15", "8"]


def test_pictures_are_in_natural_order(tmp_path: Path) -> None:
    for name in ("10", "9", "1"):
        save(tmp_path / "val" / f"{name}.png", solid(RED))
    assert [pair.stem for pair in find_pairs(tmp_path, "val", small()).pairs] == ["1", "9", "10"]


def missing_folder(root: Path) -> None:
    pass


def empty_folder(root: Path) -> None:
    root.mkdir()


def a_file(root: Path) -> None:
    root.write_text("hello")


def one_level_too_high(root: Path) -> None:
    save_side_by_side(root / "facades" / "train", 2)


def no_val(root: Path) -> None:
    save_side_by_side(root / "train", 2)


def target_missing(root: Path) -> None:
    for name in ("a", "b"):
        save(root / "val" / "input" / f"{name}.png", solid(RED))
    save(root / "val" / "target" / "a.png", solid(RED))


def input_missing(root: Path) -> None:
    save(root / "val" / "input" / "a.png", solid(RED))
    for name in ("a", "b"):
        save(root / "val" / "target" / f"{name}.png", solid(RED))


def target_folder_empty(root: Path) -> None:
    save(root / "val" / "input" / "a.png", solid(RED))
    (root / "val" / "target").mkdir()


def two_of_a_stem(root: Path) -> None:
    for name in ("a.png", "a.jpg"):
        save(root / "val" / name, solid(RED))


def odd_width(root: Path) -> None:
    save(root / "val" / "a.png", solid(RED, width=65))


def sizes_differ(root: Path) -> None:
    save(root / "val" / "input" / "a.png", solid(RED, 64, 32))
    save(root / "val" / "target" / "a.png", solid(RED, 32, 64))


def all_damaged(root: Path) -> None:
    (root / "val").mkdir(parents=True)
    (root / "val" / "a.png").touch()


MISTAKES = {
    missing_folder: "no such folder",
    empty_folder: "no pairs found; looked for folders .*; the folder holds nothing",
    a_file: "a file; expected a folder of pairs",
    one_level_too_high: "no pairs found; .*the folder holds facades/",
    no_val: "no split 'val'; there are: train, dev$",
    target_missing: r"partner is missing: .*input/b\.png",
    input_missing: r"partner is missing: .*target/b\.png",
    target_folder_empty: r"partner is missing: .*input/a\.png",
    two_of_a_stem: "same stem",
    odd_width: "65 pixels wide, expected an even width",
    sizes_differ: "64x32 and 32x64",
    all_damaged: "none of the 1 pairs in val can be read; .*empty",
}


@pytest.mark.parametrize("cache_gib", [4, 0], ids=["in memory", "on disk"])
@pytest.mark.parametrize("make", MISTAKES, ids=lambda make: make.__name__)
def test_a_mistake_is_one_line_that_names_it(tmp_path: Path, make, cache_gib: float) -> None:  # type: ignore[no-untyped-def]
    root = tmp_path / "set"
    make(root)
    with pytest.raises(ValueError, match=MISTAKES[make]) as caught:
        load(root, "val", small(cache_gib=cache_gib))
    assert "\n" not in str(caught.value)


def test_unknown_splits_and_lonely_pairs_are_refused(tmp_path: Path) -> None:
    save_side_by_side(tmp_path, 1)
    assert len(find_pairs(tmp_path, "train", small()).pairs) == 1
    with pytest.raises(ValueError, match="unknown split 'tain'; did you mean 'train'"):
        find_pairs(tmp_path, "tain", small())
    with pytest.raises(ValueError, match="leaves none for dev"):
        find_pairs(tmp_path, "dev", small())


def damage(folder: Path) -> None:
    """An empty file, a text file, and a truncated picture, beside whatever is there."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 128, 3), np.uint8)
    whole = save(folder / "truncated.jpg", noise).read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("no picture")


def test_damaged_files_are_named_counted_and_left_out(tmp_path: Path) -> None:
    save_side_by_side(tmp_path / "val", 3)
    damage(tmp_path / "val")
    said: list[str] = []
    pairs = load(tmp_path, "val", small(), said)
    assert [pairs.stem(index) for index in range(len(pairs))] == ["0", "1", "2"]
    for name in ("truncated.jpg", "empty.png", "text.png"):
        assert sum(name in line for line in said) == 1
    assert "skipped 3 of 6 pairs in val" in said
    assert pairs.description.endswith("3 unreadable, skipped")


def test_a_set_too_large_for_memory_is_checked_by_header_and_skips_late(tmp_path: Path) -> None:
    save_side_by_side(tmp_path / "val", 3)
    damage(tmp_path / "val")
    said: list[str] = []
    pairs = load(tmp_path, "val", small(cache_gib=0), said)
    assert len(pairs) == 4  # the truncated one has a fine header
    for _ in range(2):
        np.testing.assert_array_equal(pairs.read(3)[0], pairs.read(0)[0])
    assert sum("truncated.jpg" in line for line in said) == 1
    with pytest.raises(ValueError, match=r"truncated\.jpg"):
        pairs.read_full(3)


def test_memory_and_disk_give_the_same_pixels(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for index in range(4):
        save(tmp_path / "val" / f"{index}.jpg", rng.integers(0, 255, (50, 120, 3), np.uint8))
    kept, read = load(tmp_path, "val", small()), load(tmp_path, "val", small(cache_gib=0))
    for index in range(4):
        for one, other in zip(kept.read(index), read.read(index), strict=True):
            np.testing.assert_array_equal(one, other)
        assert kept.read(index, 64)[0].shape == (64, 64, 3)
        assert kept.read_full(index)[0].shape == (50, 60, 3)


@pytest.mark.parametrize("side", [33, 72, 200])
def test_label_maps_hold_palette_colours_only(tmp_path: Path, side: int) -> None:
    colours = np.array([RED, BLUE], np.uint8)
    labels = colours[np.random.default_rng(2).integers(0, 2, (8, 8))].repeat(8, 0).repeat(8, 1)
    Image.fromarray(np.hstack([labels, labels])).save(save(tmp_path / "val" / "a.jpg", labels), quality=75)
    for data in (
        small(palette=LABELS, normalise=["palette"]),
        small(palette=LABELS, normalise=["palette"], input="labels_onehot", target="labels_onehot"),
    ):
        image, target = load(tmp_path, "val", data).read(0, side)
        assert {tuple(colour) for colour in image.reshape(-1, 3).tolist()} == {RED, BLUE}
        assert (np.array_equal(image, target)) == (data.target == "labels_onehot")


def test_transparent_and_gray_and_deep_pictures_can_be_trained_on(tmp_path: Path) -> None:
    save(tmp_path / "val/input/a.png", np.dstack([solid(RED), np.zeros((64, 64), np.uint8)]))
    deep = np.full((64, 64), 40_000, np.uint16)
    save(tmp_path / "val/target/a.png", deep)
    image, target = load(tmp_path, "val", small()).read(0)
    assert image.shape == (72, 72, 3)
    assert (image == 255).all()  # transparent is white
    assert target.dtype == np.uint16
    assert target.shape == (72, 72, 1)


def test_turned_photos_are_measured_as_they_are_shown(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "val/input").mkdir(parents=True)
    Image.fromarray(solid(RED, 64, 32)).save(tmp_path / "val/input/a.jpg", exif=exif)
    save(tmp_path / "val/target/a.jpg", solid(RED, 32, 64))
    for cache_gib in (0, 4):
        assert load(tmp_path, "val", small(cache_gib=cache_gib)).read_full(0)[0].shape == (64, 32, 3)


def facades(**fields: object) -> Task:
    task = load_task("facades")
    return task.model_copy(update={"data": task.data.model_copy(update=fields)})


def test_embedded_pairs_are_the_same_at_every_call_and_differ_between_splits() -> None:
    data = facades(size=64).data
    splits = {split: EmbeddedPairs(data, split) for split in ("train", "dev", "val", "test")}
    assert {split: len(pairs) for split, pairs in splits.items()} == {
        "train": 1800,
        "dev": 200,
        "val": 100,
        "test": 100,
    }
    stems = [pairs.stem(index) for pairs in splits.values() for index in range(len(pairs))]
    assert len(set(stems)) == 2200
    image, target = splits["val"].read(3)
    assert image.shape == target.shape == (72, 72, 3)
    assert {tuple(colour) for colour in image.reshape(-1, 3).tolist()} <= set(data.palette.values())
    for again in (splits["val"].read(3), EmbeddedPairs(data, "val").read(3)):
        np.testing.assert_array_equal(image, again[0])
        np.testing.assert_array_equal(target, again[1])
    assert (splits["test"].read(3)[1] != target).any()
    assert splits["val"].read_full(3)[0].shape == (64, 64, 3)


def test_embedded_pairs_stay_within_the_cache() -> None:
    pairs = EmbeddedPairs(facades(size=64, cache_gib=2.5 * 2 * 72 * 72 * 3 / 2**30).data, "val")
    first = [pairs.read(index)[0] for index in range(4)]
    assert [pairs.read(index)[0] is first[index] for index in range(4)] == [True, True, False, False]


def test_embedded_pairs_refuse_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="no drawer 'facade'; did you mean 'facades'"):
        EmbeddedPairs(facades(embedded="facade").data, "val")
    with pytest.raises(ValueError, match="no embedded pairs"):
        EmbeddedPairs(facades(embedded=None).data, "val")
    with pytest.raises(ValueError, match="palette: 1 classes"):
        EmbeddedPairs(facades(palette={"only": RED}).data, "val").read(0)


def test_open_pairs_takes_the_folder_given(tmp_path: Path) -> None:
    save_side_by_side(tmp_path / "mine" / "val", 2)
    said: list[str] = []
    pairs = open_pairs(facades(path=str(tmp_path / "mine")), "val", said.append)
    assert len(pairs) == 2
    assert said == [f"data: {pairs.description}"]
    with pytest.raises(ValueError, match="nowhere: no such folder"):
        open_pairs(facades(path="nowhere"), "val", said.append)


def test_open_pairs_takes_datasets_then_the_download_then_the_embedded_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said: list[str] = []

    def offline(source: Source, folder: Path, name: str, say: object) -> Path:
        raise OfflineError("the server cannot be reached")

    def online(source: Source, folder: Path, name: str, say: object) -> Path:
        save_side_by_side(folder / name / "val", 2)
        return folder / name

    monkeypatch.setattr(pairs_module, "fetch", offline)
    assert isinstance(open_pairs(facades(), "val", said.append), EmbeddedPairs)
    assert len(said) == 2
    for words in ("the server cannot be reached", "embedded", "--data DIR", "datasets/facades"):
        assert words in said[0]
    assert isinstance(open_pairs(facades(source=None), "val", said.append), EmbeddedPairs)
    with pytest.raises(ValueError, match=r"no data for facades: .*names no source; pass --data DIR"):
        open_pairs(facades(source=None, embedded=None), "val", said.append)

    monkeypatch.setattr(pairs_module, "fetch", online)
    fetched = open_pairs(facades(), "val", said.append)
    monkeypatch.setattr(pairs_module, "fetch", offline)
    there = open_pairs(facades(), "val", said.append)
    assert len(fetched) == len(there) == 2
    assert there.licence == "CMP facade database, CC BY-SA"
    assert isinstance(open_pairs(facades(path="embedded"), "val", said.append), EmbeddedPairs)


@pytest.mark.skipif(not (REAL / "facades").is_dir(), reason="no real data; set PIX2PIX_TEST_DATA")
def test_real_facades() -> None:
    data = load_task("facades").data
    found = find_pairs(REAL / "facades", "dev", data)
    assert found.description.startswith("facades: 40 side-by-side pairs (512x256) in dev, 360 in train, 100 in val")
    image, target = load(REAL / "facades", "dev", data).read(0)
    assert image.shape == target.shape == (286, 286, 3)
    assert {tuple(colour) for colour in image.reshape(-1, 3).tolist()} <= set(data.palette.values())


@pytest.mark.skipif(not (REAL / "cityscapes").is_dir(), reason="no real data; set PIX2PIX_TEST_DATA")
def test_real_cityscapes_lie_in_folders() -> None:
    found = find_pairs(REAL / "cityscapes", "val", Data())
    assert (found.layout, len(found.pairs)) == ("folders", 100)
    assert found.pairs[0].input.parent.name == "labels"
