"""The README's ways to colour a folder of photos do what it says: the command, and the script of ten lines."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent


def code(marker: str) -> str:
    """The block of code after `<!-- marker -->` in the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- {marker} -->\s*```\w*\n(.*?)```", text, re.DOTALL)
    assert found, f"no block of code after <!-- {marker} --> in README.md"
    return found[1]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    for name in ("1920/a.jpg", "1920/deep/b.jpg", "c.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, dpi=(300, 300))
    return tmp_path


def run(folder: Path, *command: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def check(folder: Path) -> None:
    for name in ("1920/a.jpg", "1920/deep/b.jpg", "c.jpg"):
        with Image.open(folder / "coloured" / name) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (60, 40))
            assert image.info["dpi"] == (300, 300)


def test_the_command(photos: Path) -> None:
    words = shlex.split(code("batch command"))
    assert words[:2] == ["pix2pix", "translate"]
    run(photos, sys.executable, "-m", "pix2pix", *words[1:])
    check(photos)


def test_the_script(photos: Path) -> None:
    script = code("batch script")
    assert len(script.splitlines()) <= 10
    run(photos, sys.executable, "-c", script)
    check(photos)
