"""When to stop, without the true picture: flexible searches fit first the picture and then its noise.

With a known noise level: Morozov's discrepancy principle, Engl, Hanke and Neubauer 1996, "Regularization of Inverse
Problems", section 4.3. Without: the windowed moving variance of Wang et al. 2021, arXiv 2112.06074, algorithm 1.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import torch
from torch import Tensor

TAU = 1.0


def is_within_noise(squares: float, expected: float, tau: float = TAU) -> bool:
    """||y - A x||^2 <= tau * n * sigma^2: nothing but noise is left to fit. `expected` is n * sigma^2."""
    return squares <= tau * expected


@dataclass
class WindowedVariance:
    """The variance of the last `window` pictures: (1 / W) sum ||x_i - mean||^2, smallest where the noise sets in.

    `add` each picture; `is_best` tells whether the window that ends with it varies least so far, and `is_over` that
    none has for `patience` pictures. Running sums make a picture's cost that of one pass, whatever the window.
    """

    window: int
    patience: int
    lowest: float = field(default=float("inf"), init=False)
    is_best: bool = field(default=False, init=False)
    is_over: bool = field(default=False, init=False)
    _pictures: deque[Tensor] = field(default_factory=deque, init=False)
    _sum: Tensor | None = field(default=None, init=False)
    _squares: float = field(default=0.0, init=False)
    _since: int = field(default=0, init=False)

    def add(self, picture: Tensor) -> float | None:
        """The variance, a pixel's, of the window that ends with `picture`; None before the window is full."""
        assert self.window >= 2, self.window
        self._shift(picture.detach().float())
        self.is_best = False
        if len(self._pictures) < self.window or self._sum is None:
            return None
        values = picture.numel()
        mean_square = float(self._sum.square().sum()) / self.window**2
        variance = max(0.0, self._squares / self.window - mean_square) / values
        self.is_best = variance < self.lowest
        self.lowest = min(variance, self.lowest)
        self._since = 0 if self.is_best else self._since + 1
        self.is_over = self._since >= self.patience
        return variance

    @property
    def mean(self) -> Tensor:
        """The mean of the pictures in the window: smoother than the last one."""
        assert self._sum is not None, "no picture was added"
        return (self._sum / len(self._pictures)).float()

    def _shift(self, picture: Tensor) -> None:
        """Let `picture` in and the oldest out; sums in float64, as they are differences of large numbers."""
        if self._sum is None:
            self._sum = torch.zeros_like(picture, dtype=torch.float64)
        self._pictures.append(picture)
        self._sum += picture
        self._squares += float(picture.double().square().sum())
        if len(self._pictures) > self.window:
            oldest = self._pictures.popleft()
            self._sum -= oldest
            self._squares -= float(oldest.double().square().sum())
