"""What is installed: the wheel holds the package with all its data and nothing else, and works from any folder."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pix2pix.config import load_task

ROOT = Path(__file__).parent.parent
DRY_RUN = ["-m", "pix2pix.train", "--task", "facades", "--preset", "quick", "--data", "embedded", "--dry-run"]


def python(*arguments: str, folder: Path, **environment: str) -> str:
    """What `python ARGUMENTS` prints, run in `folder`; it must go well."""
    settings = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**settings, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git holds, or would with the next commit: no file that only this machine has."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git checkout here")
    copy = tmp_path_factory.mktemp("checkout")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), ".", folder=checkout)
    (built,) = out.iterdir()
    return built


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
    assert {name.split("/")[0] for name in files} == {"pix2pix", "pix2pix-0.1.0.dist-info"}
    expected = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pix2pix").rglob("*.py")}
    expected |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "pix2pix/weights").glob("*.safetensors")}
    expected |= {
        f"pix2pix/_configs/{path.relative_to(ROOT / 'configs').as_posix()}"
        for path in (ROOT / "configs").rglob("*.yaml")
    }
    expected |= {"pix2pix/py.typed"}
    assert expected - files == set()
    assert any("licenses/LICENSE" in name for name in files)


@pytest.mark.slow
def test_the_installed_wheel_works_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    python(
        "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel), folder=empty
    )
    where = python("-c", "import pix2pix; print(pix2pix.__file__)", folder=empty, PYTHONPATH=str(site))
    assert Path(where.strip()).is_relative_to(site)
    check_dry_run(python(*DRY_RUN, folder=empty, PYTHONPATH=str(site)), tmp_path)
    assert list(empty.iterdir()) == []


@pytest.mark.slow
def test_the_editable_install_works_from_an_empty_folder(tmp_path: Path) -> None:
    try:
        importlib.metadata.version("pix2pix")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("pix2pix is not installed here")
    empty = tmp_path / "empty"
    empty.mkdir()
    check_dry_run(python(*DRY_RUN, folder=empty), tmp_path)
    for module in ("datasets", "configs", "apps", "tests"):  # the folders of the checkout must not be in anybody's way
        found = python(
            "-c", f"import importlib.util as i; print(getattr(i.find_spec('{module}'), 'origin', ''))", folder=empty
        )
        assert not found.startswith(f"{ROOT / module}"), found


def check_dry_run(printed: str, folder: Path) -> None:
    path = folder / "printed.yaml"
    path.write_text(printed)
    task, expected = load_task(str(path), "paper"), load_task("facades", "quick")
    assert task == expected.model_copy(update={"data": expected.data.model_copy(update={"path": "embedded"})})
