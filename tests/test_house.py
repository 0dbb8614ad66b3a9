"""The house rules that a machine can hold: who may import whom, no task by name in code, how large things may get."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pix2pix.config import task_names

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pix2pix"
MIB = 2**20

FLOORS: tuple[tuple[str, ...], ...] = (
    ("config", "schema", "images", "lab", "command_line", "signals"),
    (
        *("representations", "data", "nn", "metrics", "checkpoint", "quantised"),
        *("guidance", "colour_hints", "model_files"),
    ),
    (
        *("training", "translator", "reporting", "upsampling", "backends", "backend_choice", "backend_chooser"),
        *("hub", "shelf", "batch", "clips", "large", "evaluation", "trivial", "segmenters", "ablation", "timing"),
    ),
    ("priors", "restoration"),
    (
        *("train", "translate", "evaluate", "prepare", "restore", "prior", "export", "serve", "benchmark", "models"),
        *("__main__", "ui"),
    ),
)
"""Imports go down or stay on their floor. `pix2pix/__init__.py` is below them all; it hands out `load` on first use."""

ONLY = {
    "gradio": r"ui/",
    "lightning_fabric": r"training/engine\.py",
    "onnx": r"(export|backends)\.py",
    "onnxruntime": r"(export|backends)\.py",
    "openvino": r"(export|backends)\.py",
    "albumentations": r"data/stream\.py",
    "tensorboard": r"training/tracking\.py",
    "ray": r"batch/cluster\.py",
    "plotly": r"reporting/",
    "matplotlib": r"timing/",
    "jinja2": r"reporting/",
    "av": r"clips/(reading|writing)\.py",
    "lpips": r"metrics/perceptual\.py",
    "torch_fidelity": r"metrics/features\.py",
    "efficientnet_lite_pytorch": r"metrics/features\.py",
}
"""Heavy packages, and the one place that knows each."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def floor(module: str) -> int:
    """The floor of `pix2pix.<module>...`; -1 is the package itself."""
    first = module.split(".")[1] if "." in module else ""
    if not first:
        return -1
    for number, residents in enumerate(FLOORS):
        if first in residents:
            return number
    raise AssertionError(f"pix2pix.{first} lives on no floor: add it to FLOORS, on the one where DESIGN puts it")


def imported(module: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere in `module`, dotted; `from pix2pix import hub` counts as `pix2pix.hub`."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            if node.module == "pix2pix":
                yield from (f"pix2pix.{alias.name}" for alias in node.names if not alias.name.startswith("__"))
                continue
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def climbs(path: str, module: ast.AST) -> list[str]:
    """Imports of `module`, at `path` in the package, that go up."""
    own = floor("pix2pix." + path.removesuffix(".py").replace("/", "."))
    return [target for target in imported(module) if target.startswith("pix2pix.") and floor(target) > own]


# --- imports ---


@pytest.mark.parametrize("path", modules(), ids=name)
def test_imports_only_go_down(path: Path) -> None:
    if name(path) != "__init__.py":
        assert climbs(name(path), tree(path)) == []


def test_the_import_rule_sees_every_form() -> None:
    for line in (
        "from pix2pix.training import engine",
        "from pix2pix import hub",
        "import pix2pix.train",
        "def f():\n    from pix2pix.hub import load",
        "if TYPE_CHECKING:\n    from pix2pix.ui.app import build",
    ):
        assert climbs("images.py", ast.parse(line)), line
    for line in ("from pix2pix.config import Task", "from pix2pix import __version__", "import numpy"):
        assert climbs("nn/unet.py", ast.parse(line)) == [], line


@pytest.mark.parametrize("path", modules(), ids=name)
def test_each_heavy_package_has_one_place(path: Path) -> None:
    for target in imported(tree(path)):
        parts = target.split(".")
        for package, where in ONLY.items():
            assert package not in parts or re.match(where, name(path)), f"{target} is imported outside of {where}"


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("pix2pix", ["torch", "numpy", "albumentations", "kornia", "tensorboard", "lightning_fabric", "gradio"]),
        ("pix2pix.train", ["torch", "albumentations", "kornia", "tensorboard", "lightning_fabric", "gradio"]),
        ("pix2pix.translate", ["torch", "albumentations", "kornia", "tensorboard", "lightning_fabric", "gradio"]),
        ("pix2pix.serve", ["torch", "albumentations", "kornia", "tensorboard", "lightning_fabric", "gradio"]),
        ("pix2pix.evaluate", ["torch", "albumentations", "kornia", "tensorboard", "lightning_fabric", "gradio"]),
        ("pix2pix.prior", ["torch", "albumentations", "kornia", "tensorboard", "lightning_fabric", "gradio"]),
        ("pix2pix.restore", ["torch", "albumentations", "kornia", "tensorboard", "lightning_fabric", "gradio"]),
        ("pix2pix.model_files", ["torch", "albumentations", "kornia", "tensorboard", "lightning_fabric", "gradio"]),
        ("pix2pix.hub", ["albumentations", "kornia", "tensorboard", "lightning_fabric", "gradio"]),
    ],
)
def test_importing_a_door_stays_light(module: str, absent: list[str], tmp_path: Path) -> None:
    code = f"import sys, {module}; print(*[name for name in {absent} if name in sys.modules])"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    assert ended.stdout.split() == []


