"""Every task file as a user meets it: trained a step, saved, loaded, used; every step and file format it rests on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_pictures import TINY, noise, photo
from training_runs import ENVIRONMENT

from pix2pix import train, translate
from pix2pix.backends import available_backends
from pix2pix.checkpoint import Facts, ReleasedModel, load_model
from pix2pix.config import Preset, configs_folder, load_task, task_names
from pix2pix.data.conditions import AUGMENT, DERIVE, NORMALISE, augment, check_scale, check_steps, derive, normalise
from pix2pix.data.drawn_pairs import EmbeddedPairs
from pix2pix.data.embedded import DRAWERS
from pix2pix.data.stream import TrainingStream
from pix2pix.images import read_image, write_image
from pix2pix.representations import representations
from pix2pix.translator import Translator, build_model_generator

DRAWN = [name for name in task_names() if load_task(name).data.embedded]
PALETTE = {"sky": (10, 20, 200), "wall": (200, 180, 160)}


def test_the_tasks_of_the_paper_are_there() -> None:
    wanted = {"facades", "cityscapes", "maps", "map2aerial", "day2night", "colorize", "custom"}
    wanted |= {"edges2photo", "edges2shoes", "edges2handbags", "edges2faces", "denoise", "inpaint", "superres"}
    assert wanted <= set(task_names())
    assert set(task_names()) - set(DRAWN) == {"custom"}
    assert {load_task(name).data.embedded for name in DRAWN} == set(DRAWERS)


@pytest.mark.parametrize("preset", ["paper", "standard", "quick"])
@pytest.mark.parametrize("name", task_names())
def test_every_task_has_steps_that_exist(name: str, preset: Preset) -> None:
    check_steps(load_task(name, preset))


@pytest.mark.parametrize("name", DRAWN)
def test_every_task_trains_a_step_saves_loads_and_translates(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert train.main(["--task", name, "--data", "embedded", "--out", "run", *TINY]) == 0
    task = load_task(name)
    small = task.model_copy(update={"data": task.data.model_copy(update={"size": 64})})
    source, target = EmbeddedPairs(small.data, "val").read_full(3)
    write_image("input.png", source)
    assert translate.main(["--model", "run", "input.png"]) == 0
    output = read_image("translated/input.png")
    assert output.shape == (target.shape[0], target.shape[1], 3)
    assert output.dtype == np.uint8
    if task.data.target == "filled_rgb":
        known = source[..., 3] > 0
        np.testing.assert_array_equal(output[known], source[..., :3][known])
    assert min(read_image(max(Path("run/samples").glob("*.jpg"))).shape[:2]) > 150
    capsys.readouterr()


@pytest.mark.parametrize("name", DRAWN)
def test_the_stream_of_every_task_is_repeatable_and_in_range(name: str) -> None:
    task = load_task(name)
    data = task.data.model_copy(update={"size": 64})
    pairs = EmbeddedPairs(data, "train", 20)
    streams = [TrainingStream(pairs, data, *representations(data), seed=seed) for seed in (0, 0, 1)]
    (source, target), (again, _), (other, _) = (stream.example(7) for stream in streams)
    assert source.shape[1:] == target.shape[1:] == (64, 64)
    assert (source == again).all()
    assert (source != other).any()
    for tensor, representation in zip((source, target), representations(data), strict=True):
        assert tensor.shape[0] == representation.channels
        assert tensor.min() >= -1
        assert tensor.max() <= 1


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("registry", "step"),
    [
        (registry, step)
        for registry in ("derive", "augment")
        for step in {"derive": DERIVE, "augment": AUGMENT}[registry]
    ],
)
def test_every_drawn_step_depends_on_its_seed_alone(registry: str, step: str, dtype: type, channels: int) -> None:
    apply = {"derive": derive, "augment": augment}[registry]
    image = photo(dtype=dtype, channels=channels)
    before = image.copy()
    first, second = (apply(image, [step], np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(image, before)
    assert first.dtype == dtype
    assert first.shape[:2] == ((22, 30) if step == "downsample" else image.shape[:2])


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("step", NORMALISE)
def test_every_normalise_step_is_idempotent_and_pure(step: str, dtype: type, channels: int) -> None:
    for image in (photo(dtype=dtype, channels=channels), noise(17, 23, channels, dtype=dtype), noise(1, 1, channels)):
        before = image.copy()
        once = normalise(image, [step], PALETTE)
        np.testing.assert_array_equal(normalise(once, [step], PALETTE), once)
        np.testing.assert_array_equal(image, before)
        assert once.shape[:2] == image.shape[:2]


@pytest.mark.parametrize(
    ("field", "steps", "says"),
    [
        ("derive", ["edge"], "data.derive: no derive step 'edge', did you mean 'edges'?"),
        ("derive", [{"noise": {"sigmas": [1, 2]}}], "unknown parameter 'sigmas'; did you mean 'sigma'?"),
        ("derive", [{"noise": {"sigma": [1, "loud"]}}], "derive step 'noise': sigma.1: got 'loud'"),
        ("derive", [{"edges": {"detail": [0.8, 0.2]}}], "expected the lower limit first"),
        ("augment", [{"strokes": {"thickness": [4, 1]}}], "expected the lower limit first"),
        ("normalise", [{"rgb": {"amount": 1}}], "normalise step 'rgb': unknown parameter 'amount'; it has none"),
        ("augment", ["a: b: c"], "data.augment: step 'a: b: c': expected a name, or 'name: {parameter: value}'"),
    ],
)
def test_a_wrong_step_is_named(field: str, steps: list[object], says: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(json.dumps({"data": {field: steps}}))  # JSON is YAML
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is looked at
        check_steps(load_task(str(tmp_path / "mine.yaml")))
    assert says in str(caught.value)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)


def test_a_new_task_is_one_yaml_file(tmp_path: Path) -> None:
    (tmp_path / "unblur.yaml").write_text(
        "title: Sharp again\nwork: native\ndata:\n  derive: [blur: {sigma: [2, 3]}, jpeg]\n  embedded: shoes\n"
    )
    trained = run(tmp_path, "pix2pix.train", "--task", "unblur.yaml", "--data", "embedded", "--out", "run", *TINY)
    assert trained.returncode == 0, trained.stderr
    for index in range(3):
        write_image(tmp_path / f"{index}.png", photo(64, 80, seed=index))
    translated = run(tmp_path, "pix2pix.translate", "--model", "run", "0.png", "1.png", "--out", "made")
    assert translated.returncode == 0, translated.stderr
    assert {path.name for path in (tmp_path / "made").iterdir()} == {"0.png", "1.png", "report.json"}
    assert read_image(tmp_path / "made" / "1.png").shape == (64, 80, 3)
    photos = tmp_path / "photos" / "val"
    photos.mkdir(parents=True)
    for index in range(3):
        (tmp_path / f"{index}.png").rename(photos / f"{index}.png")
    judges = ["--lpips", "none", "--features", "none"]
    scoring = ["--model", "run", "--data", "photos", "--split", "val", "--out", "m.json", *judges]
    scored = run(tmp_path, "pix2pix.evaluate", *scoring)
    assert scored.returncode == 0, scored.stderr
    figures = json.loads((tmp_path / "m.json").read_text())
    assert figures["n"] == 3
    assert (
        0 < figures["trivial"]["input unchanged"]["l1"] < figures["trivial"]["mean target"]["l1"]
        if ("mean target" in figures["trivial"])
        else True
    )


def test_no_task_is_named_in_code() -> None:
    names = set(task_names()) - {"custom"}
    package = Path(train.__file__).parent
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for name in names:
            assert not re.search(rf'(==|!=|in|case)[ (\[{{]*["\']{name}["\']', text), path
    assert configs_folder().is_dir()
    assert os.path.basename(configs_folder()) in {"configs", "_configs"}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"target": "filled_rgb"}, "target: filled_rgb fills the holes of masked_rgb, but the input is rgb"),
        ({"input_channels": 6}, "input_channels: got a number, but the input is rgb; only raw has a choice"),
        ({"scale": 4, "layout": "side_by_side"}, "scale: got 4, but label maps and pairs side by side have one size"),
        ({"input": "lab_chroma"}, "data.input: got 'lab_chroma'"),
        ({"layout": "photos"}, "layout: photos, but no `derive` step makes an input from them"),
    ],
)
def test_what_does_not_go_together_is_named(data: dict[str, object], says: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(json.dumps({"data": data}))
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is looked at
        load_task(str(tmp_path / "mine.yaml"))
    assert says in str(caught.value)


@pytest.mark.parametrize(("scale", "step"), [(1, "downsample: {factor: 2}"), (4, "noise")])
def test_a_scale_that_derive_does_not_make_is_named(scale: int, step: str) -> None:
    data = load_task("superres").data.model_copy(update={"scale": scale, "derive": (step,)})
    with pytest.raises(
        ValueError, match=rf"data.scale: got {scale}, but `derive` \({step}\) makes".replace("{", r"\{")
    ):
        check_scale(data)


def test_init_from_another_task_keeps_ones_own_representations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert train.main(["--task", "inpaint", "--data", "embedded", "--out", "holes", *TINY]) == 0
    assert train.main(["--task", "maps", "--data", "embedded", "--init", "holes", "--out", "maps", *TINY]) == 0
    assert "weights taken" in capsys.readouterr().err
    data = load_model(Path("maps/model.safetensors")).task.data
    assert (data.input, data.target) == ("rgb", "rgb")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_residual_generator_that_adds_nothing_gives_its_input(dtype: type) -> None:
    task = load_task("denoise", "quick")
    generator = build_model_generator(task, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.zero_()
    weights = generator.state_dict()
    model = ReleasedModel(path=Path("none"), task=task, facts=Facts(images_seen=0, data=""), weights=weights)
    image = photo(90, 130, dtype)
    for backend in set(available_backends()) - {"torch-compiled", "onnxruntime-int8"}:
        np.testing.assert_array_equal(Translator(model, "cpu", backend=backend)(image), image)


def test_a_residual_backend_gives_what_the_generator_gives() -> None:
    task = load_task("inpaint", "quick")
    generator = build_model_generator(task, torch.Generator().manual_seed(0)).eval()
    weights = generator.state_dict()
    model = ReleasedModel(path=Path("none"), task=task, facts=Facts(images_seen=0, data=""), weights=weights)
    source = derive(photo(128, 128), ["mask"], np.random.default_rng(0))
    given, wanted = representations(task.data)
    with torch.inference_mode():
        expected = wanted.decode(generator(given.encode(source)[None])[0], source)
    made = Translator(model, "cpu", backend="torch")(source)
    assert np.abs(made.astype(int) - expected).max() <= 1


def test_a_residual_adds_to_the_holes_alone() -> None:
    task = load_task("inpaint", "quick")
    generator = build_model_generator(task, torch.Generator().manual_seed(0)).eval()
    source = derive(photo(128, 128), ["mask"], np.random.default_rng(0))
    given = representations(task.data)[0].encode(source)[None]
    with torch.inference_mode():
        change = generator(given) - given[:, :3]
    hole = given[:, 3:] < 0
    assert 0 < hole.sum() < hole.numel()
    assert (change.masked_select(~hole) == 0).all()
    assert (change.masked_select(hole) != 0).float().mean() > 0.9


def test_a_residual_needs_an_input_like_the_target(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("data: {input: gray}\nmodel: {residual: true}\n")
    with pytest.raises(ValueError, match=r"model\.residual: nothing can be added to gray to make rgb of it"):
        load_task(str(tmp_path / "mine.yaml"))
