"""LPIPS, the distance of two pictures in the activations of a network, weighed as people judged pairs of patches.

Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (arXiv 1801.03924),
equation 1, in version 0.1 of the authors' weights.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pix2pix.metrics.judges import (
    Unavailable,
    as_batch,
    fill,
    fingerprint,
    hub_file,
    install_line,
    load_weights_file,
    silence,
)

Say = Callable[[str], None]
Network = Literal["alex", "vgg", "squeeze"]
NetworkChoice = Literal["auto", "alex", "vgg", "squeeze"]
Embedding = tuple[Tensor, ...]
"""One tensor (1, C, H, W) a layer, so scaled that a squared difference is weighed as equation 1 has it."""

# The authors' program: what they subtract and divide by for pictures in [-1, 1], and the guard of their norm.
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_EPSILON = 1e-10


@dataclass(frozen=True)
class _Backbone:
    title: str
    ends: tuple[int, ...]
    """One behind the last of the backbone's `features` before each layer that is compared."""
    least: int
    """Pixels a side below which nothing is left after the last pooling."""


_BACKBONES: dict[Network, _Backbone] = {
    "alex": _Backbone("AlexNet", (2, 5, 8, 10, 12), 31),
    "vgg": _Backbone("VGG-16", (4, 9, 16, 23, 30), 16),
    "squeeze": _Backbone("SqueezeNet 1.1", (2, 5, 8, 10, 11, 12, 13), 17),
}


class Lpips:
    """LPIPS with one backbone. One picture at a time, so that no figure depends on a picture's neighbours.

    `name` is the backbone's; `weights` are the fingerprints of its file and of the file of the layers' weights, as
    `BACKBONE+HEADS`.
    """

    def __init__(
        self, name: Network, weights: str, features: nn.Sequential, heads: Sequence[Tensor], device: torch.device
    ) -> None:
        """`features` are the backbone's without its classifier, `heads` one (C,) a layer, not negative."""
        assert all(bool((head >= 0).all()) for head in heads)  # else no square root
        ends = _BACKBONES[name].ends
        assert len(heads) == len(ends)
        self.name = name
        self.weights = weights
        self._slices = [features[start:end].to(device) for start, end in zip((0, *ends), ends, strict=False)]
        self._roots = [head.sqrt().view(1, -1, 1, 1).to(device) for head in heads]
        self._device = device

    def embed(self, picture: NDArray[np.uint8]) -> Embedding:
        """(H, W, 3) RGB -> what `distance` compares: a target is embedded once for many outputs.

        Raises ValueError for a picture too small for the backbone.
        """
        height, width = picture.shape[:2]
        least = _BACKBONES[self.name].least
        if min(height, width) < least:
            expected = f"expected at least {least}x{least}, what {_BACKBONES[self.name].title} needs"
            raise ValueError(f"LPIPS: got a picture of {width}x{height}, {expected}")
        with torch.inference_mode():
            shift, scale = (torch.tensor(each, device=self._device).view(1, 3, 1, 1) for each in (_SHIFT, _SCALE))
            activations = (as_batch(picture, self._device) / 127.5 - 1 - shift) / scale
            layers = []
            for part, root in zip(self._slices, self._roots, strict=True):
                activations = part(activations)
                norm = activations.square().sum(1, keepdim=True).sqrt()
                layers.append(activations / (norm + _EPSILON) * root)
        return tuple(layers)

    def distance(self, output: Embedding, target: Embedding) -> float:
        """Equation 1 for two embeddings: 0 for equal pictures, more the less they look alike.

        Raises ValueError for pictures of two sizes.
        """
        if output[0].shape != target[0].shape:
            raise ValueError("LPIPS: got pictures of two sizes, expected one size")
        with torch.inference_mode():
            # (a - b)^2 summed over channels, averaged over places, added up over layers
            squared = [(one - other).square().sum(1).mean() for one, other in zip(output, target, strict=True)]
            return float(torch.stack(squared).sum())

    def __call__(self, output: NDArray[np.uint8], target: NDArray[np.uint8]) -> float:
        """The distance of two pictures (H, W, 3). Raises ValueError for two sizes, or for one too small."""
        if output.shape != target.shape:
            raise ValueError(f"LPIPS: got pictures of shape {output.shape} and {target.shape}, expected one shape")
        return self.distance(self.embed(output), self.embed(target))


def load_lpips(network: NetworkChoice, backbone: Path | None, device: str, say: Say) -> Lpips:
    """LPIPS on `network`, whose weights are in the file `backbone`, or else come from torchvision's own place.

    The file is a state dict of torchvision's network, whole or only its `features`, with or without that prefix.
    "auto": alex, the authors' own choice, else squeeze, else vgg, and `say` is told which and why.
    Raises Unavailable when none can be had, ValueError when `backbone` is not the network's file.
    """
    if network != "auto":
        return _load(network, backbone, device, say)
    if backbone is not None:
        raise ValueError(f"{backbone}: weights of which network? name it: alex, vgg or squeeze")
    reasons: list[str] = []
    order: tuple[Network, ...] = ("alex", "squeeze", "vgg")
    for candidate in order:
        try:
            judge = _load(candidate, None, device, say)
        except Unavailable as error:
            reasons.append(str(error))
            continue
        if reasons:
            say(f"LPIPS judges with {candidate}, not with the standard alex ({reasons[0]}); the two do not compare")
        return judge
    raise Unavailable(reasons[0])


def _load(name: Network, file: Path | None, device: str, say: Say) -> Lpips:
    what = f"LPIPS with {name}"
    heads = _heads_file(name, what)
    features, url = _torchvision_network(name, what)
    path = file or hub_file(url, f"the backbone of {what}", check_hash=True, say=say)
    state = {key.removeprefix("features."): value for key, value in load_weights_file(path).items()}
    fill(features, state, path, _BACKBONES[name].title)
    weights = load_weights_file(heads)
    layers = [weights[f"lin{layer}.model.1.weight"].flatten() for layer in range(len(_BACKBONES[name].ends))]
    return Lpips(name, f"{fingerprint(path)}+{fingerprint(heads)}", features, layers, torch.device(device))


def _heads_file(name: Network, what: str) -> Path:
    """The layers' weights in the package lpips, which need not be imported for them: it would bring SciPy."""
    found = importlib.util.find_spec("lpips")
    if found is None or found.origin is None:
        raise install_line(what, ImportError("No module named 'lpips'"))
    return Path(found.origin).parent / "weights" / "v0.1" / f"{name}.pth"


def _torchvision_network(name: Network, what: str) -> tuple[nn.Sequential, str]:
    """The backbone's `features`, still without memory for weights, and where torchvision gets these."""
    try:
        with silence():
            from torchvision import models
    except (ImportError, RuntimeError) as error:  # the second beside another torch than its own
        raise install_line(what, error) from None
    with torch.device("meta"):  # VGG's classifier, which is dropped, would take half a gigabyte and seconds
        if name == "alex":
            network, weights = models.alexnet(), models.AlexNet_Weights.IMAGENET1K_V1
        elif name == "vgg":
            network, weights = models.vgg16(), models.VGG16_Weights.IMAGENET1K_V1
        else:
            network, weights = models.squeezenet1_1(), models.SqueezeNet1_1_Weights.IMAGENET1K_V1
    features = network.features
    assert isinstance(features, nn.Sequential)
    return features, str(weights.url)
