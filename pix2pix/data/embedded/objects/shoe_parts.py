"""What distinguishes kinds of shoes: panels, laces, straps, zips, seams, buckles and the soft lining of boots."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.objects.canvas import Canvas, Mask
from pix2pix.data.embedded.objects.outlines import Points, along, dashes, ellipse, moved, ribbon, spline

METAL: Colour = (205.0, 196.0, 170.0)


@dataclass(frozen=True)
class Shoe:
    """A planned shoe: lines from toe to heel, closed outlines, colours, and dice for what its details need."""

    kind: str
    front: Points
    rim: Points
    footbed: Points
    upper: Points
    bottom: Points
    sole: float
    heel: float
    colour: Colour
    second: Colour
    sole_colour: Colour
    material: str
    grain: float
    gloss: float
    dice: NDArray[np.float64]

    @classmethod
    def bare(
        cls,
        kind: str,
        footbed: Points,
        bottom: Points,
        sole: float,
        heel: float,
        colour: Colour,
        second: Colour,
        sole_colour: Colour,
        dice: NDArray[np.float64],
    ) -> "Shoe":
        """A shoe without an upper."""
        none = footbed[:2]
        return cls(
            kind, none, none, footbed, none, bottom, sole, heel, colour, second, sole_colour, "plain", 0.03, 0.2, dice
        )

    def floor(self, x: float) -> float:
        """Height of the footbed."""
        return float(np.interp(x, self.footbed[:, 0], self.footbed[:, 1]))

    def top(self, x: float) -> float:
        """Height of the line over toe and instep."""
        order = np.argsort(self.front[:, 0])
        return float(np.interp(x, self.front[order, 0], self.front[order, 1]))

    def laces(self, canvas: Canvas, upper: Mask) -> None:
        """Laces over the instep, in pairs of eyelets, with a bow or tucked away."""
        count = int(4 + 4 * self.dice[5])
        colour = (244.0, 243.0, 240.0) if self.dice[6] < 0.6 else self.second
        path = self.front[len(self.front) // 2 + 3 :]
        lines, holes = [], []
        for share in np.linspace(0.08, 0.95, count).tolist():
            x, y = along(path, share)
            lines.append(spline([(x - 0.015, y + 0.012), (x + 0.03, y - 0.005), (x + 0.085, y - 0.055)], steps=4))
            holes.append(ellipse((x + 0.088, y - 0.058), (0.011, 0.011), steps=12))
        canvas.fill(canvas.mask(holes, upper), shade(METAL, 0.8))
        tall = canvas.mask([ribbon(line, 0.028) for line in lines])
        canvas.shadow(tall, 0.008, 0.005, 0.5, clip=upper)
        canvas.fill(tall, colour, "canvas", 0.04)
        canvas.round_off(tall, 0.008, ambient=0.5)
        if self.dice[7] < 0.6:
            x, y = along(path, 0.9)
            loops = [
                spline([(x + 0.02, y), (x + dx, y + dy), (x + 1.2 * dx, y + dy - 0.06), (x + 0.02, y - 0.01)], steps=6)
                for dx, dy in ((-0.08, 0.03), (0.10, 0.02), (0.05, -0.10))
            ]
            bow = canvas.mask([ribbon(loop, 0.018) for loop in loops])
            canvas.shadow(bow, 0.01, 0.006, 0.45, clip=upper)
            canvas.fill(bow, colour)
            canvas.round_off(bow, 0.006, ambient=0.5)


def panel(canvas: Canvas, shoe: Shoe, upper: Mask, outline: Points, colour: Colour, seam: Points | None) -> None:
    """A piece sewn onto the upper: its thickness casts a shadow, stitches follow its edge."""
    mask = canvas.mask(outline, upper)
    canvas.shadow(mask, 0.006, 0.006, 0.4, clip=upper)
    canvas.fill(mask, colour, shoe.material if shoe.dice[8] < 0.5 else "leather", shoe.grain)
    canvas.round_off(mask, 0.008, ambient=0.65)
    if seam is not None:
        stitch(
            canvas,
            seam,
            shade(colour, 0.6) if sum(colour) > 250 else shade(mix(colour, (255, 255, 255), 0.3), 1.3),
            upper,
        )


def stitch(canvas: Canvas, line: Points, colour: Colour, clip: Mask) -> None:
    """A row of stitches."""
    canvas.stroke(dashes(line, 0.024), colour, 0.006, 0.85, clip)


def paint_sneaker_details(canvas: Canvas, shoe: Shoe, upper: Mask, rng: np.random.Generator) -> None:
    """Toe cap, heel counter, eyestay, a mark on the side, and a padded collar."""
    colours = [shoe.second, shade(shoe.colour, 0.75), shade(mix(shoe.colour, (255, 255, 255), 0.15), 1.1), shoe.colour]
    cap, counter, stay = (colours[int(rng.integers(4))] for _ in range(3))
    _paint_side_mark(canvas, shoe, upper, rng)
    reach = float(rng.uniform(0.12, 0.24))
    edge = spline(
        [(reach + 0.07, shoe.sole - 0.1), (reach + 0.05, shoe.floor(reach) + 0.06), (reach, shoe.top(reach) + 0.04)]
    )
    if rng.random() < 0.8:
        if rng.random() < 0.4:
            edge = spline(
                [
                    (reach + 0.3, shoe.sole),
                    (reach + 0.12, shoe.sole + 0.07),
                    (reach, shoe.sole + 0.10),
                    (-0.05, shoe.sole + 0.13),
                ]
            )
        panel(canvas, shoe, upper, np.concatenate([edge, [[-0.3, 0.6], [-0.3, -0.1]]]), cap, moved(edge, 0.012, 0.0))
    start = float(rng.uniform(0.72, 0.86))
    back = spline(
        [
            (start - 0.06, shoe.sole - 0.05),
            (start, shoe.floor(0.8) + 0.1),
            (start + 0.09, shoe.floor(0.9) + 0.22),
            (1.1, shoe.floor(1.0) + 0.27),
        ]
    )
    panel(canvas, shoe, upper, np.concatenate([back, [[1.2, -0.1]]]), counter, moved(back, 0.012, -0.01))
    path = shoe.front[len(shoe.front) // 2 - 2 :]
    inner = spline([tuple(point) for point in (moved(path, 0.10, -0.075))[::4]])
    outline = np.concatenate([moved(path, -0.02, 0.05), (moved(inner, 0.0, 0.0))[::-1]])
    panel(canvas, shoe, upper, outline, stay, moved(inner, -0.014, 0.01))
    canvas.stroke(shoe.rim - (0.0, 0.012), shade(counter, 0.8), 0.03, 0.8, clip=upper)
    if shoe.kind == "high-top" and rng.random() < 0.5:
        badge = ellipse((0.74, shoe.floor(0.7) + 0.36), (0.075, 0.075))
        panel(canvas, shoe, upper, badge, (240.0, 240.0, 236.0), None)
        canvas.fill(canvas.mask(_star((0.74, shoe.floor(0.7) + 0.36), 0.055), upper), shoe.second)


def _paint_side_mark(canvas: Canvas, shoe: Shoe, upper: Mask, rng: np.random.Generator) -> None:
    """Stripes, a wave, a chevron, a star, or nothing, on the quarter."""
    style = int(rng.integers(6))
    base = shoe.floor(0.6)
    shapes: list[Points] = []
    if style == 0:
        slant, width = float(rng.uniform(0.05, 0.14)), float(rng.uniform(0.022, 0.04))
        for x in (0.46, 0.54, 0.62):
            shapes.append(ribbon([(x, base + 0.36), (x + slant, base - 0.02)], width))
    elif style == 1:
        lower = spline([(0.40, base + 0.10), (0.50, base + 0.02), (0.66, base + 0.07), (0.92, base + 0.24)])
        upper_line = spline([(0.92, base + 0.24), (0.66, base + 0.13), (0.54, base + 0.11), (0.40, base + 0.10)])
        shapes.append(np.concatenate([lower, upper_line]))
    elif style == 2:
        for x in (0.50, 0.60):
            shapes.append(ribbon([(x, base + 0.24), (x + 0.09, base + 0.12), (x - 0.01, base)], 0.04))
    elif style == 3:
        shapes.append(_star((0.66, base + 0.12), 0.085))
    elif style == 4:
        for number in range(4):
            y = base + 0.03 + 0.05 * number
            shapes.append(
                ribbon(spline([(0.35, y + 0.01), (0.55, y - 0.02), (0.75, y + 0.02), (1.0, y - 0.01)]), 0.018)
            )
    for shape in shapes:
        panel(canvas, shoe, upper, shape, shoe.second, None)


def _star(centre: tuple[float, float], radius: float) -> Points:
    angle = np.arange(10) * (np.pi / 5) + np.pi / 2
    reach = radius * np.where(np.arange(10) % 2, 0.42, 1.0)
    return np.stack([centre[0] + reach * np.cos(angle), centre[1] + reach * np.sin(angle)], axis=1)


def paint_boot_details(canvas: Canvas, shoe: Shoe, upper: Mask, rng: np.random.Generator) -> None:
    """A toe cap or none, then laces, an elastic, a zip or straps on the shaft, and perhaps a cuff of fur."""
    top = float(shoe.rim[:, 1].min())
    base = shoe.floor(0.6)
    seam = spline([(0.62, shoe.floor(0.62) - 0.02), (0.58, base + 0.12), (0.48, base + 0.26), (0.42, base + 0.40)])
    stitch(canvas, seam, shade(shoe.colour, 0.55), upper)
    canvas.stroke(moved(seam, 0.008, 0.0), shade(shoe.colour, 0.6), 0.007, 0.7, upper)
    if rng.random() < 0.5:
        edge = spline([(0.26, shoe.sole - 0.03), (0.22, base + 0.08), (0.17, base + 0.3)])
        panel(
            canvas,
            shoe,
            upper,
            np.concatenate([edge, [[-0.3, 0.5], [-0.3, -0.1]]]),
            shade(shoe.colour, 0.9),
            moved(edge, 0.012, 0.0),
        )
    for _ in range(int(rng.integers(1, 4))):  # creases at the ankle
        y = base + float(rng.uniform(0.12, 0.42))
        crease = spline([(0.45, y + 0.05), (0.60, y), (float(rng.uniform(0.7, 0.95)), y + 0.04)])
        canvas.darken(canvas.soften(canvas.mask(ribbon(crease, 0.03), upper), 0.008), 0.3)
    style = int(rng.integers(5))
    if style == 0:
        shoe.laces(canvas, upper)
    elif style == 1:
        gore = np.concatenate(
            [
                spline([(0.60, top + 0.05), (0.64, base + 0.35), (0.68, base + 0.18)]),
                spline([(0.76, base + 0.18), (0.80, base + 0.35), (0.83, top + 0.05)]),
            ]
        )
        panel(canvas, shoe, upper, gore, shade(mix(shoe.colour, (60.0, 60.0, 60.0), 0.6), 0.8), None)
        ribs = [np.array([[x, base + 0.1], [x, top + 0.1]]) for x in np.linspace(0.6, 0.84, 14)]
        canvas.stroke(ribs, (20.0, 20.0, 20.0), 0.006, 0.5, canvas.mask(gore, upper))
    elif style == 2:
        zipper = spline([(0.74, top + 0.03), (0.75, base + 0.4), (0.73, base + 0.10)])
        canvas.stroke(zipper, shade(shoe.colour, 0.4), 0.035, clip=upper)
        canvas.stroke(dashes(zipper, 0.02, 0.5), METAL, 0.018, clip=upper)
    elif style == 3:
        for y in (base + 0.26, base + 0.48)[: int(rng.integers(1, 3))]:
            line = spline([(0.3, y - 0.03), (0.6, y), (0.85, y + 0.03), (1.1, y + 0.02)])
            panel(canvas, shoe, upper, ribbon(line, 0.06), shade(shoe.colour, 0.8), moved(line, 0.0, 0.02))
            buckle(canvas, upper, (0.68, y + 0.01), 0.05)
    if rng.random() < 0.35:
        cuff = canvas.mask(np.concatenate([shoe.rim, shoe.rim[::-1] - (0.0, float(rng.uniform(0.06, 0.16)))]), upper)
        fur = rng.random() < 0.5
        canvas.fill(cuff, (228.0, 210.0, 180.0) if fur else shoe.second, "fur" if fur else "canvas", 0.10)
    else:
        stitch(canvas, shoe.rim - (0.0, 0.03), shade(shoe.colour, 0.55), upper)


def over_foot(
    left: tuple[float, float], right: tuple[float, float], height: float, far: tuple[float, float]
) -> list[Points]:
    """A band over the foot between two points of its near edge: its inner side that comes up behind, and its face."""
    (x0, y0), (x1, y1), (x2, y2) = left, right, far
    top0, top1 = (x0 + 0.035, y0 + height), (x1 + 0.02, y1 + height * 1.08)
    face = np.concatenate(
        [
            spline([left, (x0 - 0.012, y0 + 0.45 * height), (x0 + 0.005, y0 + 0.85 * height), top0], steps=5),
            spline([top1, (x1 - 0.012, y1 + 0.85 * height), (x1 - 0.016, y1 + 0.45 * height), right], steps=5),
        ]
    )
    behind = np.concatenate(
        [
            np.array([top0]),
            spline([top1, (x2 + 0.01, y2 + 0.6 * height), (x2, y2 - 0.02)], steps=5),
            spline([(x2 + x0 - x1, y2 - 0.02), (x0 + 0.05, y0 + 0.7 * height), top0], steps=5),
        ]
    )
    return [behind, face]


def buckle(canvas: Canvas, clip: Mask | None, centre: tuple[float, float], half: float) -> None:
    """A square metal buckle with its prong."""
    corners = np.array([[-0.8, -1.0], [0.8, -1.0], [0.8, 1.0], [-0.8, 1.0]])
    ring = canvas.mask([corners * half + centre, corners * 0.62 * half + centre], clip)
    canvas.shadow(ring, 0.006, 0.004, 0.5, clip)
    canvas.fill(ring, METAL)
    canvas.round_off(ring, 0.006, gloss=0.4, ambient=0.4)
    x, y = centre
    canvas.stroke([(x - 0.8 * half, y), (x + 0.7 * half, y)], shade(METAL, 0.85), 0.25 * half, clip=clip)


def paint_pump_details(canvas: Canvas, shoe: Shoe, upper: Mask, rng: np.random.Generator) -> None:
    """A strap over the instep or the ankle, a bow, a contrasting toe, a bound topline."""
    canvas.stroke(shoe.rim - (0.0, 0.008), shade(shoe.colour, 0.7), 0.012, clip=upper)
    if rng.random() < 0.3:
        edge = spline([(0.20, shoe.sole - 0.05), (0.18, shoe.floor(0.18) + 0.05), (0.12, shoe.floor(0.15) + 0.16)])
        panel(canvas, shoe, upper, np.concatenate([edge, [[-0.3, 0.4], [-0.3, -0.1]]]), shoe.second, None)
    style, straps = int(rng.integers(5)), list[Points]()
    if style == 0:
        x, width = float(rng.uniform(0.42, 0.54)), float(rng.uniform(0.03, 0.06))
        low, high = (float(np.interp(at, shoe.rim[:, 0], shoe.rim[:, 1])) - 0.03 for at in (x, x + width))
        straps = over_foot((x, low), (x + width, high), 0.17, (x + width + 0.04, high + 0.07))
    elif style == 1:
        end = float(shoe.rim[-1, 1])
        near = spline([(0.98, end - 0.03), (0.86, end + 0.01), (0.74, end + 0.0), (0.70, end + 0.02)])
        behind = spline([(0.70, end + 0.02), (0.77, end + 0.055), (0.90, end + 0.05), (0.975, end - 0.01)])
        straps = [ribbon(behind, 0.03), ribbon(near, 0.035)]
    elif style == 2:
        x, y = float(shoe.rim[2, 0]) - 0.05, float(shoe.rim[2, 1]) - 0.01
        bow = canvas.mask(
            [
                spline([(x, y), (x + side * 0.09, y + 0.045), (x + side * 0.09, y - 0.045)], closed=True)
                for side in (-1, 1)
            ]
        )
        canvas.fill(bow, shoe.second)
        canvas.round_off(bow, 0.012, gloss=0.2, ambient=0.45)
    elif style == 3:
        dots = [
            ellipse((x, shoe.floor(x) + y), (0.011, 0.011), steps=10)
            for x in np.arange(0.05, 1.0, 0.06)
            for y in (0.04, 0.1, 0.16)
        ]
        canvas.fill(canvas.mask(dots, upper), shoe.second)
    for number, strap in enumerate(straps):
        mask = canvas.mask(strap)
        canvas.fill(mask, shade(shoe.colour, 0.6 + 0.4 * number), shoe.material, shoe.grain)
        canvas.round_off(mask, 0.010, gloss=shoe.gloss, ambient=0.5)


def paint_loafer_details(canvas: Canvas, shoe: Shoe, upper: Mask, rng: np.random.Generator) -> None:
    """The apron's seam, a strap, bit or tassel over the instep, and a seam at the heel; laces on some."""
    apron = spline(
        [
            (0.06, shoe.top(0.06) - 0.02),
            (0.14, shoe.floor(0.15) + 0.09),
            (0.32, shoe.floor(0.3) + 0.13),
            (0.48, shoe.floor(0.5) + 0.2),
        ]
    )
    canvas.darken(canvas.soften(canvas.mask(ribbon(apron, 0.02), upper), 0.004), 0.45)
    stitch(canvas, moved(apron, 0.0, 0.018), shade(mix(shoe.colour, (255, 255, 255), 0.25), 0.9), upper)
    style = int(rng.integers(4))
    colour = shoe.second if rng.random() < 0.4 else shade(shoe.colour, 0.8)
    if style == 0:
        shoe.laces(canvas, upper)
    elif style == 3:  # a soft lining at the collar
        cuff = canvas.mask(ribbon(moved(shoe.rim, 0.0, 0.01), 0.07))
        canvas.fill(cuff, (226.0, 206.0, 172.0), "fur", 0.10)
        canvas.round_off(cuff, 0.02, ambient=0.6)
    else:
        line = spline([(0.26, shoe.top(0.30) + 0.05), (0.34, shoe.floor(0.35) + 0.15), (0.46, shoe.floor(0.46) - 0.03)])
        panel(canvas, shoe, upper, ribbon(line, 0.09), colour, moved(line, 0.03, 0.0))
        if style == 1:
            buckle(canvas, upper, (0.345, shoe.floor(0.35) + 0.145), 0.035)
    back = spline([(0.84, shoe.floor(0.84) - 0.02), (0.86, shoe.floor(0.86) + 0.1), (0.90, shoe.floor(0.9) + 0.3)])
    stitch(canvas, back, shade(shoe.colour, 0.6), upper)
