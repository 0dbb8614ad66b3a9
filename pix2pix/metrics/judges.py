"""Where the networks that judge pictures get their weights: from a file, from torch's cache, or from their makers."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import re
import sys
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn

TIMEOUT_SECONDS = 10
FINGERPRINT_DIGITS = 12


class Unavailable(ValueError):
    """The weights or the package of a judge cannot be had; one line says what, why, and what to do."""


def fingerprint(weights: Path | bytes) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of a file, or of bytes: which weights judged."""
    if isinstance(weights, bytes):
        return hashlib.sha256(weights).hexdigest()[:FINGERPRINT_DIGITS]
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:FINGERPRINT_DIGITS]


def load_weights_file(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.pth` or `.safetensors` file by name, on the CPU; nothing is unpickled but tensors.

    Raises ValueError with one line when there is no such file, or it is damaged or no state dict.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); expected a file of weights") from None
    try:
        if path.suffix == ".safetensors":
            state = load_safetensors(content)
        else:
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file raises whatever the layer that met the damage raises
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise ValueError(f"{path}: damaged, or no file of weights ({reason}); fetch or save it again") from None
    named = isinstance(state, Mapping) and all(isinstance(value, Tensor) for value in state.values())
    if not named or not state:
        raise ValueError(f"{path}: got {type(state).__name__}, expected a state dict: tensors by name and nothing else")
    return dict(state)


def fill(network: nn.Module, weights: Mapping[str, Tensor], path: Path, what: str) -> None:
    """Give `network` its weights; those of other parts, as a classifier that was left off, are passed over.

    Raises ValueError, naming the file `path` and the network `what`, when one is missing or has another shape.
    """
    expected = network.state_dict()
    wrong = [name for name, value in expected.items() if name not in weights or weights[name].shape != value.shape]
    if wrong:
        count = f"{len(wrong)} of {len(expected)} tensors are missing or have another shape, as '{wrong[0]}'"
        raise ValueError(f"{path}: not the weights of {what}: {count}")
    # Assigned rather than copied: the network may have been built without memory, on the device "meta". The layout is
    # made plain first: EfficientNet-Lite0's file keeps that of the program it was converted from.
    network.load_state_dict({name: weights[name].contiguous() for name in expected}, assign=True)
    network.float().requires_grad_(False).eval()


def as_batch(picture: NDArray[np.uint8], device: torch.device) -> Tensor:
    """(H, W, 3) -> (1, 3, H, W), uint8. One picture only: in a batch the last digits depend on the batch's size."""
    assert picture.ndim == 3, picture.shape
    assert picture.shape[2] == 3, picture.shape
    assert picture.dtype == np.uint8, picture.dtype
    # A copy in one fixed layout: torch warns of arrays that cannot be written, and convolves each layout another way.
    return torch.from_numpy(np.array(picture.transpose(2, 0, 1), order="C"))[None].to(device)


def hub_file(url: str, what: str, check_hash: bool, say: Callable[[str], None]) -> Path:
    """The file behind `url` in the cache that torchvision and torch.hub keep, downloaded first when it is not there.

    `what` names it in messages. `check_hash` holds it to the digits of its SHA-256 in its name (`vgg16-397923af.pth`).
    Raises Unavailable when it is not cached and its server does not answer within ten seconds, or sends no such file.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if path.is_file():
        return path
    remedy = f"fetch it where there is a network and put it at {path}, or pass the file"
    digits = re.search(r"-([0-9a-f]{8,})\.", path.name)
    try:
        _probe(url)
        say(f"downloading {what} from {url} to {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        prefix = digits[1] if check_hash and digits else None
        torch.hub.download_url_to_file(url, str(path), prefix, progress=sys.stderr.isatty())
    except (OSError, http.client.HTTPException, RuntimeError) as error:  # torch's word for a wrong hash is the last
        reason = " ".join(str(getattr(error, "reason", error)).split()) or type(error).__name__
        raise Unavailable(f"{what}: {url} cannot be had ({reason}); {remedy}") from None
    return path


def _probe(url: str) -> None:
    """Ask for the head of `url`: torch's own download would wait for minutes where a network swallows requests."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=TIMEOUT_SECONDS):
            pass
    except urllib.error.HTTPError as error:
        error.close()  # it answers; some servers refuse this question and still give the file


def install_line(what: str, error: Exception) -> Unavailable:
    """What to raise when a package that `what` needs cannot be imported."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return Unavailable(f"{what}: a package is missing or broken ({reason}); pip install 'pix2pix[eval]'")


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Drop what other people's packages print and warn of inside."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield
