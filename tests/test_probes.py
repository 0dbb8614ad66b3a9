"""The figures that a run is looked at through: what each is for outputs whose fault is known."""

from __future__ import annotations

import math

import pytest
import torch
from test_texture import pattern, textured
from torch import nn

from pix2pix.data.stream import Batch
from pix2pix.metrics.texture import picture_distance
from pix2pix.training.probes import Examples, chroma_spread, gradient_norm, scores

TARGETS = textured(0, 64)
EXAMPLES = Examples(Batch(TARGETS, TARGETS, (0, 1, 2, 3)), Batch(TARGETS, TARGETS, (0, 1, 2, 3)))


def test_outputs_equal_to_the_targets() -> None:
    found = scores(EXAMPLES, TARGETS, TARGETS)
    assert found == {
        **dict.fromkeys(("dev_distance", "dev_l1", "train_l1"), 0.0),
        "probe_checkerboard": pytest.approx(0, abs=5),
        "probe_swapped_inputs": 1.0,
        "probe_chroma": 1.0,
    }
    assert found["probe_checkerboard"] <= 0


def test_distances_are_shares_of_the_range() -> None:
    found = scores(EXAMPLES, TARGETS + 0.1, TARGETS - 0.2)
    assert found["train_l1"] == pytest.approx(0.05, abs=1e-6)
    assert found["dev_l1"] == pytest.approx(0.1, abs=1e-6)
    assert found["dev_distance"] == picture_distance(TARGETS - 0.2, TARGETS)


def test_one_picture_for_every_input_ignores_it() -> None:
    assert scores(EXAMPLES, TARGETS, TARGETS[:1].expand_as(TARGETS))["probe_swapped_inputs"] == 0
    halfway = (TARGETS + TARGETS.mean(dim=0)) / 2
    assert scores(EXAMPLES, TARGETS, halfway)["probe_swapped_inputs"] == pytest.approx(0.5, abs=1e-5)


def test_gray_outputs_have_no_colour() -> None:
    gray = TARGETS.mean(dim=1, keepdim=True).expand_as(TARGETS)
    assert scores(EXAMPLES, TARGETS, gray)["probe_chroma"] < 1e-5
    assert scores(EXAMPLES, TARGETS, (gray + TARGETS) / 2)["probe_chroma"] == pytest.approx(0.5, abs=1e-5)


def test_a_pattern_shows() -> None:
    found = scores(EXAMPLES, TARGETS, TARGETS + pattern(2, 0.05, TARGETS.shape, both=True))
    assert found["probe_checkerboard"] > 10


def test_what_cannot_be_told_is_left_out() -> None:
    one = Batch(TARGETS[:1], TARGETS[:1], (0,))
    assert "probe_swapped_inputs" not in scores(Examples(one, one), TARGETS[:1], TARGETS[:1])
    gray = TARGETS.mean(dim=1, keepdim=True)
    for targets in (gray, gray.expand(-1, 3, -1, -1), gray.expand(-1, 12, -1, -1)):
        batch = Batch(TARGETS, targets, (0, 1, 2, 3))
        assert "probe_chroma" not in scores(Examples(batch, batch), targets, targets)


def test_spread_of_colours_in_closed_form() -> None:
    pictures = torch.zeros(1, 3, 2, 1)
    pictures[0, 0] = torch.tensor([[0.4], [-0.4]])  # red alone: red - green is 0.4, half of it yellow against blue
    deviation = math.sqrt(0.4**2 + 0.2**2) * math.sqrt(2)  # of a sample of two
    assert chroma_spread(pictures) == pytest.approx(deviation / 2, rel=1e-5)
    assert chroma_spread(pictures + 0.3) == pytest.approx(deviation / 2, rel=1e-5)


def test_norm_of_gradients() -> None:
    network = nn.Linear(1, 2)
    assert gradient_norm(network.parameters()) == 0.0
    network.weight.grad, network.bias.grad = torch.tensor([[3.0], [0.0]]), torch.tensor([0.0, 4.0])
    assert gradient_norm(network.parameters()) == 5.0
    network.bias.grad = None
    assert gradient_norm(iter(network.parameters())) == 3.0
