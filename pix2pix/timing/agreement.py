"""Whether two sides compute the same, without which their speeds are not compared."""

from __future__ import annotations

from collections.abc import Mapping

from pix2pix.backend_choice import LARGEST_DIFFERENCE

# Relative, of the losses of a step, and of its gradients and moves (`timing.steps.Check`). Measured at most, over
# generators of 64 and 128 px: losses 5e-7 in fp32 and 1.3e-3 in bf16, gradients 6e-5 and 1e-2, moves 7e-5 and 1.3e-3.
# Adam moves a weight whose gradient is nothing but rounding by as much as any other.
TOLERANCE = {"fp32": 1e-4, "bf16": 0.02}
TOLERANCE_OF_UPDATES = {"fp32": 1e-3, "bf16": 0.02}
LOSSY = ("onnxruntime-int8",)  # by nature: what it loses is listed


class Disagreement(Exception):
    """The two sides do not compute the same, so their speeds are not comparable."""


def check_agreement(ours: Mapping[str, float], plain: Mapping[str, float], precision: str) -> float:
    """The largest relative difference of a step's figures. Raises Disagreement where one is beyond its tolerance."""
    largest = 0.0
    for name, expected in plain.items():
        allowed = (TOLERANCE_OF_UPDATES if name.startswith(("gradient_", "move_")) else TOLERANCE)[precision]
        got = ours[name]
        difference = abs(got - expected) / max(abs(expected), 1e-12)
        if not difference <= allowed:
            raise Disagreement(
                f"'{name}' of the same pair and weights is {got:.6g} here and {expected:.6g} in the plain step: "
                f"{difference:.2g} apart, expected at most {allowed:g} in {precision}; no speed is compared"
            )
        largest = max(largest, difference)
    return largest


def check_output(backend: str, mean_difference: float) -> None:
    """Raises Disagreement where `backend` is further from the generator itself, in levels of 255, than it may be."""
    allowed = float("inf") if backend in LOSSY else LARGEST_DIFFERENCE
    if not mean_difference <= allowed:
        raise Disagreement(
            f"backend '{backend}' differs from the generator itself by {mean_difference:.3g} levels of 255 on average, "
            f"expected at most {allowed:g}; no speed is compared"
        )
