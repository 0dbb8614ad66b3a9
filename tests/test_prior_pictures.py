"""The pictures that priors learn: squares of a folder, halves of pairs, damaged files, and their order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pix2pix.priors.configuration import Pictures
from pix2pix.priors.pictures import PictureStream, as_targets, open_pictures

SIDE = 64


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def noise(seed: int, height: int = SIDE, width: int = SIDE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(20):
        write(tmp_path / "pictures" / f"{number}.png", noise(number))
    return tmp_path / "pictures"


def opened(folder: Path, split: str = "train", **settings: Any) -> tuple[Any, list[str]]:
    said: list[str] = []
    return open_pictures(Pictures(path=str(folder), **settings), split, said.append), said


def test_train_and_dev_share_the_folder_and_nothing_else(folder: Path) -> None:
    (train, _), (dev, _) = opened(folder), opened(folder, "dev")
    assert (len(train), len(dev)) == (18, 2)
    found = {pictures.picture(index).tobytes() for pictures in (train, dev) for index in range(len(pictures))}
    assert found == {noise(number).tobytes() for number in range(20)}
    assert "18 pictures in train" in train.description


def test_a_picture_is_its_largest_square_resized(tmp_path: Path) -> None:
    wide = np.zeros((128, 192, 3), np.uint8)
    wide[:, 32:160] = (200, 100, 50)  # the middle square; what is outside must not be seen
    for number in range(2):
        write(tmp_path / f"{number}.png", wide)
    pictures, said = opened(tmp_path)
    assert said == []
    assert pictures.picture(0).shape == (SIDE, SIDE, 3)
    assert (pictures.picture(0) == np.array([200, 100, 50])).all()


@pytest.mark.parametrize(("part", "colour"), [("left", 40), ("right", 220)])
def test_a_half_of_pairs_side_by_side(tmp_path: Path, part: str, colour: int) -> None:
    pair = np.full((SIDE, 2 * SIDE, 3), 40, np.uint8)
    pair[:, SIDE:] = 220
    for number in range(2):
        write(tmp_path / f"{number}.png", pair)
    halves, said = opened(tmp_path, part=part)
    assert (halves.picture(0) == colour).all()
    assert said == []
    _, said = opened(tmp_path)
    assert len(said) == 1
    assert "--part left" in said[0]


def test_grey_16_bit_and_transparent_pictures_become_rgb_of_8_bit(tmp_path: Path) -> None:
    write(tmp_path / "a.png", np.full((SIDE, SIDE), 257 * 7, np.uint16))
    clear = np.full((SIDE, SIDE, 4), 9, np.uint8)
    clear[..., 3] = 255
    write(tmp_path / "b.png", clear)
    write(tmp_path / "c.png", np.full((SIDE, SIDE), 5, np.uint8))
    found = {
        int(pictures.picture(index)[0, 0, 0])
        for pictures in (opened(tmp_path)[0], opened(tmp_path, "dev")[0])
        for index in range(len(pictures))
        if pictures.picture(index).shape == (SIDE, SIDE, 3) and pictures.picture(index).dtype == np.uint8
    }
    assert found == {5, 7, 9}


@pytest.mark.parametrize("cache_gib", [4.0, 0.0])
def test_files_that_cannot_be_read_are_named_and_left_out(folder: Path, cache_gib: float) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "cut.png").write_bytes((folder / "3.png").read_bytes()[:200])
    (folder / "empty.jpg").touch()
    (folder / "notes.txt").write_text("not even meant to be one")
    said: list[str] = []
    sets = [
        open_pictures(Pictures(path=str(folder), cache_gib=cache_gib), split, said.append) for split in ("train", "dev")
    ]
    pictures = [each.picture(index) for each in sets for index in range(len(each))]
    told = "\n".join(said)
    assert "broken.png" in told
    assert "empty.jpg" in told
    assert "notes.txt" not in told
    assert {picture.tobytes() for picture in pictures} == {noise(number).tobytes() for number in range(20)}
    if cache_gib:
        assert "cut.png" in told  # by its header alone it is whole
        assert len(pictures) == 20


@pytest.mark.parametrize(
    ("path", "message"),
    [("nowhere", "no such folder"), ("notes.txt", "a file"), ("bare", "the folder holds nothing")],
)
def test_a_folder_without_pictures_is_told_in_one_line(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "bare").mkdir()
    with pytest.raises(ValueError, match=message) as caught:
        opened(tmp_path / path)
    assert "\n" not in str(caught.value)


def test_what_lies_at_a_position_follows_the_seed_alone(folder: Path) -> None:
    pictures, _ = opened(folder)
    one, other = (PictureStream(pictures, flip=True, seed=3) for _ in range(2))
    together = one.make(tuple(range(40))).target
    apart = torch.cat([other.make((position,)).target for position in reversed(range(40))]).flip(0)
    assert torch.equal(together, apart)
    assert not torch.equal(together, PictureStream(pictures, flip=True, seed=4).make(tuple(range(40))).target)
    assert one.make(()).target.shape == (0, 3, SIDE, SIDE)
    assert together.min() >= -1
    assert together.max() <= 1


def test_an_epoch_shows_every_picture_once_and_about_half_of_them_mirrored(folder: Path) -> None:
    pictures, _ = opened(folder)
    plain = as_targets(np.stack([pictures.picture(index) for index in range(len(pictures))]))
    names = {each.numpy().tobytes(): number for number, each in enumerate(plain)}
    names |= {each.flip(2).contiguous().numpy().tobytes(): number for number, each in enumerate(plain)}
    shown = PictureStream(pictures, flip=True, seed=0).make(tuple(range(10 * len(pictures)))).target.contiguous()
    numbers = [names[each.contiguous().numpy().tobytes()] for each in shown]
    for start in range(0, len(numbers), len(pictures)):
        assert sorted(numbers[start : start + len(pictures)]) == list(range(len(pictures)))
    straight = sum(torch.equal(each, plain[number]) for each, number in zip(shown, numbers, strict=True))
    assert 0.4 < straight / len(numbers) < 0.6  # 180 draws: beyond 2.7 standard deviations
    unflipped = PictureStream(pictures, flip=False, seed=0).make(tuple(range(18))).target
    assert all(any(torch.equal(each, one) for one in plain) for each in unflipped)
