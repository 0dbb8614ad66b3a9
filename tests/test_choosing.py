"""Which solver suits a picture without a prior, where nobody says how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pix2pix.restoration.choosing import THIN, depth, solver_for
from pix2pix.restoration.options import RestoreOptions
from pix2pix.restore import main

pytestmark = pytest.mark.usefixtures("one_thread")


def strip(width: int, side: int = 64) -> np.ndarray:
    holes = np.zeros((side, side), np.bool_)
    holes[:, 20 : 20 + width] = True
    return holes


@pytest.mark.parametrize(("width", "expected"), [(1, 1.0), (2, 1.0), (5, 3.0), (12, 6.0)])
def test_depths_by_hand(width: int, expected: float) -> None:
    assert depth(strip(width)) == expected
    assert depth(np.zeros((4, 4), np.bool_)) == 0


def test_where_thin_holes_meet_they_are_still_thin_but_one_wide_hole_is_wide() -> None:
    rng = np.random.default_rng(0)
    lost = rng.random((256, 256)) < 0.8
    assert depth(lost) <= THIN
    lost[100:140, 100:140] = True  # 3 % of what is lost
    assert depth(lost) > THIN


@pytest.mark.parametrize(
    ("said", "holes", "expected"),
    [
        ({"degradation": "denoise"}, None, "patches"),
        ({"degradation": "denoise", "completions": 1}, None, "patches"),
        ({"degradation": "denoise", "completions": 2}, None, "untrained"),
        ({"degradation": "denoise", "solver": "untrained"}, None, "untrained"),
        ({"degradation": "inpaint"}, strip(round(2 * THIN)), "patches"),
        ({"degradation": "inpaint"}, strip(round(2 * THIN) + 2), "untrained"),
        ({"degradation": "inpaint"}, None, "untrained"),
        ({"degradation": "inpaint", "sigma": 10}, strip(2), "untrained"),
        ({"degradation": "inpaint", "completions": 3}, strip(2), "untrained"),
        ({"degradation": "inpaint", "solver": "patches"}, strip(40), "patches"),
        ({"degradation": "salt_and_pepper"}, strip(1), "untrained"),
        ({"degradation": "superres"}, None, "untrained"),
    ],
)
def test_the_damage_chooses_where_nobody_does(said: dict[str, Any], holes: np.ndarray | None, expected: str) -> None:
    options = RestoreOptions.model_validate(said)
    assert solver_for(options, options.fault(), holes) == expected


def test_the_command_says_what_it_chose_for_each_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name, width in (("thin", 3), ("wide", 30)):
        picture = Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).convert("RGBA")
        ImageDraw.Draw(picture).rectangle((10, 5, 9 + width, 58), fill=(0, 0, 0, 0))
        picture.save(f"{name}.png")
    assert main(["thin.png", "wide.png", "--degradation", "inpaint", "--seconds", "0.1"]) == 0
    thin, wide = capsys.readouterr().out.splitlines()
    assert thin.startswith("thin.png: patches, ")
    assert wide.startswith("wide.png: untrained, ")
