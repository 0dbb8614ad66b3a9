"""Line drawings as inputs: edges, soft edges and a sketch from a photo, and any user's drawing made to look like them.

Edges: Canny 1986, "A computational approach to edge detection", doi 10.1109/TPAMI.1986.4767851, thinned by Zhang and
Suen 1984, doi 10.1145/357994.358023. Sketch: equations 7 and 4 of Winnemoeller, Kyprianidis and Olsen 2012, "XDoG: an
eXtended difference-of-Gaussians compendium", doi 10.1016/j.cag.2012.03.004.

A line drawing is dark lines on white paper, (H, W, 1): 0 is a line, the largest value of the type is paper. The
lines of `edges` and `lines` are thin: one pixel wide, with no 2 x 2 block of ink.
"""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from pix2pix.data.conditions.steps import ordered
from pix2pix.images import to_gray, to_rgb

Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]

Share = Annotated[float, Field(ge=0, le=1)]
Shares = Annotated[tuple[Share, Share], AfterValidator(ordered)]

# Steps lower than this, of a range of 0 to 1, are noise or the grey levels of a smooth gradient and never become
# lines. All other thresholds are relative, so they do not see the contrast of the photo.
_LOWEST_STEP = 8 / 255

# `lines`, chosen on drawings of known lines: drawn 1 to 8 pixels wide, in pencil grey, on uneven and noisy paper.
_WIDEST_STROKE = 1 / 20  # of the side; what is wider is an area, unless it is no more than a crossing of strokes
_PAPER_WINDOW = 1 / 8  # of the side
_DARKEST_PAPER = 0.35  # of the bright paper; what is darker is ink, however large
_FAINTEST_INK = 0.08
_SMALLEST_AREA = 5  # pixels of ink in a drawing of 256 x 256
_SPUR = 3  # pixels


def edges(image: np.ndarray, rng: np.random.Generator, *, detail: Share | Shares = 0.5) -> np.ndarray:
    """Canny edges of a photo, one pixel wide: (H, W, C) -> (H, W, 1) of the same dtype.

    The upper threshold is a quantile of the gradient's magnitude in this photo, the lower one 0.4 of it, so bright
    and pale photos give the same lines; nothing is drawn where no step is higher than 3 % of the range. `detail`
    says how many lines, 0 to 1; two numbers are a range, from which it is drawn for each picture. At 0.5 about 3 % of
    a shoe on white and 7 % of a natural photo of 256 x 256 pixels are line. The smoothing grows with the picture, so
    a large photo gives the lines of the small one.
    """
    detail = float(rng.uniform(*ordered(detail))) if isinstance(detail, tuple) else detail
    gray = _unit_gray(image)
    sigma = 0.7 + np.sqrt(gray.size) / 400
    dx, dy = _gradient(gray, sigma)
    magnitude = cv2.magnitude(dx, dy)
    upper = float(np.quantile(magnitude, 1 - 0.025 * 16**detail))
    upper = max(upper, _step_gradient(_LOWEST_STEP, sigma))
    if magnitude.max() <= upper:
        return _paint(np.zeros(gray.shape, np.bool_), image.dtype)
    # OpenCV wants whole numbers: as large as fit, for the finest steps.
    scale = 20000 / float(magnitude.max())
    dx, dy = (np.rint(plane * scale).astype(np.int16) for plane in (dx, dy))
    found = cv2.Canny(dx, dy, 0.4 * upper * scale, upper * scale, L2gradient=True) > 0
    return _paint(_thin(found), image.dtype)


