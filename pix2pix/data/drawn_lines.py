"""Line drawings as a hand would make them of a photo: a test set for models that learnt from edges, not a condition.

A model that was trained on the output of an edge detector is scored on these. The file shares no code and no
parameters with the augmentation of such training, and is to stay apart from it: else the score would measure how well
a model knows one drawing program.

Contours are the borders between colours of a small palette (k-means, Lloyd 1982) and ridges of darkness (largest
eigenvalue of the Hessian, Steger 1998, "An unbiased detector of curvilinear structures"). They are followed by a pen:
broken into open strokes, about 30 % of their length left out, the rest displaced, overshot, thick and thin.

All lengths are in units of the side, the square root of the picture's area, so that one drawing fits all sizes.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pix2pix.images import to_rgb8

Points = NDArray[np.float64]

WORKING_SIDE = 256  # pixels; contours are looked for in a picture of this side, whatever the photo's
PALETTE = (6, 10)  # colours, drawn for each drawing
SHADOWS = 0.75  # exponent of lightness: a person draws the seams of a black shoe as well
BLUR = 1.6  # of the photo, in working pixels
CONTRAST = 1.8  # least change of colour across a contour, in CIE Lab units a working pixel
RIDGE = 1.0  # least curvature of lightness across a dark line, in L units a squared working pixel
LINE = 2  # weight of a dark line, so that it comes before the borders on its two sides
SPACING = 5  # working pixels between two contours; nearer ones are one line to a person
BRIDGE = 9  # points of a chain; shorter gaps are drawn over
INK = 12.0  # a drawing's contours together are at most this long: the most important are drawn

CORNER = np.deg2rad(65)  # a turn sharper than this lifts the pen
CORNER_REACH = 0.03  # measured between the directions this far to each side
STROKE = (0.15, 0.5)  # length after which the pen is lifted anyway
SHORTEST = 0.04  # strokes below this are specks
FEWEST = round(SHORTEST * WORKING_SIDE / 1.2)  # pixels of a stroke, 1 or 1.41 apart
STEP = 0.008  # between two points of a stroke

MISSING = 0.3  # share of the length that is left out
WOBBLE = (0.01, 0.02)  # largest displacement of a stroke
WAVES = (0.25, 0.9)  # wavelengths of the displacement
OVERSHOOT = (0.02, 0.05)  # length
OVERSHOOT_SHARE = 0.2  # of the ends
PEN = (1 / 256, 6 / 256)  # widths
TONE = (0, 70)  # of the pen, of 255
OVERSAMPLING = 4


def drawn_lines(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A line drawing of a photo: (H, W, C) uint8 or uint16 to (H, W, 1) of the same dtype, dark strokes on white.

    Two sizes of one photo give about the same drawing from the same state of `rng`. A flat photo leaves the paper
    blank. Made for sides from 64 to 1024 pixels. Raises ValueError for an array that is no image.
    """
    height, width = image.shape[:2]
    seed = int(rng.integers(2**63))
    contours = contour_strokes(image, seed)
    pen = float(np.exp(rng.uniform(*np.log(np.multiply(PEN, (1.3, 0.75))))))  # the pressure varies it further
    tone = int(rng.integers(TONE[0], TONE[1] + 1))
    strokes = [pen_stroke(contour, pen, seed) for contour in leave_out(contours, seed)]
    drawing = _draw(strokes, height, width, tone)
    return drawing if image.dtype == np.uint8 else drawing.astype(np.uint16) * np.uint16(257)