# --- a task is data ---


def compared_names(module: ast.AST) -> list[str]:
    """Names of tasks that code compares something with, or matches it against."""
    compared: list[ast.expr] = []
    for node in ast.walk(module):
        if isinstance(node, ast.Compare):
            compared += [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            compared.append(node.value)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"startswith", "endswith"}:
            compared += node.args
    constants = [inner for expression in compared for inner in ast.walk(expression) if isinstance(inner, ast.Constant)]
    return [constant.value for constant in constants if constant.value in task_names()]


@pytest.mark.parametrize("path", modules(), ids=name)
def test_no_code_asks_for_a_task_by_name(path: Path) -> None:
    assert compared_names(tree(path)) == []


def test_the_task_rule_sees_every_form() -> None:
    task = task_names()[0]
    for line in (
        f"task.name == '{task}'",
        f"'{task}' != name",
        f"name in ('x', '{task}')",
        f"name.startswith('{task}')",
        f"match name:\n    case '{task}':\n        pass",
    ):
        assert compared_names(ast.parse(line)) == [task], line
    assert compared_names(ast.parse(f"DRAWERS = {{'{task}': draw}}")) == []


# --- modules ---


@pytest.mark.parametrize("path", modules(), ids=name)
def test_a_module_opens_with_a_sentence_on_its_first_line(path: Path) -> None:
    docstring = ast.get_docstring(tree(path))
    assert docstring, "no docstring: say what the module is for"
    first = docstring.splitlines()[0]
    assert first.endswith("."), f"the first line is no whole sentence: {first!r}"
    assert len(first) >= 20


@pytest.mark.parametrize("path", modules(), ids=name)
def test_a_module_is_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("folder", ["datasets", "apps", "configs", "tests"])
def test_only_pix2pix_can_be_imported(folder: str) -> None:
    """An `__init__.py` there would put `datasets`, say, in the way of the package of that name."""
    assert list((ROOT / folder).rglob("__init__.py")) == []


# --- packaging ---


@cache
def project() -> dict[str, object]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        content: dict[str, object] = tomllib.load(file)
    return content


def normalised(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def requirements() -> Iterator[tuple[str, str]]:
    """(where it is asked for, name) of every requirement of the project."""
    content = project()["project"]
    assert isinstance(content, dict)
    groups: dict[str, list[str]] = {"dependencies": content["dependencies"], **content["optional-dependencies"]}
    for group, entries in groups.items():
        for entry in entries:
            yield group, normalised(re.split(r"[\[<>=~! ;]", entry)[0])


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_constraints_are_pins_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    wrong = [line for line in lines if line and not re.fullmatch(r"#.*|[a-z0-9-]+==[0-9][0-9a-z.+]*", line)]
    assert wrong == []
    assert not any("://" in line or "@" in line for line in lines)
    named = [line.split("==")[0] for line in lines if "==" in line]
    assert len(named) == len(set(named))
    assert named == [normalised(each) for each in named]


@pytest.mark.parametrize(("group", "package"), sorted(requirements()))
def test_every_requirement_is_pinned(group: str, package: str) -> None:
    assert package in pins()


def test_the_package_list_is_complete() -> None:
    content = project()["tool"]
    assert isinstance(content, dict)
    listed = set(content["setuptools"]["packages"]) - {"pix2pix._configs"}
    on_disk = {".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("__init__.py")}
    assert listed == on_disk


# --- the tree ---


@cache
def tracked() -> list[Path]:
    """What git holds, or would with the next commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git checkout here")
    return [ROOT / path for path in ended.stdout.split("\0") if path and (ROOT / path).is_file()]


def test_the_tree_is_light() -> None:
    assert sum(path.stat().st_size for path in tracked()) < 34 * MIB


def test_shipped_weights_are_light() -> None:
    sizes = {path.name: path.stat().st_size for path in PACKAGE.rglob("*.safetensors")}
    assert {name: size for name, size in sizes.items() if size > 3 * MIB} == {}
    assert sum(sizes.values()) <= 24 * MIB


def test_pictures_of_the_docs_are_light() -> None:
    pictures = [
        path for path in (ROOT / "docs").rglob("*") if path.is_file() and path.suffix not in {".md", ".csv", ".json"}
    ]
    assert [path.name for path in pictures if path.suffix not in {".jpg", ".webp"}] == []
    assert sum(path.stat().st_size for path in pictures) <= 6 * MIB


FOREIGN = {
    "an absolute path of somebody's machine": rf"(?<![\w.]){'/'}(work|root|home|Users)/",
    "a package registry": "|".join(rf"{host}\.{end}" for host, end in (("pypi", "org"), ("pythonhosted", "org"))),
    "a package index": rf"download\.{'pytorch'}\.org|{'--extra'}-index-url|{'--index'}-url",
}
"""What belongs to one machine or network, and breaks on the next."""


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for what, pattern in FOREIGN.items():
            found += [f"{path.relative_to(ROOT)}: {what}: {match[0]}" for match in re.finditer(pattern, text)]
    assert found == []
