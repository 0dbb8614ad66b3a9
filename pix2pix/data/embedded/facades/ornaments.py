"""What stands out of an embedded facade: cornices, sills, moldings, pillars, decoration and balconies."""

from pix2pix.data.embedded.basics import Colour, mix, shade
from pix2pix.data.embedded.facades.canvas import Canvas, Rect
from pix2pix.data.embedded.facades.parts import CLASS_INDEX
from pix2pix.data.embedded.facades.style import Style


def paint_cornice(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A ledge over a window: a bright upper edge, a shaded throat and a shadow below."""
    x0, y0, x1, y1 = rect
    cast_shadow(canvas, rect, style, 1.3)
    canvas.label(rect, CLASS_INDEX["cornice"])
    canvas.fill(rect, shade(style.trim, 0.96))
    third = max(1, (y1 - y0) // 3)
    canvas.fill((x0, y0, x1, y0 + third), shade(style.trim, 1.18))
    canvas.fill((x0, y1 - third, x1, y1), shade(style.trim, 0.70))
    if form & 1:
        bracket = canvas.stroke(4)
        for left in (x0 + bracket, x1 - 2 * bracket):
            canvas.fill((left, y0 + third, left + bracket, y1), shade(style.trim, 0.85))


def paint_pediment(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A triangular gable over a window, or a round one for odd forms."""
    x0, y0, x1, y1 = rect
    height = y1 - y0
    if height < canvas.stroke(8):
        paint_cornice(canvas, rect, style, form, dice)
        return
    cast_shadow(canvas, rect, style, 1.0)
    canvas.label(rect, CLASS_INDEX["cornice"])
    canvas.fill(rect, shade(style.trim, 0.84))
    rim = canvas.stroke(3)
    light, dark = shade(style.trim, 1.18), shade(style.trim, 0.62)
    middle = (x0 + x1) // 2
    if form & 1:
        canvas.ellipse(rect, (middle, y1), ((x1 - x0) * 0.46, height * 0.85), light)
        canvas.ellipse(rect, (middle, y1), ((x1 - x0) * 0.46 - 1.5 * rim, height * 0.85 - 1.5 * rim), dark)
    else:
        canvas.polygon(rect, [(x0 + 1, y1 - 2), (middle, y0 + 1), (x1 - 2, y1 - 2)], light)
        canvas.polygon(rect, [(x0 + 4 * rim, y1 - 2), (middle, y0 + 1.5 * rim), (x1 - 4 * rim, y1 - 2)], dark)
    canvas.fill((x0, y1 - rim, x1, y1), light)
    canvas.fill((x0, y1 - max(1, rim // 3), x1, y1), dark)


def paint_sill(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """The ledge under a window; a high one is a parapet with a panel."""
    x0, y0, x1, y1 = rect
    height, width = y1 - y0, x1 - x0
    cast_shadow(canvas, rect, style, 0.9)
    canvas.label(rect, CLASS_INDEX["sill"])
    canvas.fill(rect, shade(style.trim, 0.92))
    ledge = max(1, min(canvas.stroke(4), height // 2))
    canvas.fill((x0, y0, x1, y0 + ledge), shade(style.trim, 1.2))
    canvas.dim((x0, y0 + ledge, x1, y0 + ledge + max(1, ledge // 2)), 165)
    if height > canvas.stroke(14):
        inset, edge = canvas.stroke(4), canvas.stroke(1.5)
        panel = (x0 + inset, y0 + 2 * ledge, x1 - inset, y1 - canvas.stroke(3))
        canvas.fill(panel, shade(style.trim, 0.68))
        canvas.fill((panel[0] + edge, panel[1] + edge, panel[2], panel[3]), shade(style.trim, 0.98))
    elif height > canvas.stroke(8):
        bracket = max(1, width // 9)
        for left in (x0 + bracket, x1 - 2 * bracket):
            canvas.fill((left, y0 + ledge, left + bracket, y1), shade(style.trim, 0.74))


def paint_molding(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A band between storeys: profile lines, and for odd forms a row of small blocks."""
    x0, y0, x1, y1 = rect
    height = y1 - y0
    cast_shadow(canvas, rect, style, 1.1)
    canvas.label(rect, CLASS_INDEX["molding"])
    trim = shade(style.trim, 0.86)
    canvas.fill(rect, trim)
    line = max(1, min(canvas.stroke(3), height // 4))
    canvas.fill((x0, y0, x1, y0 + line), shade(trim, 1.25))
    canvas.fill((x0, y0 + line, x1, y0 + line + max(1, line // 2)), shade(trim, 0.72))
    canvas.fill((x0, y1 - line, x1, y1), shade(trim, 0.66))
    if form & 1 and height > canvas.stroke(10):
        _blocks(canvas, (x0, y1 - 2 * line - height // 4, x1, y1 - line), shade(trim, 1.15), shade(trim, 0.6))


def paint_entablature(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """The great molding under the roof: crown, shaded blocks, frieze and architrave."""
    x0, y0, x1, y1 = rect
    height = y1 - y0
    cast_shadow(canvas, rect, style, 1.8)
    canvas.label(rect, CLASS_INDEX["molding"])
    trim = shade(style.trim, 0.92)
    canvas.fill(rect, trim)
    crown = max(1, height // 5)
    canvas.fill((x0, y0, x1, y0 + crown), shade(trim, 1.2))
    canvas.fill((x0, y0 + crown // 2, x1, y0 + crown // 2 + canvas.stroke(1)), shade(trim, 0.8))
    canvas.fill((x0, y0 + crown, x1, y0 + 2 * crown), shade(trim, 0.5))
    if height > canvas.stroke(12) and form:
        _blocks(canvas, (x0, y0 + crown, x1, y0 + (2 + form % 2) * crown), shade(trim, 1.1), shade(trim, 0.48))
    canvas.fill((x0, y1 - crown, x1, y1), shade(trim, 1.05))
    canvas.fill((x0, y1 - canvas.stroke(1.5), x1, y1), shade(trim, 0.62))


def paint_pillar(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A pilaster with base and capital: plain, fluted or rounded."""
    x0, y0, x1, y1 = rect
    width, height = x1 - x0, y1 - y0
    cast_shadow(canvas, rect, style, 0.9)
    canvas.label(rect, CLASS_INDEX["pillar"])
    stone = shade(style.trim, 1.06)
    canvas.fill(rect, stone)
    edge = max(1, width // 5)
    lit, dark = ((x0, x0 + edge), (x1 - edge, x1)) if style.sun_side < 0 else ((x1 - edge, x1), (x0, x0 + edge))
    canvas.fill((lit[0], y0, lit[1], y1), shade(stone, 1.14))
    canvas.fill((dark[0], y0, dark[1], y1), shade(stone, 0.70))
    if form == 1 and width > canvas.stroke(8):
        for x in range(x0 + edge, x1 - edge, max(2, canvas.stroke(4))):
            canvas.fill((x, y0, x + canvas.stroke(1.2), y1), shade(stone, 0.76))
    cap = min(max(2, int(0.9 * width)), height // 5)
    canvas.fill((x0, y0, x1, y0 + cap), shade(stone, 1.05))
    canvas.fill((x0, max(y0, y0 + cap - max(1, cap // 4)), x1, y0 + cap), shade(stone, 0.62))
    if form != 2 and cap > canvas.stroke(5):
        canvas.ellipse(rect, ((x0 + x1) / 2, y0 + cap / 2), (width * 0.22, cap * 0.24), shade(stone, 0.72))
    canvas.fill((x0, y1 - cap, x1, y1), shade(stone, 0.96))
    canvas.fill((x0, y1 - cap, x1, min(y1, y1 - cap + canvas.stroke(1.2))), shade(stone, 0.66))


def paint_deco(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """An ornament: rosette, cartouche, lozenge or a wreath, on a panel of its own."""
    x0, y0, x1, y1 = rect
    width, height = x1 - x0, y1 - y0
    cast_shadow(canvas, rect, style, 0.6)
    canvas.label(rect, CLASS_INDEX["deco"])
    ground = shade(style.trim, 0.78 + 0.14 * dice[0])
    light, dark = shade(style.trim, 1.2), shade(style.trim, 0.55)
    edge = canvas.stroke(1.6)
    canvas.fill(rect, light)
    canvas.fill((x0 + edge, y0 + edge, x1 - edge, y1 - edge), ground)
    x, y, reach = (x0 + x1) // 2, (y0 + y1) // 2, min(width, height) // 2 - 2 * edge
    if reach < 2:
        return
    centres = [x] if width < 1.8 * height else [x - width // 4, x, x + width // 4]
    reach = reach if len(centres) == 1 else min(reach, width // 6)
    drop = max(1, edge // 2)
    for centre in centres:
        if form == 2:
            for offset, colour in ((drop, dark), (0, light)):
                diamond = [(centre - reach, y), (centre, y - reach), (centre + reach, y), (centre, y + reach)]
                canvas.polygon(rect, [(px + offset, py + offset) for px, py in diamond], colour)
            canvas.ellipse(rect, (centre, y), (reach * 0.3, reach * 0.3), dark)
        else:
            canvas.ellipse(rect, (centre + drop, y + drop), (reach * 0.86, reach * 0.86), dark)
            canvas.ellipse(rect, (centre, y), (reach * 0.86, reach * 0.86), light)
            canvas.ellipse(rect, (centre, y), (reach * 0.55, reach * 0.55), shade(ground, 0.78))
            if form != 3:
                canvas.ellipse(rect, (centre, y), (reach * 0.3, reach * (0.3 if form else 0.5)), light)


def paint_balcony(canvas: Canvas, rect: Rect, style: Style, form: int, dice: list[float]) -> None:
    """A balcony seen from the front: rail, balustrade, and the slab that shades the wall below."""
    x0, y0, x1, y1 = rect
    height = y1 - y0
    slab = max(2, height // 6)
    canvas.dim((x0, y0, x1, y1), int(255 * (0.95 - 0.25 * style.sun_strength)))
    floor = (x0, y1 - slab, x1, y1)
    cast_shadow(canvas, floor, style, 2.6)
    canvas.label(rect, CLASS_INDEX["balcony"])
    front = (x0, y0, x1, y1 - slab)
    if style.railing == 0:
        _iron(canvas, front, style, dice)
    elif style.railing == 1:
        _balusters(canvas, front, style)
    elif style.railing == 2:
        canvas.light[y0:y1, x0:x1] = 255
        canvas.fill(front, shade(style.wall, 0.98))
        canvas.fill((x0, y0, x1, y0 + canvas.stroke(3)), shade(style.trim, 1.2))
        canvas.fill((x0, y1 - slab - canvas.stroke(2), x1, y1 - slab), shade(style.wall, 0.7))
    else:
        canvas.blend(front, mix(style.sky, (120, 140, 140), 0.6), 0.45)
        canvas.fill((x0, y0, x1, y0 + canvas.stroke(2.5)), (150, 152, 152))
    canvas.fill(floor, shade(style.trim, 1.1))
    canvas.fill((x0, y1 - max(1, slab // 2), x1, y1), shade(style.trim, 0.66))


def cast_shadow(canvas: Canvas, rect: Rect, style: Style, depth: float) -> None:
    """The shadow of what stands out of the wall by `depth`, away from the sun and down; the thing itself is lit."""
    reach = depth * style.shadow_length * canvas.side
    shift = (round(-0.7 * style.sun_side * reach), max(1, round(reach)))
    canvas.raise_up(rect, shift, int(255 * (1.0 - style.sun_strength)))


def _iron(canvas: Canvas, rect: Rect, style: Style, dice: list[float]) -> None:
    """A railing of thin bars with a hand rail and a middle rail; the wall is seen through it."""
    x0, y0, x1, y1 = rect
    canvas.blend(rect, style.iron, 0.10)
    bar, pitch = canvas.stroke(1.3), max(3, canvas.stroke(4.4))
    canvas.colour[y0:y1, x0:x1].reshape(y1 - y0, x1 - x0, 3)[:, ::pitch] = style.iron
    for y in (y0, y0 + (y1 - y0) // 4, y1 - 2 * bar):
        canvas.fill((x0, y, x1, y + bar), style.iron)
    canvas.fill((x0, y0, x1, y0 + 2 * bar), shade(style.iron, 1.2))
    canvas.fill((x0, y0, x0 + bar, y1), style.iron)
    canvas.fill((x1 - bar, y0, x1, y1), style.iron)
    if dice[0] < 0.5 and y1 - y0 > canvas.stroke(16):
        for x in range(x0 + 2 * pitch, x1 - 2 * pitch, 4 * pitch):
            canvas.ellipse(rect, (x, (y0 + y1) / 2 + bar), (1.2 * pitch, (y1 - y0) * 0.22), style.iron, bar)


def _balusters(canvas: Canvas, rect: Rect, style: Style) -> None:
    """A row of small stone columns between two rails."""
    x0, y0, x1, y1 = rect
    canvas.fill(rect, shade(style.trim, 0.42))
    pitch = max(4, canvas.stroke(8))
    for x in range(x0, x1, pitch):
        right = min(x + pitch * 5 // 8, x1)
        canvas.fill((x, y0, right, y1), shade(style.trim, 1.0))
        canvas.fill((x, y0, min(x + max(1, pitch // 5), x1), y1), shade(style.trim, 1.2))
        canvas.fill((x, (y0 + y1) // 2, right, y1 - (y1 - y0) // 4), shade(style.trim, 1.1))
    rail = max(1, (y1 - y0) // 6)
    canvas.fill((x0, y0, x1, y0 + rail), shade(style.trim, 1.18))
    canvas.fill((x0, y0 + rail, x1, y0 + rail + 1), shade(style.trim, 0.6))


def _blocks(canvas: Canvas, rect: Rect, light: Colour, dark: Colour) -> None:
    """Dentils: small lit blocks in a dark row."""
    x0, y0, x1, y1 = rect
    canvas.fill(rect, dark)
    pitch = max(4, canvas.stroke(8))
    for x in range(x0, x1, pitch):
        canvas.fill((x, y0, min(x + pitch * 5 // 8, x1), y1), light)
