"""Inversions kept: where in a generator's space a picture was found, written and had again to the bit.

Roich et al. 2021, arXiv 2106.05744: a pivot w, and the generator's weights tuned around it. The file holds w, the
weights and the noise inputs in 32 bits, and which prior they began as.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from pix2pix.checkpoint import write_atomically
from pix2pix.model_files import configuration_in
from pix2pix.priors.configuration import PriorConfiguration
from pix2pix.priors.families import ReleasedPrior, build_generator
from pix2pix.priors.prior import Prior
from pix2pix.restoration.inverting import Inversion, fixed, noise_inputs

FORMAT, VERSION = "pix2pix-inversion", "1"
WEIGHT, NOISE, LATENT = "weight.", "noise.", "w"


def save_inversion(path: Path, inversion: Inversion, released: ReleasedPrior) -> None:
    """Write it, and which prior it is from. Raises ValueError when the file cannot be written."""
    module = cast(nn.Module, inversion.prior)
    weights = {WEIGHT + name: tensor for name, tensor in module.state_dict().items()}
    noise = {NOISE + name: each.field for name, each in noise_inputs(module)}
    tensors = {name: tensor.detach().clone().contiguous() for name, tensor in {**weights, **noise}.items()}
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "prior": released.configuration.model_dump_json(),
        "fingerprint": hashlib.sha256(released.path.read_bytes()).hexdigest(),
        "steps": str(inversion.steps),
    }
    stored = {**tensors, LATENT: inversion.w.detach().contiguous()}
    write_atomically(path, lambda temporary: save_file(stored, temporary, metadata))


def load_inversion(path: Path) -> Inversion:
    """A saved inversion, with the prior as it was tuned.

    Raises ValueError when it is missing, damaged, or a file of another kind.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path}: not a readable inversion: {error}") from None
    if (metadata.get("format"), metadata.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"{path}: no inversion of this version; make one with pix2pix restore invert")
    module = build_generator(configuration_in(path, metadata, PriorConfiguration))
    try:
        module.load_state_dict({name.removeprefix(WEIGHT): stored[name] for name in stored if name.startswith(WEIGHT)})
        for name, each in noise_inputs(module):
            each.field = stored[NOISE + name]
        return Inversion(fixed(cast(Prior, module)), stored[LATENT], int(metadata["steps"]))
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: damaged: {' '.join(str(error).split())[:120]}; make it anew") from None
