"""What the surfaces of an embedded street scene are made of: how strong and how fine their texture is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

MaterialName = Literal[
    "sky", "asphalt", "paving", "cobbles", "grass", "gravel", "plaster", "brick", "stone", "concrete", "tiles",
    "leaves", "metal", "cloth",
]  # fmt: skip


class Material(NamedTuple):
    """Strengths of a fine and a coarse noise, samples of the fine one in a metre, and joints between blocks."""

    fine: float
    coarse: float
    grain: float
    length: float  # of a block in metres; 0 for none
    course: float  # height of a block in metres
    joint: float  # how much darker a joint is


MATERIALS: Mapping[MaterialName, Material] = MappingProxyType(
    {
        "sky": Material(0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
        "asphalt": Material(0.15, 0.13, 48.0, 0.0, 0.0, 0.0),
        "paving": Material(0.14, 0.20, 40.0, 0.60, 0.60, 0.26),
        "cobbles": Material(0.28, 0.22, 40.0, 0.22, 0.22, 0.34),
        "grass": Material(0.50, 0.34, 30.0, 0.0, 0.0, 0.0),
        "gravel": Material(0.55, 0.24, 44.0, 0.0, 0.0, 0.0),
        "plaster": Material(0.05, 0.20, 26.0, 0.0, 0.0, 0.0),
        "brick": Material(0.16, 0.18, 34.0, 0.26, 0.10, 0.16),
        "stone": Material(0.12, 0.18, 26.0, 0.90, 0.45, 0.15),
        "concrete": Material(0.10, 0.34, 26.0, 2.40, 1.20, 0.16),
        "tiles": Material(0.22, 0.22, 30.0, 0.40, 0.30, 0.26),
        "leaves": Material(0.62, 0.40, 22.0, 0.0, 0.0, 0.0),
        "metal": Material(0.04, 0.10, 20.0, 0.0, 0.0, 0.0),
        "cloth": Material(0.16, 0.14, 60.0, 0.0, 0.0, 0.0),
    }
)