def soft_edges(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Strength of edges over three scales, dark on white: (H, W, C) -> (H, W, 1) of the same dtype.

    At each scale the gradient's magnitude times sigma (Lindeberg's normalised derivative, the height of a step), the
    mean of the scales, divided by its 99th percentile in this photo; a flat picture stays white.
    """
    gray = _unit_gray(image)
    finest = 0.5 + np.sqrt(gray.size) / 500
    strength = np.zeros_like(gray)
    for sigma in (finest, 2 * finest, 4 * finest):
        dx, dy = _gradient(gray, sigma)
        strength += cv2.magnitude(dx, dy) / np.float32(3 * _step_gradient(1, sigma))
    strength /= max(float(np.quantile(strength, 0.99)), _LOWEST_STEP)
    return _tone(1 - strength, image.dtype)


def sketch(image: np.ndarray, rng: np.random.Generator, *, shade: Share = 0.3) -> np.ndarray:
    """A pencil-like drawing in continuous tone by XDoG: (H, W, C) -> (H, W, 1) of the same dtype.

    `shade` is how much of the photo's darkness stays between the lines, 0 none. The difference of Gaussians is
    divided by its 98th percentile in this photo, so bright and pale photos give the same lines.
    """
    gray = _unit_gray(image)
    sigma = 0.5 + np.sqrt(gray.size) / 400
    narrow, wide = (cv2.GaussianBlur(gray, (0, 0), width) for width in (sigma, 1.6 * sigma))
    difference = narrow - wide
    difference /= max(float(np.quantile(np.abs(difference), 0.98)), _LOWEST_STEP / 4)
    # Equation 7 with the shade thinned out and small differences, the grain of the photo, taken to nothing; then the
    # soft threshold of equation 4.
    lines_only = difference - np.clip(difference, -0.15, 0.15)
    sharpened = 1 - np.float32(shade) * (1 - wide) + lines_only
    return _tone(1 + np.tanh(np.minimum(sharpened - np.float32(0.9), 0) * np.float32(1.8)), image.dtype)


def lines(image: np.ndarray) -> np.ndarray:
    """Any line drawing as thin black lines on white, as `edges` draws them: (H, W, C) -> (H, W, 1), same dtype.

    Turned: light lines on dark paper. Removed: the paper's shade, uneven light, noise, specks. Dark as all others:
    pale and coloured pens. Thinned to one pixel: strokes up to 1/20 of the side. Wider areas become their outline,
    if they are dark; pale shading disappears. A picture of only 0 and white without a 2 x 2 block of ink comes back
    unchanged; every result is such a picture, so the function is idempotent on anything.

    For a network that works at 256 pixels, a drawing of 2000 is to be shrunk by area first: strokes that the
    shrinking made pale and blurred are found again, thin lines that are shrunk are not.
    """
    gray = to_gray(image)
    if _is_thin_drawing(gray):
        return gray.copy()
    darkness, noise = _darkness(image)
    ink = _ink(darkness, noise)
    return _paint(_prune(_thin(_outline_areas(ink))), image.dtype)


# --- photos ---


def _unit_gray(image: np.ndarray) -> Plane:
    """(H, W) in 0..1."""
    return np.asarray(to_gray(image)[:, :, 0], np.float32) / np.float32(np.iinfo(image.dtype).max)


def _gradient(gray: Plane, sigma: float) -> tuple[Plane, Plane]:
    smooth = cv2.GaussianBlur(gray, (0, 0), sigma)
    dx, dy = (cv2.Scharr(smooth, cv2.CV_32F, *axis, scale=1 / 32) for axis in ((1, 0), (0, 1)))
    return np.asarray(dx, np.float32), np.asarray(dy, np.float32)


def _step_gradient(height: float, sigma: float) -> float:
    """The gradient's magnitude on a straight step of this height under a Gaussian."""
    return height / float(sigma * np.sqrt(2 * np.pi))


def _tone(tone: Plane, dtype: np.dtype) -> np.ndarray:
    white = np.iinfo(dtype).max
    drawn: np.ndarray = np.rint(np.clip(tone, 0, 1) * white).astype(dtype)
    return drawn[:, :, None]


def _paint(ink: Mask, dtype: np.dtype) -> np.ndarray:
    drawn: np.ndarray = np.where(ink, 0, np.iinfo(dtype).max).astype(dtype)
    return drawn[:, :, None]


# --- thin lines ---


def _blocks(ink: Mask) -> Mask:
    """(H - 1, W - 1): where a 2 x 2 block of ink begins."""
    found: Mask = ink[:-1, :-1] & ink[1:, :-1] & ink[:-1, 1:] & ink[1:, 1:]
    return found


def _is_thin_drawing(gray: np.ndarray) -> bool:
    ink = gray[:, :, 0] == 0
    only_two = bool((ink | (gray[:, :, 0] == np.iinfo(gray.dtype).max)).all())
    return only_two and not _blocks(ink).any()


def _thin(ink: Mask) -> Mask:
    from skimage.morphology import skeletonize

    thin = np.asarray(skeletonize(ink), np.bool_)  # type: ignore[no-untyped-call]
    while (blocks := _blocks(thin)).any():
        row, column = np.argwhere(blocks)[0]
        thin[row, column] = False
    return thin


