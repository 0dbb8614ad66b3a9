"""How a picture becomes numbers for a network and back: each representation is an encode/decode pair.

Outside are images, (H, W, C) uint8 or uint16; inside tensors, (C, H, W) float32 in [-1, 1]. Nothing else converts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from pix2pix.config import nearest
from pix2pix.data.conditions import Palette, nearest_class
from pix2pix.images import to_gray, to_rgb, to_rgb8


class Representation(Protocol):
    """An encode/decode pair. `channels` is C of the tensor."""

    @property
    def channels(self) -> int: ...

    def encode(self, image: np.ndarray) -> torch.Tensor:
        """(H, W, any C) uint8 or uint16 -> (channels, H, W) float32 in [-1, 1]."""

    def decode(self, tensor: torch.Tensor, source: np.ndarray | None = None) -> np.ndarray:
        """(channels, H, W), clamped -> (H, W, C) of the source's dtype, uint8 without a source."""


@dataclass(frozen=True)
class Rgb:
    """Colour, one channel each for red, green and blue."""

    channels: int = 3

    def encode(self, image: np.ndarray) -> torch.Tensor:
        return _to_tensor(to_rgb(image))

    def decode(self, tensor: torch.Tensor, source: np.ndarray | None = None) -> np.ndarray:
        return _to_image(tensor, self.channels, source)


@dataclass(frozen=True)
class Gray:
    """ITU-R BT.601 luma; decodes to one channel."""

    channels: int = 1

    def encode(self, image: np.ndarray) -> torch.Tensor:
        return _to_tensor(to_gray(image))

    def decode(self, tensor: torch.Tensor, source: np.ndarray | None = None) -> np.ndarray:
        return _to_image(tensor, self.channels, source)


@dataclass(frozen=True)
class LabelsOnehot:
    """One channel a palette class, in the palette's order: +1 for the pixel's class and -1 elsewhere.

    Decodes to the colour of the largest channel; always uint8, since palette colours are.
    """

    palette: Palette

    @property
    def channels(self) -> int:
        return len(self.palette)

    def encode(self, image: np.ndarray) -> torch.Tensor:
        classes, _ = nearest_class(to_rgb8(image), self.palette)
        onehot = torch.full((self.channels, *classes.shape), -1.0)
        return onehot.scatter_(0, torch.from_numpy(classes).long()[None], 1.0)

    def decode(self, tensor: torch.Tensor, source: np.ndarray | None = None) -> np.ndarray:
        _check_tensor(tensor, self.channels)
        colours = np.array(list(self.palette.values()), np.uint8)
        decoded: np.ndarray = colours[tensor.detach().argmax(0).cpu().numpy()]
        return decoded


def _to_tensor(image: np.ndarray) -> torch.Tensor:
    """0..max of the dtype to [-1, 1]; float32 keeps even 16 bits apart."""
    half = float(np.iinfo(image.dtype).max) / 2
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)).div_(half).sub_(1)


def _to_image(tensor: torch.Tensor, channels: int, source: np.ndarray | None) -> np.ndarray:
    _check_tensor(tensor, channels)
    dtype = np.dtype(np.uint8) if source is None else source.dtype
    half = float(np.iinfo(dtype).max) / 2
    values = tensor.detach().float().clamp(-1, 1).add(1).mul(half).add(0.5).floor()
    # By way of int32: torch's uint16 has few operations. astype copies, so the image is writable and contiguous.
    return np.ascontiguousarray(values.to(torch.int32).cpu().numpy().transpose(1, 2, 0).astype(dtype))


def _check_tensor(tensor: torch.Tensor, channels: int) -> None:
    assert tensor.shape[:-2] == (channels,), f"{tuple(tensor.shape)}, expected ({channels}, H, W)"


def _labels_onehot(palette: Palette | None) -> Representation:
    if not palette:
        raise ValueError("'labels_onehot' got no palette, expected class colours: add `palette:` to the task's data")
    return LabelsOnehot(palette)


REPRESENTATIONS: dict[str, Callable[[Palette | None], Representation]] = {
    "rgb": lambda palette: Rgb(),
    "gray": lambda palette: Gray(),
    "labels_onehot": _labels_onehot,
}


def build_representation(name: str, palette: Palette | None) -> Representation:
    """The representation of that name; `palette` matters to label maps only.

    Raises ValueError for an unknown name and for a label map without a palette.
    """
    if name not in REPRESENTATIONS:
        raise ValueError(f"no representation '{name}', {nearest(name, REPRESENTATIONS)}")
    return REPRESENTATIONS[name](palette)
