"""`pix2pix benchmark`: figures that follow from each other, sides that compute the same, and mistakes in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pix2pix import benchmark
from pix2pix.config import Task, load_task, validate
from pix2pix.nn import GeneratorName, build_discriminator, build_generator
from pix2pix.nn.blocks import InstanceNorm, PlainConv, join
from pix2pix.nn.matrix_convolutions import StridedConv, TransposedConv
from pix2pix.schema import merge
from pix2pix.timing import growth, steps, training, translation
from pix2pix.timing.agreement import Disagreement, check_agreement, check_output
from pix2pix.timing.plain import PlainStep, verdict, with_usual_layers
from pix2pix.timing.steps import Check, Side, for_the_check, mean_move, our_side, plain_side
from pix2pix.training.losses import discriminator_loss, generator_loss

TINY = ("--preset", "quick", "--size", "64", "--steps", "1")


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The real command, on one thread."""
    return subprocess.run(
        [sys.executable, "-m", "pix2pix.benchmark", *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(benchmark.__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def figures_of(*arguments: str, folder: Path) -> dict[str, Any]:
    ended = command(*arguments, "--json", folder=folder)
    assert ended.returncode == 0, ended.stderr
    printed: dict[str, Any] = json.loads(ended.stdout)  # one object and nothing else
    return printed


def tiny_task(name: str = "facades", **changes: dict[str, Any]) -> Task:
    task = load_task(name, "quick")
    small: dict[str, Any] = {
        "data": {"size": 64, "load_size": 64},
        "model": {"width": 8, "discriminator_width": 8},
        "train": {"precision": "fp32"},
    }
    return validate(merge(merge(task.model_dump(), small), changes), "test")


# --- the real command ---


def test_training_beside_the_plain_step(tmp_path: Path) -> None:
    figures = figures_of("train", "--against", "plain", *TINY, folder=tmp_path)
    assert figures["ratio"] == pytest.approx(figures["images_per_second"] / figures["plain_images_per_second"])
    assert figures["images_per_second"] == pytest.approx(figures["batch"] / figures["seconds_a_step"])
    assert figures["peak_share"] == pytest.approx(
        figures["flops_a_step"] / figures["seconds_a_step"] / figures["peak_flops_per_second"]
    )
    assert figures["peak_share"] > 0
    assert sum(figures["where_time_goes"].values()) == pytest.approx(1)
    assert all(
        figures["where_time_goes"][kind] > 0 for kind in ("convolution forward", "convolution backward", "norms")
    )
    assert all(figures[name] > 2**27 for name in ("peak_memory_bytes", "plain_peak_memory_bytes"))
    assert figures["losses"]["ours"].keys() == figures["losses"]["plain"].keys()
    assert {"l1", "generator", "discriminator", "features"} < set(figures["losses"]["plain"])
    assert {"gradient_generator", "gradient_discriminator"} < set(figures["losses"]["plain"])
    assert {"move_generator", "move_discriminator"} < set(figures["losses"]["plain"])
    assert (figures["steps"], figures["period"]) == (4, 4)  # the one step asked for, made a whole period
    assert figures["batch"] == 4
    assert figures["precision"] in ("fp32", "bf16")
    assert figures["machine"]
    assert figures["command"].startswith("python -m pix2pix.benchmark train --against plain --preset quick")


def test_translation_beside_the_plain_way(tmp_path: Path) -> None:
    arguments = ("--backend", "torch", "--generator", "compact_unet", "--size", "64", "--steps", "1")
    figures = figures_of("translate", "--against", "plain", *arguments, folder=tmp_path)
    best = figures["backends"][figures["fastest"]]
    assert figures["fastest"] != "plain"
    assert figures["images_per_second"] == best["pictures_per_second"]
    assert figures["ratio"] == pytest.approx(figures["images_per_second"] / figures["plain_images_per_second"])
    assert figures["peak_memory_bytes"] == best["peak_memory_bytes"]
    assert figures["flops_a_picture"] > 1e6
    assert figures["peak_share"] == pytest.approx(
        figures["flops_a_picture"] * figures["images_per_second"] / figures["peak_flops_per_second"]
    )
    ours, plain = figures["backends"]["torch"], figures["backends"]["plain"]
    assert ours["ratio"] == pytest.approx(plain["milliseconds"] / ours["milliseconds"])
    assert ours["pictures_per_second"] == pytest.approx(1000 / ours["milliseconds"])
    assert ours["mean_difference"] <= ours["largest_difference"] < 0.05  # of 255 levels: the same function in fp32
    assert figures["size"] == 64


def test_data_cold_and_warm(tmp_path: Path) -> None:
    arguments = ("--data", "embedded", "--preset", "quick", "--size", "64", "--images", "24")
    figures = figures_of("data", *arguments, folder=tmp_path)
    assert figures["images"] == 24
    assert figures["pairs"] == 1800
    assert figures["images_per_second"] > figures["cold_images_per_second"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "unknown verb 'trian'; did you mean 'train'?"),
        (["train", "--task", "facade"], "unknown task 'facade'; did you mean 'facades'?"),
        (["train", "--steps", "-1"], "steps"),
        (["train", "--size", "100"], "size: got 100, expected a power of two"),
        (["train", "--step", "3"], "--steps"),
        (["translate", "--backend", "torhc"], "--backend 'torhc': not available here; did you mean 'torch'?"),
        (["translate", "--model", "nobody"], "no model 'nobody'"),
        (["translate", "--model", "facades", "--generator", "unet"], "both --model and --generator"),
        (["data", "--data", "nowhere"], "nowhere: no such folder"),
        (["growth", "--include", "nothing.json", "--only", "data"], "nothing.json: cannot be read"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is looked at
        benchmark.main(arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_real_command_refuses_with_a_status(tmp_path: Path) -> None:
    ended = command("trian", folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == "pix2pix benchmark: unknown verb 'trian'; did you mean 'train'?\n"
    assert ended.stdout == ""


def test_sides_that_disagree_end_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(*arguments: object) -> dict[str, Any]:
        check_agreement({"l1": 0.5}, {"l1": 0.6}, "bf16")
        raise AssertionError

    monkeypatch.setattr(training, "measure", measure)
    monkeypatch.setattr(translation, "measure", measure)
    monkeypatch.setattr(growth, "grow", measure)
    for arguments in (["train", *TINY], ["translate", "--backend", "torch"], ["growth"]):
        assert benchmark.main(arguments) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1
        assert "'l1' of the same pair and weights is 0.5 here and 0.6 in the plain step" in said.err


class WrongWay:
    """A worker that is off: half a range from the plain way's output, or no number."""

    def __init__(self, build: object, backend: str, *arguments: object, name: str) -> None:
        self.value = {"plain": 0.0, "torch": 1.0, "onnxruntime-int8": 0.5}.get(backend, float("nan"))

    def __enter__(self) -> WrongWay:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def ask(self, method: str, *_arguments: object) -> Any:
        numbers = {"seconds": (1.0, 1.0), "peak_memory": 1, "matmul_flops_per_second": 1e12}
        return numbers.get(method, np.full((1, 3, 4, 4), self.value, np.float32))


def test_a_backend_that_computes_something_else_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(translation, "Worker", WrongWay)
    for backend, off in (("torch", "12"), ("torch-bf16", "nan")):  # 127.5 levels
        assert benchmark.main(["translate", "--against", "plain", "--backend", backend, "--steps", "1"]) == 1
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert f"backend '{backend}' differs from the generator itself by {off}" in said.err
    measured = translation.measure(tiny_task(), None, 64, ["onnxruntime-int8"], 1, against_plain=True)
    assert measured["backends"]["onnxruntime-int8"]["mean_difference"] == pytest.approx(63.75)  # lossy, and listed


def test_how_far_a_backend_may_be_off() -> None:
    check_output("torch-bf16", 0.99)
    check_output("onnxruntime-int8", 5.0)
    for backend, difference in (("openvino", 1.01), ("openvino", float("nan")), ("onnxruntime-int8", float("nan"))):
        with pytest.raises(Disagreement, match="no speed is compared"):
            check_output(backend, difference)


# --- the two sides ---


def sides(task: Task) -> tuple[Side, Side]:
    task = for_the_check(task)
    return our_side(task, still=True), plain_side(task, still=True)


@pytest.mark.parametrize("adversarial", ["non_saturating", "least_squares"])
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_both_sides_compute_the_same(one_thread: None, adversarial: str, norm: str) -> None:
    task = tiny_task(train={"adversarial": adversarial, "l1_weight": 7.0}, model={"norm": norm, "dropout": 0.5})
    ours, plain = sides(task)
    for seed in (0, 1):
        assert check_agreement(ours.losses(seed), plain.losses(seed), "fp32") < 1e-4


def test_both_sides_judge_the_same_patches_where_a_part_was_known(one_thread: None) -> None:
    ours, plain = sides(tiny_task("inpaint"))
    assert check_agreement(ours.losses(0), plain.losses(0), "fp32") < 1e-4


def test_the_check_sees_losses_gradients_and_moves(one_thread: None) -> None:
    task = tiny_task(train={"discriminator_rate": 0.25})
    ours, plain = (Check(build, task).figures(0) for build in (our_side, plain_side))
    assert check_agreement(ours, plain, "fp32") < 1e-4
    rate = task.train.learning_rate  # Adam's first step moves every weight that has a gradient by its rate
    assert plain["move_generator"] == pytest.approx(rate, rel=0.05)
    assert plain["move_discriminator"] == pytest.approx(rate / 4, rel=0.05)


def no_update(step: PlainStep) -> None:
    step.discriminator_adam.step = lambda: None  # type: ignore[method-assign,assignment,misc]


def another_rate(step: PlainStep) -> None:
    step.discriminator_adam.param_groups[0]["lr"] *= 1.01


def no_gradient(step: PlainStep) -> None:
    step.discriminator_adam.zero_grad = lambda *_: [  # type: ignore[method-assign,assignment]
        parameter.register_hook(torch.zeros_like)
        for parameter in step.discriminator.parameters()  # type: ignore[union-attr]
    ]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (no_gradient, "'gradient_discriminator'"),
        (no_update, "'move_discriminator'"),
        (another_rate, "'move_discriminator'"),
        (lambda step: step.generator_adam.param_groups[0].update(lr=1e-3), "'move_generator'"),
    ],
)
def test_an_update_that_is_wrong_is_found(
    one_thread: None, monkeypatch: pytest.MonkeyPatch, change: Callable[[PlainStep], Any], found: str
) -> None:
    class Wrong(PlainStep):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            change(self)

    ours = Check(our_side, tiny_task()).figures(0)
    monkeypatch.setattr(steps, "PlainStep", Wrong)
    with pytest.raises(Disagreement, match=found):
        check_agreement(ours, Check(plain_side, tiny_task()).figures(0), "fp32")


def test_mean_move_by_hand() -> None:
    before, after = [torch.zeros(3), torch.ones(1, 1)], [torch.tensor([1.0, -1.0, 0.0]), torch.tensor([[3.0]])]
    assert mean_move(before, after) == 1.0


def test_the_check_moves_no_weight(one_thread: None) -> None:
    for side in sides(tiny_task()):
        before = [parameter.clone() for parameter in side.networks["generator"].parameters()]
        side.losses(0)
        for old, new in zip(before, side.networks["generator"].parameters(), strict=True):
            torch.testing.assert_close(new, old, atol=1e-20, rtol=0)  # a bias of 0 may become 1e-30


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_one_wrong_weight_is_found(one_thread: None, network: str) -> None:
    ours, plain = sides(tiny_task())
    with torch.no_grad():
        next(plain.networks[network].parameters()).flatten()[0].add_(0.5)
    with pytest.raises(Disagreement, match="no speed is compared"):
        check_agreement(ours.losses(0), plain.losses(0), "fp32")


def test_a_loss_that_is_no_number_is_no_agreement() -> None:
    with pytest.raises(Disagreement):
        check_agreement({"l1": float("nan")}, {"l1": 0.5}, "bf16")


def test_the_plain_losses_are_the_products() -> None:
    scores = torch.randn(2, 2, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    for kind in ("non_saturating", "least_squares"):
        total = verdict(kind, scores[0], True) + verdict(kind, scores[1], False)
        torch.testing.assert_close(total, discriminator_loss(kind, scores[0], scores[1]))
        torch.testing.assert_close(verdict(kind, scores[0], True), generator_loss(kind, scores[0]))
    with pytest.raises(ValueError, match="'hinge' has no plain step"):
        verdict("hinge", scores[0], True)


@pytest.mark.parametrize("name", ["unet", "compact_unet", "resnet6", "encoder_decoder"])
def test_the_plain_networks_hold_none_of_this_products_layers(name: GeneratorName) -> None:
    rng = torch.Generator().manual_seed(0)
    generator = build_generator(name, 3, 3, size=64, width=8, rng=rng).eval()
    discriminator = build_discriminator(3, 3, width=8)
    picture = torch.rand(1, 3, 64, 64, generator=rng) * 2 - 1
    parameters = dict(generator.named_parameters())
    before = generator(picture).detach()  # with gradients, as matrix products are for training alone
    PlainStep(generator, discriminator, tiny_task().train)
    after = generator(picture).detach()
    layers = [*generator.modules(), *discriminator.modules()]
    assert not any(isinstance(layer, InstanceNorm | StridedConv | TransposedConv | PlainConv) for layer in layers)
    assert any(isinstance(layer, nn.InstanceNorm2d) for layer in layers)
    assert {type(layer) for layer in layers if isinstance(layer, nn.Conv2d)} == {nn.Conv2d}
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(dict(generator.named_parameters()), parameters, atol=0, rtol=0)
    assert not any(layer.training for layer in with_usual_layers(generator).modules())


def test_joining_copies_no_gradient_in_the_plain_step() -> None:
    first, second = (torch.rand(1, channels, 4, 4, requires_grad=True) for channels in (3, 5))
    arrived: dict[str, torch.Tensor] = {}
    halves = [first * 1, second * 1]
    joined = join(halves[0], halves[1])
    for name, each in {"joined": joined, "first": halves[0], "second": halves[1]}.items():
        each.register_hook(lambda gradient, name=name: arrived.update({name: gradient}))  # type: ignore[no-untyped-call]
    torch.autograd.backward(joined.square().sum())
    whole = arrived["joined"]
    assert arrived["first"].data_ptr() == whole.data_ptr()
    assert arrived["second"].data_ptr() == whole[:, 3:].data_ptr()
