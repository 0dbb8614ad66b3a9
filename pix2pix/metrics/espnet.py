"""The segmentation network that looks at pictures of streets for the FCN-score: ESPNet, trained on Cityscapes.

Mehta et al. 2018, "ESPNet: Efficient Spatial Pyramid of Dilated Convolutions for Semantic Segmentation"
(arXiv 1803.06815): the whole network, encoder and decoder (figure 4d), with alpha2 = 2 and alpha3 = 8, called p and q
in the published files. The FCN-score is section 3.2 of Isola et al. 2017 (arXiv 1611.07004): a network trained on
photos segments the output, and the classes it finds are compared with the label map that the output was made from.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

CLASSES: tuple[str, ...] = (
    *("road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation"),
    *("terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"),
)
"""The 19 classes that Cityscapes evaluates, in the order of their training numbers (Cordts et al. 2016)."""

VOID = len(CLASSES)

# Blocks of the second and the third level, channels of the three levels (figure 4d).
_ALPHA2, _ALPHA3 = 2, 8
_WIDTHS = (16, 64, 128)
_DILATIONS = (1, 2, 4, 8, 16)

# Of the Cityscapes training photos, in the network's order: blue, green, red.
_MEAN = np.array([72.3923111, 82.90893555, 73.15840149], np.float32)
_STD = np.array([45.3192215, 46.15289307, 44.91483307], np.float32)
_WIDTH, _HEIGHT = 1024, 512


class Segmenter(Protocol):
    """A network that names the class of every pixel."""

    @property
    def name(self) -> str:
        """Of the network, as reports show it."""

    @property
    def weights(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 of its file: scores under other weights do not compare."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, by number."""

    def segment(self, picture: NDArray[np.uint8]) -> NDArray[np.int64]:
        """(H, W, 3) RGB -> (H, W), numbers of `classes`, len(classes) where the network sees none of them."""


class EspNet:
    """ESPNet with its weights: a `Segmenter`."""

    name = "espnet"
    classes = CLASSES

    def __init__(self, network: nn.Module, weights: str, device: str) -> None:
        self.weights = weights
        self._network = network.eval().to(device)
        self._device = device

    def segment(self, picture: NDArray[np.uint8]) -> NDArray[np.int64]:
        """(H, W, 3) RGB -> (H, W), numbers of `CLASSES`, 19 for void.

        The network sees 1024x512 whatever the picture's size, as in its training: pictures made square from
        Cityscapes get their width back. Its scores, not its classes, are brought to the picture's size. Void takes part
        as any class does: where it wins, the network recognises nothing, which is wrong wherever the truth is a class.
        """
        assert picture.shape[2:] == (3,), picture.shape
        assert picture.dtype == np.uint8, picture.dtype
        resized = cv2.resize(picture, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_LINEAR)
        normalised = (resized[..., ::-1] - _MEAN) / _STD / 255
        batch = torch.from_numpy(np.ascontiguousarray(normalised.transpose(2, 0, 1)))[None]
        with torch.inference_mode():
            scores = self._network(batch.to(self._device))
            scores = functional.interpolate(scores, picture.shape[:2], mode="bilinear", align_corners=False)
            classes = scores.argmax(1)[0].cpu().numpy()
        return np.asarray(classes, np.int64)


class Network(nn.Module):
    """The layers, under the names that the published files give them.

    Shape: (N, 3, H, W), normalised, H and W multiples of 8 -> scores (N, 20, H, W), the last channel void.
    """

    def __init__(self) -> None:
        super().__init__()
        outputs = len(CLASSES) + 1
        self.encoder = _Encoder(outputs)
        self.level3_C = _Convolution(_WIDTHS[1] * 2 + 3, outputs, 1)
        self.br = _batch_norm(outputs)
        self.up_l3 = nn.Sequential(_doubling(outputs))
        self.combine_l2_l3 = nn.Sequential(
            _NormActivation(2 * outputs), _SpatialPyramid(2 * outputs, outputs, residual=False)
        )
        self.up_l2 = nn.Sequential(_doubling(outputs), _NormActivation(outputs))
        self.conv = _ConvolutionNormActivation(_WIDTHS[0] + outputs, outputs, 3)
        self.classifier = _doubling(outputs)

    def forward(self, x: Tensor) -> Tensor:
        half, quarter, eighth = self.encoder(x)
        from_eighth = self.up_l3(self.br(eighth))
        from_quarter = self.up_l2(self.combine_l2_l3(torch.cat([self.level3_C(quarter), from_eighth], 1)))
        scores: Tensor = self.classifier(self.conv(torch.cat([from_quarter, half], 1)))
        return scores


