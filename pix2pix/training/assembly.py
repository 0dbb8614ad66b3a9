"""A task's parts of a run: its pairs, its networks, and how their outputs are shown."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pix2pix import model_files
from pix2pix.checkpoint import load_model
from pix2pix.config import Task
from pix2pix.data.pairs import open_pairs
from pix2pix.data.stream import Batch, TrainingStream, fixed_examples
from pix2pix.images import make_grid, to_rgb8
from pix2pix.nn import Norm, build_discriminator
from pix2pix.representations import Representation, representations
from pix2pix.training import processes
from pix2pix.training.conduct import Parts, Say, conduct, initialise_from, silent
from pix2pix.training.diagnosis import RULES
from pix2pix.training.engine import Outcome
from pix2pix.training.objectives import Pix2Pix
from pix2pix.training.probes import Examples
from pix2pix.training.tracking import RunFolder
from pix2pix.translator import build_model_generator

PREVIEWS = 4
LOOKED_AT = {"train": 8, "dev": 16}  # pairs that a run is looked at through: enough to choose by, a few % of the time


def train(task: Task, run: RunFolder, say: Say, command: str = "") -> Outcome:
    """Train `task` into `run`, or go on with the run that is there. Raises as `conduct` does."""
    return conduct(task, run, lambda say: assemble(task, say), say, command)


def assemble(task: Task, say: Say) -> Parts:
    """Data, stream and objective of a task. Raises ValueError where there is no data, or `--init` does not fit."""
    source, target = representations(task.data)
    pairs = processes.after_first(lambda: open_pairs(task, "train", say))
    dev = open_pairs(task, "dev", silent) if len(pairs) > 1 else pairs
    if dev is pairs:
        say("one pair only: there is none to keep aside as dev, so nothing tells whether it is learnt by heart")
    examples = Examples(
        fixed_examples(pairs, task.data, source, target, LOOKED_AT["train"]),
        fixed_examples(dev, task.data, source, target, LOOKED_AT["dev"]),
    )
    return Parts(
        objective=build_objective(task, source, target, say),
        stream=TrainingStream(pairs, task.data, source, target, task.train.seed),
        examples=examples,
        show=lambda batch, output: grid(batch, output, source, target),
        rules=RULES,
        data=pairs.description,
        licence=pairs.licence,
    )


def build_objective(task: Task, source: Representation, target: Representation, say: Say) -> Pix2Pix:
    """The objective with fresh networks, drawn from the task's seed, the generator filled from `--init` if given."""
    settings, model = task.train, task.model
    rng = torch.Generator().manual_seed(settings.seed)
    generator = build_model_generator(task, rng)
    if settings.init is not None:
        released = load_model(model_files.resolve(settings.init))
        initialise_from(generator, released, settings.init, say)
    discriminator = None
    if settings.gan_weight > 0:
        discriminator = build_discriminator(
            target.channels,
            source.channels if model.conditional else 0,
            receptive_field=model.receptive_field,
            width=model.discriminator_width,
            norm=discriminator_norm(task),
            spectral=model.spectral,
            rng=rng,
        )
    return Pix2Pix(generator, discriminator, settings)


def grid(batch: Batch, output: Tensor, source: Representation, target: Representation) -> np.ndarray:
    """Sample grid of a few pairs spread evenly over `batch`, one row a pair: input, output, target."""
    count = min(PREVIEWS, len(output))
    chosen = [place * len(output) // count for place in range(count)]
    rows = []
    for row in chosen:
        shown = source.decode(batch.source[row].cpu())
        pictures = (target.decode(each[row].cpu(), shown) for each in (output, batch.target))
        rows.append([to_rgb8(picture) for picture in (shown, *pictures)])
    return make_grid(rows, titles=("input", "output", "target"))


def discriminator_norm(task: Task) -> Norm:
    """Spectral norm takes the place of the discriminator's norm layers; a WGAN-GP critic may not mix a batch either."""
    return "none" if task.model.spectral or task.train.adversarial == "wgan_gp" else task.model.norm
