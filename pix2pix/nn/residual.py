"""A generator of what is to be added to its input: where most of the picture is there already, it starts from there.

Zhang et al. 2017, "Beyond a Gaussian Denoiser" (arXiv 1608.03981), section III.
"""

from torch import Tensor, nn


class Residual(nn.Module):
    """x + inner(x), of the first ``channels`` of x.

    Shape: (N, in_channels, H, W) to (N, channels, H, W); in [-2, 2], since both are in [-1, 1].
    """

    def __init__(self, inner: nn.Module, channels: int) -> None:
        super().__init__()
        self.inner, self.channels = inner, channels
        self.multiple = inner.multiple

    def forward(self, x: Tensor) -> Tensor:
        return self.add(x, self.inner(x))

    def add(self, x: Tensor, change: Tensor) -> Tensor:
        """What the inner generator gave for x, added to it; in x's precision, which keeps 16-bit pictures fine."""
        return (x if x.shape[1] == self.channels else x[:, : self.channels]) + change
