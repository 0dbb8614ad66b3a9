"""The paper's strided convolutions as matrix products: the same function and gradients, chosen by size."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from pix2pix.nn.matrix_convolutions import StridedConv, TransposedConv, as_matrix_product, gather, scatter

CASES = [(n, c, o, h, w) for n, c, o in ((1, 32, 24), (3, 20, 40)) for h, w in ((2, 2), (2, 6), (4, 2))]


@pytest.mark.parametrize(("n", "channels", "after", "height", "width"), CASES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_output_and_gradients_are_the_convolutions(
    n: int, channels: int, after: int, height: int, width: int, bias: bool, layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    for kind in (StridedConv, TransposedConv):
        layer = kind(channels, after, bias).double().to(memory_format=layout)
        x = torch.randn(n, channels, height, width, dtype=torch.double).contiguous(memory_format=layout)
        assert as_matrix_product(layer.weight, x)
        x.requires_grad_()
        function = F.conv2d if kind is StridedConv else F.conv_transpose2d
        expected = function(x, layer.weight, layer.bias, 2, 1)
        found = layer(x)
        torch.testing.assert_close(found, expected)
        pull = torch.randn_like(expected)
        wanted = [x, *layer.parameters()]
        for one, other in zip(
            torch.autograd.grad(found, wanted, pull), torch.autograd.grad(expected, wanted, pull), strict=True
        ):
            torch.testing.assert_close(one, other)


def test_large_maps_and_inference_stay_convolutions() -> None:
    layer = StridedConv(8, 8)
    small, large = torch.zeros(1, 8, 4, 4), torch.zeros(1, 8, 32, 32)
    assert as_matrix_product(layer.weight, small)
    assert not as_matrix_product(layer.weight, large)
    with torch.no_grad():
        assert not as_matrix_product(layer.weight, small)


@pytest.mark.parametrize("kind", [StridedConv, TransposedConv])
def test_autocast_gives_the_type_of_the_convolution(kind: type[StridedConv | TransposedConv]) -> None:
    layer, x = kind(64, 64), torch.randn(1, 64, 4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert as_matrix_product(layer.weight, x)
        assert layer(x).dtype == torch.bfloat16


def test_scatter_is_the_adjoint_of_gather() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 6, 8, 5, dtype=torch.double)
    patches = torch.randn(2 * 3 * 4, 16 * 5, dtype=torch.double)
    forth = (gather(x) * patches).sum()
    back = (x * scatter(patches.view(2, 3, 4, 80))).sum()
    torch.testing.assert_close(forth, back)


def test_a_patch_is_what_the_paper_calls_one() -> None:
    x = torch.arange(16.0).view(1, 4, 4, 1)
    first, _, _, last = gather(x).view(4, 4, 4)
    assert first.tolist() == [[0, 0, 0, 0], [0, 0, 1, 2], [0, 4, 5, 6], [0, 8, 9, 10]]
    assert last.tolist() == [[5, 6, 7, 0], [9, 10, 11, 0], [13, 14, 15, 0], [0, 0, 0, 0]]
