"""`python -m pix2pix.restore`: the real command, many pictures, Ctrl-C, and what a mistake says in one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from PIL import Image
from tiny_models import save_tiny_model
from tiny_priors import save_tiny_prior

from pix2pix.images import read_image
from pix2pix.restoration import pipeline, solvers
from pix2pix.restoration.observing import as_levels
from pix2pix.restoration.options import NEED_NO_PRIOR
from pix2pix.restoration.pasting import rounded
from pix2pix.restoration.saved import load_inversion
from pix2pix.restoration.searching import Settings
from pix2pix.restoration.solvers import SOLVERS, Csgm, DeepImagePrior, Patches, Pgd, Projector, Tuned
from pix2pix.restore import main

pytestmark = pytest.mark.usefixtures("one_thread")

ROOT = Path(__file__).parent.parent
FEW = Settings(steps=4, rate=0.1)
SHORT = {
    "csgm": Csgm(FEW, 2),
    "pgd": Pgd(3, 2),
    "w": Projector(FEW, by_layer=False),
    "w+": Projector(FEW, by_layer=True),
    "tuned": Tuned(FEW, FEW, FEW),
    "untrained": DeepImagePrior(replace(FEW, rate=0.01)),
    "patches": Patches(),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, beside one with a picture, its mask and priors; searches are short."""
    beside = tmp_path / "beside"
    save_tiny_prior(beside / "p.safetensors")
    save_tiny_model(beside / "translates.safetensors")
    save(beside / "x.png")
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 24:44] = 255
    Image.fromarray(mask).save(beside / "mask.png")
    Image.fromarray(mask[:32]).save(beside / "other.png")
    Image.fromarray(np.zeros_like(mask)).save(beside / "black.png")
    Image.fromarray(np.full_like(mask, 255)).save(beside / "white.png")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert SHORT.keys() == SOLVERS.keys()
    monkeypatch.setattr(solvers, "SOLVERS", MappingProxyType(SHORT))
    monkeypatch.setattr(pipeline, "shipped_models", dict)
    return tmp_path / "empty"


def save(path: Path, height: int = 64, width: int = 64, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(60, 200, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path


INPAINT = ("--degradation", "inpaint", "--mask", "../beside/mask.png")
NO_NOISE = ("--degradation", "denoise", "--sigma", "0", "--solver", "csgm")
PRIOR = ("--prior", "../beside/p.safetensors")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def test_the_real_command_fills_a_hole_and_nothing_else(folder: Path) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-m",
            "pix2pix",
            "restore",
            "../beside/x.png",
            *INPAINT,
            *PRIOR,
            "--seconds=0.5",
            "--out=.",
        ],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    line, *rest = ended.stdout.splitlines()
    assert rest == []
    assert line.startswith("../beside/x.png: tuned, ")
    assert "time is up, misfit " in line
    assert line.endswith("levels of 255 -> x.png")
    assert [path.name for path in folder.iterdir()] == ["x.png"]
    before, after = read_image("../beside/x.png"), read_image("x.png")
    holes = read_image("../beside/mask.png")[:, :, 0] > 0
    np.testing.assert_array_equal(after[~holes], before[~holes])
    assert (after[holes] != before[holes]).any()


@pytest.mark.parametrize("solver", SHORT)
def test_each_solver_by_name(folder: Path, solver: str, capsys: pytest.CaptureFixture[str]) -> None:
    prior = () if solver in NEED_NO_PRIOR else PRIOR
    sigma = "20" if solver == "patches" else "0"  # of which a search has no end before its last step
    assert main(["../beside/x.png", "--degradation", "denoise", "--sigma", sigma, "--solver", solver, *prior]) == 0
    steps = SHORT[solver].steps  # type: ignore[attr-defined]
    assert f"x.png: {solver}, {steps} steps in" in capsys.readouterr().out
    assert read_image("../beside/translated/x.png").shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("flags", "side"),
    [
        (("superres", "--factor", "2"), 128),
        (("deblur", "--blur", "1.5"), 64),
        (("jpeg", "--quality", "30"), 64),
        (("gray",), 64),
    ],
)
@pytest.mark.parametrize("prior", [(), PRIOR], ids=["untrained", "tuned"])
def test_each_damage_by_name(folder: Path, flags: tuple[str, ...], side: int, prior: tuple[str, ...]) -> None:
    source = save(Path("in/y.png"), 48, 48) if "superres" in flags else Path("../beside/x.png")
    assert main([str(source), "--degradation", *flags, *prior, "--out", "out"]) == 0
    expected = 96 if "superres" in flags else side
    assert read_image(f"out/{source.name}").shape == (expected, expected, 3)


