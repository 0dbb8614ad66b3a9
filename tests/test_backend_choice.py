"""Which backend is used: what is stored, what is measured, what happens where the cache or a package is broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import save_tiny_model
from torch import Tensor, nn

from pix2pix import backend_choice, backends, translator
from pix2pix.backend_choice import cache_folder, choice_key, kept_model, store_choice, stored_choice
from pix2pix.checkpoint import load_model
from pix2pix.nn import build_generator
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
    with kept_model("f", write_two_files) as path:
        assert path.read_text() == "xml"
        assert path.with_suffix(".bin").read_text() == "bin"


def write_two_files(path: Path) -> None:
    path.write_text("xml")
    path.with_suffix(".bin").write_text("bin")


def test_models_are_made_once_and_the_oldest_dropped(cache: Path) -> None:
    made: list[Path] = []

    def write(path: Path) -> None:
        made.append(path)
        write_two_files(path)

    for name in ["a", "a", *map(str, range(backend_choice.KEPT_MODELS)), "a"]:
        with kept_model(name, write) as path:
            assert path.name == f"{name}.xml"
            assert path.exists()
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
    monkeypatch.setattr(translator, "choose", lambda generator, example, say: "onnxruntime")
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
