"""A generator of what is to be added to its input: where most of the picture is there already, it starts from there.

Zhang et al. 2017, "Beyond a Gaussian Denoiser" (arXiv 1608.03981), section III.
"""

from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool2d


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
        return x[:, : self.channels] + change * self.unknown(x)

    def unknown(self, x: Tensor) -> Tensor:
        """(N, 1, H, W): 1 where something is added to x, 0 where it is known."""
        return (1 - x[:, self.channels :]) / 2


def made_patches(generator: nn.Module, source: Tensor, scores: Tensor) -> Tensor | None:
    """Where `generator` keeps what is known of `source` (N, C, H, W): 1 for the patches with `scores` (N, 1, h, w) of
    which it made a part, 0 for the others. None for other generators, which make all."""
    if not isinstance(generator, Residual) or source.shape[1] == generator.channels:
        return None
    return adaptive_max_pool2d(generator.unknown(source), scores.shape[2:])
