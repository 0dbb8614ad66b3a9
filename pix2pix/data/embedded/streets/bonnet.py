"""The bonnet of the car that carries the camera, at the bottom of some embedded street scenes."""

import numpy as np

from pix2pix.data.embedded.basics import Colour, mix
from pix2pix.data.embedded.streets.canvas import Canvas
from pix2pix.data.embedded.streets.weather import pick, scaled

_PAINTS: tuple[Colour, ...] = ((36, 38, 42), (60, 64, 70), (96, 98, 100), (34, 44, 66), (120, 122, 122))


def paint_bonnet(canvas: Canvas, rng: np.random.Generator) -> None:
    """A flat arch along the lower edge that mirrors the sky, sometimes with an ornament on its crest."""
    side = float(canvas.side)
    number = canvas.upright("unlabeled", "metal", 1.4)
    paint = canvas.weather.shade(pick(rng, _PAINTS), (0.0, 0.9, 0.3))
    height, lean, ornament = rng.uniform((0.05, -0.02, 0.0), (0.10, 0.02, 1.0)).tolist()
    middle = canvas.camera.centre
    x = np.linspace(0.0, 1.0, 33)
    crest = 1.0 - height * np.clip(1.0 - 1.9 * np.abs(x - middle) ** 2.2, 0.0, 1.0) - lean * (x - middle)
    floor = [[1.0, 1.02], [0.0, 1.02]]
    for level, share in ((0.0, 0.42), (0.10, 0.24), (0.28, 0.12), (0.55, 0.03)):
        arch = np.stack([x, crest + (1.02 - crest) * level], axis=1)
        colour = mix(paint, canvas.weather.horizon, share)
        canvas.fill(np.concatenate([arch, floor]) * side, colour, number)
    ridge = np.array([(middle - 0.015, 1 - 0.9 * height), (middle + 0.015, 1 - 0.9 * height), (middle + 0.05, 1.02),
                      (middle - 0.05, 1.02)])  # fmt: skip
    canvas.fill(ridge * side, mix(paint, canvas.weather.horizon, 0.22), number)
    if ornament < 0.5:
        turn = np.linspace(0.0, 2.0 * np.pi, 20)
        for radius, colour in ((0.024, scaled(paint, 0.7)), (0.017, mix(paint, canvas.weather.horizon, 0.3))):
            ring = np.stack([np.cos(turn) * radius, np.sin(turn) * radius * 1.9], axis=1)
            canvas.fill((ring + np.array([middle, 0.965 - height])) * side, colour, number)
