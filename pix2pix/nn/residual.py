"""A generator of what is to be added to its input: where most of the picture is there already, it starts from there.

Zhang et al. 2017, "Beyond a Gaussian Denoiser" (arXiv 1608.03981), section III.
"""

from torch import Tensor, nn


class Residual(nn.Module):
    """x + inner(x), of the first ``channels`` of x. One more channel of x, if there is one, tells where x is known, +1,
    and nothing is added, and where it is not, -1.

    So the discriminator sees a mended picture as it is handed out, with the borders of what was mended.

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
        if x.shape[1] == self.channels:
            return x + change
        colours, known = x[:, : self.channels], x[:, self.channels :]
        return colours + change * ((1 - known) / 2)
