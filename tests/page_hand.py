"""A hand on a canvas of the site in a real browser: chooses tools, classes and sizes as people do, and draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Point = tuple[float, float]

TOOLS = {"brush": "Brush", "pencil": "Pencil", "eraser": "Eraser", "box": "Rectangle", "line": "Line", "fill": "Fill"}
UNIT = 256  # drawings are told in 256ths of a canvas's side, whatever its pixels


@dataclass(frozen=True)
class Step:
    """One thing a hand does: with a tool, of a colour (none: pencil and undo), of a size in pixels (0: as it is)."""

    tool: str
    points: tuple[Point, ...] = ()
    colour: str = ""
    size: int = 0


UNDO = Step("undo")


def smooth(points: Sequence[Point], pieces: int = 5) -> tuple[Point, ...]:
    """A curve through the points (Catmull and Rom's)."""
    if len(points) < 3:
        return tuple(points)
    ends = [points[0], *points, points[-1]]
    curve: list[Point] = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for piece in range(pieces):
            t = piece / pieces
            one, two, three, four = -t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2
            curve.append(
                (
                    (one * a[0] + two * b[0] + three * c[0] + four * d[0]) / 2,
                    (one * a[1] + two * b[1] + three * c[1] + four * d[1]) / 2,
                )
            )
    return (*curve, points[-1])


class Hand:
    """Draws on the canvas with that element id; places are (x, y) from (0, 0) to (256, 256) at the lower right."""

    def __init__(self, page: Any, elem_id: str) -> None:
        self.page = page
        self.root = page.locator(f"#{elem_id}")
        self.surface = self.root.locator(".canvas-surface")
        self.surface.wait_for()
        self.surface.scroll_into_view_if_needed()
        self._tool = ""

    def tool(self, name: str) -> None:
        """Choose a tool by its button."""
        if name != self._tool:
            self.root.get_by_role("button", name=TOOLS[name], exact=True).click()
            self._tool = name

    def colour(self, name: str) -> None:
        """Choose a class or a colour by its swatch."""
        self.root.locator(".canvas-palette").get_by_role("button", name=name, exact=True).click()

    def size(self, pixels: int) -> None:
        """Bring the brush to that many pixels, or the next size above, by the keys for it."""
        self.surface.focus()
        while self._shown() > pixels:
            self.page.keyboard.press("[")
        while self._shown() < pixels:
            self.page.keyboard.press("]")

    def _shown(self) -> int:
        return int(self.root.locator(".canvas-size-shown").inner_text().split()[0])

    def stroke(self, points: Sequence[Point]) -> None:
        """Press at the first point, pass the others, and let go; of one point, a click."""
        box = self.surface.bounding_box()
        places = [(box["x"] + x / UNIT * box["width"], box["y"] + y / UNIT * box["height"]) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place)
        self.page.mouse.up()

    def do(self, step: Step) -> None:
        """Do one step of a drawing."""
        if step.tool == "undo":
            return self.undo()
        self.tool(step.tool)
        if step.colour:
            self.colour(step.colour)
        if step.size:
            self.size(step.size)
        self.stroke(step.points)

    def undo(self) -> None:
        """Take the last stroke back, by the key."""
        self.surface.focus()
        self.page.keyboard.press("Control+z")

    def save(self) -> bytes:
        """The drawing, by the button that saves it."""
        with self.page.expect_download() as started:
            self.root.locator(".canvas-toolbar").get_by_role("button", name="Save").click()
        return Path(started.value.path()).read_bytes()
