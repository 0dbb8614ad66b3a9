"""What a survey finds in a set, which pictures it takes for duplicates, and how they are split."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pix2pix.config import Data
from pix2pix.data.building import side_by_side
from pix2pix.data.duplicates import Group, find_duplicates, small_version
from pix2pix.data.gathering import gather
from pix2pix.data.splitting import assign_splits
from pix2pix.data.survey import Survey, kind, survey
from pix2pix.data.survey_report import make_report, report_lines
from pix2pix.images import list_images, read_image

REAL = Path(os.environ.get("PIX2PIX_TEST_DATA", Path(__file__).parents[1] / "../shared/data"))
RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 255, 0)


def scene(seed: int, height: int = 64, width: int = 64) -> np.ndarray:
    """A picture with structure at all scales, another one for each seed, (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (8, 8, 3)).astype(np.float32)
    fine = rng.normal(0, 10, (height, width, 3))
    return np.asarray(
        (cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) + fine).clip(0, 255), np.uint8
    )


def save(path: Path, picture: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path


def photos(**fields: object) -> Data:
    return Data.model_validate({"size": 64, "derive": ["noise"], **fields})


def look(root: Path, data: Data) -> tuple[Survey, dict[str, object]]:
    gathered = gather((root,), data)
    found = survey(gathered, data)
    return found, make_report(found, gathered, data)


# --- duplicates ---


def saved_anew(picture: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=60)
    return np.asarray(Image.open(buffer))


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the same": lambda picture: picture,
    "as JPEG": saved_anew,
    "smaller": lambda picture: cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
    "brighter": lambda picture: np.asarray((picture * 1.03 + 3).clip(0, 255), np.uint8),
    "deeper": lambda picture: picture.astype(np.uint16) * 257,
    "opaque alpha": lambda picture: np.dstack([picture, np.full_like(picture[:, :, :1], 255)]),
}


@pytest.mark.parametrize("copy", COPIES)
def test_copies_are_found_and_other_pictures_are_not(copy: str) -> None:
    pictures = [scene(seed, 96, 128) for seed in range(30)]
    pictures.append(COPIES[copy](pictures[7]))
    contents = [f"{picture.shape} {picture.dtype}".encode() + picture.tobytes() for picture in pictures]
    found = find_duplicates(contents, [small_version(picture) for picture in pictures])
    assert found == [Group((7, 30), exact=copy == "the same")]


def test_nearness_is_passed_on_and_groups_are_whole() -> None:
    small = [small_version(scene(0))]
    for step in range(1, 4):  # each two bits from the one before, six from the first
        darker = small[-1].copy()
        darker[step, 0], darker[step, 1] = darker[step, 1], darker[step, 0]
        darker[step, 4], darker[step, 5] = darker[step, 5], darker[step, 4]
        small.append(darker)
    small.append(small_version(scene(1)))
    assert find_duplicates([b"a", b"b", b"c", b"d", b"e"], small) == [Group((0, 1, 2, 3), exact=False)]


def test_pictures_without_detail_are_equal_or_nothing() -> None:
    plain = [np.full((32, 32, 3), level, np.uint8) for level in (0, 120, 255, 120)]
    contents = [picture.tobytes() for picture in plain]
    assert find_duplicates(contents, [small_version(picture) for picture in plain]) == [Group((1, 3), exact=True)]
    assert find_duplicates([], []) == []


@pytest.mark.slow
def test_ten_thousand_pictures_take_seconds_and_little_memory() -> None:
    rng = np.random.default_rng(0)
    small = list(rng.integers(0, 256, (10_000, 8, 9), np.uint8))
    small[5_000:5_100] = small[:100]
    contents = [index.to_bytes(4) for index in range(10_000)]
    found = find_duplicates(contents, small)
    assert [group.members for group in found] == [(index, index + 5_000) for index in range(100)]


@pytest.mark.skipif(not (REAL / "photos" / "bsds").is_dir(), reason="no real photos; set PIX2PIX_TEST_DATA")
def test_real_photos_are_found_again_and_not_mixed_up() -> None:
    pictures = [read_image(path) for path in list_images(REAL / "photos" / "bsds" / "train")[:60]]
    copies = [saved_anew(picture) for picture in pictures]
    small = [small_version(picture) for picture in pictures + copies]
    found = find_duplicates([index.to_bytes(2) for index in range(len(small))], small)
    assert {group.members for group in found} <= {(index, index + 60) for index in range(60)}
    assert len(found) >= 54


