"""A prior's parts of a run: its pictures, its networks, its judge, and how its samples are shown."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pix2pix.data.stream import Batch
from pix2pix.images import make_grid
from pix2pix.metrics.features import FeatureExtractor, load_extractor
from pix2pix.metrics.judges import Unavailable
from pix2pix.model_files import resolve_prior
from pix2pix.priors.configuration import PriorConfiguration
from pix2pix.priors.diagnosis import RULES
from pix2pix.priors.families import build_discriminator, build_generator, critic_of, load_prior
from pix2pix.priors.judging import features_of, judge, pictures_of, samples
from pix2pix.priors.objective import PriorObjective
from pix2pix.priors.pictures import PictureSet, PictureStream, as_targets, open_pictures
from pix2pix.priors.prior import Prior
from pix2pix.training import processes
from pix2pix.training.conduct import Parts, conduct, initialise_from, silent
from pix2pix.training.engine import Outcome
from pix2pix.training.probes import Examples
from pix2pix.training.tracking import RunFolder

Say = Callable[[str], None]
LOOKED_AT = 256  # pictures of dev at most that the best model is chosen by
SHOWN = 36
REAL_AT_MOST = 2000  # pictures that samples are judged against during a training
WALK_SEED = 1234  # of the samples that are looked at: the same all the way, so that one sees them grow


def train(configuration: PriorConfiguration, run: RunFolder, say: Say, command: str = "") -> Outcome:
    """Train a prior into `run`, or go on with the run that is there. Raises as `conduct` does."""
    return conduct(configuration, run, lambda say: assemble(configuration, say), say, command)


def assemble(configuration: PriorConfiguration, say: Say) -> Parts:
    """Pictures and objective of a prior. Raises ValueError where there are none, or `--init` does not fit."""
    data, settings = configuration.data, configuration.train
    pictures = processes.after_first(lambda: open_pictures(data, "train", say))
    dev = open_pictures(data, "dev", silent)
    say(f"data: {pictures.description}, {len(dev)} in dev")
    objective = build_objective(configuration, say)
    examples = Examples(_examples(objective.prior, pictures, 8), _examples(objective.prior, dev, LOOKED_AT))
    objective.kept = examples.dev.target
    if settings.judged:
        objective.judge = judge_of(pictures, settings.judged, say)
    return Parts(
        objective=objective,
        stream=PictureStream(pictures, data.flip, settings.seed),
        examples=examples,
        show=lambda batch, output: grid(output),
        rules=RULES,
        data=pictures.description,
        licence="unknown",
    )


def build_objective(configuration: PriorConfiguration, say: Say) -> PriorObjective:
    """The objective with fresh networks, drawn from the seed, the generator filled from `--init` if given."""
    settings = configuration.train
    rng = torch.Generator().manual_seed(settings.seed)
    generator = build_generator(configuration, rng)
    discriminator = build_discriminator(configuration, rng)
    if settings.init is not None:
        released = load_prior(resolve_prior(settings.init))
        initialise_from(generator, released, settings.init, say)
        try:
            discriminator.load_state_dict(critic_of(released))
            say("its discriminator is there, too")
        except RuntimeError:
            say("its discriminator is not there or has another shape: a new one first forgets what the old one knew")
    return PriorObjective(generator, discriminator, settings)


def judge_of(pictures: PictureSet, count: int, say: Say) -> Callable[[Prior], dict[str, float]] | None:
    """What gives KID and FID of `count` samples of a prior against `pictures`; None, and said, without its weights."""
    try:
        extractor: FeatureExtractor = load_extractor("auto", None, "cpu", silent)
    except Unavailable as missing:
        say(f"no KID and FID on the way: {missing}")
        return None
    chosen = spread(len(pictures), REAL_AT_MOST)
    real = features_of((pictures.picture(index) for index in chosen), extractor)
    say(f"KID and FID on the way: {count} samples against {len(chosen)} training pictures, features {extractor.name}")

    def judge_samples(prior: Prior) -> dict[str, float]:
        made = features_of(samples(prior, count, WALK_SEED), extractor)
        found = judge(real, made, extractor.name)
        return {"kid_x1000": 1000 * found.kid.value, "fid": found.fid}

    return judge_samples


def grid(output: Tensor) -> np.ndarray:
    """The first samples (N, 3, S, S), in rows."""
    pictures = list(pictures_of(output[:SHOWN]))
    columns = math.ceil(math.sqrt(len(pictures)))
    return make_grid([pictures[start : start + columns] for start in range(0, len(pictures), columns)])


def spread(count: int, most: int) -> tuple[int, ...]:
    """Up to `most` of `count` numbers, spread evenly."""
    taken = min(count, most)
    return tuple(place * count // taken for place in range(taken))


def _examples(prior: Prior, pictures: PictureSet, count: int) -> Batch:
    """Latents, always the same, and as many pictures spread evenly over the set."""
    chosen = spread(len(pictures), count)
    z = prior.sample(len(chosen), torch.Generator().manual_seed(WALK_SEED))
    return Batch(z, as_targets(np.stack([pictures.picture(index) for index in chosen])), chosen)
