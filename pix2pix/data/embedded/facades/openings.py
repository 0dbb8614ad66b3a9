"""What opens an embedded facade: windows, doors, garages and shops, with their shutters, blinds, signs and awnings."""

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.facades.canvas import Canvas, Rect
from pix2pix.data.embedded.facades.ornaments import cast_shadow
from pix2pix.data.embedded.facades.parts import CLASS_INDEX
from pix2pix.data.embedded.facades.style import Style


def paint_window(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A window: odd forms end in an arch, form // 2 is its division into panes."""
    _surround(canvas, rect, style)
    if form & 1:
        kept = canvas.keep(rect)
        _glazing(canvas, rect, style, form // 2, dice)
        canvas.restore(rect, kept, _above_arch(rect))
    else:
        _glazing(canvas, rect, style, form // 2, dice)


def paint_dormer(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A window in the roof under a small gable; only the window itself is labelled."""
    x0, y0, x1, y1 = rect
    rim = canvas.stroke(5)
    roof = shade(style.roof, 0.75)
    canvas.fill((x0 - rim, y0 - rim, x1 + rim, y1 + rim), shade(style.trim, 0.9))
    canvas.polygon(
        (0, 0, canvas.side, canvas.side),
        [(x0 - 2 * rim, y0 - rim), ((x0 + x1) // 2, y0 - 3 * rim), (x1 + 2 * rim, y0 - rim)],
        roof,
    )
    _glazing(canvas, rect, style, form, dice)


def paint_door(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A wooden door: odd forms end in an arch; form // 2 is 0 for one leaf, 1 for two, 2 for a glazed one."""
    kept = canvas.keep(rect)
    x0, y0, x1, y1 = rect
    width, height = x1 - x0, y1 - y0
    wood = shade(style.door, 0.85 + 0.3 * dice[0])
    canvas.label(rect, CLASS_INDEX["door"])
    canvas.fill(rect, shade(wood, 0.6))
    rim = canvas.stroke(3)
    transom = y0 + int(height * (0.2 + 0.12 * dice[1]))
    canvas.fill((x0 + rim, y0 + rim, x1 - rim, transom), shade(style.glass, 0.55))
    canvas.fill((x0 + rim, transom + rim, x1 - rim, y1), wood)
    leaves = 2 if form // 2 == 1 or width > 0.6 * height else 1
    leaf = (width - rim) / leaves
    for number in range(leaves):
        left, right = int(x0 + rim + number * leaf), int(x0 + (number + 1) * leaf)
        _panels(canvas, (left, transom + rim, right, y1), style, wood, glazed=form // 2 == 2)
        canvas.fill((right, y0, right + canvas.stroke(1.5), y1), shade(wood, 0.45))
    knob = canvas.stroke(2)
    handle_y = transom + (y1 - transom) * 5 // 9
    canvas.fill(
        ((x0 + x1) // 2 + 2 * knob, handle_y, min((x0 + x1) // 2 + 3 * knob, x1), handle_y + 2 * knob), (186, 166, 110)
    )
    _recess(canvas, rect, style, 1.6)
    if form & 1:
        canvas.restore(rect, kept, _above_arch(rect))


def paint_garage(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A wide gate of horizontal boards."""
    x0, y0, x1, y1 = rect
    canvas.label(rect, CLASS_INDEX["door"])
    colour = mix(style.door, (120, 120, 116), 0.3 * (form & 1))
    canvas.fill(rect, shade(colour, 0.9 + 0.2 * dice[0]))
    boards = 5 + form
    for board in range(1, boards):
        y = y0 + (y1 - y0) * board // boards
        canvas.fill((x0, y, x1, y + canvas.stroke(1.5)), shade(colour, 0.6))
    _recess(canvas, rect, style, 1.6)


def paint_shop(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A shop front: a dark window with lit goods behind glass, a frame, a low base and perhaps a door."""
    x0, y0, x1, y1 = rect
    width, height = x1 - x0, y1 - y0
    frame = mix(shade(style.sign, 0.55), style.frame, 0.5 if form & 1 else 0.0)
    canvas.label(rect, CLASS_INDEX["shop"])
    canvas.fill(rect, frame)
    rim, base = canvas.stroke(4), height // 6
    inside = (x0 + rim, y0 + rim, x1 - rim, y1 - base)
    canvas.fill(inside, shade(style.glass, 0.75 + 0.7 * dice[0]))
    _goods(canvas, inside, style, dice)
    canvas.blend((inside[0], inside[1], inside[2], inside[1] + height // 4), (168, 170, 160), 0.5 * dice[1])
    if height < 1.4 * width:
        divisions = 2 + int(width > 1.4 * height) + (form >> 1)
        for number in range(1, divisions):
            x = x0 + width * number // divisions
            canvas.fill((x, y0, x + canvas.stroke(2.5), y1 - base), frame)
        if dice[2] < 0.5:
            place = int(dice[3] * divisions)
            left, right = x0 + width * place // divisions, x0 + width * (place + 1) // divisions
            canvas.fill((left + rim, y1 - base, right - rim, y1), shade(style.glass, 0.5))
    _reflection(canvas, inside, dice)
    _recess(canvas, rect, style, 1.4)


def paint_sign(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A board with something written on it, too small to read."""
    x0, y0, x1, y1 = rect
    height = y1 - y0
    cast_shadow(canvas, rect, style, 0.7)
    canvas.label(rect, CLASS_INDEX["shop"])
    canvas.fill(rect, style.sign)
    canvas.fill((x0, y1 - canvas.stroke(1.5), x1, y1), shade(style.sign, 0.6))
    bright = sum(style.sign) > 380
    ink: Colour = (52, 46, 44) if bright else (232, 226, 210)
    letter, x = max(2, int(0.34 * height)), x0 + int((0.12 + 0.2 * dice[0]) * (x1 - x0))
    for number in range(int(5 + 6 * dice[1])):
        if x + letter > x1 - letter:
            break
        if int(dice[2] * 97) >> (number % 6) & 1 or number % 3:
            top = y0 + int(height * (0.22 if (number + form) % 3 else 0.32))
            canvas.fill((x, top, x + int(letter * 0.72), y0 + int(height * 0.76)), ink)
            canvas.fill((x + letter // 4, top + letter // 2, x + letter // 2, y1 - height // 2), style.sign)
        x += letter


def paint_awning(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A striped awning, brighter at its upper edge, over a shaded shop."""
    x0, y0, x1, y1 = rect
    height = y1 - y0
    canvas.raise_up(rect, (0, canvas.stroke(12)), 130)
    canvas.label(rect, CLASS_INDEX["shop"])
    second: Colour = (222, 216, 200) if form & 1 else shade(style.sign, 0.85)
    stripes = max(4, (x1 - x0) // canvas.stroke(7))
    for stripe in range(stripes):
        left, right = x0 + (x1 - x0) * stripe // stripes, x0 + (x1 - x0) * (stripe + 1) // stripes
        colour = style.sign if stripe % 2 else second
        canvas.fill((left, y0, right, y1), colour)
        canvas.fill((left, y1 - height // 4, right, y1), shade(colour, 0.7))
    canvas.blend((x0, y0, x1, y0 + height // 3), (255, 250, 235), 0.18 * dice[0])


def paint_shutter(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """One leaf of a pair of shutters with slats."""
    x0, y0, x1, y1 = rect
    cast_shadow(canvas, rect, style, 0.5)
    canvas.label(rect, CLASS_INDEX["blind"])
    colour = shade(style.shutter, 0.92 + 0.16 * dice[0])
    canvas.fill(rect, colour)
    rim, pitch = canvas.stroke(1.6), max(2, canvas.stroke(3.2))
    for y in range(y0 + 2 * rim, y1 - rim, pitch):
        canvas.fill((x0 + rim, y, x1 - rim, y + max(1, pitch // 2)), shade(colour, 0.7))
    middle = (y0 + y1) // 2
    canvas.fill((x0, middle - rim, x1, middle + rim), colour)


def paint_roller(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A roller blind let down over the upper part of a window, under the window's own arch if it has one."""
    x0, y0, x1, y1 = rect
    kept = canvas.keep(rect)
    canvas.label(rect, CLASS_INDEX["blind"])
    colour = mix(style.shutter, style.curtain, 0.25 + 0.3 * dice[0])
    rim = canvas.stroke(2)
    canvas.fill(rect, style.frame)
    canvas.fill((x0 + rim, y0, x1 - rim, y1), colour)
    for y in range(y0, y1 - rim, max(2, canvas.stroke(3))):
        canvas.fill((x0 + rim, y, x1 - rim, y + 1), shade(colour, 0.78))
    canvas.fill((x0 + rim, y1 - rim, x1 - rim, y1), shade(colour, 0.6))
    _recess(canvas, rect, style, 1.0)
    if form & 1:
        canvas.restore(rect, kept, kept[1] != CLASS_INDEX["window"])


def _glazing(canvas: Canvas, rect: Rect, style: Style, panes: int, dice: list[float]) -> None:
    """Glass, what is seen through and in it, frame and mullions, and the shadow of the reveal."""
    x0, y0, x1, y1 = rect
    width, height = x1 - x0, y1 - y0
    canvas.label(rect, CLASS_INDEX["window"])
    glass = shade(style.glass, 0.6 + 0.8 * dice[0])
    canvas.fill(rect, glass)
    sky = mix(glass, style.sky, 0.15 + 0.45 * dice[1] * dice[1])
    canvas.fill((x0, y0, x1, y0 + int(height * (0.3 + 0.5 * dice[2]))), sky)
    if dice[3] < 0.55:
        _curtains(canvas, rect, style, dice)
    _reflection(canvas, rect, dice)
    frame = shade(style.frame, 0.92 + 0.12 * dice[6])
    rim = canvas.stroke(2.6) if width > canvas.stroke(16) else canvas.stroke(1.6)
    canvas.fill((x0, y0, x0 + rim, y1), frame)
    canvas.fill((x1 - rim, y0, x1, y1), frame)
    canvas.fill((x0, y0, x1, y0 + rim), frame)
    canvas.fill((x0, y1 - rim, x1, y1), frame)
    bar = canvas.stroke(2.2)
    if width > canvas.stroke(10):
        lights = 1 + max(1, round(width / (0.75 * height))) if width > 0.4 * height else 1
        for number in range(1, lights):
            x = x0 + width * number // lights
            canvas.fill((x - bar // 2, y0, x + (bar + 1) // 2, y1), frame)
    if panes:
        y = y0 + int(height * (0.32 if panes != 2 else 0.5))
        canvas.fill((x0, y, x1, y + bar), frame)
    if panes == 3 and height > canvas.stroke(30):
        y = y0 + int(height * 0.66)
        canvas.fill((x0, y, x1, y + canvas.stroke(1.2)), frame)
    _recess(canvas, rect, style, 1.0)


def _curtains(canvas: Canvas, rect: Rect, style: Style, dice: list[float]) -> None:
    """Curtains at both sides, across the lower half, or all over."""
    x0, y0, x1, y1 = rect
    share = 0.25 + 0.5 * dice[4]
    if dice[3] < 0.25:
        part = int((x1 - x0) * (0.15 + 0.2 * dice[5]))
        canvas.blend((x0, y0, x0 + part, y1), style.curtain, share)
        canvas.blend((x1 - part, y0, x1, y1), style.curtain, share)
    elif dice[3] < 0.42:
        canvas.blend((x0, y0 + int((y1 - y0) * (0.35 + 0.2 * dice[5])), x1, y1), style.curtain, share)
    else:
        canvas.blend(rect, style.curtain, share)


def _reflection(canvas: Canvas, rect: Rect, dice: list[float]) -> None:
    """A slanting streak of reflected sky on some of the panes."""
    x0, y0, x1, y1 = rect
    if dice[7] > 0.3 or x1 - x0 < canvas.stroke(14):
        return
    width, height = x1 - x0, y1 - y0
    along, down = np.arange(width)[None, :], np.arange(height)[:, None]
    position = along / width + 0.5 * down / height - 0.25
    streak = (np.abs(position - 0.2 - 2.0 * dice[7]) < 0.16)[..., None]
    view = canvas.colour[y0:y1, x0:x1]
    view[...] = view + (streak * np.float32(0.28)) * (np.float32(232) - view)


def _panels(canvas: Canvas, rect: Rect, style: Style, wood: Colour, glazed: bool) -> None:
    """Two panels in a leaf of a door: a lighter edge below, a darker one above; the upper may be of glass."""
    x0, y0, x1, y1 = rect
    inset, edge = max(2, (x1 - x0) // 6), canvas.stroke(1.3)
    height = y1 - y0
    for number, (top, bottom) in enumerate(((0.08, 0.52), (0.60, 0.92))):
        upper, lower = y0 + int(top * height), y0 + int(bottom * height)
        canvas.fill((x0 + inset, upper, x1 - inset, lower), shade(wood, 1.3))
        face = shade(style.glass, 0.6) if glazed and number == 0 else shade(wood, 0.82)
        canvas.fill((x0 + inset, upper, x1 - inset - edge, lower - edge), face)


def _goods(canvas: Canvas, rect: Rect, style: Style, dice: list[float]) -> None:
    """Things on show behind the glass, as blurred coloured blocks."""
    x0, y0, x1, y1 = rect
    width, height = x1 - x0, y1 - y0
    for number in range(5):
        chance = (dice[number] * 7.31 + dice[7] * 3.7) % 1.0
        left = x0 + int(width * (number + 0.15) / 5)
        top = y1 - int(height * (0.2 + 0.45 * chance))
        colour = mix(style.curtain, style.sign, (chance * 5.3) % 1.0)
        canvas.blend((left, top, left + max(1, int(width * (0.08 + 0.08 * chance))), y1), colour, 0.25 + 0.35 * chance)


def _surround(canvas: Canvas, rect: Rect, style: Style) -> None:
    """The frame of stone or paint that a window has on the wall; it counts as wall."""
    if not style.surround:
        return
    x0, y0, x1, y1 = rect
    rim = canvas.stroke(4)
    around = (max(0, x0 - rim), max(0, y0 - rim), x1 + rim, y1 + rim)
    view = canvas.labels[around[1] : around[3], around[0] : around[2]] == CLASS_INDEX["facade"]
    canvas.colour[around[1] : around[3], around[0] : around[2]][view] = shade(style.trim, 1.08)


def _recess(canvas: Canvas, rect: Rect, style: Style, depth: float) -> None:
    """The shadow that the wall casts on what lies back in it: along the top and the side of the sun."""
    x0, y0, x1, y1 = rect
    reach = max(1, round(depth * style.shadow_length * canvas.side))
    value = int(255 * (0.62 - 0.25 * style.sun_strength))
    canvas.dim((x0, y0, x1, min(y0 + reach, y1)), value)
    across = max(1, int(0.7 * reach))
    if style.sun_side < 0:
        canvas.dim((x0, y0, min(x0 + across, x1), y1), value)
    else:
        canvas.dim((max(x1 - across, x0), y0, x1, y1), value)


def _above_arch(rect: Rect) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Where a rectangle lies above the round or flat arch that ends it."""
    width, height = rect[2] - rect[0], rect[3] - rect[1]
    rise = min(0.5 * width, 0.4 * height)
    across = (np.arange(width) + 0.5) / max(1, width) * 2.0 - 1.0
    top = rise * (1.0 - np.sqrt(1.0 - across * across))
    return np.asarray((np.arange(height) + 0.5)[:, None] < top[None, :])
