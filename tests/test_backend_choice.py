"""Which backend is used: what is stored, what is measured, what happens where the cache or a package is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import save_tiny_model
from torch import Tensor, nn

from pix2pix import backend_choice, backend_chooser, backends
from pix2pix.backend_choice import cache_folder, choice_key, kept_model, store_choice, stored_choice
from pix2pix.checkpoint import load_model
from pix2pix.nn import build_generator, examples
from pix2pix.translator import Translator

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(backend_choice, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def test_the_cache_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "pix2pix"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / "pix2pix"


def test_choices_are_kept_beside_each_other_and_nothing_bad_is_an_error(cache: Path) -> None:
    assert stored_choice("a") is None
    assert store_choice("a", "openvino")
    assert store_choice("b", "torch")
    assert (stored_choice("a"), stored_choice("b"), stored_choice("c")) == ("openvino", "torch", None)
    for content in ('{"a": "warp-drive"}', "[]", "{", "\udcff"):
        (cache / "backends.json").write_bytes(content.encode("utf-8", "surrogateescape"))
        assert stored_choice("a") is None
    assert store_choice("a", "torch-bf16")
    assert stored_choice("a") == "torch-bf16"


def test_an_unwritable_cache_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(backend_choice, "cache_folder", lambda: tmp_path / "file" / "below")
    assert not store_choice("a", "torch")
    assert stored_choice("a") is None
    assert kept_model("f", write_two_files, read_two_files) == "f.xml, xml and bin"


def test_without_a_home_folder_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(backend_choice, "cache_folder", no_home)
    assert not store_choice("a", "torch")
    assert stored_choice("a") is None
    assert kept_model("f", write_two_files, read_two_files) == "f.xml, xml and bin"


def write_two_files(path: Path) -> None:
    path.write_text("xml")
    path.with_suffix(".bin").write_text("bin")


def read_two_files(path: Path) -> str:
    """Raises what OpenVINO raises for files that are not whole."""
    texts = [each.read_text() if each.exists() else "" for each in (path, path.with_suffix(".bin"))]
    if texts != ["xml", "bin"]:
        raise RuntimeError("Exception from core.cpp\nIncorrect weights in bin file!\n")
    return f"{path.name}, {texts[0]} and {texts[1]}"


@pytest.mark.parametrize("damage", ["xml cut", "xml empty", "bin cut", "bin empty", "bin gone", "xml gone"])
def test_a_damaged_model_is_made_once_more(cache: Path, damage: str) -> None:
    made: list[Path] = []

    def write(path: Path) -> None:
        made.append(path)
        write_two_files(path)

    kept_model("f", write, read_two_files)
    suffix, kind = damage.split()
    file = cache / "models" / f"f.{suffix}"
    if kind == "gone":
        file.unlink()
    else:
        file.write_text("x" if kind == "cut" else "")
    assert [kept_model("f", write, read_two_files) for _ in range(2)] == ["f.xml, xml and bin"] * 2
    assert len(made) == 2
    with pytest.raises(ValueError, match="Incorrect weights in bin file!; is a disk full"):
        kept_model("g", lambda path: None, lambda path: read_two_files(path))


def test_a_folder_that_can_only_be_read_serves(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise PermissionError("read-only")

    kept_model("f", write_two_files, read_two_files)
    monkeypatch.setattr("os.utime", refuse)
    assert kept_model("f", refuse, read_two_files) == "f.xml, xml and bin"


def test_what_killed_processes_left_is_removed_in_time(cache: Path) -> None:
    kept_model("f", write_two_files, read_two_files)
    for name in ("old.bin", "young.bin", "old/half.xml"):
        path = cache / "models" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    for name in ("old.bin", "old", "f.bin"):
        os.utime(cache / "models" / name, (0, 0))
    kept_model("f", write_two_files, read_two_files)
    assert sorted(path.name for path in (cache / "models").iterdir()) == ["f.bin", "f.xml", "young.bin"]


def test_threads_that_store_at_once_leave_a_whole_file(cache: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda index: store_choice(f"key {index % 8}", "torch"), range(200)))
    assert set(json.loads((cache / "backends.json").read_text()).values()) == {"torch"}
    assert [path.name for path in cache.iterdir()] == ["backends.json"]


def test_models_are_made_once_and_the_oldest_dropped(cache: Path) -> None:
    made: list[Path] = []

    def write(path: Path) -> None:
        made.append(path)
        write_two_files(path)

    for name in ["a", "a", *map(str, range(backend_choice.KEPT_MODELS)), "a"]:
        assert kept_model(name, write, read_two_files) == f"{name}.xml, xml and bin"
    assert [path.stem for path in made] == ["a", *map(str, range(backend_choice.KEPT_MODELS)), "a"]
    assert len(list((cache / "models").iterdir())) == 2 * backend_choice.KEPT_MODELS


def test_the_key_tells_machines_and_versions_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {choice_key("x", 1, "u"), choice_key("y", 1, "u"), choice_key("x", 2, "u"), choice_key("x", 1, "c")}
    monkeypatch.setattr(backend_choice, "_version", lambda package: "0")
    keys.add(choice_key("x", 1, "u"))
    assert len(keys) == 5


def load(tmp_path: Path, backend: Any = "auto", **changes: Any) -> Translator:
    path = tmp_path / "m.safetensors"
    return Translator(load_model(save_tiny_model(path, **changes)), "cpu", backend=backend)


@pytest.mark.parametrize(("fast", "expected"), [(True, "torch-bf16"), (False, "torch")])
def test_without_a_stored_choice_a_flag_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool, expected: str
) -> None:
    monkeypatch.setattr(backends, "has_fast_bf16", lambda: fast)
    assert load(tmp_path).backend == expected
    assert backends.quick_choice("cuda") == "torch"


def test_measuring_stores_for_this_kind_of_generator_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_chooser, "choose", lambda generator, example, say: "onnxruntime")
    pytest.importorskip("onnxruntime")
    said: list[str] = []
    first = load(tmp_path, "torch")
    assert not first.is_measured
    first.measure(said.append)
    assert (first.backend, first.is_measured) == ("onnxruntime", True)
    assert "stored for this machine" in said[-1]
    assert load(tmp_path).backend == "onnxruntime"
    assert load(tmp_path, "torch").backend == "torch"
    assert load(tmp_path, model={"width": 16}).backend != "onnxruntime"


def test_a_stored_backend_that_is_gone_is_told_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = load(tmp_path, "torch").choice_key
    store_choice(key, "openvino-bf16")
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert load(tmp_path).backend in ("torch", "torch-bf16")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "'openvino' is missing" in lines[0]
    with pytest.raises(ValueError, match="'openvino' is missing"):
        load(tmp_path, "openvino")


def test_a_stored_choice_of_fewer_bits_is_checked_once_for_each_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checks: list[str] = []
    levels = {"mean": 2.0}

    def difference(backend: Any, generator: nn.Module, example: Tensor) -> tuple[float, float]:
        checks.append(backend.name)
        return levels["mean"], 9.0

    monkeypatch.setattr(backend_chooser, "difference", difference)
    store_choice(load(tmp_path, "torch").choice_key, "torch-bf16")
    path = save_tiny_model(tmp_path / "m.safetensors")
    assert [Translator(load_model(path), "cpu").backend for _ in range(2)] == ["torch", "torch"]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "'torch-bf16' is off by 2.0 levels of 255 on average with m.safetensors" in lines[0]
    levels["mean"] = 0.5
    other = save_tiny_model(tmp_path / "other.safetensors", seed=1)
    assert [Translator(load_model(other), "cpu").backend for _ in range(2)] == ["torch-bf16", "torch-bf16"]
    assert checks == ["torch-bf16", "torch-bf16"]
    levels["mean"] = float("nan")
    os.utime(save_tiny_model(other, seed=2), (1, 1))
    assert Translator(load_model(other), "cpu").backend == "torch"
    store_choice(load(tmp_path, "torch").choice_key, "torch")
    assert Translator(load_model(other), "cpu").backend == "torch"
    assert len(checks) == 3


def test_the_example_looks_like_an_input() -> None:
    labels = examples.rectangles(5, 64, 96)
    assert labels.shape == (1, 5, 64, 96)
    assert labels.unique().tolist() == [-1, 1]  # type: ignore[no-untyped-call]
    assert (labels == 1).sum(1).eq(1).all()
    assert len(labels.argmax(1).unique()) > 2  # type: ignore[no-untyped-call]
    clouds = examples.clouds(3, 64, 96)
    assert clouds.shape == (1, 3, 64, 96)
    assert clouds.abs().max() <= 1
    assert clouds.std() > 0.3
    assert (clouds[..., 1:] - clouds[..., :-1]).abs().mean() < 0.2 < torch.rand(1, 3, 64, 96).mul(2).diff().abs().mean()


def test_choose_refuses_what_is_off_and_takes_the_fastest(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        def __init__(self, name: str, offset: float) -> None:
            self.name, self.offset = name, offset

        def __call__(self, batch: Tensor) -> Tensor:
            output: Tensor = plain(batch) + self.offset
            return output

    plain = build_generator("compact_unet", 3, 3, size=64, width=8).eval().requires_grad_(False)
    offsets = {"torch": 0.0, "torch-bf16": 0.5 / 127.5, "openvino": 1.5 / 127.5, "openvino-bf16": float("nan")}
    seconds = {"plain": 9.0, "torch": 3.0, "torch-bf16": 2.0}

    def build(name: Any, generator: nn.Module, example: Tensor) -> Fake:
        if name == "onnxruntime":
            raise ValueError("broken\nhere")
        return Fake(name, offsets[name])

    monkeypatch.setattr(backends, "available_backends", lambda device: [*offsets, "onnxruntime", "onnxruntime-int8"])
    monkeypatch.setattr(backends, "build_backend", build)
    monkeypatch.setattr(backends, "measure", lambda built, batch: {each.name: seconds[each.name] for each in built})
    said: list[str] = []
    assert backends.choose(plain, torch.zeros(1, 3, 64, 64), said.append) == "torch-bf16"
    text = "\n".join(said)
    assert "openvino: refused, off by 1.50 levels" in text
    assert "openvino-bf16: refused" in text
    assert "onnxruntime: left out, broken" in text
    assert "4.5 x plain; off by 0.50 levels" in text


def test_the_names_need_no_torch() -> None:
    code = "import sys, pix2pix.backend_choice, pix2pix.batch.pipeline; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
