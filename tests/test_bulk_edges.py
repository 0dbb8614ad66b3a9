"""What an archive holds beside usual photos: inverted scans, grey of many kinds, sizes no format holds, odd names."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from small_pictures import photo

from pix2pix import translate
from pix2pix.hub import load
from pix2pix.images import read_image, to_gray, write_image


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> int:
    return translate.main([*arguments, "--backend", "torch"])


def deep_grey() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 65536, (40, 60), np.uint16)


def test_scans_that_store_white_as_zero_are_no_negatives() -> None:
    grey = deep_grey()
    for number, stored in ((16, 65535 - grey), (8, (255 - grey // 257).astype(np.uint8))):
        tifffile.imwrite(f"{number}.tif", stored, photometric="miniswhite")
    assert np.array_equal(read_image("16.tif")[:, :, 0], grey)
    assert np.array_equal(read_image("8.tif")[:, :, 0], grey // 257)


def test_one_value_of_deep_grey_that_is_transparent() -> None:
    grey = deep_grey()
    grey[5:9, 5:9] = 1234
    Image.fromarray(grey).save("grey.png", transparency=1234)
    image = read_image("grey.png")
    assert image.shape == (40, 60, 4)
    assert np.array_equal(image[:, :, 1], grey)
    assert np.array_equal(image[:, :, 3], np.where(grey == 1234, 0, 65535))


def test_deep_grey_with_opacity_which_pillow_does_not_know() -> None:
    both = np.random.default_rng(0).integers(0, 65536, (40, 60, 2), np.uint16)
    for turn in (1, 6):
        tags = [(274, "H", 1, turn, True)]
        tifffile.imwrite("both.tif", both, photometric="minisblack", extrasamples=["unassalpha"], extratags=tags)
        upright = both if turn == 1 else np.rot90(both, -1)
        assert np.array_equal(read_image("both.tif"), upright[:, :, [0, 0, 0, 1]])


@pytest.mark.parametrize("name", ["denoise", "superres", "inpaint"])
def test_what_is_grey_stays_grey_when_it_is_mended(name: str) -> None:
    grey = to_gray(photo(64, 96))
    model = load(name, device="cpu", backend="torch")
    output = model(grey)
    assert output.shape[2] == 1
    holed = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    holed[20:40, 30:60, 3] = 0
    colours = model(holed)[:, :, :3]
    assert np.array_equal(colours[:, :, 0], colours[:, :, 1])
    assert np.array_equal(colours[:, :, 0], colours[:, :, 2])
    if name == "inpaint":
        assert np.array_equal(output, grey)
        assert np.array_equal(colours[holed[:, :, 3] > 0], holed[:, :, :3][holed[:, :, 3] > 0])


def test_a_size_that_the_format_cannot_hold_is_told_before_anything_is_computed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(Path("long.webp"), np.zeros((16, 4200, 3), np.uint8))
    monkeypatch.setattr("pix2pix.translator.Translator.__call__", lambda *_: pytest.fail("computed for nothing"))
    assert run("long.webp", "--model", "superres") == 1
    assert "16800x64, and WEBP holds at most 16383 pixels a side; write PNG or TIFF" in capsys.readouterr().err


def test_neither_report_nor_sheet_replaces_what_is_not_ours() -> None:
    for name in ("contact-sheet.jpg", "b.jpg"):
        write_image(Path(name), photo(40, 60))
    with pytest.raises(ValueError, match=r"contact-sheet\.jpg: an input, which the sheet would replace"):
        run("contact-sheet.jpg", "b.jpg", "--model", "colorize", "--out", ".", "--sheet")
    Path("out").mkdir()
    Path("out/report.json").write_text('{"mine": 1}')
    with pytest.raises(ValueError, match=r"report\.json: not a report of ours"):
        run("contact-sheet.jpg", "b.jpg", "--model", "colorize", "--out", "out")
    assert json.loads(Path("out/report.json").read_text()) == {"mine": 1}
    for _ in range(2):  # the second time over the first report
        assert run("contact-sheet.jpg", "b.jpg", "--model", "colorize", "--out", "new") == 0
    assert json.loads(Path("new/report.json").read_text())["totals"]["done"] == 2


def test_hints_in_a_folder_that_belong_to_none_or_to_two(capsys: pytest.CaptureFixture[str]) -> None:
    strokes = np.zeros((40, 60, 4), np.uint8)
    for name in ("a/1.png", "b/1.png", "one/1.png", "one/typo.png", "none/typo.png"):
        Path(name).parent.mkdir(exist_ok=True)
        write_image(Path(name), strokes if name[1] != "/" else photo(40, 60))
    with pytest.raises(ValueError, match="2 pictures have that name"):
        run("a", "b", "--model", "colorize", "--out", "o", "--hints", "one")
    with pytest.raises(ValueError, match=r"no picture there is called as one to translate; expected NAME\.png"):
        run("a", "--model", "colorize", "--out", "o", "--hints", "none")
    assert run("a", "--model", "colorize", "--out", "o", "--hints", "one") == 0
    assert "1 of 2 hints belong to no picture, typo.png the first" in capsys.readouterr().out


def test_names_that_begin_as_a_users_home_and_files_of_two_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    write_image(Path("~nobody-of-that-name.png"), photo(40, 60))
    Path("two.jpg").write_bytes(b"\xff\xd8")
    assert run("~nobody-of-that-name.png", "two.jpg", "--model", "colorize", "--out", "o") == 1
    assert Path("o/~nobody-of-that-name.png").exists()
    assert "two.jpg: not an image of a known format" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_one_interrupt_leaves_a_clip_at_once_and_nothing_of_it() -> None:
    av = pytest.importorskip("av")
    with av.open("film.mp4", "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        for _ in range(3000):
            container.mux(video.encode(av.VideoFrame.from_ndarray(photo(240, 320), "rgb24")))
        container.mux(video.encode(None))
    command = [sys.executable, "-m", "pix2pix.translate", "--model", "denoise", "film.mp4", "--out", "o"]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    while not any(Path("o").glob("*")) and not any(Path("o").glob(".*")):
        time.sleep(0.2)
        assert started.poll() is None
    time.sleep(2)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=30)
    assert started.returncode == 130, said
    assert b"1 picture not begun" in said
    assert [path.name for path in Path("o").iterdir()] in ([], ["report.json"])


def test_clips_in_a_folder_are_told_of_and_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in/deep").mkdir(parents=True)
    write_image(Path("in/a.png"), photo(40, 60))
    for name in ("in/b.mp4", "in/deep/c.MOV"):
        Path(name).write_bytes(b"clip")
    assert run("in", "--model", "colorize", "--out", "o") == 0
    assert "in: 1 clip left out; a clip is taken when it is named itself" in capsys.readouterr().out
    assert run("in", "--model", "colorize", "--out", "o", "--recursive") == 0
    assert "in: 2 clips left out" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_a_failure_is_one_line_whatever_the_name(capsys: pytest.CaptureFixture[str]) -> None:
    Path("two\nlines.jpg").write_bytes(b"no picture at all")
    assert run("two\nlines.jpg", "--model", "colorize", "--out", "o") == 1
    assert "two lines.jpg: not an image of a known format\n" in capsys.readouterr().err


def test_one_picture_named_outright_writes_no_report_and_so_replaces_none() -> None:
    write_image(Path("a.png"), photo(40, 60))
    Path("report.json").write_text('{"mine": 1}')
    assert run("a.png", "--model", "colorize", "--out", "new") == 0
    Path("new/report.json").write_text('{"mine": 1}')
    assert run("a.png", "--model", "colorize", "--out", "new") == 0
    assert json.loads(Path("new/report.json").read_text()) == {"mine": 1}