# --- splits ---


@pytest.mark.parametrize(("val", "test"), [(0.1, 0.0), (0.2, 0.1), (0.0, 0.0), (0.0, 0.5)])
def test_shares_are_kept_and_the_order_of_the_files_does_not_matter(val: float, test: float) -> None:
    stems = [f"photo {index}" for index in range(100)]
    splits = assign_splits(stems, [], val, test)
    assert [splits.count(name) for name in ("val", "test")] == [round(100 * val), round(100 * test)]
    assert assign_splits(stems[::-1], [], val, test) == splits[::-1]


def test_the_choice_is_pinned() -> None:
    """Another choice would show a model in training what earlier ones were scored on."""
    stems = [str(index) for index in range(20)]
    splits = assign_splits(stems, [], 0.1, 0.1)
    assert [[stem for stem, split in zip(stems, splits, strict=True) if split == name] for name in ("val", "test")] == [
        ["5", "7"],
        ["17", "19"],
    ]


def test_what_belongs_together_stays_together() -> None:
    rng = np.random.default_rng(3)
    for count in (3, 10, 57):
        stems = [f"{number:x}" for number in rng.choice(10_000, count, replace=False)]
        order = rng.permutation(count)
        together = [order[: count // 3].tolist(), order[count // 3 : count // 2].tolist()]
        splits = assign_splits(stems, [group for group in together if len(group) > 1], 0.3, 0.2)
        for group in together:
            assert len({splits[member] for member in group}) <= 1
        assert splits.count("val") <= max(1, round(0.3 * count))
        assert "train" in splits


def test_a_small_set_has_a_val_and_a_tiny_one_only_train() -> None:
    assert sorted(assign_splits(["a", "b", "c"], [], 0.1, 0.0)) == ["train", "train", "val"]
    assert assign_splits(["a", "b"], [], 0.4, 0.4) == ["train", "train"]


# --- what is found ---


def test_the_report_counts_sizes_kinds_and_duplicates(tmp_path: Path) -> None:
    save(tmp_path / "train" / "a.png", scene(1, 40, 80))
    save(tmp_path / "train" / "b.png", scene(2, 64, 64)[:, :, 0])
    save(tmp_path / "train" / "c.png", np.repeat(scene(3, 100, 90)[:, :, :1], 3, 2))
    save(tmp_path / "train" / "d.png", scene(4, 100, 64)[:, :, 0].astype(np.uint16) * 257)
    save(tmp_path / "val" / "e.png", np.dstack([scene(5), scene(6)[:, :, 0]]))
    save(tmp_path / "val" / "f.bmp", scene(1, 40, 80))
    found, report = look(tmp_path, photos())
    assert report["pictures"] == {"train": 4, "val": 2}
    assert report["sizes"] == {
        "min": (80, 40),
        "median": (64, 64),
        "max": (90, 100),
        "training_size": 64,
        "smaller": 2,
    }
    assert report["kinds"] == {
        "input": {},
        "target": {
            "8-bit colour": 2,
            "8-bit grey": 1,
            "8-bit grey stored as colour": 1,
            "16-bit grey": 1,
            "8-bit colour with transparency": 1,
        },
    }
    assert report["duplicates"] == {
        "across_splits": [["train/a", "val/f"]],
        "exact": [["train/a", "val/f"]],
        "near": [],
        "across_train_and_dev": [],
    }
    assert [group.members for group in found.duplicates] == [(0, 5)]
    lines = report_lines(report, "here", photos())
    assert "pictures    4 train, 2 val" in lines
    assert "duplicates  across splits: train/a, val/f" in lines
    assert max(map(len, lines)) <= 118
    json.dumps(report)


def labels(colours: list[tuple[int, int, int]]) -> np.ndarray:
    """Four equal quarters."""
    return np.concatenate([np.full((32, 32, 3), colour, np.uint8) for colour in colours], axis=1)


def test_class_shares_are_exact_and_what_never_occurs_is_named(tmp_path: Path) -> None:
    palette = {"red": RED, "blue": BLUE, "green": GREEN}
    save(tmp_path / "train/input/1.png", labels([RED, RED, BLUE, (128, 128, 128)]))
    save(tmp_path / "train/input/2.png", labels([RED, RED, RED, (250, 10, 0)]))
    for name in ("1", "2"):
        save(tmp_path / f"train/target/{name}.png", scene(int(name), 32, 128))
    data = Data.model_validate({"size": 64, "input": "labels_onehot", "normalise": ["palette"], "palette": palette})
    report = look(tmp_path, data)[1]
    assert report["classes"] == {
        "shares": {"red": 6 / 7, "blue": 1 / 7, "green": 0.0},
        "never": ["green"],
        "far": 1 / 8,
    }
    line = " ".join(report_lines(report, "here", data))
    assert "red 85.7%, blue 14.3%; never: green; 12.5% of all pixels far" in line
    assert "wrong way round" not in line


def test_halves_the_wrong_way_round_are_suspected(tmp_path: Path) -> None:
    save(tmp_path / "train/1.png", np.hstack([scene(1, 32, 64), labels([RED, BLUE])]))
    palette = {"red": RED, "blue": BLUE}
    for side, suspected in (("left", True), ("right", False)):
        fields = {"size": 64, "input": "labels_onehot", "palette": palette, "input_side": side}
        data = Data.model_validate(fields)
        assert ("wrong way round" in " ".join(report_lines(look(tmp_path, data)[1], "", data))) == suspected


def test_bad_files_are_named_with_their_reason(tmp_path: Path) -> None:
    for seed in range(3):
        save(tmp_path / f"train/{seed}.png", scene(seed, 64, 128))
    (tmp_path / "train/empty.png").touch()
    (tmp_path / "train/text.png").write_text("no picture")
    save(tmp_path / "train/odd.png", scene(9, 64, 65))
    found, report = look(tmp_path, Data(size=64))
    assert len(found.seen) == 3
    assert report["bad_files"] == [
        {"file": "train/empty.png", "reason": "the file is empty", "kind": "unreadable"},
        {
            "file": "train/odd.png",
            "reason": "65 pixels wide, expected an even width: two pictures of one size side by side",
            "kind": "refused",
        },
        {"file": "train/text.png", "reason": "not an image of a known format", "kind": "unreadable"},
    ]
    assert any("a training stops" in line for line in report_lines(report, "", Data()))


def test_two_folders_are_matched_by_place_and_name(tmp_path: Path) -> None:
    for place in ("train/a/1", "train/b/1", "val/2"):
        save(tmp_path / f"in/{place}.png", scene(1))
        save(tmp_path / f"out/{place}.jpg", scene(2))
    save(tmp_path / "in/train/a/lonely.png", scene(3))
    found = gather((tmp_path / "in", tmp_path / "out"), Data())
    assert {split: [pair.stem for pair in pairs] for split, pairs in found.splits.items()} == {
        "train": ["a/1", "b/1"],
        "val": ["2"],
    }
    assert [(bad.path.name, bad.kind) for bad in found.bad] == [("lonely.png", "unmatched")]
    save(tmp_path / "in/other.png", scene(4))
    save(tmp_path / "out/other.png", scene(4))
    stems = [pair.stem for pair in gather((tmp_path / "in", tmp_path / "out"), Data()).splits["train"]]
    assert stems == ["other", "train/a/1", "train/b/1", "val/2"]
    with pytest.raises(
        ValueError, match=r"no picture in .*val has a partner in .*: the first ones are 2\.png and 1\.jpg"
    ):
        gather((tmp_path / "in" / "val", tmp_path / "out" / "train"), Data())


@pytest.mark.parametrize(("channels", "bits", "words"), [(1, 8, "8-bit grey"), (5, 16, "16-bit of 5 channels")])
def test_kinds_in_words(channels: int, bits: int, words: str) -> None:
    assert kind(np.zeros((2, 3, channels), np.uint8 if bits == 8 else np.uint16)) == words


def test_halves_of_different_kinds_become_one_picture() -> None:
    rng = np.random.default_rng(0)
    gray = rng.integers(0, 256, (4, 5, 1), np.uint8)
    deep = rng.integers(0, 65536, (4, 5, 4), np.uint16)
    both = side_by_side(gray, deep)
    assert both.shape == (4, 10, 4)
    assert both.dtype == np.uint16
    np.testing.assert_array_equal(both[:, 5:], deep)
    np.testing.assert_array_equal(both[:, :5, :3] // 257, np.repeat(gray, 3, 2))
    assert (both[:, :5, 3] == 65535).all()
    with pytest.raises(ValueError, match="2 and 3 channels do not fit"):
        side_by_side(gray[:, :, [0, 0]], gray[:, :, [0, 0, 0]])
