"""Perlin's gradient noise on regular grids, the texture of everything that the embedded pairs draw.

Ken Perlin, "An Image Synthesizer", SIGGRAPH 1985 (gradients on a lattice, sums of octaves), and "Improving Noise",
SIGGRAPH 2002, whose fade curve 6t^5 - 15t^4 + 10t^3 has no second derivative at the lattice and so shows no creases.

On a grid the noise is separable: with w(t) = 1 - fade(|t|) it is the sum over lattice points (j, i) of
w(y - j) w(x - i) (gy (y - j) + gx (x - i)), so rows are blended once for each lattice column and columns afterwards.
"""

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def fade(t: Field) -> Field:
    """The 2002 interpolation curve, from 0 at t = 0 to 1 at t = 1 with zero first and second derivatives at both."""
    return np.asarray(t * t * t * (t * (t * 6.0 - 15.0) + 10.0), dtype=np.float32)


def random_gradients(rng: np.random.Generator, rows: int, columns: int) -> Field:
    """Unit vectors in random directions for a lattice that repeats after `rows` by `columns` cells.

    Shape: (2, rows, columns) float32, first the y and then the x component.
    """
    angle = rng.uniform(0.0, 2.0 * np.pi, (rows, columns))
    return np.stack([np.sin(angle), np.cos(angle)]).astype(np.float32)


def gradient_noise(gradients: Field, y: Field, x: Field) -> Field:
    """Noise at every crossing of the coordinates `y` (H,) and `x` (W,), measured in lattice cells.

    Zero at lattice points, periodic with the size of the lattice; with unit gradients within +-sqrt(1/2).

    Shape: gradients (2, rows, columns) -> (H, W) float32.
    """
    assert gradients.ndim == 3, gradients.shape
    assert y.ndim == x.ndim == 1, (y.shape, x.shape)
    row, below, y_weight, y_offset = _neighbours(y, gradients.shape[1])
    column, right, x_weight, x_offset = _neighbours(x, gradients.shape[2])
    gradient_y, gradient_x = gradients
    steep = (y_weight * y_offset)[:, :, None]
    level = y_weight[:, :, None]
    along_y = gradient_y[row] * steep[0] + gradient_y[below] * steep[1]
    along_x = gradient_x[row] * level[0] + gradient_x[below] * level[1]
    noise = along_y.take(column, axis=1) * x_weight[0]
    noise += along_y.take(right, axis=1) * x_weight[1]
    noise += along_x.take(column, axis=1) * (x_weight[0] * x_offset[0])
    noise += along_x.take(right, axis=1) * (x_weight[1] * x_offset[1])
    return np.asarray(noise, dtype=np.float32)


def fractal_noise(
    rng: np.random.Generator,
    shape: tuple[int, int],
    cells: tuple[int, int],
    octaves: int = 3,
    gain: float = 0.5,
) -> Field:
    """Sum of `octaves` noises, each of twice the frequency and `gain` times the amplitude of the one before.

    `cells` are the lattice cells (rows, columns) over the picture in the first octave. The samples lie at pixel
    centres, so the same generator state gives the same field at any resolution. Values within [-1, 1].

    Shape: `shape` float32.
    """
    assert octaves >= 1
    total = np.zeros(shape, np.float32)
    amplitude, reach = 1.0, 0.0
    for octave in range(octaves):
        rows, columns = cells[0] << octave, cells[1] << octave
        y = (np.arange(shape[0], dtype=np.float32) + 0.5) * np.float32(rows / shape[0])
        x = (np.arange(shape[1], dtype=np.float32) + 0.5) * np.float32(columns / shape[1])
        total += gradient_noise(random_gradients(rng, rows, columns), y, x) * np.float32(amplitude)
        reach += amplitude
        amplitude *= gain
    total *= np.float32(np.sqrt(2.0) / reach)
    return total


def enlarge(field: Field, shape: tuple[int, int]) -> Field:
    """A smooth field at a higher resolution, bilinearly: far cheaper than noise of low frequency at every pixel.

    In numpy, since OpenCV's resize would start threads of its own in every worker.
    """
    for axis, length in enumerate(shape):
        source = field.shape[axis]
        position = (np.arange(length, dtype=np.float32) + 0.5) * np.float32(source / length) - 0.5
        position = np.clip(position, 0.0, source - 1.0)
        before = np.minimum(position.astype(np.intp), source - 2)
        share = (position - before).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
        low, high = field.take(before, axis=axis), field.take(before + 1, axis=axis)
        field = low + share * (high - low)
    return field


def _neighbours(position: Field, period: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Field, Field]:
    """Lattice indices before and after each position, and the weights and signed distances (2, n) of both."""
    whole = np.floor(position)
    offset = (position - whole).astype(np.float32)
    index = whole.astype(np.intp) % period
    rising = fade(offset)
    return index, (index + 1) % period, np.stack([1.0 - rising, rising]), np.stack([offset, offset - 1.0])
