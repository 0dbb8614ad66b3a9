"""What goes wrong in the training of a prior, from the figures that its log holds."""

from __future__ import annotations

from pix2pix.training.diagnosis import GREY, Finding, Records, Rule, gradient_left

ALIKE = 0.5  # of the difference between two pictures


def discriminator_won(records: Records, last: Records) -> Finding | None:
    """All is told right and the discriminator hardly learns any more: the generator does not catch up."""
    left = gradient_left(records, last)
    if left is None:
        return None
    end = last[-1]
    return Finding(
        "the discriminator has won",
        int(end["images"]),
        f"It tells {end['real_right']:.0%} of the pictures and {end['fake_right']:.0%} of the samples right, and its "
        f"gradient has fallen to {left:.0%} of its largest: it hardly learns any more.",
        "Raise --train.r1, keep --train.augment on, or add pictures.",
    )


def samples_alike(records: Records, last: Records) -> Finding | None:
    """Samples differ far less from each other than the pictures do."""
    del records
    if not all(record.get("probe_spread", 1.0) < ALIKE for record in last):
        return None
    end = last[-1]
    return Finding(
        "the samples are all alike",
        int(end["images"]),
        f"Two samples differ by {end['probe_spread']:.0%} of what two pictures differ by: the generator has collapsed "
        "to a few kinds.",
        "Raise --train.r1, lower --train.learning-rate, or take --train.batch larger; best.safetensors holds the best "
        "so far.",
    )


def lost_colour(records: Records, last: Records) -> Finding | None:
    """Samples have far less colour than the pictures."""
    del records
    if not all(record.get("probe_chroma", 1.0) < GREY for record in last):
        return None
    end = last[-1]
    return Finding(
        "the colours have collapsed",
        int(end["images"]),
        f"The samples' colours spread {end['probe_chroma']:.0%} as far as the pictures': all are nearly one tint.",
        "Leave colour out of --train.augment, or train on.",
    )


RULES: tuple[Rule, ...] = (discriminator_won, samples_alike, lost_colour)
