"""What `pix2pix benchmark train` counts and times: operations and bytes by hand, kinds of work, whole periods."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from test_benchmark import tiny_task
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pix2pix.timing import training
from pix2pix.timing.profile import KINDS, REST, kind_of, shares, where_time_goes
from pix2pix.timing.steps import Side, our_side
from pix2pix.training.choices import choose

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
    assert (
        Side(step, {"generator": layer}, side.choices, average=True).least_bytes() == weights * 43
    )  # 3 moves, every 4th


def test_flops_grow_with_the_batch(one_thread: None) -> None:
    one, three = (our_side(tiny_task(train={"batch": batch})).flops() for batch in (1, 3))
    assert three == 3 * one


@pytest.mark.parametrize(
    ("operator", "kind"),
    [
        ("aten::mkldnn_convolution", "convolution forward"),
        ("aten::mm", "convolution forward"),
        ("aten::bmm", "convolution forward"),
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
    times = [("aten::mkldnn_convolution", False, 2.0), ("aten::mm", True, 5.0), ("aten::relu", True, 1.0)]
    found = shares([*times, ("aten::clamp_min", False, 0.0)])
    assert set(found) == set(KINDS)
    assert found["convolution forward"] == 0.25
    assert found["convolution backward"] == 0.625
    assert found["activations"] == 0.125


@pytest.mark.parametrize("layer", [nn.Linear(64, 64), nn.Conv2d(1, 8, 3)])
def test_backward_is_what_autograd_runs(layer: nn.Module) -> None:
    """Products of matrices have one name, forward and backward."""
    x = torch.rand(1, 64, 64, requires_grad=True)
    forward = where_time_goes(lambda: layer(x), 3, "cpu")
    both = where_time_goes(lambda: torch.autograd.backward(layer(x).sum()), 3, "cpu")
    assert forward["convolution forward"] > 0
    assert forward["convolution backward"] == 0
    assert both["convolution forward"] > 0
    assert both["convolution backward"] > 0.05


# --- what is timed ---


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"ema": 0.0}, 1),
        ({"ema": 1000.0}, 4),
        ({"ema": 0.0, "r1": 1.0, "r1_every": 6}, 6),
        ({"ema": 1000.0, "r1": 1.0, "r1_every": 6}, 12),
        ({"ema": 1000.0, "r1": 1.0, "r1_every": 6, "gan_weight": 0.0}, 4),
    ],
)
def test_the_period_of_a_training(settings: dict[str, float], expected: int) -> None:
    found = tiny_task(train=settings).train
    assert training.period(found) == expected
    assert training.periods(expected + 1, found) == 2


class Clock:
    """A worker whose every fourth step takes long, as the average of the generator does."""

    def __init__(self, *arguments: object, name: str) -> None:
        self.made = 0

    def __enter__(self) -> Clock:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def ask(self, method: str, *arguments: int) -> Any:
        if method != "seconds":
            return {}
        first, self.made = self.made, self.made + arguments[0]
        return sum(5.0 if step % 4 == 0 else 1.0 for step in range(first, self.made))


@pytest.mark.parametrize("steps", [1, 4, 10])
def test_what_happens_in_some_steps_has_its_share(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    monkeypatch.setattr(training, "Worker", Clock)
    timed = training.time_sides(tiny_task(train={"ema": 1000.0}), steps, against_plain=True)
    assert timed["seconds"] == {"ours": 2.0, "plain": 2.0}
