"""`python -m pix2pix.prior`: the real commands from an empty folder, and what a mistake says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from tiny_models import save_tiny_model
from tiny_priors import save_tiny_prior

from pix2pix import prior as command
from pix2pix.images import read_image
from pix2pix.prior import main
from pix2pix.priors.exploring import sample_sheet, seeded_pictures, truncation_sheet, walk_pictures
from pix2pix.priors.families import load_prior, prior_of
from pix2pix.priors.prior import Prior

pytestmark = pytest.mark.usefixtures("one_thread")

DATA = Path(os.environ.get("PIX2PIX_TEST_DATA", Path(__file__).parent.parent / "../shared/data"))
SQUEEZE = DATA / "weights" / "lpips_squeeze" / "squeeze.backbone.pth"
ALONE = ("--lpips", "none")  # no network judges


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, beside one with priors in it."""
    save_tiny_prior(tmp_path / "priors" / "p.safetensors")
    save_tiny_prior(tmp_path / "priors" / "dcgan.safetensors", "dcgan")
    save_tiny_model(tmp_path / "priors" / "translates.safetensors")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    return tmp_path / "empty"


def opened(name: str = "p") -> Prior:
    return prior_of(load_prior(Path("..") / "priors" / f"{name}.safetensors"))


def run(*arguments: str, name: str = "p") -> None:
    verb, *rest = arguments
    assert main([verb, "--prior", f"../priors/{name}.safetensors", *rest]) == 0


def test_the_real_command_draws_a_sheet_of_named_samples(folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "pix2pix", "prior", "sample", "--prior", "../priors/p.safetensors", "--count", "5"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(command.__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "written to samples.png\n", "")
    assert [path.name for path in folder.iterdir()] == ["samples.png"]
    expected = sample_sheet(seeded_pictures(opened(), range(5), 1.0), range(5))
    np.testing.assert_array_equal(read_image("samples.png"), expected)


@pytest.mark.parametrize("name", ["p", "dcgan"])
def test_samples_in_a_folder_are_named_by_their_seeds(folder: Path, name: str) -> None:
    run("sample", "--seeds", "7,3,12345", "--truncation", "0.6", "--out", "some/drawn", name=name)
    files = sorted(path.name for path in (folder / "some" / "drawn").iterdir())
    assert files == ["0003.png", "0007.png", "12345.png"]
    for seed in (3, 7, 12345):
        found = read_image(folder / "some" / "drawn" / f"{seed:04d}.png")
        alone = seeded_pictures(opened(name), [seed], 0.6)[0]
        assert np.abs(found.astype(int) - alone).max() <= 1
    run("sample", "--seed", "7", "--count", "1", "--truncation", "0.6", "--out", "some", name=name)  # it is a folder
    again, first = (read_image(folder / "some" / place / "0007.png").astype(int) for place in ("", "drawn"))
    assert np.abs(again - first).max() <= 1


def test_a_walk_is_written_as_a_gif_that_closes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("interpolate", "--seeds", "1,2,3", "--steps", "4", "--loop", *ALONE)
    assert capsys.readouterr().out == "written to interpolation.gif\n"
    expected, _ = walk_pictures(opened(), (1, 2, 3), 4, "spherical", True, 1.0)
    with Image.open("interpolation.gif") as picture:
        assert (picture.info["duration"], picture.info["loop"], picture.size) == (40, 0, (256, 256))
        frames = [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(picture)]
    assert len(frames) == len(expected) == 13
    for frame, whole in zip(frames, expected, strict=True):
        blocks = frame.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
        assert np.abs(blocks - whole).mean() < 25  # enlarged, and in 256 colours
    apart = [np.abs(frames[0].astype(int) - frame).mean() for frame in frames]
    assert apart[-1] < 2 < min(apart[2:-2])


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_walk_is_written_as_a_clip(folder: Path, suffix: str) -> None:
    av = pytest.importorskip("av", reason="the extra 'video' is not installed")
    run("interpolate", "--seeds", "1,2", "--steps", "5", "--path", "linear", "--out", f"walk{suffix}", *ALONE)
    expected, _ = walk_pictures(opened(), (1, 2), 5, "linear", False, 1.0)
    with av.open(f"walk{suffix}") as clip:
        shown = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in clip.decode(video=0)]
    assert [time for time, _ in shown] == pytest.approx([number / 25 for number in range(6)], abs=1e-3)
    for (_, frame), whole in zip(shown, expected, strict=True):
        assert frame.shape == (256, 256, 3)
        assert np.abs(frame.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3)) - whole).mean() < 15


def test_a_walk_on_the_spot_is_a_clip_too(folder: Path) -> None:
    pytest.importorskip("av", reason="the extra 'video' is not installed")
    run("interpolate", "--seeds", "1,1", "--steps", "1", "--out", "walk.mp4", *ALONE)
    assert (folder / "walk.mp4").stat().st_size > 0


