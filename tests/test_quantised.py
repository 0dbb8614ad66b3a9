"""Weights in 8 bits: values by hand, half a step at most, nothing moves the second time, and torch's own agrees."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pix2pix.quantised import LEAST, LEVELS, SCALES, dequantise, quantise


def drawn(rows: int, seed: int, spread: float = 1.0) -> Tensor:
    """At least `LEAST` weights in `rows` rows, each of another size."""
    rng = torch.Generator().manual_seed(seed)
    sizes = torch.logspace(-3, 1, rows)[:, None]
    return spread * sizes * torch.randn(rows, -(-LEAST // rows), generator=rng)


def test_levels_and_scales_by_hand() -> None:
    row = torch.tensor([1.27, -0.64, 0.004, 0.006, 0.0]).repeat(LEAST // 5)
    stored = quantise({"a": torch.stack([100 * row, torch.zeros_like(row)])})
    assert stored["a"][0, :5].tolist() == [127, -64, 0, 1, 0]
    assert stored["a" + SCALES].tolist() == [1, 1]  # zeros have no size, and any scale gives them back
    assert not stored["a"][1].any()
    assert dequantise(stored)["a"][0, :5].tolist() == [127, -64, 0, 1, 0]


@given(rows=st.integers(1, 200), seed=st.integers(0, 99), exponent=st.integers(-4, 3))
def test_no_weight_is_off_by_more_than_half_a_step_of_its_row(rows: int, seed: int, exponent: int) -> None:
    weights = drawn(rows, seed, 10.0**exponent)
    stored = quantise({"a": weights})
    assert stored["a"].dtype == torch.int8
    assert int(stored["a"].int().abs().max()) == LEVELS
    back = dequantise(stored)["a"]
    assert back.dtype == torch.float32
    step = stored["a" + SCALES].float()[:, None]
    assert bool(((back - weights).abs() <= 0.501 * step).all())
    # A scale of 8 bits is within 1/256 of the ideal one.
    torch.testing.assert_close(step[:, 0], weights.abs().amax(1) / LEVELS, rtol=1 / 256, atol=0)


@given(rows=st.integers(1, 200), seed=st.integers(0, 99), exponent=st.integers(-4, 3))
def test_what_is_quantised_stays_so_to_the_bit(rows: int, seed: int, exponent: int) -> None:
    stored = quantise({"a": drawn(rows, seed, 10.0**exponent)})
    again = quantise(dequantise(stored))
    assert all(torch.equal(again[name], tensor) for name, tensor in stored.items())


def test_it_agrees_with_torch() -> None:
    weights = drawn(64, seed=0)
    stored = quantise({"a": weights})
    zeros = torch.zeros(64, dtype=torch.int32)
    theirs = torch.fake_quantize_per_channel_affine(weights, stored["a" + SCALES].float(), zeros, 0, -LEVELS, LEVELS)
    torch.testing.assert_close(dequantise(stored)["a"], theirs)


def test_a_scale_for_each_row_is_finer_than_one_for_all() -> None:
    weights = drawn(64, seed=0)
    smallest = dequantise(quantise({"a": weights}))["a"][0] - weights[0]
    step_of_all = float(weights.abs().max()) / LEVELS
    assert float(smallest.abs().max()) < step_of_all / 1000


@pytest.mark.parametrize(
    "tensor",
    [
        torch.randn(LEAST - 1, 1),
        torch.randn(LEAST),
        torch.arange(2 * LEAST).view(2, -1),
        torch.tensor(3),
    ],
    ids=["small", "one axis", "whole numbers", "a counter"],
)
def test_what_is_not_worth_it_stays_as_it_is(tensor: Tensor) -> None:
    assert quantise({"a": tensor})["a"] is tensor
    assert dequantise({"a": tensor})["a"] is tensor


def test_shapes_are_kept() -> None:
    weights = {
        "conv": torch.randn(40, 30, 3, 3),
        "linear": torch.randn(100, 100),
        "constant": torch.randn(1, 640, 4, 4),
    }
    stored = quantise(weights)
    assert {name: len(stored[name + SCALES]) for name in weights} == {"conv": 40, "linear": 100, "constant": 1}
    back = dequantise(stored)
    assert {name: tensor.shape for name, tensor in back.items()} == {n: tensor.shape for n, tensor in weights.items()}
