"""`pix2pix benchmark`: figures that follow from each other, sides that compute the same, and mistakes in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pix2pix import benchmark
from pix2pix.config import Task, load_task, merge, validate
from pix2pix.nn import build_discriminator, build_generator
from pix2pix.nn.blocks import InstanceNorm
from pix2pix.timing import training
from pix2pix.timing.plain import PlainStep, verdict, with_usual_norms
from pix2pix.timing.profile import KINDS, REST, kind_of, shares
from pix2pix.timing.steps import Side, for_the_check, our_side, plain_side
from pix2pix.timing.training import Disagreement, check_agreement
from pix2pix.training.choices import choose
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


def tiny_task(**changes: dict[str, Any]) -> Task:
    task = load_task("facades", "quick")
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
    assert 0 < figures["peak_share"] < 1
    assert sum(figures["where_time_goes"].values()) == pytest.approx(1)
    assert all(
        figures["where_time_goes"][kind] > 0 for kind in ("convolution forward", "convolution backward", "norms")
    )
    assert all(figures[name] > 2**27 for name in ("peak_memory_bytes", "plain_peak_memory_bytes"))
    assert figures["losses"]["ours"].keys() == figures["losses"]["plain"].keys()
    assert {"l1", "generator", "discriminator", "features"} < set(figures["losses"]["plain"])
    assert figures["steps"] == 1
    assert figures["batch"] == 4
    assert figures["precision"] in ("fp32", "bf16")
    assert figures["machine"]
    assert figures["command"].startswith("python -m pix2pix.benchmark train --against plain --preset quick")


def test_translation_beside_the_plain_way(tmp_path: Path) -> None:
    arguments = ("--backend", "torch", "--generator", "compact_unet", "--size", "64", "--steps", "1")
    figures = figures_of("translate", "--against", "plain", *arguments, folder=tmp_path)
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
    def measure(task: Task, steps: int, against_plain: bool) -> dict[str, Any]:
        check_agreement({"l1": 0.5}, {"l1": 0.6}, "bf16")
        raise AssertionError

    monkeypatch.setattr(training, "measure", measure)
    assert benchmark.main(["train", *TINY]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "'l1' of the same pair and weights is 0.5 here and 0.6 in the plain step" in said.err


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


def test_the_plain_networks_hold_none_of_this_products_norms() -> None:
    rng = torch.Generator().manual_seed(0)
    generator = build_generator("compact_unet", 3, 3, size=64, width=8, rng=rng).eval()
    picture = torch.rand(1, 3, 64, 64, generator=rng) * 2 - 1
    with torch.no_grad():
        before = generator(picture)
        PlainStep(generator, build_discriminator(3, 3, width=8), tiny_task().train)
        after = generator(picture)
    assert not any(isinstance(layer, InstanceNorm) for layer in generator.modules())
    assert any(isinstance(layer, nn.InstanceNorm2d) for layer in generator.modules())
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-4)
    assert not any(layer.training for layer in with_usual_norms(generator).modules())


# --- what is counted ---


def test_flops_of_a_convolution_by_hand() -> None:
    layer = nn.Conv2d(3, 8, 4, stride=2, padding=1)
    picture = torch.rand(2, 3, 16, 16)  # needs no gradient itself: backward is the weight's gradient alone

    def step() -> dict[str, torch.Tensor]:
        loss = layer(picture).square().mean()
        torch.autograd.backward(loss)
        return {"loss": loss}

    side = Side(step, {"generator": layer}, choose(tiny_task().train))
    forward = 2 * (2 * 8 * 8 * 8) * (3 * 4 * 4)  # two operations x outputs x inputs of each
    assert side.flops() == 2 * forward
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        layer(picture)
    assert counter.get_total_flops() == forward
    weights = 8 * 3 * 16 + 8
    assert side.least_bytes() == weights * 40  # ten moves of four bytes
    assert Side(step, {"generator": layer}, side.choices, average=True).least_bytes() == weights * 52


def test_flops_grow_with_the_batch(one_thread: None) -> None:
    one, three = (our_side(tiny_task(train={"batch": batch})).flops() for batch in (1, 3))
    assert three == 3 * one


@pytest.mark.parametrize(
    ("operator", "kind"),
    [
        ("aten::mkldnn_convolution", "convolution forward"),
        ("aten::convolution_backward", "convolution backward"),
        ("aten::native_batch_norm_backward", "norms"),
        ("aten::leaky_relu_", "activations"),
        ("aten::tanh_backward", "activations"),
        ("aten::_fused_adam_", "optimiser"),
        ("aten::copy_", "copies and casts"),
        ("aten::cat", "copies and casts"),
        ("aten::mul", REST),
    ],
)
def test_kinds_of_work(operator: str, kind: str) -> None:
    assert kind_of(operator) == kind


def test_shares_are_of_the_whole() -> None:
    found = shares([("aten::mkldnn_convolution", 3.0), ("aten::relu", 1.0), ("aten::clamp_min", 0.0)])
    assert set(found) == {*KINDS, REST}
    assert found["convolution forward"] == 0.75
    assert found["activations"] == 0.25