@pytest.mark.skipif(not SQUEEZE.is_file(), reason="the weights of LPIPS are not here")
def test_a_walk_tells_how_even_its_steps_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge = ("--lpips", "squeeze", "--lpips-backbone", str(SQUEEZE))
    run("interpolate", "--seeds", "1,2", "--steps", "3", "--out", "walk.webp", *judge)
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("LPIPS (squeeze) from frame to frame: mean 0.")
    assert said.endswith("times the mean")
    run("truncate", "--count", "2", "--values", "0,1", "--samples", "8", "--json", "figures/t.json", *judge)
    record = json.loads((folder / "figures" / "t.json").read_text())
    assert [row["truncation"] for row in record["rows"]] == [0, 1]
    assert record["rows"][0]["lpips"] < 0.01 < record["rows"][1]["lpips"]
    np.testing.assert_array_equal(read_image("truncation.png"), truncation_sheet(opened(), (0, 1), (0, 1)))


def test_styles_are_mixed_and_pictures_calculated_with(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("mix", "--rows", "1,2", "--columns", "3,4,5", "--layers", "0-9")
    assert "layers 0 to 9 of 10 are those of the column's picture" in capsys.readouterr().out
    assert read_image("mix.png").shape[1] == 4 + 4 * 68
    for name in ("p", "dcgan"):
        run("arithmetic", "--with", "1,2", "--without", "3", "--plus", "4", "--out", f"{name}.jpg", name=name)
        assert read_image(f"{name}.jpg").shape[1] == 4 + 7 * 68
    assert sorted(path.name for path in folder.iterdir()) == ["dcgan.jpg", "mix.png", "p.jpg"]


P = ("--prior", "../priors/p.safetensors")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sampel"], "unknown verb 'sampel'; did you mean 'sample'"),
        (["sample"], "which prior[?] give --prior NAME"),
        (["sample", "--prior", "nowhere"], "no prior 'nowhere'"),
        (["sample", "--prior", "../priors/translates.safetensors"], "a model that translates, expected a prior"),
        (["sample", "--prior", "../priors"], "no model.safetensors in this folder"),
        (["sample", *P, "--seeds", "1,two"], "--seeds 1,two: expected seeds, whole numbers"),
        (["sample", *P, "--seeds", "-1"], "--seeds|expected"),
        (["sample", *P, "--seeds", "1", "--count", "2"], "beside --seed or --count"),
        (["sample", *P, "--count", "0"], "--count: got 0"),
        (["sample", *P, "--count", "5000"], "a sheet holds at most 4096; give --out a folder"),
        (["sample", *P, "--out", "samples.txt"], "cannot write '.txt' files.*, or a folder"),
        (["sample", *P, "--truncation", "1.5"], "--truncation: got 1.5"),
        (["interpolate", *P, "--steps", "0"], "--steps: got 0"),
        (["interpolate", *P, "--seeds", "4"], "got one picture, of seed 4, expected at least two"),
        (["interpolate", *P, "--out", "walk.avi"], "cannot write '.avi' files.*, or .gif, .mp4"),
        (["interpolate", *P, "--path", "straight"], "--path"),
        (["interpolate", *P, "--lpips", "squeeze", "--lpips-backbone", "w.pth"], "w.pth: no such file"),
        (["mix", *P, "--layers", "corse"], "--layers corse: expected coarse, middle, fine, or A-B within 0-9"),
        (["mix", *P, "--out", "."], "a folder, expected a file"),
        (["mix", "--prior", "../priors/dcgan.safetensors"], "a dcgan has one layer and no styles to mix"),
        (["arithmetic", *P, "--with", "1", "--plus", "2"], "--without: got nothing, expected seeds"),
        (["truncate", *P, "--values", "0,1.1"], "--values 0,1.1: expected numbers from 0 to 1"),
        (["truncate", *P, "--values", "half"], "--values half: expected numbers"),
        (["truncate", *P, "--data", "nowhere"], "nowhere: no such folder"),
        (["truncate", *P, "--json", "t.json", *ALONE], "nothing is measured without --data or LPIPS"),
        (["truncate", *P, "--features-file", "w.pth"], "--features auto: a weights file needs the name"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(folder: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        main(arguments)
    assert "\n" not in str(caught.value)
    assert list(folder.iterdir()) == []


def test_shipped_priors_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pix2pix import model_files

    monkeypatch.setattr(model_files, "PRIORS", folder.parent / "priors")
    with pytest.raises(ValueError, match="shipped: dcgan, p, translates"):
        main(["sample"])
    with pytest.raises(ValueError, match="did you mean 'dcgan'"):
        main(["sample", "--prior", "dcgam"])
    assert main(["truncate", "--prior", "dcgan", "--count", "2", "--values", "0,1", *ALONE]) == 0
    assert read_image("truncation.png").shape == (4 + 2 * 82, 4 + 3 * 68, 3)


@pytest.mark.parametrize("verb", ["sample", "interpolate", "mix", "arithmetic", "truncate"])
def test_help_documents_every_flag(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([verb, "--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert "--prior NAME|FILE|RUN" in said
    assert "--out" in said


def test_the_door_lists_its_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "train|evaluate|show|release|sample|interpolate|mix|arithmetic|truncate" in capsys.readouterr().out
    assert main([]) == 2
