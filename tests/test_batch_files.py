"""Which pictures a command line means, and what their outputs are called."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pix2pix.batch.files import Found, check_writable, find_pictures
from pix2pix.batch.names import EXACT, output_suffix, plan


def save(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), "red").save(path)
    return path


def names(pictures: list[Found]) -> list[str]:
    return [str(found.path) for found in pictures]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def flat(*paths: str) -> list[Found]:
    return [Found(Path(path), Path(path).parent) for path in paths]


def test_inputs_are_files_folders_and_globs_each_once(folder: Path) -> None:
    for name in ("a/2.png", "a/10.png", "a/deeper/z.png", "a/translated/2.png", "b/odd[1].png", "b/notes.png"):
        save(folder / name)
    (folder / "a" / "notes.txt").write_text("no picture")
    cases = {
        ("a",): ["a/2.png", "a/10.png"],
        ("a", "a/2.png", "./a/2.png"): ["a/2.png", "a/10.png"],
        ("a/*.png",): ["a/10.png", "a/2.png"],
        ("a/deeper", "a/translated", "a/2.png"): ["a/deeper/z.png", "a/2.png"],
        ("a/translated",): ["a/translated/2.png"],  # asked for, and nothing else
        ("a/*",): ["a/10.png", "a/2.png", "a/deeper/z.png"],
        ("b/odd[1].png",): ["b/odd[1].png"],
        ("**/*.png",): ["a/10.png", "a/2.png", "a/deeper/z.png", "b/notes.png", "b/odd[1].png"],
    }
    for inputs, expected in cases.items():
        assert names(find_pictures(inputs)) == expected
    assert names(find_pictures(["a", "b"], out=Path("b"))) == ["a/2.png", "a/10.png"]
    (folder / "nothing").mkdir()
    for nothing in (["nothing"], [], ["*.jpg"]):
        with pytest.raises(ValueError, match="no "):
            find_pictures(nothing)


def test_recursive_takes_the_tree_but_no_outputs_of_earlier_runs(folder: Path) -> None:
    for name in ("a/x.png", "a/b/c/y.png", "a/b/2.png", "a/b/10.png"):
        save(folder / name)
    for name in ("translated/b/2.png", "b/translated/2.png", "colour/x.png", ".hidden/h.png", "b/.h.png"):
        save(folder / "a" / name)
    (folder / "a" / "loop").symlink_to(folder / "a", target_is_directory=True)
    expected = ["a/x.png", "a/b/2.png", "a/b/10.png", "a/b/c/y.png"]
    found = find_pictures(["a"], Path("a/colour"), recursive=True)
    assert names(found) == expected
    assert {found.root for found in found} == {Path("a")}
    below = [job.outputs[0] for job in plan(found, Path("a/colour"))]
    assert below == [Path("a/colour") / Path(path).relative_to("a") for path in expected]
    beside = [job.outputs[0] for job in plan(found)]
    assert beside == [Path("a/translated") / Path(path).relative_to("a") for path in expected]
    with pytest.raises(ValueError, match="both the inputs' folder and that of the outputs"):
        find_pictures(["a"], Path("./a"), recursive=True)


def test_a_glob_through_folders_keeps_the_tree_too(folder: Path) -> None:
    for name in ("a/x.png", "a/b/x.png", "a/b/c/x.jpg", "a/translated/x.png", "a/out/x.png"):
        save(folder / name)
    found = find_pictures(["a/**/*.png"], Path("a/out"))
    assert names(found) == ["a/b/x.png", "a/x.png"]
    assert [str(job.outputs[0]) for job in plan(found, Path("a/out"))] == ["a/out/b/x.png", "a/out/x.png"]
    assert names(find_pictures(["a/**"], Path("a/out"))) == ["a/x.png", "a/b/x.png", "a/b/c/x.jpg"]


def test_without_recursive_it_is_said_how_many_lie_deeper(folder: Path) -> None:
    for name in ("a/x.png", "a/b/1.png", "a/b/c/2.jpg", "a/translated/x.png"):
        save(folder / name)
    said: list[str] = []
    assert names(find_pictures(["a"], say=said.append)) == ["a/x.png"]
    assert said == ["a: 2 more pictures lie deeper; --recursive takes all"]
    find_pictures(["a"], recursive=True, say=said.append)
    find_pictures(["a/**"], say=said.append)
    assert len(said) == 1


def test_files_without_any_suffix_count_in_folders_where_they_are_pictures(folder: Path) -> None:
    save(folder / "a" / "x.jpg").rename(folder / "a" / "scan")
    (folder / "a" / "README").write_text("no picture")
    (folder / "a" / "empty").touch()
    found = find_pictures(["a"])
    assert names(found) == ["a/scan"]
    assert plan(found)[0].outputs == (Path("a/translated/scan.jpg"),)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_listed_is_named(folder: Path) -> None:
    save(folder / "a" / "x.png")
    (folder / "a" / "closed").mkdir(mode=0)
    with pytest.raises(ValueError, match="a/closed: cannot list the folder"):
        find_pictures(["a"], recursive=True)


def test_a_file_in_the_way_of_a_folder_is_named(folder: Path) -> None:
    save(folder / "x.png")
    for place in ("x.png", "x.png/out"):
        with pytest.raises(ValueError, match="a file, expected a folder"):
            check_writable(Path(place))


def test_outputs_keep_name_and_format_of_their_pictures(folder: Path) -> None:
    expected = {
        **dict.fromkeys([".png", ".jpg", ".JPG", ".jpeg", ".webp", ".tif", ".TIFF", ".avif"]),
        **dict.fromkeys([".jpe", ".jfif", ".mpo"], ".jpg"),
        **dict.fromkeys([".gif", ".bmp", ".tga", ".npy", ".jp2"], ".png"),
    }
    for suffix, written in expected.items():
        assert output_suffix(Path(f"x{suffix}"), None) == (written or suffix)
    assert output_suffix(Path("x.jpg"), "png") == ".png"
    assert output_suffix(Path("x.JPEG"), "jpg") == ".JPEG"
    assert output_suffix(Path("x.png"), "tiff") == ".tif"
    assert [output_suffix(Path(name), None, EXACT) for name in ("x.jpg", "x.png", "x.tif")] == [".png", ".png", ".tif"]
    assert output_suffix(Path("x.png"), None, ["tiff"]) == ".tif"
    save(folder / "x.webp").rename(folder / "x.2019")
    assert [output_suffix(Path(name), None) for name in ("x.2019", "missing")] == [".webp", ".png"]


def test_equal_names_grow_and_an_exact_one_is_kept() -> None:
    inputs = ["p/x.png", "p/x.jpg", "q/x.png", "q/x.jpg", "q/y.png", "p/z.png", "p/Z.tif"]
    outputs = [job.outputs[0].name for job in plan(flat(*inputs), Path("q"))]  # where two of the inputs are
    assert outputs == ["p_x_png.png", "p_x_jpg.jpg", "q_x_png.png", "q_x_jpg.jpg", "y_png.png", "z.png", "Z.tif"]
    outputs = [job.outputs[0].name for job in plan(flat("p/x.bmp", "p/x.png", "p/x.gif", "p/X.jpe"), Path("o"))]
    assert outputs == ["x_bmp.png", "x.png", "x_gif.png", "X.jpg"]
    reserved = [job.outputs[0].name for job in plan(flat("p/x.png"), Path("o"), reserved=[Path("o/x.png")])]
    assert reserved == ["x_png.png"]


def test_names_stay_apart_over_random_inputs() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        paths = {Path(rng.choice(["a", "b", "a/a"])) / f"{rng.choice(['x', 'X', 'x_png', 'a_x'])}{suffix}"
                 for suffix in rng.choice([".png", ".PNG", ".jpg", ".bmp", ".j.pg", ""], 6)}  # fmt: skip
        pictures = flat(*map(str, sorted(paths)))
        deeper = [Found(found.path, Path()) for found in pictures]
        for found in (pictures, deeper):
            for out in (None, Path("a"), Path("out")):
                outputs = [output for job in plan(found, out, 2) for output in job.outputs]
                keys = {str(path).casefold() for path in outputs}
                assert len(keys) == 2 * len(pictures)
                assert not keys & {str(path).casefold() for path in paths}


def test_many_names_are_planned_quickly() -> None:
    found = [
        Found(Path(f"a/{index % 100}/{index // 2}{('.bmp', '.png')[index % 2]}"), Path("a")) for index in range(20_000)
    ]
    start = time.process_time()
    outputs = {job.outputs[0] for job in plan(found, Path("out"))}
    assert len(outputs) == len(found)
    assert time.process_time() - start < 5
