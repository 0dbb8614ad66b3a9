"""Adam on weights whose channels lie last: torch's own numbers, and none of its copies."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from pix2pix.training.adam import Adam

SHAPES = [(8, 6, 4, 4), (6, 8, 3, 3), (5, 7, 1, 1), (1, 4, 2, 2), (9,), (4, 5)]


def make_parameters(channels_last: bool) -> list[nn.Parameter]:
    rng = torch.Generator().manual_seed(0)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    tensors = [torch.randn(shape, generator=rng) for shape in SHAPES]
    return [nn.Parameter(t.contiguous(memory_format=layout) if t.ndim == 4 else t) for t in tensors]


def gradients(step: int) -> list[Tensor]:
    rng = torch.Generator().manual_seed(100 + step)
    return [torch.randn(shape, generator=rng) for shape in SHAPES]


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("gradients_last", [True, False])
def test_the_steps_are_those_of_torchs_plain_adam(channels_last: bool, gradients_last: bool) -> None:
    mine, plain = make_parameters(channels_last), make_parameters(False)
    optimizers = [
        Adam(mine, lr=1e-2, betas=(0.5, 0.999), fused=True),
        torch.optim.Adam(plain, lr=1e-2, betas=(0.5, 0.999), foreach=False),
    ]
    for step in range(4):
        for parameters, optimizer in zip((mine, plain), optimizers, strict=True):
            for parameter, gradient in zip(parameters, gradients(step), strict=True):
                last = gradients_last and parameters is mine and gradient.ndim == 4
                parameter.grad = gradient.contiguous(memory_format=torch.channels_last) if last else gradient
            optimizer.step()
    for one, other in zip(mine, plain, strict=True):
        torch.testing.assert_close(one.detach(), other.detach(), rtol=1e-5, atol=1e-6)


def copies(layout: torch.memory_format, kind: type[torch.optim.Adam]) -> int:
    weights = [nn.Parameter(torch.randn(8, 6, 4, 4).contiguous(memory_format=layout)) for _ in range(3)]
    for weight in weights:
        weight.grad = torch.randn(8, 6, 4, 4).contiguous(memory_format=layout)
    optimizer = kind(weights, fused=True)
    optimizer.step()
    with profile(activities=[ProfilerActivity.CPU]) as trace:
        optimizer.step()
    return sum(event.count for event in trace.key_averages() if event.key == "aten::copy_")


def test_nothing_is_copied_when_gradients_lie_as_the_weights_do() -> None:
    row_major = copies(torch.contiguous_format, torch.optim.Adam)
    assert copies(torch.channels_last, Adam) == row_major
    assert copies(torch.channels_last, torch.optim.Adam) > row_major  # or there is no need for our own any more


def test_its_state_is_saved_and_loaded_in_the_weights_own_shape() -> None:
    parameters = make_parameters(True)
    optimizer = Adam(parameters, fused=True)
    for parameter, gradient in zip(parameters, gradients(0), strict=True):
        parameter.grad = gradient
    optimizer.step()
    state = optimizer.state_dict()["state"]
    assert [state[index]["exp_avg"].shape for index in range(len(SHAPES))] == [torch.Size(shape) for shape in SHAPES]
    for index, gradient in enumerate(gradients(0)):
        torch.testing.assert_close(state[index]["exp_avg"], 0.1 * gradient)