def test_a_noise_level_that_is_not_given_is_estimated_and_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).normal(128, 20, (64, 64, 3))
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save("n.png")
    assert main(["n.png", "--degradation", "denoise", "--out", "out"]) == 0
    level = float(capsys.readouterr().out.split("noise level estimated: ")[1].split()[0])
    assert level == pytest.approx(20, abs=2)


def test_completions_differ_repeat_and_are_named_by_number(folder: Path) -> None:
    def complete(out: str, *flags: str) -> dict[str, bytes]:
        assert main(["../beside/x.png", *INPAINT, *PRIOR, "--out", out, *flags]) == 0
        return {path.name: path.read_bytes() for path in Path(out).iterdir()}

    three = complete("three", "--completions", "3")
    assert sorted(three) == ["x-1.png", "x-2.png", "x-3.png"]
    assert len(set(three.values())) == 3
    assert complete("again", "--completions", "3") == three
    assert complete("one", "--seed", "1")["x.png"] == three["x-2.png"]


def test_one_bad_picture_among_many_is_told_and_the_others_are_restored(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "c"):
        save(Path("in") / f"{name}.png")
    Path("in/b.png").write_bytes(b"no picture at all")
    Path("in/d.jpg").write_bytes(save(Path("e.jpg"), 32, 32).read_bytes())
    assert main(["in", *INPAINT, *PRIOR, "--out", "out"]) == 1
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "pix2pix restore: in/b.png: not an image of a known format",
        "pix2pix restore: in/d.jpg: got a mask of 64x64 for a picture of 32x32; make them equally large",
        "pix2pix restore: 2 of 4 pictures could not be done",
    ]
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.png", "c.png"]
    Path("in/b.png").unlink()
    Path("in/d.jpg").unlink()
    before = Path("out/a.png").stat().st_mtime_ns
    assert main(["in", *INPAINT, *PRIOR, "--out", "out", "--skip-existing"]) == 0
    assert capsys.readouterr().out == "2 pictures left alone, the outputs are there already\n"
    assert Path("out/a.png").stat().st_mtime_ns == before


def test_a_jpeg_becomes_png_so_that_its_pixels_stay(folder: Path) -> None:
    save(Path("j.jpg"))
    assert main(["j.jpg", *INPAINT, *PRIOR, "--out", "out"]) == 0
    holes = read_image("../beside/mask.png")[:, :, 0] > 0
    np.testing.assert_array_equal(read_image("out/j.png")[~holes], read_image("j.jpg")[~holes])
    assert main(["j.jpg", "--degradation", "jpeg", "--out", "out"]) == 0  # the file tells its quality


def test_previews_show_the_search(folder: Path) -> None:
    assert (
        main(["../beside/x.png", *INPAINT, *PRIOR, "--solver", "tuned", "--out", "out", "--previews", "seen/here"]) == 0
    )
    assert [path.name for path in Path("seen/here").iterdir()] == ["x-00008.png"]
    assert read_image("seen/here/x-00008.png").shape == (64, 64, 3)


