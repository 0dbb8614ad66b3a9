"""What a site offers: every task, what people give it, its model, and drawings to start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import save_tiny_model

from pix2pix import model_files
from pix2pix.config import App, Data, Model, Task, load_task, task_names
from pix2pix.data.conditions import nearest_class, normalise
from pix2pix.nn import GENERATORS
from pix2pix.translator import build_model_generator
from pix2pix.ui.offers import Offer, example, offers


def test_every_task_is_there_those_with_a_model_first() -> None:
    found = offers()
    assert {offer.name for offer in found} == {*task_names()} - {"custom"}
    has_model = [offer.model is not None for offer in found]
    assert has_model == sorted(has_model, reverse=True)
    assert {offer.name for offer in found if offer.model is not None} >= {*model_files.shipped_models()} & {
        *task_names()
    }
    assert all(offer.how_to_train.endswith(f"--task {offer.name}") for offer in found)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("facades", "labels"),
        ("cityscapes", "labels"),
        ("map2aerial", "labels"),
        ("edges2photo", "sketch"),
        ("edges2handbags", "sketch"),
        ("colorize", "photo"),
        ("maps", "photo"),
        ("day2night", "photo"),
        ("inpaint", "mask"),
    ],
)
def test_what_people_give(name: str, kind: str) -> None:
    assert offers(name)[0].kind == kind


@pytest.mark.parametrize("offer", offers(), ids=lambda offer: offer.name)
def test_examples_are_inputs_of_their_task(offer: Offer) -> None:
    one, same, other = (example(offer, number) for number in (0, 0, 1))
    assert one.dtype == np.uint8
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    if offer.task.data.palette:
        assert not nearest_class(one, offer.task.data.palette)[1].any()  # no pixel between the colours
    if offer.kind == "sketch":
        ready = normalise(one, offer.task.data.normalise, offer.task.data.palette)
        assert (np.asarray(one) < 128).mean() > 0.005  # there are lines
        assert ready.shape == one.shape


def test_a_task_of_ones_own(tmp_path: Path) -> None:
    path = save_tiny_model(tmp_path / "m.safetensors")
    (offer,) = offers(model=str(path))
    assert offer.model == path
    assert offer.task == model_files.read_task(path)
    with pytest.raises(ValueError, match="give one of them"):
        offers("facades", str(path))
    with pytest.raises(ValueError, match="did you mean 'facades'"):
        offers("facade")


def test_an_app_says_more_than_the_data() -> None:
    task = Task(name="mine", app=App(input="sketch", palette={"sea": (0, 0, 255)}))
    assert Offer("mine", task, task.app, None).kind == "sketch"
    assert Offer("mine", task, task.app, None).palette == {"sea": (0, 0, 255)}
    assert Offer("mine", task, App(), None).kind == "photo"
    with pytest.raises(ValueError, match="same colour"):
        App(palette={"a": (1, 2, 3), "b": (1, 2, 3)})


def test_the_newest_run_goes_before_the_shipped_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert offers("facades")[0].model == model_files.shipped_models()["facades"]
    run = save_tiny_model(tmp_path / "runs" / "facades" / "1" / "model.safetensors")
    assert offers("facades")[0].model == Path("runs/facades/1/model.safetensors")
    assert offers("facades")[0].task == model_files.read_task(run)


def test_a_broken_run_does_not_take_the_site_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    broken = tmp_path / "runs" / "facades" / "1" / "model.safetensors"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"cut off")
    said: list[str] = []
    (offer,) = (offer for offer in offers(say=said.append) if offer.name == "facades")
    assert offer.model == model_files.shipped_models()["facades"]
    assert len(said) == 1
    assert "not a readable" in said[0]
    with pytest.raises(ValueError, match="not a readable"):
        offers("facades")


@pytest.mark.parametrize("name", ["batch", "health", "../secret", "a b", "gradio_api"])
def test_names_that_a_page_cannot_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="a page cannot be called so"):
        offers(model=str(save_tiny_model(tmp_path / "m.safetensors", name=name)))


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("dropout", [None, 0.0, 0.3])
def test_a_configuration_knows_whether_its_generator_is_stochastic(generator: str, dropout: float | None) -> None:
    from pix2pix.nn.blocks import NoiseInjection

    model = Model.model_validate({"generator": generator, "dropout": dropout, "width": 8})
    with torch.device("meta"):
        network = build_model_generator(Task(name="t", data=Data(size=64), model=model))
    layers = [
        isinstance(layer, NoiseInjection) or (isinstance(layer, torch.nn.Dropout) and layer.p > 0)
        for layer in network.modules()
    ]
    assert model.is_stochastic == any(layers)


def test_what_a_task_takes() -> None:
    assert load_task("colorize").takes_colour
    assert load_task("denoise").takes_strength
    assert load_task("edges2photo").takes_lines
    inpaint, facades = load_task("inpaint"), load_task("facades")
    for task in (inpaint, facades):
        assert not any((task.takes_colour, task.takes_strength, task.takes_lines))
