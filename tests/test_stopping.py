"""When searches stop: the discrepancy principle, and the windowed variance on sequences whose valley is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pix2pix.restoration.stopping import WindowedVariance, is_within_noise


def test_the_variance_is_that_of_the_window() -> None:
    rng = np.random.default_rng(0)
    pictures = (3 + rng.normal(0, 1e-3, (40, 1, 3, 5, 4))).astype(np.float32)  # small beside the mean
    rule = WindowedVariance(window=7, patience=100)
    for step, picture in enumerate(pictures):
        found = rule.add(torch.from_numpy(picture))
        if step < 6:
            assert found is None
            continue
        window = pictures[step - 6 : step + 1].astype(np.float64)
        assert found == pytest.approx(window.var(axis=0).mean(), rel=1e-4)
        np.testing.assert_allclose(rule.mean.numpy(), window.mean(axis=0), rtol=1e-5)


def test_the_best_picture_is_at_the_valley() -> None:
    """Steps shrink until the 100th picture and grow after it: a window of 11 around it varies least."""
    positions = np.cumsum([abs(step - 100) / 100 + 0.01 for step in range(300)])
    rule = WindowedVariance(window=11, patience=40)
    best = None
    for step, position in enumerate(positions):
        rule.add(torch.full((1, 3, 2, 2), float(position)))
        best = step if rule.is_best else best
        if rule.is_over:
            break
    assert best == 105
    assert step == 105 + 40


def test_noise_on_the_variance_does_not_end_a_search_within_the_patience() -> None:
    rng = np.random.default_rng(1)
    rule = WindowedVariance(window=10, patience=60)
    for step in range(400):  # ever smaller steps, with wobbles
        rule.add(torch.full((1, 1, 2, 2), 10 * 0.98**step) + torch.from_numpy(rng.normal(0, 0.9**step, (1, 1, 2, 2))))
        assert not rule.is_over


def test_a_constant_sequence_ends_after_the_patience() -> None:
    rule = WindowedVariance(window=4, patience=5)
    ends = []
    for _ in range(9):
        rule.add(torch.ones(1, 3, 2, 2))
        ends.append(rule.is_over)
    assert ends == [False] * 8 + [True]
    assert rule.lowest == 0


def test_discrepancy_by_hand() -> None:
    assert is_within_noise(100.0, 100.0)
    assert not is_within_noise(100.1, 100.0)
    assert is_within_noise(110.0, 100.0, tau=1.2)