def _neighbours(ink: Mask) -> NDArray[np.uint8]:
    """How many of the 8 neighbours of each pixel of ink are ink; 0 on paper."""
    counts = cv2.boxFilter(ink.view(np.uint8), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.where(ink, counts - 1, 0).astype(np.uint8)


def _prune(thin: Mask) -> Mask:
    """Remove the short branches that the rim of a thick stroke leaves; lines that end freely keep their length.

    Standard pruning (Gonzalez and Woods, Digital Image Processing, 9.5): ends are eaten, then grow again where an
    end is left. A line that was eaten whole stays as it was.
    """
    ends = []
    kept = thin.copy()
    for _ in range(_SPUR):
        ends.append(kept & (_neighbours(kept) <= 1))
        kept &= ~ends[-1]
    window = np.ones((3, 3), np.uint8)
    for eaten in reversed(ends):
        tips = kept & (_neighbours(kept) <= 1)
        kept |= eaten & (cv2.dilate(tips.view(np.uint8), window) > 0)
    count, labels = cv2.connectedComponents(thin.view(np.uint8))
    survives = np.zeros(count, np.bool_)
    survives[labels[kept]] = True
    pruned: Mask = kept | (thin & ~survives[labels])
    return pruned


# --- any drawing ---


def _darkness(image: np.ndarray) -> tuple[Plane, float]:
    """How dark each pixel is against the paper around it, (H, W) in 0..1, and the noise's standard deviation."""
    planes = to_gray(image) if image.shape[2] == 1 else to_rgb(image)
    planes = planes.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    if _is_light_on_dark(_unit_gray(image)):
        planes = 1 - planes
    darkness = np.zeros(planes.shape[:2], np.float32)
    for plane in np.moveaxis(planes, 2, 0):  # a yellow pen is dark in blue only
        paper = _paper(np.ascontiguousarray(plane))
        np.maximum(darkness, 1 - plane / paper, out=darkness)
    # What most pixels show is paper: closing takes the brightest of it, which lies above the mean.
    usual = min(float(np.median(darkness)), 0.3)
    darkness = np.maximum(darkness - usual, 0) / np.float32(1 - usual)
    smooth = cv2.GaussianBlur(darkness, (3, 3), 0.7)
    detail = np.abs(darkness - smooth)
    noise = 2.4 * float(np.median(detail))
    return (smooth if noise > 0.01 else darkness), noise


def _is_light_on_dark(gray: Plane) -> bool:
    """Lines are narrow, so their departures from the local mean are few and large: the sign of the skewness.

    Where it says little, as in a blank or half black picture, the border is paper.
    """
    side = max(3, int(np.sqrt(gray.size) * _PAPER_WINDOW)) | 1
    departures = gray - cv2.blur(gray, (side, side))
    squared = departures * departures
    variance = float(squared.mean())
    skewness = float((squared * departures).mean()) / float(np.sqrt(max(variance, 1e-8) ** 3))
    if abs(skewness) > 1:
        return skewness > 0
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    return bool(variance > 1e-8 and np.median(border) < 0.5)


def _paper(plane: Plane) -> Plane:
    """The brightness of the paper everywhere, (H, W): a closing wider than the strokes, on a reduced copy."""
    height, width = plane.shape
    reduction = max(1.0, np.sqrt(plane.size) / 128)
    size = max(1, round(width / reduction)), max(1, round(height / reduction))
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    side = max(3, int(np.sqrt(small.size) * _PAPER_WINDOW)) | 1
    window = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    # Continued beyond the border, or the corner of a shadow would be too narrow to be paper.
    padded = cv2.copyMakeBorder(small, side, side, side, side, cv2.BORDER_REPLICATE)
    paper = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, window)[side:-side, side:-side]
    paper = cv2.GaussianBlur(paper, (0, 0), 1)  # more would smear the edge of a shadow into a line
    paper = np.maximum(paper, max(_DARKEST_PAPER * float(np.quantile(paper, 0.95)), 0.1))
    return np.asarray(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _ink(darkness: Plane, noise: float) -> Mask:
    """Hysteresis as Canny's: what is pale counts as ink where it touches what is dark; small specks are left out."""
    faintest = max(_FAINTEST_INK, 4 * noise)
    candidates = darkness[darkness > faintest]
    if candidates.size == 0:
        return np.zeros(darkness.shape, np.bool_)
    full = float(np.quantile(candidates, 0.9))
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(
        (darkness > max(faintest, 0.3 * full)).view(np.uint8), connectivity=8
    )
    keep = np.zeros(count, np.bool_)
    keep[labels[darkness > max(faintest, 0.5 * full)]] = True
    keep &= statistics[:, cv2.CC_STAT_AREA] >= _SMALLEST_AREA * max(1.0, np.sqrt(darkness.size) / 256)
    keep[0] = False
    ink: Mask = keep[labels]
    return ink


def _outline_areas(ink: Mask) -> Mask:
    """Hollow out what is wider than a stroke."""
    side = max(5, int(np.sqrt(ink.size) * _WIDEST_STROKE)) | 1  # OpenCV moves the opening by an even window
    if ink.sum() < 4 * side**2:
        return ink
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    areas = cv2.morphologyEx(ink.view(np.uint8), cv2.MORPH_OPEN, window, borderType=cv2.BORDER_REPLICATE)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(areas, connectivity=8)
    large = statistics[:, cv2.CC_STAT_AREA] >= 4 * side**2
    large[0] = False
    inside = cv2.erode(large[labels].view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    hollow: Mask = ink & ~inside
    return hollow
