"""The curves of a run: which quantities of its log are drawn together, and what a healthy curve looks like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pix2pix.reporting.plots import Plot, curve, star
from pix2pix.reporting.run_files import Best, Record, Summary

SEEN = "images seen"


@dataclass(frozen=True)
class Panel:
    """One plot of the page: which quantities of the log it draws (name -> label), and its words."""

    title: str
    series: dict[str, str]
    explanation: str
    y_title: str = ""
    smooth: bool = True  # whether a running mean helps; what is a mean already needs none


COLOURS = {"train_l1": 1, "dev_l1": 2, "dev_distance": 2}
"""Quantities that keep their colour from plot to plot; the others have that of their place in the panel."""

TRAINING = (
    Panel(
        "L1 of training batches",
        {"l1": "L1"},
        "Mean distance of output and target, pixel by pixel, of values from -1 to 1. Healthy: a fast fall at first, "
        "then slow or flat, as the adversarial loss trades some of it for sharpness.",
        "L1",
    ),
    Panel(
        "Generator against discriminator",
        {"generator": "generator", "discriminator": "discriminator"},
        "What each of the two fails to do. Healthy: both wander around a level, for neither can win for good. A "
        "discriminator that sinks to 0 while the generator climbs has won, and teaches nothing any more.",
        "adversarial loss",
    ),
    Panel(
        "Feature matching",
        {"features": "features"},
        "How different output and target look to the discriminator's inner layers. Healthy: quick changes at "
        "first, while these layers take shape, then a level or a slow rise, since they learn to see more.",
        "loss",
    ),
    Panel(
        "Gradient penalty",
        {"penalty": "penalty"},
        "How steep the discriminator is. Healthy: small against the losses, without growing peaks.",
        "penalty",
    ),
    Panel(
        "Penalties of a prior",
        {"r1": "R1", "path_length": "path length"},
        "How steep the discriminator is at real pictures, and how unevenly steps in w change pictures; each as it "
        "enters the loss, at the steps it falls in. Healthy: both fall at first and stay small, without growing peaks.",
        "penalty",
    ),
    Panel(
        "Pictures augmented",
        {"augmented": "of all pictures"},
        "The share of pictures, real and made, that are changed before the discriminator sees them. It rises while the "
        "discriminator knows the training pictures from those of dev. Healthy: a level below 1.",
        "share",
    ),
    Panel(
        "Scores of the discriminator",
        {"score_real": "real targets", "score_fake": "outputs"},
        "What it says of a patch on average, before any sigmoid; higher means more real. Healthy: targets stay above "
        "outputs, by a gap that neither closes (it tells nothing apart) nor widens to the end (nothing fools it).",
        "score",
    ),
    Panel(
        "Patches told right",
        {"real_right": "real targets", "fake_right": "outputs"},
        "The share of patches that the discriminator takes for what they are. Healthy: between 0.5, a coin, and some "
        "0.9. Both at 1 for long: it has won, and the generator learns little from it.",
        "share",
    ),
)

DEV = (
    Panel(
        "L1 on dev and on train",
        {"dev_l1": "dev, never trained on", "train_l1": "train"},
        "One measure, a share of the range, of pairs it learns from and of pairs kept aside. Healthy: both fall, and "
        "dev stays near train. Where train falls while dev rises, the network learns its pictures by heart. L1 prefers "
        "blurred outputs, so a small rise late in a run is no alarm by itself.",
        "L1",
    ),
    Panel(
        "Distance on dev",
        {"dev_distance": "distance"},
        "How far outputs are from targets in layout and in texture together, so that neither blur nor noise pays. "
        "Healthy: falls, then levels off. The star marks the best; a long rise after it means that training could have "
        "ended there.",
        "distance",
    ),
    Panel(
        "Kernel distance of samples",
        {"kid_x1000": "KID x 1000"},
        "How far samples are from training pictures as sets, by the features of a network that judges and chooses "
        "nothing. Healthy: a fast fall, then a slow one; 0 is as near as other pictures of the same kind.",
        "KID x 1000",
    ),
    Panel(
        "Frechet distance of samples",
        {"fid": "FID"},
        "The same as means and covariances. It is larger the fewer the pictures, so compare only within a run. "
        "Healthy: falls all along.",
        "FID",
    ),
    Panel(
        "Strength of the gradients",
        {"gradient_generator": "generator", "gradient_discriminator": "discriminator"},
        "Norm of each network's gradient at the last step before the evaluation. Healthy: the same order of size all "
        "along. A fall towards 0 is a network that no longer learns, growing peaks are a run about to break.",
        "norm",
    ),
)

SPEED = Panel(
    "Images per second",
    {"images_per_second": "images per second"},
    "Since the start, everything counted. Healthy: a short climb while things warm up, then flat. A slow sag means "
    "that something else wants the machine, or that it runs hot.",
    "images/s",
    smooth=False,
)

PROBES = {
    "probe_swapped_inputs": (
        "How much an output changes when it gets another pair's input, beside how much targets differ. Healthy: near "
        "1 or climbing there. Near 0, the generator ignores its input."
    ),
    "probe_chroma": (
        "How far the outputs' colours spread, beside the targets'. Healthy: climbs towards 1. Near 0, outputs are grey "
        "or all of one tint."
    ),
    "probe_spread": (
        "How much two samples differ, beside how much two pictures do. Healthy: climbs towards 1. Near 0, there is one "
        "sample only."
    ),
    "probe_checkerboard": (
        "How far the regular pattern that upsampling can leave stands out above the targets', in dB. Healthy: around "
        "0; from 6 on, it can be seen."
    ),
}
"""What a probe measures and what is healthy."""

OTHER_PROBE = "Taken at every evaluation. Healthy: it settles or drifts slowly; a jump is worth a look at the samples."


def sections(log: Sequence[Record], summary: Summary | None) -> list[tuple[str, list[Plot]]]:
    """Title and plots of each part of the page; what the log does not hold is left out."""
    probes = sorted({name for record in log for name in record if name.startswith("probe_")})
    panels = {
        "Training": TRAINING,
        "Pictures kept aside": DEV,
        "Probes": [Panel(_plain(name), {name: _plain(name)}, PROBES.get(name, OTHER_PROBE)) for name in probes],
        "Speed": (SPEED,),
    }
    drawn = {title: [_plot(panel, log, summary) for panel in of] for title, of in panels.items()}
    found = {title: [plot for plot in plots if plot is not None] for title, plots in drawn.items()}
    return [(title, plots) for title, plots in found.items() if plots]


def _plain(name: str) -> str:
    return name.removeprefix("probe_").replace("_", " ")


def _plot(panel: Panel, log: Sequence[Record], summary: Summary | None) -> Plot | None:
    traces = []
    for place, (name, label) in enumerate(panel.series.items()):
        points = [(record["images"], record[name]) for record in log if name in record]
        if any(math.isfinite(value) for _, value in points):
            images, values = [each for each, _ in points], [value for _, value in points]
            traces += curve(label, images, values, COLOURS.get(name, place), panel.smooth)
    if not traces:
        return None
    if "dev_distance" in panel.series:
        lowest = best(summary, log)
        traces += [] if lowest is None else [star("best", lowest.images, lowest.dev_distance, 1)]
    return Plot(panel.title, panel.explanation, traces, SEEN, panel.y_title)


def best(summary: Summary | None, log: Sequence[Record]) -> Best | None:
    """What the run says is its best, else the lowest distance in the log."""
    if summary is not None and summary.best is not None and math.isfinite(summary.best.dev_distance):
        return summary.best
    scored = [record for record in log if math.isfinite(record.get("dev_distance", math.nan))]
    if not scored:
        return None
    lowest = min(scored, key=lambda record: record["dev_distance"])
    return Best(images=int(lowest["images"]), dev_distance=lowest["dev_distance"])