def contour_strokes(image: np.ndarray, seed: int) -> list[Points]:
    """What there is to draw: open polylines (N, 2) of x and y in units of the side, most important first.

    The points of a polyline are `STEP` apart.
    """
    height, width = image.shape[:2]
    scale = WORKING_SIDE / np.sqrt(height * width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    photo = cv2.resize(to_rgb8(image), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    lab = cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab[:, :, 0] = 100 * (np.maximum(lab[:, :, 0], 0) / 100) ** SHADOWS
    lab = cv2.GaussianBlur(lab, (0, 0), BLUR)
    chains = [*_palette_borders(lab, int(_place_generator(seed).integers(*PALETTE))), *_dark_ridges(lab[:, :, 0])]
    pixel = np.divide((width, height), size) / np.sqrt(height * width)  # of the working picture, in sides
    strokes: list[Points] = []
    ink = 0.0
    for chain in _spaced(chains, size):
        curve = _even((_smooth(chain, 3.0) + 0.5) * pixel, STEP)
        for stroke in _split(curve, seed):
            ink += polyline_length(stroke)
            if ink > INK:
                return strokes
            strokes.append(stroke)
    return strokes


def leave_out(strokes: list[Points], seed: int) -> list[Points]:
    """Without `MISSING` of the strokes' length: whole strokes chosen at random, as near to it as they allow."""
    lengths = [polyline_length(stroke) for stroke in strokes]
    turn = [_place_generator(seed, stroke, 1).random() for stroke in strokes]
    left = MISSING * sum(lengths)
    missing = set()
    for index in np.argsort(turn, kind="stable"):
        if lengths[index] <= left:
            left -= lengths[index]
            missing.add(int(index))
    rest = [index for index in range(len(strokes)) if index not in missing]
    shortest = min(rest, key=lambda index: lengths[index], default=None)
    if shortest is not None and lengths[shortest] < 2 * left:
        missing.add(shortest)
    return [stroke for index, stroke in enumerate(strokes) if index not in missing]


def pen_stroke(contour: Points, pen: float, seed: int) -> Points:
    """The way of a hand along a contour (N, 2): (M, 3) of x, y and the pen's width, in units of the side.

    The displacement is a shift plus three slow waves, at its largest as drawn from `WOBBLE`; then some ends are
    drawn on in their direction. `pen` is the width at medium pressure.
    """
    rng = _place_generator(seed, contour, 2)
    way = np.arange(len(contour)) * STEP
    displacement = np.tile(rng.normal(0, 0.7, 2), (len(contour), 1))
    for wavelength in rng.uniform(*WAVES, 3):
        phase = 2 * np.pi * (way[:, None] / wavelength + rng.random(2))
        displacement += rng.normal(0, 0.6, 2) * np.sin(phase)
    points = contour + displacement * (rng.uniform(*WOBBLE) / np.linalg.norm(displacement, axis=1).max())
    for _ in range(2):  # the start, then, turned round, the end
        points = points[::-1]
        if rng.random() < OVERSHOOT_SHARE:
            direction = points[-1] - points[-4]
            direction /= max(float(np.linalg.norm(direction)), 1e-9)
            steps = np.arange(STEP, rng.uniform(*OVERSHOOT), STEP)
            points = np.concatenate([points, points[-1] + steps[:, None] * direction])
    position = np.linspace(0, 1, len(points))
    pressure = 1 + 0.2 * np.sin(2 * np.pi * (position * rng.uniform(0.3, 1.2) + rng.random()))
    ends = np.minimum(position, 1 - position) * len(points) * STEP / 0.06
    taper = 0.35 + 0.65 * np.sqrt(np.clip(ends, 0, 1))
    return np.column_stack([points, np.clip(pen * pressure * taper, *PEN)])


def polyline_length(points: Points) -> float:
    """Of (N, 2), in its units."""
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def _palette_borders(lab: np.ndarray, colours: int) -> list[Points]:
    """Where a region of one palette colour meets a lighter one with a visible step: chains of x, y and strength."""
    height, width = lab.shape[:2]
    samples = cv2.resize(lab, (min(width, 64), min(height, 64)), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    if len(samples) < colours:
        return []
    # Starting from shares of the lightnesses there are needs no random numbers (OpenCV's own are a global state), and
    # gives a large white background one colour only.
    levels, level = np.unique(np.round(samples[:, 0]), return_inverse=True)
    labels = (level * colours // len(levels)).astype(np.int32)[:, None]
    stop = (cv2.TERM_CRITERIA_MAX_ITER | cv2.TERM_CRITERIA_EPS, 20, 0.1)
    _, _, palette = cv2.kmeans(samples, colours, labels, stop, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    palette = palette[np.argsort(palette[:, 0], kind="stable")]
    # The square of a pixel itself, the same for all colours, is left out of its distances.
    distances = np.square(palette).sum(1) - 2 * lab @ palette.T
    regions = cv2.medianBlur(distances.argmin(2).astype(np.uint8), 7)
    lighter = regions < cv2.dilate(regions, np.ones((3, 3), np.uint8))
    slope = np.linalg.norm(np.concatenate([_slope(lab, 1, 0), _slope(lab, 0, 1)], axis=2), axis=2)
    strength = cv2.dilate(slope, np.ones((3, 3), np.uint8))
    chains: list[Points] = []
    for region in np.unique(regions[lighter]):
        for x, y in _outlines(regions == region):
            values = _smooth(strength[y, x][:, None].astype(np.float64), 4.0, closed=True)[:, 0]
            chain = np.column_stack([x, y, values / CONTRAST])
            chains += _open_runs(chain, lighter[y, x] & (values > CONTRAST))
    return chains


def _dark_ridges(lightness: np.ndarray) -> list[Points]:
    """The middle of dark lines: chains of x, y and strength."""
    xx, yy, xy = (cv2.Sobel(lightness, cv2.CV_32F, *order, ksize=3, scale=0.25) for order in ((2, 0), (0, 2), (1, 1)))
    ridge = (xx + yy) / 2 + np.sqrt(np.square((xx - yy) / 2) + np.square(xy))
    normal = np.arctan2(2 * xy, xx - yy) / 2
    slope = _slope(lightness, 1, 0) * np.cos(normal) + _slope(lightness, 0, 1) * np.sin(normal)
    # The foot of a step is curved as well, but its lowest point, by the tangent parabola, is further away than that.
    line = (ridge > RIDGE) & (np.abs(slope) < 0.8 * ridge)
    across = np.round(normal / (np.pi / 4)).astype(int) % 4
    padded = np.pad(ridge, 1)
    height, width = ridge.shape
    highest = np.zeros(ridge.shape, bool)
    for direction, (dx, dy) in enumerate(((1, 0), (1, 1), (0, 1), (-1, 1))):
        one, other = (
            padded[1 + sign * dy : 1 + sign * dy + height, 1 + sign * dx : 1 + sign * dx + width] for sign in (1, -1)
        )
        highest |= (across == direction) & (ridge >= one) & (ridge > other)
    middle = cv2.morphologyEx((highest & line).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    chains: list[Points] = []
    for x, y in _outlines(middle):
        chains += _open_runs(np.column_stack([x, y, LINE * ridge[y, x] / RIDGE]), _first_pass(x, y))
    return chains


def _first_pass(x: np.ndarray, y: np.ndarray) -> NDArray[np.bool_]:
    """Of an outline, which goes along a line and comes back a pixel or two beside, the way there."""
    index = np.arange(len(x))
    first = np.ones(len(x), bool)
    cell = 6
    for right, down in ((0, 0), (3, 0), (0, 3), (3, 3)):  # what two cells part is together in a shifted one
        cells = (y.astype(np.int64) + down) // cell * 2**31 + (x + right) // cell
        _, visit, inverse = np.unique(cells, return_index=True, return_inverse=True)
        first &= index - visit[inverse] < 1.5 * cell
    return first


def _outlines(mask: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """x and y of the closed outlines of a mask, specks left out."""
    outlines = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
    return [(outline[:, 0, 0], outline[:, 0, 1]) for outline in outlines if len(outline) >= FEWEST]


def _slope(image: np.ndarray, x: int, y: int) -> np.ndarray:
    """Change a pixel along x or y."""
    return np.asarray(cv2.Sobel(image, cv2.CV_32F, x, y, ksize=3, scale=1 / 8))


def _open_runs(chain: Points, keep: NDArray[np.bool_]) -> list[Points]:
    """The pieces of a closed chain where `keep` holds; of a loop that holds nearly all round a tenth is cut out."""
    start = int(np.argmin(keep))
    chain, keep = np.roll(chain, -start, axis=0), np.roll(keep, -start)
    if keep.mean() > 0.9:
        keep[: len(keep) // 10 + 1] = False
    return _runs(chain, keep)


def _runs(chain: Points, keep: NDArray[np.bool_]) -> list[Points]:
    """The pieces of an open chain where `keep` holds but for small gaps, long enough to be a stroke."""
    if np.count_nonzero(keep) < FEWEST // 2:
        return []
    column = np.pad(keep, BRIDGE).astype(np.uint8)[:, None]
    bridged = cv2.morphologyEx(column, cv2.MORPH_CLOSE, np.ones((BRIDGE, 1), np.uint8)).reshape(-1)
    changes = np.flatnonzero(np.diff(bridged[BRIDGE - 1 : BRIDGE + len(keep) + 1].astype(np.int8)))
    return [chain[start:end] for start, end in changes.reshape(-1, 2) if end - start >= FEWEST]


def _spaced(chains: list[Points], size: tuple[int, int]) -> list[Points]:
    """(N, 2) of each chain, most important first, without what runs beside a more important one."""
    taken = np.zeros(size[::-1], np.uint8)
    spaced: list[Points] = []
    for chain in sorted(chains, key=lambda chain: -_importance(chain, size)):
        x, y = chain[:, :2].astype(int).T
        for piece in _runs(chain, taken[y, x] == 0):
            cv2.polylines(taken, [piece[:, :2].astype(np.int32)], False, 1, 2 * SPACING - 1)
            spaced.append(piece[:, :2])
    return spaced


def _importance(chain: Points, size: tuple[int, int]) -> float:
    """Strong, long and reaching far for its length, and in the middle, where a photo has its subject.

    Foliage and fur make long chains that reach nowhere.
    """
    centre = chain[:, :2].mean(0) / size - 0.5
    reach = float(np.linalg.norm(np.ptp(chain[:, :2], axis=0)))
    middle = 1 - 0.8 * float(np.square(centre).sum()) / 0.5
    strength = float(chain[:, 2].mean())
    return float(strength**0.7 * reach / len(chain) ** 0.4 * middle)


def _split(curve: Points, seed: int) -> list[Points]:
    """Strokes between corners, and none longer than a hand's reach."""
    reach = round(CORNER_REACH / STEP)
    cuts = [0]
    if len(curve) > 2 * reach:
        before, after = curve[reach:-reach] - curve[: -2 * reach], curve[2 * reach :] - curve[reach:-reach]
        cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
        turn = np.abs(np.arctan2(cross, (before * after).sum(1)))
        peaks = turn >= cv2.dilate(turn[:, None], np.ones((2 * reach + 1, 1))).reshape(-1)
        cuts += list(np.flatnonzero(peaks & (turn > CORNER)) + reach)
    rng = _place_generator(seed, curve, 3)
    strokes: list[Points] = []
    for start, end in zip(cuts, [*cuts[1:], len(curve) - 1], strict=True):
        while (end - start) * STEP >= SHORTEST:
            stop = start + round(rng.uniform(*STROKE) / STEP)
            stop = end if (end - stop) * STEP < SHORTEST else stop
            strokes.append(curve[start : stop + 1])
            start = stop
    return strokes


def _smooth(values: Points, sigma: float, closed: bool = False) -> Points:
    """(N, D) smoothed along N by a Gaussian; the ends of an open chain stay about where they are."""
    border = round(3 * sigma)
    padded = np.pad(values, ((border, border), (0, 0)), mode="wrap" if closed else "edge")
    kernel = np.exp(-(np.arange(-border, border + 1) ** 2) / (2 * sigma**2))
    smoothed = cv2.filter2D(padded, cv2.CV_64F, (kernel / kernel.sum())[:, None])
    return np.asarray(smoothed, np.float64).reshape(padded.shape)[border:-border]


def _even(points: Points, step: float) -> Points:
    """A polyline with its points `step` apart along it; less than a step is lost at the end."""
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.arange(0, way[-1], step)
    return np.column_stack([np.interp(at, way, axis) for axis in points.T])


def _place_generator(seed: int, stroke: Points | None = None, purpose: int = 0) -> np.random.Generator:
    """Random numbers of one place of one drawing.

    A stroke more or less, as another size of the photo may have, thus leaves the hand at the others as it was.
    """
    place = (0, 0) if stroke is None else tuple(int(value) for value in stroke.mean(0) * 24)
    return np.random.default_rng([seed, purpose, *place])


def _draw(strokes: list[Points], height: int, width: int, tone: int) -> NDArray[np.uint8]:
    """(M, 3) strokes on white paper, (height, width, 1)."""
    paper = np.full((height * OVERSAMPLING, width * OVERSAMPLING), 255, np.uint8)
    fraction = 4  # bits below the pixel in OpenCV's coordinates
    scale = np.sqrt(height * width) * OVERSAMPLING
    for stroke in strokes:
        corners = np.round((stroke[:, :2] * scale - 0.5) * 2**fraction).astype(int)
        widths = np.maximum(1, np.round(stroke[:, 2] * scale)).astype(int)
        for start, end, thickness in zip(corners[:-1].tolist(), corners[1:].tolist(), widths[1:].tolist(), strict=True):
            cv2.line(paper, start, end, tone, thickness, cv2.LINE_8, fraction)
    return np.asarray(cv2.resize(paper, (width, height), interpolation=cv2.INTER_AREA), np.uint8)[:, :, None]
