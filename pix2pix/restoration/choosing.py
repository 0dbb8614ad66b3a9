"""Which way suits a picture that is searched without a prior, where nobody says how."""

from __future__ import annotations

import cv2
import numpy as np

from pix2pix.restoration.diagnosing import HOLES
from pix2pix.restoration.options import TOLD_BY_PATCHES, RestoreOptions, SolverName
from pix2pix.restoration.wanted import Fault

THIN = 3.0  # pixels into holes that patches tell as well as a network, chosen on five training photos
LET_BE = 0.01  # of the pixels of holes that may lie deeper, where thin ones meet


def solver_for(options: RestoreOptions, fault: Fault, holes: np.ndarray | None = None) -> SolverName:
    """The solver that `options` name, or else the one that suits the `fault`, and `holes` (H, W), true, if they are
    known.

    Patches tell noise and thin holes: soonest, and best. What a wide hole held has to be made up, and completions that
    differ come of seeds, which patches have none of: an untrained network does those, and all else.
    """
    named, _ = options.chosen()
    if named is not None:
        return named
    if fault.degradation not in TOLD_BY_PATCHES or (options.completions or 1) > 1:
        return "untrained"
    if fault.degradation in HOLES and (fault.sigma or holes is None or depth(holes) > THIN):
        return "untrained"
    return "patches"


def depth(holes: np.ndarray) -> float:
    """Distance in pixels to what is known that nearly all pixels of `holes` (H, W) bool have at most."""
    distances = cv2.distanceTransform(holes.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[holes]
    return float(np.quantile(distances, 1 - LET_BE, method="lower")) if holes.any() else 0.0