class _Encoder(nn.Module):
    """Features at a half and a quarter of the size, scores at an eighth.

    Each level begins beside a smaller copy of the picture itself, and ends beside its own first output (section 3.2).
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        first, second, third = _WIDTHS
        self.level1 = _ConvolutionNormActivation(3, first, 3, stride=2)
        self.b1 = _NormActivation(first + 3)
        self.level2_0 = _PyramidDown(first + 3, second)
        self.level2 = nn.Sequential(*(_SpatialPyramid(second, second) for _ in range(_ALPHA2)))
        self.b2 = _NormActivation(2 * second + 3)
        self.level3_0 = _PyramidDown(2 * second + 3, third)
        self.level3 = nn.Sequential(*(_SpatialPyramid(third, third) for _ in range(_ALPHA3)))
        self.b3 = _NormActivation(2 * third)
        self.classifier = _Convolution(2 * third, outputs, 1)
        self.halve = nn.AvgPool2d(3, stride=2, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        picture_half = self.halve(x)
        picture_quarter = self.halve(picture_half)
        half = self.level1(x)
        start = self.level2_0(self.b1(torch.cat([half, picture_half], 1)))
        quarter = self.b2(torch.cat([self.level2(start), start, picture_quarter], 1))
        start = self.level3_0(quarter)
        eighth = self.b3(torch.cat([start, self.level3(start)], 1))
        return half, quarter, self.classifier(eighth)


class _Branches(nn.Module):
    """Reduce, then five dilated convolutions side by side, fused step by step (figure 1 and section 3.1).

    Each of the wider branches is added to the sum of those before it, which removes the gridding of large dilations.
    The branch of dilation 1 has the channels that are left over, and stays out of the sums.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        width = outputs // len(_DILATIONS)
        self.c1 = _Convolution(inputs, width, kernel, stride=stride)
        self.d1 = _Convolution(width, outputs - 4 * width, 3)
        self.d2 = _Convolution(width, width, 3, dilation=2)
        self.d4 = _Convolution(width, width, 3, dilation=4)
        self.d8 = _Convolution(width, width, 3, dilation=8)
        self.d16 = _Convolution(width, width, 3, dilation=16)

    def branches(self, x: Tensor) -> Tensor:
        reduced = self.c1(x)
        to_2 = self.d2(reduced)
        to_4 = to_2 + self.d4(reduced)
        to_8 = to_4 + self.d8(reduced)
        to_16 = to_8 + self.d16(reduced)
        return torch.cat([self.d1(reduced), to_2, to_4, to_8, to_16], 1)


class _SpatialPyramid(_Branches):
    """The ESP block."""

    def __init__(self, inputs: int, outputs: int, residual: bool = True) -> None:
        super().__init__(inputs, outputs, kernel=1, stride=1)
        self.residual = residual
        self.bn = _NormActivation(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = self.branches(x)
        fused: Tensor = self.bn(x + y if self.residual else y)
        return fused


class _PyramidDown(_Branches):
    """The ESP block that halves the size; nothing to add its input to."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, kernel=3, stride=2)
        self.bn = _batch_norm(outputs)
        self.act = nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        fused: Tensor = self.act(self.bn(self.branches(x)))
        return fused


class _Convolution(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y


class _NormActivation(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bn = _batch_norm(channels)
        self.act = nn.PReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.act(self.bn(x))
        return y


class _ConvolutionNormActivation(_NormActivation):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(outputs)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.conv(x))


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)  # the authors'; torch's 1e-5 lets nearly constant channels explode


def _doubling(channels: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, channels, 2, stride=2, bias=False)


def load_espnet(path: Path, device: str = "cpu") -> EspNet:
    """The network with the authors' weights, `espnet_p_2_q_8.pth` of their repository's decoder.

    Raises ValueError when the file is missing, damaged, or holds other weights.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file raises whatever the layer that met the damage raises
        reason = (str(error).split("\n") or [""])[0][:120] or type(error).__name__
        raise ValueError(f"{path}: not a file of weights, or damaged: {reason}") from None
    network = Network()
    _check_weights(path, state, network)
    network.load_state_dict(state)
    _flush_to_zero(network)
    return EspNet(network, hashlib.sha256(content).hexdigest()[:12], device)


def _check_weights(path: Path, state: object, network: Network) -> None:
    expected = {name: tensor for name, tensor in network.state_dict().items() if "num_batches_tracked" not in name}
    what = "expected those of espnet_p_2_q_8.pth, ESPNet's whole network for Cityscapes"
    if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise ValueError(f"{path}: holds no weights by name; {what}")
    extra = [name for name in state if name not in network.state_dict()]
    for name in [*expected, *extra]:
        if name not in state or name not in expected:
            raise ValueError(f"{path}: other weights: '{name}' is {'too much' if name in state else 'missing'}; {what}")
        if state[name].shape != expected[name].shape:
            got = f"{tuple(state[name].shape)}, not {tuple(expected[name].shape)}"
            raise ValueError(f"{path}: other weights: '{name}' is {got}; {what}")


def _flush_to_zero(network: Network) -> None:
    """Set vanishing weights to 0: 18,303 of the published ones are denormal numbers, on which processors are slow.

    One core with AVX-512 takes 0.34 s a picture instead of 4.8 s; the scores stay the same to the last bit.
    """
    with torch.no_grad():
        for weights in network.parameters():
            weights[weights.abs() < 1e-30] = 0
