"""The paper's 4x4 convolutions of stride 2, which train as matrix products where their weights outweigh their maps.

At the bottom of the U-Net a layer has millions of weights and a few hundred positions. The CPU library's convolution
then spends its time on arranging the weights: forward and backward of 512 to 512 channels at 8x8, four pictures,
bfloat16, two Xeon cores, take 10.1 ms as a convolution and 3.3 as a matrix product; transposed, 1024 to 512 at 4x4,
25.8 and 5.9. With large maps it is the other way round, as every input position is copied into four patches.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

OUTWEIGHS = 4  # weights to input numbers, from where on the matrix product is faster


class StridedConv(nn.Conv2d):
    """Convolution, 4x4, stride 2, padding 1: (N, in, H, W) to (N, out, H / 2, W / 2), H and W even."""

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        if not as_matrix_product(self.weight, x):
            return super().forward(x)
        n, _, height, width = x.shape
        patches = gather(x.permute(0, 2, 3, 1))
        matrix = self.weight.permute(0, 2, 3, 1).flatten(1)  # (out, 16 * in), a view where channels lie last
        output = F.linear(patches, matrix, self.bias)
        return output.view(n, height // 2, width // 2, self.out_channels).permute(0, 3, 1, 2)


class TransposedConv(nn.ConvTranspose2d):
    """Transposed convolution, 4x4, stride 2, padding 1: (N, in, H, W) to (N, out, 2H, 2W)."""

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        if output_size is not None or not as_matrix_product(self.weight, x):
            return super().forward(x, output_size)
        n, _, height, width = x.shape
        matrix = self.weight.permute(0, 2, 3, 1).flatten(1)  # (in, 16 * out)
        patches = x.permute(0, 2, 3, 1).flatten(0, 2) @ matrix
        output = scatter(patches.view(n, height, width, 16 * self.out_channels))
        return (output if self.bias is None else output + self.bias.to(output.dtype)).permute(0, 3, 1, 2)


def as_matrix_product(weight: Tensor, x: Tensor) -> bool:
    """Whether the matrix product is the faster way to train `weight` on `x`."""
    return torch.is_grad_enabled() and x.device.type == "cpu" and weight.numel() > OUTWEIGHS * x.numel()


def gather(x: Tensor) -> Tensor:
    """All 4x4 patches at stride 2 of `x` (N, H, W, C), zeros around it, as rows: (N * H/2 * W/2, 16 * C).

    With a border of one, the map is a grid of 2x2 cells; a patch is two by two of them.
    """
    n, height, width, channels = x.shape
    rows, columns = height // 2, width // 2
    cells = F.pad(x, (0, 0, 1, 1, 1, 1)).view(n, rows + 1, 2, columns + 1, 2, channels).transpose(2, 3)
    corners = [[cells[:, a : a + rows, b : b + columns] for b in (0, 1)] for a in (0, 1)]
    # (N, rows, columns, a, row in the cell, b, column in the cell, C)
    patches = torch.stack([torch.stack(pair, dim=4) for pair in corners], dim=3)
    return patches.reshape(n * rows * columns, 16 * channels)


def scatter(patches: Tensor) -> Tensor:
    """The adjoint of `gather`: the sum of overlapping patches (N, H, W, 16 * C), border cut off, (N, 2H, 2W, C)."""
    n, height, width, _ = patches.shape
    parts = patches.view(n, height, width, 2, 2, 2, 2, -1)
    cells = torch.stack(
        [F.pad(parts[:, :, :, a, :, b], (0, 0, 0, 0, 0, 0, b, 1 - b, a, 1 - a)) for a in (0, 1) for b in (0, 1)]
    ).sum(dim=0)
    padded = cells.transpose(2, 3).reshape(n, 2 * height + 2, 2 * width + 2, -1)
    return padded[:, 1:-1, 1:-1].contiguous()
