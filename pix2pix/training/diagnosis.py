"""What goes wrong in a training, told in plain words from the figures that its log holds.

Each rule looks at the last few evaluations, so that one odd figure says nothing, and names the figures it went by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Records = Sequence[Mapping[str, float]]
"""The log's lines that carry scores on `dev`, in order."""

LASTING = 3  # evaluations in a row that must show it
WARM_UP = 0.25  # of the run's images: before, colour and detail are still coming

SURE = 0.97  # of the patches told right, real and made: nothing is left to learn from them
FADED = 0.25  # of the gradient that the discriminator had at its strongest
UNCHANGED = 0.15  # of the difference between two targets
MEMORISED = 1.5  # times the L1 on training pairs
WORSE = 1.05  # times the best L1 on `dev`
GREY = 0.3  # of the spread of the targets' colours
PEAK = 6.0  # dB above the targets'; visible to the eye when enlarged


@dataclass(frozen=True)
class Finding:
    """One thing that goes wrong: what is seen, and what helps."""

    name: str
    images: int
    sentence: str
    advice: str


Rule = Callable[[Records, Records], Finding | None]
"""From all records, and the last few, to what is wrong."""


def diagnose(records: Records, total: int, rules: Sequence[Rule]) -> list[Finding]:
    """What the evaluations so far show of a run of `total` images; empty while all is well, or it is too early."""
    if not can_tell(records, total):
        return []
    late = [record for record in records if record["images"] >= WARM_UP * total]
    found = (rule(records, late[-LASTING:]) for rule in rules)
    return [finding for finding in found if finding is not None]


def can_tell(records: Records, total: int) -> bool:
    """Whether there are evaluations enough for a diagnosis."""
    return sum(record["images"] >= WARM_UP * total for record in records) >= LASTING


def discriminator_won(records: Records, last: Records) -> Finding | None:
    """Every patch is told right and the discriminator hardly learns any more: the generator does not catch up."""
    left = gradient_left(records, last)
    if left is None:
        return None
    end = last[-1]
    return _finding(
        "the discriminator has won",
        end,
        f"It tells {end['real_right']:.0%} of the real and {end['fake_right']:.0%} of the made patches right (mean "
        f"scores {end['score_real']:.1f} and {end['score_fake']:.1f}), and its gradient has fallen to "
        f"{left:.0%} of its largest: it hardly learns any more, and the generator does not catch up.",
        "Lower --train.discriminator-rate, raise --train.r1 (10, say), or use --train.l1-weight 10 with "
        "--train.feature-weight 10, which gives the generator a goal even then.",
    )


def gradient_left(records: Records, last: Records) -> float | None:
    """Share of its strongest gradient that a discriminator has left which has won; None for one that has not."""
    if not all(record.get("real_right", 0) > SURE and record.get("fake_right", 0) > SURE for record in last):
        return None
    strongest = max(record.get("gradient_discriminator", 0.0) for record in records)
    now = max(record.get("gradient_discriminator", 0.0) for record in last)
    return None if strongest == 0 or now > FADED * strongest else now / strongest


def ignores_input(records: Records, last: Records) -> Finding | None:
    """Swapping the inputs leaves the outputs nearly as they are."""
    if not all(record.get("probe_swapped_inputs", 1.0) < UNCHANGED for record in last):
        return None
    return _finding(
        "the generator ignores its input",
        last[-1],
        f"When inputs are swapped, outputs change by {last[-1]['probe_swapped_inputs']:.0%} of what the targets differ "
        "by: every input gets nearly the same picture.",
        "Look whether inputs and targets really belong together (the sample grids show them side by side). If they do, "
        "train longer, or raise --train.l1-weight where a discriminator takes part.",
    )


def overfits(records: Records, last: Records) -> Finding | None:
    """Training pairs are met far better than `dev`, and `dev` was met better before."""
    best = min(records, key=lambda record: record["dev_l1"])
    if best["images"] >= last[0]["images"]:
        return None
    if not all(record["dev_l1"] > max(MEMORISED * record["train_l1"], WORSE * best["dev_l1"]) for record in last):
        return None
    end = last[-1]
    return _finding(
        "it learns the training pairs by heart",
        end,
        f"L1 is {end['train_l1']:.3f} on training pairs and {end['dev_l1']:.3f} on dev, where it was "
        f"{best['dev_l1']:.3f} at {best['images']:,.0f} images.",
        "Stop earlier (--patience IMAGES; best.safetensors holds the best model so far), add pairs, start from a "
        "trained model (--init), or take a smaller generator.",
    )


def lost_colour(records: Records, last: Records) -> Finding | None:
    """Outputs follow their inputs, but have far less colour than the targets."""
    if not all(record.get("probe_chroma", 1.0) < GREY for record in last) or ignores_input(records, last):
        return None
    return _finding(
        "the colours have collapsed",
        last[-1],
        f"The outputs' colours spread {last[-1]['probe_chroma']:.0%} as far as the targets': all are nearly one tint.",
        "L1 averages the colours that could be: lower --train.l1-weight, beside a --train.gan-weight above 0, which "
        "makes it choose one.",
    )


def shows_checkerboard(records: Records, last: Records) -> Finding | None:
    """A pattern repeats at the period of an upsampling layer."""
    if not all(record.get("probe_checkerboard", 0.0) > PEAK for record in last):
        return None
    return _finding(
        "a checkerboard shows",
        last[-1],
        "At the period of an upsampling layer (2 or 4 pixels) the outputs have a peak "
        f"{last[-1]['probe_checkerboard']:.0f} dB above the targets'.",
        "Train on, for it often fades as the rate falls; where --model.upsampling is transposed, use resize.",
    )


RULES: tuple[Rule, ...] = (discriminator_won, ignores_input, overfits, lost_colour, shows_checkerboard)


def _finding(name: str, record: Mapping[str, float], sentence: str, advice: str) -> Finding:
    return Finding(name, int(record["images"]), sentence, advice)
