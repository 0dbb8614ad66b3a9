"""Translator: any size, any kind of picture, the same bytes every time; samples; and the hub that finds models."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import LABELS, PALETTE, save_tiny_model

from pix2pix import hub, model_files
from pix2pix.batch.lanes import pool_of
from pix2pix.checkpoint import ReleasedModel, load_model
from pix2pix.images import reflect_pad, resize
from pix2pix.translator import Translator
from pix2pix.upsampling import enlarge_by_classes, enlarge_by_picture, shrink

pytestmark = pytest.mark.usefixtures("one_thread")


def picture(height: int, width: int, seed: int = 0, dtype: Any = np.uint8, channels: int = 3) -> np.ndarray:
    """Smooth shapes and some noise, with the whole range of the type."""
    rows, columns = np.mgrid[:height, :width]
    waves = np.stack([np.sin(rows / (5 + c) + seed) * np.cos(columns / (9 - c)) for c in range(channels)], axis=2)
    noise = np.random.default_rng(seed).normal(0, 0.1, waves.shape)
    scaled = np.clip((waves + noise + 1) / 2, 0, 1) * np.iinfo(dtype).max
    result: np.ndarray = scaled.astype(dtype)
    return result


def label_map(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    classes = (rows * 3 // max(height, 1) + columns * 5 // max(width, 1)) % 3
    painted: np.ndarray = np.array(list(PALETTE.values()), np.uint8)[classes]
    return painted


def make(tmp_path: Path, work_size: int | None = None, backend: Any = "torch", **changes: Any) -> Translator:
    return Translator(load_model(save_tiny_model(tmp_path / "model.safetensors", **changes)), "cpu", work_size, backend)


SIZES = [(1, 1), (1, 2), (7, 5), (63, 65), (300, 40), (1, 1300), (1300, 1), (129, 257)]


@pytest.mark.parametrize("generator", ["unet", "encoder_decoder", "resnet6", "compact_unet"])
@pytest.mark.parametrize("work", ["trained", "native"])
def test_every_generator_keeps_every_size(tmp_path: Path, generator: str, work: str) -> None:
    translator = make(tmp_path, work=work, model={"generator": generator, "width": 8})
    for height, width in SIZES if work == "trained" else SIZES[:5]:
        output = translator(picture(height, width))
        assert output.shape == (height, width, 3)
        assert output.dtype == np.uint8


@pytest.mark.parametrize("source", ["rgb", "gray", "labels_onehot"])
@pytest.mark.parametrize("target", ["rgb", "gray", "labels_onehot"])
def test_every_representation_on_both_sides(tmp_path: Path, source: str, target: str) -> None:
    translator = make(tmp_path, data={"input": source, "target": target, "palette": PALETTE})
    for height, width in [(1, 1), (30, 20), (100, 170)]:
        output = translator(picture(height, width))
        assert output.shape == (height, width, 1 if target == "gray" else 3)
        if target == "labels_onehot":
            assert {tuple(colour) for colour in output.reshape(-1, 3)} <= set(PALETTE.values())
        assert translator(picture(height, width, dtype=np.uint16)).dtype == np.uint16


def test_at_the_size_it_was_trained_at_the_network_alone_decides(tmp_path: Path) -> None:
    translator = make(tmp_path)
    image = picture(64, 128)
    batch = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.inference_mode():
        expected = (translator._generator(batch)[0].permute(1, 2, 0) + 1) * 127.5
    assert np.abs(translator(image).astype(float) - expected.numpy()).max() <= 0.51
    assert expected.std() > 5  # no flat grey, which would pass every test


def test_native_sees_every_pixel_and_crops_what_was_padded(tmp_path: Path) -> None:
    translator = make(tmp_path, work="native")
    image = picture(70, 150)
    padded = reflect_pad(image, 72, 152)  # the tiny generator's multiple is 8
    assert np.array_equal(translator(image), translator(padded)[:70, :150])
    with pytest.raises(ValueError, match="leave it out"):
        make(tmp_path, work="native", work_size=64)


def test_work_size_decides_what_the_network_sees(tmp_path: Path) -> None:
    image = picture(128, 128)
    whole, half = make(tmp_path, work_size=128)(image), make(tmp_path)(image)
    assert not np.array_equal(whole, half)
    native = make(tmp_path, work="native")(image)
    assert np.array_equal(whole, native)
    with pytest.raises(ValueError, match="at least 16"):
        make(tmp_path, work_size=3)


def test_kinds_in_and_out(tmp_path: Path) -> None:
    translator = make(tmp_path)
    image = picture(90, 70)
    output = translator(image)
    as_pil = translator(Image.fromarray(image))
    assert isinstance(as_pil, Image.Image)
    assert as_pil.mode == "RGB"
    assert np.array_equal(np.asarray(as_pil), output)
    Image.fromarray(image).save(tmp_path / "a.png")
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        assert np.array_equal(np.asarray(translator(path)), output)
    gray = picture(90, 70, channels=1)
    assert translator(gray[:, :, 0]).shape == (90, 70, 3)
    assert np.array_equal(translator(gray[:, :, 0]), translator(np.repeat(gray, 3, axis=2)))
    deep = Image.fromarray(picture(90, 70, dtype=np.uint16, channels=1)[:, :, 0])
    assert deep.mode == "I;16"
    assert translator(deep).mode == "RGB"  # Pillow has no 16-bit colour
    deep.save(tmp_path / "deep.png")
    assert translator(tmp_path / "deep.png").dtype == np.uint16  # type: ignore[union-attr]


def test_gray_target_gives_gray(tmp_path: Path) -> None:
    translator = make(tmp_path, data={"target": "gray"})
    assert translator(picture(40, 50)).shape == (40, 50, 1)
    assert translator(picture(40, 50)[:, :, 0]).shape == (40, 50)
    assert translator(Image.fromarray(picture(40, 50))).mode == "L"


def test_sixteen_bits_in_give_sixteen_bits_out(tmp_path: Path) -> None:
    translator = make(tmp_path)
    deep = picture(64, 64, dtype=np.uint16)
    output = translator(deep)
    assert output.dtype == np.uint16
    assert (output % 257 != 0).any()  # not 8 bits spread out
    eight = translator(((deep.astype(np.uint32) + 128) // 257).astype(np.uint8))
    assert np.abs(output / 257.0 - eight).mean() < 1
    labels = make(tmp_path, **LABELS)
    assert np.array_equal(
        labels(label_map(64, 64).astype(np.uint16) * 257), labels(label_map(64, 64)).astype(int) * 257
    )


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"])
def test_any_pillow_mode(tmp_path: Path, mode: str) -> None:
    translator = make(tmp_path)
    image = Image.new(mode, (31, 57)) if mode in ("LAB", "PA") else Image.fromarray(picture(57, 31)).convert(mode)
    output = translator(image)
    assert output.size == (31, 57)
    assert output.mode == "RGB"


def test_exif_orientation_turns_the_picture_first(tmp_path: Path) -> None:
    translator = make(tmp_path)
    image = Image.fromarray(picture(40, 80))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise
    image.save(tmp_path / "turned.png", exif=exif)
    upright = np.ascontiguousarray(np.rot90(picture(40, 80), -1))
    assert np.array_equal(np.asarray(translator(tmp_path / "turned.png")), translator(upright))


def test_the_invisible_changes_nothing(tmp_path: Path) -> None:
    translator = make(tmp_path)
    image = np.dstack([picture(100, 100), np.full((100, 100), 255, np.uint8)])
    image[:50, :, 3] = 0
    other = image.copy()
    other[:50, :, :3] = 0
    assert np.array_equal(translator(image), translator(other))


def test_same_input_same_bytes_whatever_came_between(tmp_path: Path) -> None:
    translator = make(tmp_path)
    image = picture(100, 70)
    first = translator(image).tobytes()
    translator(picture(50, 90, seed=1))
    translator(image, seed=3)
    assert translator(image).tobytes() == first
    assert make(tmp_path)(image).tobytes() == first


def test_models_that_sample_at_once_draw_what_they_draw_alone(tmp_path: Path) -> None:
    translators = [make(tmp_path / name) for name in "ab"]
    image = picture(64, 64)
    alone = [[translator(image, seed=seed) for seed in range(10)] for translator in translators]
    found: list[list[np.ndarray]] = [[], []]

    def draw(index: int) -> None:
        found[index] = [translators[index](image, seed=seed) for seed in range(10)]

    drawing = [threading.Thread(target=draw, args=(index,)) for index in range(2)]
    for thread in drawing:
        thread.start()
    for thread in drawing:
        thread.join()
    assert np.array_equal(found, alone)


def test_the_callers_threads_change_no_sample_and_no_key(tmp_path: Path) -> None:
    torch.set_num_threads(2)  # the fixture sets it back
    translator, image = make(tmp_path, work_size=256), picture(256, 256)
    worker = pool_of(1, 1)
    assert worker.submit(torch.get_num_threads).result() == 1
    numbers: list[int] = []
    translator._generator.register_forward_hook(lambda *_: numbers.append(torch.get_num_threads()))
    assert np.array_equal(worker.submit(translator, image, 1).result(), translator(image, 1))
    assert numbers == [2, 2]
    assert worker.submit(lambda: translator.choice_key).result() == translator.choice_key


def test_seeds_draw_samples_and_leave_the_callers_randomness_alone(tmp_path: Path) -> None:
    translator = make(tmp_path)
    image = picture(64, 64)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, two = translator(image, seed=1), translator(image, seed=2)
    assert torch.rand(1) == expected
    assert not np.array_equal(one, two)
    assert not np.array_equal(one, translator(image))
    assert np.array_equal(one, translator(image, seed=1))
    assert translator.is_stochastic
    assert not make(tmp_path, model={"generator": "resnet6"}).is_stochastic
    with pytest.raises(ValueError, match="seed: got -1"):
        translator(image, seed=-1)


def test_threads_share_one_translator(tmp_path: Path) -> None:
    translator = make(tmp_path)
    images = [picture(40 + 8 * index, 64, seed=index) for index in range(6)]
    expected = [translator(image, seed=index % 2 or None) for index, image in enumerate(images)]
    results: dict[int, np.ndarray] = {}

    def work(index: int) -> None:
        results[index] = translator(images[index], seed=index % 2 or None)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(results[index], expected[index]) for index in range(6))


def test_labels_out_of_a_lossy_file_are_snapped(tmp_path: Path) -> None:
    translator = make(tmp_path, **LABELS)
    clean = label_map(128, 128)
    noisy = np.clip(clean.astype(int) + np.random.default_rng(0).integers(-12, 13, clean.shape), 0, 255)
    assert np.array_equal(translator(clean), translator(noisy.astype(np.uint8)))


@pytest.mark.parametrize(
    "bad", [np.zeros((3, 3, 3)), np.zeros((0, 5, 3), np.uint8), np.zeros(5, np.uint8), np.zeros((4, 4, 2), np.uint8), 5]
)
def test_what_is_no_picture_is_refused(tmp_path: Path, bad: Any) -> None:
    with pytest.raises(ValueError, match="got"):
        make(tmp_path)(bad)


@pytest.mark.parametrize("reason", ["DefaultCPUAllocator: can't allocate memory: you tried", "CUDA out of memory."])
def test_too_little_memory_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    translator = make(tmp_path)

    def fail(batch: torch.Tensor) -> torch.Tensor:
        raise RuntimeError(reason)

    monkeypatch.setattr(translator, "_backend", fail)
    with pytest.raises(ValueError, match="64x64 pixels need more memory"):
        translator(picture(64, 64))


def test_missing_devices_are_refused(tmp_path: Path) -> None:
    model = load_model(save_tiny_model(tmp_path / "m.safetensors"))
    for device in ("toaster", "cuda:99"):
        with pytest.raises(ValueError, match=f"device '{device}' cannot be used"):
            Translator(model, device)


def test_enlarging_brings_back_what_the_guide_still_has() -> None:
    blocks = np.random.default_rng(0).uniform(-1, 1, (3, 7, 8))
    full = torch.from_numpy(blocks.repeat(14, axis=1).repeat(16, axis=2)[:, :96, :120]).float()
    target = -0.7 * full.mean(0, keepdim=True).repeat(3, 1, 1) + 0.1  # all its detail is the guide's
    small = shrink(target, 32, 40)
    plain = torch.nn.functional.interpolate(small[None], (96, 120), mode="bicubic")[0]
    enlarged = enlarge_by_picture(small, full)
    assert enlarged.shape == target.shape
    assert (enlarged - target).abs().mean() < 0.7 * (plain - target).abs().mean()
    flat = enlarge_by_picture(small, torch.zeros_like(full))
    assert torch.allclose(flat, plain, atol=1e-6)  # a guide without detail adds none


def test_enlarging_by_classes_sharpens_their_edges() -> None:
    classes = torch.zeros(120, 120, dtype=torch.long)
    classes[25:77, 35:83] = 1
    classes[60:70, 50:71] = 2
    colours = torch.tensor([[-0.8, 0.0, 0.5], [0.6, 0.1, -0.5], [0.0, 0.9, 0.9]])
    target = colours[classes].permute(2, 0, 1)
    small_classes = classes[2::4, 2::4]
    small = shrink(target, 30, 30)
    plain = torch.nn.functional.interpolate(small[None], (120, 120), mode="bicubic")[0]
    enlarged = enlarge_by_classes(small, small_classes, classes)
    assert (enlarged - target).abs().mean() < 0.5 * (plain - target).abs().mean()
    classes[0, 0] = 3  # a class that the small map lost
    assert torch.isfinite(enlarge_by_classes(small, small_classes, classes)).all()


def test_small_pictures_are_enlarged_for_the_network_and_shrunk_again(tmp_path: Path) -> None:
    translator = make(tmp_path)
    image = picture(32, 32)
    large = translator(resize(image, 64, 64, nearest=False))
    small = translator(image).astype(float)
    expected = shrink(torch.from_numpy(large).permute(2, 0, 1).float(), 32, 32).permute(1, 2, 0)
    assert np.abs(small - expected.numpy()).max() < 1.5  # both were rounded


def test_hub_resolves_names_files_and_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "WEIGHTS", tmp_path / "weights")
    with pytest.raises(ValueError, match="no models are shipped"):
        model_files.resolve("facades")
    shipped = save_tiny_model(tmp_path / "weights" / "facades.safetensors")
    assert model_files.shipped_models() == {"facades": shipped}
    assert model_files.resolve("facades") == shipped
    assert model_files.resolve(shipped) == shipped
    with pytest.raises(ValueError, match="did you mean 'facades'"):
        model_files.resolve("facade")
    run = save_tiny_model(tmp_path / "runs" / "tiny" / "1" / "model.safetensors")
    assert model_files.resolve(str(run.parent)) == run
    with pytest.raises(ValueError, match="there is one in"):
        model_files.resolve(tmp_path / "runs" / "tiny")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"no model\.safetensors in this folder"):
        model_files.resolve(tmp_path / "empty")


def test_hub_chooses_the_newest_run_then_the_shipped_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "WEIGHTS", tmp_path / "weights")
    root = tmp_path / "runs"
    said: list[str] = []
    with pytest.raises(ValueError, match="train it first"):
        model_files.choose(None, "facades", said.append, root)
    shipped = save_tiny_model(tmp_path / "weights" / "facades.safetensors")
    assert model_files.choose(None, "facades", said.append, root) == shipped
    old, new = (save_tiny_model(root / "facades" / name / "model.safetensors") for name in ("b", "a"))
    os.utime(old, (1, 1))
    (root / "facades" / "c").mkdir()  # a run that has saved nothing yet
    assert model_files.newest_run("facades", root) == new.parent
    assert model_files.choose(None, "facades", said.append, root) == new
    assert "shipped" in said[0]
    assert str(new.parent) in said[1]
    assert model_files.choose("facades", None, said.append, root) == shipped
    assert len(said) == 2
    with pytest.raises(ValueError, match="did you mean 'facades'"):
        model_files.choose(None, "facade", said.append, root)
    for model, task in ((None, None), ("a", "b")):
        with pytest.raises(ValueError, match="--model NAME"):
            model_files.choose(model, task, said.append, root)


def test_one_model_that_loads_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, ready = (save_tiny_model(tmp_path / f"{name}.safetensors", name=name) for name in ("slow", "ready"))
    kept = hub.load(ready, "cpu")
    begun, go_on = threading.Event(), threading.Event()

    def wait(path: Path) -> ReleasedModel:
        begun.set()
        assert go_on.wait(20)
        return load_model(path)

    monkeypatch.setattr(hub, "load_model", wait)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(hub.load, slow, "cpu") for _ in range(2)]
        assert begun.wait(20)
        assert hub.load(ready, "cpu") is kept
        assert "ready" in hub.loaded()
        assert "slow" not in hub.loaded()
        go_on.set()
        assert waiting[0].result() is waiting[1].result()  # loaded once
    assert hub.drop_idle(3600) == 0
    assert hub.drop_idle(0) >= 2
    assert hub.loaded() == []


def test_hub_keeps_models_until_their_file_changes(tmp_path: Path) -> None:
    path = save_tiny_model(tmp_path / "m.safetensors")
    first = hub.load(path, "cpu")
    assert hub.load(str(path), "cpu") is first
    save_tiny_model(path, seed=1)
    os.utime(path, (5, 5))
    again = hub.load(path, "cpu")
    assert again is not first
    assert not np.array_equal(again(picture(64, 64)), first(picture(64, 64)))
    for index in range(hub.KEPT):
        hub.load(save_tiny_model(tmp_path / f"{index}.safetensors"), "cpu")
    assert hub.load(path, "cpu") is not again  # the one unused for longest was dropped
