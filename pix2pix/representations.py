"""How a picture becomes numbers for a network and back: each representation is an encode/decode pair.

Outside are images, (H, W, C) uint8 or uint16; inside tensors, (C, H, W) float32 in [-1, 1], which lie in memory as the
images do. Nothing else converts.

`source` is the input picture, normalised, of the output's size: some outputs are only a part of a picture, and the
input has the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
import torch

from pix2pix.config import Data
from pix2pix.data.conditions.palette import Palette, nearest_class
from pix2pix.images import fill_smoothly, to_gray, to_rgb, to_rgb8
from pix2pix.lab import CHROMA_SCALE, recolour, rgb_to_lab
from pix2pix.schema import nearest

RAW_CHANNELS = 3


class Representation(Protocol):
    """An encode/decode pair. `channels` is C of the tensor."""

    @property
    def channels(self) -> int: ...

    @property
    def is_opaque(self) -> bool:
        """Whether transparency means nothing here, and is laid over white before a picture is resized."""

    def encode(self, image: np.ndarray) -> torch.Tensor:
        """(H, W, any C) uint8 or uint16 -> (channels, H, W) float32 in [-1, 1]."""

    def decode(self, tensor: torch.Tensor, source: np.ndarray | None = None) -> np.ndarray:
        """(channels, H, W), clamped -> (H, W, C) of the source's dtype, uint8 without a source.

        `lab_chroma` and `filled_rgb` are no whole pictures: they need the source.
        """


@dataclass(frozen=True)
class Rgb:
    """Colour, one channel each for red, green and blue."""

    channels: int = 3
    is_opaque: bool = True

    def encode(self, image: np.ndarray) -> torch.Tensor:
        return _to_tensor(to_rgb(image))

    def decode(self, tensor: torch.Tensor, source: np.ndarray | None = None) -> np.ndarray:
        return _to_image(tensor, self.channels, source)


@dataclass(frozen=True)
class Gray:
    """ITU-R BT.601 luma; decodes to one channel."""

    channels: int = 1
    is_opaque: bool = True

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
    is_opaque: bool = True

    @property
    def channels(self) -> int:
        return len(self.palette)

    def encode(self, image: np.ndarray) -> torch.Tensor:
        classes, _ = nearest_class(to_rgb8(image), self.palette)
        onehot = torch.full((*classes.shape, self.channels), -1.0)
        return onehot.scatter_(2, torch.from_numpy(classes).long()[:, :, None], 1.0).permute(2, 0, 1)

    def decode(self, tensor: torch.Tensor, source: np.ndarray | None = None) -> np.ndarray:
        _check_tensor(tensor, self.channels)
        colours = np.array(list(self.palette.values()), np.uint8)
        decoded: np.ndarray = colours[tensor.detach().argmax(0).cpu().numpy()]
        return decoded


@dataclass(frozen=True)
class LabChroma:
    """The colour of a picture without its lightness: a and b of CIE Lab over 110, as in Zhang et al. 2016
    (arXiv 1603.08511); sRGB has none beyond 1.

    Decodes with the source's lightness, kept exactly: where sRGB has no such colour, chroma gives way.
    """

    channels: int = 2
    is_opaque: bool = True

    def encode(self, image: np.ndarray) -> torch.Tensor:
        chroma = rgb_to_lab(to_rgb(image))[:, :, 1:] / CHROMA_SCALE
        return torch.from_numpy(chroma).permute(2, 0, 1)

    def decode(self, tensor: torch.Tensor, source: np.ndarray | None = None) -> np.ndarray:
        _check_tensor(tensor, self.channels)
        assert source is not None, "chroma alone is no picture"
        opaque = source if source.shape[2] == 1 else to_rgb(source)
        return recolour(opaque, tensor.detach().float().cpu().numpy())


@dataclass(frozen=True)
class MaskedRgb:
    """A picture with holes, where its alpha is below half: red, green and blue there come from the colours around, and
    the fourth channel is +1 where the picture is known and -1 in the holes. Decodes to four channels, transparent and
    black in the holes."""

    channels: int = 4
    is_opaque: bool = False

    def encode(self, image: np.ndarray) -> torch.Tensor:
        known = known_pixels(image)
        colour = fill_smoothly(image[:, :, :3] if image.shape[2] == 4 else to_rgb(image), known)
        half = np.iinfo(image.dtype).max / 2
        mask = np.where(known, 1, -1)[:, :, None]
        return torch.from_numpy(np.concatenate([colour / half - 1, mask], 2, dtype=np.float32)).permute(2, 0, 1)

    def decode(self, tensor: torch.Tensor, source: np.ndarray | None = None) -> np.ndarray:
        _check_tensor(tensor, self.channels)
        known = tensor[3:] > 0
        colour = torch.where(known, tensor[:3].float(), -1.0)
        return _to_image(torch.cat([colour, known.float() * 2 - 1]), self.channels, source)


@dataclass(frozen=True)
class FilledRgb:
    """Colour for the holes of a picture. Decodes to the source with its holes filled; every known pixel stays as is."""

    channels: int = 3
    is_opaque: bool = True

    def encode(self, image: np.ndarray) -> torch.Tensor:
        return _to_tensor(to_rgb(image))

    def decode(self, tensor: torch.Tensor, source: np.ndarray | None = None) -> np.ndarray:
        assert source is not None, "what fills a hole is no picture"
        filled = _to_image(tensor, self.channels, source)
        known = source[:, :, :3] if source.shape[2] == 4 else to_rgb(source)
        return np.where(known_pixels(source)[:, :, None], known, filled)


@dataclass(frozen=True)
class Raw:
    """Channels as they are, whatever they mean; none is turned into another.

    Encoding raises ValueError for a picture with another number of them.
    """

    channels: int
    is_opaque: bool = False

    def encode(self, image: np.ndarray) -> torch.Tensor:
        if image.shape[2] != self.channels:
            raise ValueError(f"got {image.shape[2]} channels, expected {self.channels}")
        return _to_tensor(image)

    def decode(self, tensor: torch.Tensor, source: np.ndarray | None = None) -> np.ndarray:
        return _to_image(tensor, self.channels, source)


def known_pixels(image: np.ndarray) -> np.ndarray:
    """(H, W, C) -> (H, W) bool: where a picture is opaque by half or more; everywhere without an alpha channel."""
    if image.shape[2] != 4:
        return np.ones(image.shape[:2], bool)
    known: np.ndarray = image[:, :, 3] > np.iinfo(image.dtype).max // 2
    return known


def _to_tensor(image: np.ndarray) -> torch.Tensor:
    """0..max of the dtype to [-1, 1]; float32 keeps even 16 bits apart."""
    half = float(np.iinfo(image.dtype).max) / 2
    return torch.from_numpy(image.astype(np.float32, order="C")).div_(half).sub_(1).permute(2, 0, 1)


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


REPRESENTATIONS: Mapping[str, Callable[[Palette | None, int | None], Representation]] = MappingProxyType(
    {
        "rgb": lambda palette, channels: Rgb(),
        "gray": lambda palette, channels: Gray(),
        "labels_onehot": lambda palette, channels: _labels_onehot(palette),
        "lab_chroma": lambda palette, channels: LabChroma(),
        "masked_rgb": lambda palette, channels: MaskedRgb(),
        "filled_rgb": lambda palette, channels: FilledRgb(),
        "raw": lambda palette, channels: Raw(channels or RAW_CHANNELS),
    }
)


def build_representation(name: str, palette: Palette | None = None, channels: int | None = None) -> Representation:
    """The representation of that name; `palette` matters to label maps only, `channels` to raw pictures.

    Raises ValueError for an unknown name and for a label map without a palette.
    """
    if name not in REPRESENTATIONS:
        raise ValueError(f"no representation '{name}', {nearest(name, REPRESENTATIONS)}")
    return REPRESENTATIONS[name](palette, channels)


def representations(data: Data) -> tuple[Representation, Representation]:
    """Of a task's input and of its target."""
    return (
        build_representation(data.input, data.palette, data.input_channels),
        build_representation(data.target, data.palette, data.target_channels),
    )
