"""What every drawer of embedded pairs needs: its arguments checked, and colours mixed."""

Colour = tuple[float, float, float]
"""Red, green and blue, 0 to 255; light may go beyond until it is exposed."""


def check_arguments(seed: int, index: int, size: int) -> None:
    """Raises ValueError where `size` is not within 64 to 512, or `seed` or `index` is negative."""
    if not 64 <= size <= 512:
        raise ValueError(f"got size {size}, expected 64 to 512: draw at one of these and resize")
    if seed < 0 or index < 0:
        raise ValueError(f"got seed {seed} and index {index}, expected both to be 0 or more")


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made brighter or darker, kept within 0 to 255."""
    red, green, blue = colour
    return min(255.0, red * factor), min(255.0, green * factor), min(255.0, blue * factor)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first."""
    rest = 1.0 - share
    return (
        first[0] * rest + second[0] * share,
        first[1] * rest + second[1] * share,
        first[2] * rest + second[2] * share,
    )