@pytest.mark.parametrize("signalled", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_the_best_so_far(folder: Path, signalled: signal.Signals) -> None:
    for name in ("a", "b"):
        save(Path("in") / f"{name}.png", 96, 96)
    running = subprocess.Popen(
        [sys.executable, "-m", "pix2pix.restore", "in", *NO_NOISE, *PRIOR, "--out=out", "--previews=seen"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not list(Path("seen").glob("*.png")) and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signalled)
        said, told = running.communicate(timeout=60)
    finally:
        running.kill()
    if "all steps" in said:
        pytest.skip("this machine was too fast to be stopped")
    assert running.returncode == 128 + signalled, told
    assert "stopped, misfit" in said
    assert told == "pix2pix restore: stopped, 1 picture not begun; the same command with --skip-existing goes on\n"
    assert [path.name for path in Path("out").iterdir()] == ["a.png"]
    assert read_image("out/a.png").shape == (96, 96, 3)


def test_an_inversion_is_written_and_loads_as_the_same_picture(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pix2pix.restoration.inverting.SOLVERS", SHORT)
    assert main(["invert", "../beside/x.png", *PRIOR, "--out", "out"]) == 0
    line = capsys.readouterr().out
    assert line.startswith("../beside/x.png: tuned, 8 steps in ")
    assert line.endswith("-> out/x.png, x.safetensors\n")
    assert sorted(path.name for path in Path("out").iterdir()) == ["x.png", "x.safetensors"]
    shown = read_image("out/x.png")
    again = rounded(as_levels(load_inversion(Path("out/x.safetensors")).picture(), shown.dtype), shown.dtype)
    np.testing.assert_array_equal(again, shown)
    square = read_image("../beside/x.png")
    mean_square = np.mean((shown.astype(float) - square) ** 2)
    assert f"PSNR {10 * np.log10(255**2 / mean_square):.2f} dB" in line
    with pytest.raises(ValueError, match="another kind"):
        main(["../beside/x.png", *INPAINT, "--prior", "out/x.safetensors"])


MISTAKES = {
    "no picture": ([*INPAINT], "no INPUT"),
    "no degradation": (["../beside/x.png"], "what happened to the picture? give --degradation, one of inpaint, "),
    "unknown degradation": (["../beside/x.png", "--degradation", "denoize"], "denoise"),
    "no mask": (["../beside/x.png", "--degradation", "inpaint"], "give --mask FILE"),
    "missing mask": (["../beside/x.png", *INPAINT[:2], "--mask", "no.png"], "no.png: no such file"),
    "other size": (["../beside/x.png", *INPAINT[:3], "../beside/other.png"], "got a mask of 64x32"),
    "empty mask": (["../beside/x.png", *INPAINT[:3], "../beside/black.png"], "nothing is to be made"),
    "full mask": (["../beside/x.png", *INPAINT[:3], "../beside/white.png"], "covers all of the picture"),
    "mask for noise": (
        ["../beside/x.png", "--degradation", "denoise", "--mask", "../beside/mask.png"],
        "--mask says nothing about --degradation denoise; it is for inpaint",
    ),
    "no blur": (["../beside/x.png", "--degradation", "deblur"], "give --blur S"),
    "no quality": (["../beside/x.png", "--degradation", "jpeg"], "give --quality Q"),
    "no salt": (["../beside/x.png", "--degradation", "salt_and_pepper"], "no salt and no pepper"),
    "translates": (["../beside/x.png", *INPAINT, "--prior", "../beside/translates.safetensors"], "expected a prior"),
    "no such prior": (["../beside/x.png", *INPAINT, "--prior", "facez"], "no prior 'facez'"),
    "needs a prior": (["../beside/x.png", *INPAINT, "--solver", "w+"], "--solver w+ needs a prior"),
    "needs none": (["../beside/x.png", *INPAINT, *PRIOR, "--solver", "untrained"], "leave out --prior"),
    "patches with a prior": (["../beside/x.png", *INPAINT, *PRIOR, "--solver", "patches"], "leave out --prior"),
    "patches of a small one": (
        ["../beside/x.png", "--degradation", "superres", "--solver", "patches"],
        "--solver patches is for noise, or for holes in a picture without any",
    ),
    "patches of noise with holes": (
        ["../beside/x.png", *INPAINT, "--sigma", "9", "--solver", "patches"],
        "--solver patches is for noise, or for holes in a picture without any",
    ),
    "patches that differ": (
        ["../beside/x.png", *INPAINT, "--solver", "patches", "--completions", "2"],
        "--solver patches has one answer",
    ),
    "box without prior": (["../beside/x.png", *INPAINT, "--box", "0,0,64"], "--box is for a search with a prior"),
    "no box": (["../beside/x.png", *INPAINT, *PRIOR, "--box", "1,2"], "expected X,Y,SIDE"),
    "box outside": (["../beside/x.png", *INPAINT, *PRIOR, "--box", "9,9,60"], "reaches beyond the picture of 64x64"),
    "hole outside": (["../beside/x.png", *INPAINT, *PRIOR, "--box", "0,0,30"], "lie outside of the square"),
    "large square": (["../beside/x.png", "--degradation", "superres", *PRIOR], "no more to give"),
    "clip": (["x.mp4", *INPAINT], "a clip, expected pictures"),
    "invert without prior": (["invert", "../beside/x.png"], "which prior?"),
    "invert by csgm": (["invert", "../beside/x.png", *PRIOR, "--solver", "csgm"], "csgm"),
    "missing picture": (["nowhere.png", *INPAINT], "nowhere.png: no such file"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(folder: Path, mistake: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, said = MISTAKES[mistake]
    try:
        assert main(arguments) == 1
        told = capsys.readouterr().err
    except ValueError as error:
        told = f"{error}\n"
    assert said in told
    assert told.count("\n") == 1


def test_help_names_the_flags_and_the_other_verbs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "restore invert" in shown
    assert "restore compare" in shown
    assert all(flag in shown for flag in ("--degradation", "--completions", "--previews", "--seconds", "--box"))
