"""Data sets as people have them: photos in folders of any size, pairs of many channels or of two sizes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from small_pictures import TINY, noise, photo

from pix2pix import evaluate, train, translate
from pix2pix.config import load_task
from pix2pix.data.layouts import find_pairs
from pix2pix.data.pairs import open_pairs
from pix2pix.images import read_image, write_image


def test_pairs_of_many_channels_and_16_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for index in range(4):
        for name, channels, suffix in (("input", 6, "tif"), ("target", 2, "npy")):
            path = Path("pairs/train") / name / f"{index}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, photo(70, 70, np.uint16, channels, seed=index))
    bands = ["--data.input-channels", "6", "--data.target-channels", "2"]
    with pytest.raises(ValueError, match=r"train/input/\d\.tif: 6 channels, expected 3; say how many with"):
        train.main(["--task", "custom", "--data", "pairs", "--out", "none", *TINY])
    assert train.main(["--task", "custom", "--data", "pairs", "--out", "run", *bands, *TINY]) == 0
    assert translate.main(["--model", "run", "pairs/train/input/0.tif", "--out", "made"]) == 0
    made = tifffile.imread("made/0.tif")
    assert made.shape == (70, 70, 2)
    assert made.dtype == np.uint16
    assert translate.main(["--model", "run", "pairs/train/target/0.npy", "--out", "made"]) == 1  # 2 channels, not 6


def test_pages_of_a_tiff_are_channels(tmp_path: Path) -> None:
    image = noise(20, 30, 5, dtype=np.uint16)
    tifffile.imwrite(tmp_path / "pages.tif", np.moveaxis(image, 2, 0), photometric="minisblack")
    np.testing.assert_array_equal(read_image(tmp_path / "pages.tif", all_pages=True), image)
    for suffix in (".npy", ".tif"):
        write_image(tmp_path / f"bands{suffix}", image)
        np.testing.assert_array_equal(read_image(tmp_path / f"bands{suffix}", all_pages=True), image)
    with pytest.raises(ValueError, match=r"5 channels do not fit into PNG; write .tif or .npy"):
        write_image(tmp_path / "bands.png", image)


def test_photos_in_folders_below_and_pairs_side_by_side_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for index, (height, width) in enumerate([(70, 100), (100, 70), (64, 64), (30, 40)]):
        path = Path("photos") / f"album {index % 2}" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, photo(height, width, seed=index))
    pairs = Path("pairs")
    pairs.mkdir()
    for index in range(3):
        write_image(pairs / f"{index}.png", photo(64, 128, seed=index))
    faces = ["--task", "edges2faces", *TINY]
    assert train.main([*faces, "--data", "photos", "--out", "a"]) == 0
    assert "photos: 3 photos" in (said := capsys.readouterr().err)
    assert "inputs derived: edges: {detail: [0.2, 0.8]}" in said
    assert train.main([*faces, "--data", "pairs", "--out", "b"]) == 0
    assert "side-by-side pairs" in capsys.readouterr().err
    assert train.main([*faces, "--data", "pairs", "--data.layout", "photos", "--out", "c"]) == 0
    assert "photos" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no pairs found"):
        train.main(["--task", "maps", "--data", "photos", "--out", "d", *TINY])


def test_evaluation_may_derive_its_inputs_in_another_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert train.main(["--task", "edges2shoes", "--data", "embedded", "--out", "run", *TINY]) == 0
    figures = {}
    for step in ("edges", "drawn_lines"):
        arguments = [
            "--model",
            "run",
            "--data",
            "embedded",
            "--derive",
            step,
            "--split",
            "dev",
            "--out",
            f"{step}.json",
        ]
        assert evaluate.main([*arguments, "--lpips", "none", "--features", "none"]) == 0
        figures[step] = json.loads(Path(f"{step}.json").read_text())["metrics"]["l1"]
    assert figures["edges"] != figures["drawn_lines"]
    with pytest.raises(ValueError, match="'facades' takes pairs, whose inputs are given"):
        evaluate.main(["--model", "facades", "--data", "embedded", "--derive", "edges"])


def test_photos_of_any_size_are_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "val").mkdir(parents=True)
    for index, size in enumerate([(70, 100), (101, 67), (3, 5), (400, 300)]):
        write_image(tmp_path / "photos" / "val" / f"{index}.png", photo(*size, seed=index))
    write_image(tmp_path / "photos" / "val" / "clear.png", photo(90, 90, channels=4))
    (tmp_path / "photos" / "val" / "broken.png").write_bytes(b"no picture")
    for name, count in (("superres", 4), ("edges2photo", 5), ("inpaint", 5)):
        assert train.main(["--task", name, "--data", "embedded", "--out", name, *TINY]) == 0
        arguments = ["--model", name, "--data", "photos", "--out", f"{name}.json", "--grid", f"{name}.png"]
        assert evaluate.main([*arguments, "--lpips", "none", "--features", "none"]) == 0
        assert json.loads(Path(f"{name}.json").read_text())["n"] == count
        assert min(read_image(f"{name}.png").shape[:2]) > 50


def test_pairs_whose_target_is_larger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for index in range(4):
        for folder, side in (("input", 24), ("target", 96)):
            (tmp_path / "pairs" / "train" / folder).mkdir(parents=True, exist_ok=True)
            write_image(tmp_path / "pairs" / "train" / folder / f"{index}.png", photo(side, side, seed=index))
    assert train.main(["--task", "superres", "--data", "pairs", "--out", "run", *TINY]) == 0
    assert translate.main(["--model", "run", "pairs/train/input/0.png", "--out", "made"]) == 0
    assert read_image("made/0.png").shape == (96, 96, 3)
    write_image("pairs/train/target/1.png", photo(48, 48))
    with pytest.raises(ValueError, match="expected a target 4 times as large"):
        train.main(["--task", "superres", "--data", "pairs", "--out", "other", *TINY])


def test_memory_for_photos_is_counted_from_all_sizes(tmp_path: Path) -> None:
    sizes = [(64, 64), *[(300, 400)] * 9]
    for index, size in enumerate(sizes):
        (tmp_path / "train").mkdir(exist_ok=True)
        write_image(tmp_path / "train" / f"{index}.png", photo(*size, seed=index))
    task = load_task("denoise")
    for megabytes, kept in ((2.0, False), (4.0, True)):  # 3.2 MB in all; the first photo times ten is 0.1 MB
        data = task.data.model_copy(update={"size": 64, "path": str(tmp_path), "cache_gib": megabytes * 1e6 / 2**30})
        pairs = open_pairs(task.model_copy(update={"data": data}), "train", lambda line: None)
        assert (pairs.read(0)[0] is pairs.read(0)[0]) is kept


def test_an_album_called_test_is_no_split(tmp_path: Path) -> None:
    data = load_task("denoise").data
    for index in range(6):
        album = tmp_path / ("test" if index == 0 else f"album {index}")
        album.mkdir()
        write_image(album / f"{index}.png", photo(seed=index))
    write_image(tmp_path / "cover.png", photo(64, 128))
    found = find_pairs(tmp_path, "train", data)
    assert (found.layout, len(found.pairs)) == ("photos", 6)  # the seventh is dev


def test_grey_photos_teach_no_colour(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for index in range(20):
        write_image(tmp_path / "train" / f"{index}.png", photo(seed=index))
    write_image(tmp_path / "train" / "grey.png", photo(channels=1))
    write_image(tmp_path / "train" / "grey too.jpg", np.repeat(photo(channels=1), 3, axis=2))
    counts = {}
    for name in ("colorize", "denoise"):
        task, said = load_task(name), list[str]()
        data = task.data.model_copy(update={"path": str(tmp_path), "size": 64})
        every = [open_pairs(task.model_copy(update={"data": data}), split, said.append) for split in ("train", "dev")]
        counts[name] = sum(map(len, every))
        assert any("grey photo" in line for line in said) == (name == "colorize")
    assert counts == {"colorize": 20, "denoise": 22}


def test_photos_too_small_to_learn_from_are_named(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for index in range(20):
        write_image(tmp_path / "train" / f"{index}.png", photo(60 if index else 20, 80, seed=index))
    task, said = load_task("denoise"), list[str]()
    data = task.data.model_copy(update={"path": str(tmp_path), "size": 64})
    for split in ("train", "dev"):
        open_pairs(task.model_copy(update={"data": data}), split, said.append)
    assert any("0.png: 80x20 pixels, too small to learn from at a training size of 64" in line for line in said)
    assert any("1 unreadable, skipped" in line for line in said)
