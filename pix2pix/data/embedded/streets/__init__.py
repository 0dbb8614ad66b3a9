"""Embedded streets: label maps in the classes of Cityscapes and pictures to match, drawn from a seed.

A street is planned in metres (`plan`), seen through a camera in a car, and painted from far to near on a canvas
that knows for every pixel its colour and the surface that it shows (`canvas`). Class, depth, texture, shadow
and haze follow from the surface in the last step (`light`).

Marius Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016 (the classes, and the
camera behind the windscreen; a bonnet is unlabeled).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pix2pix.data.embedded.basics import check_arguments
from pix2pix.data.embedded.streets import boundaries, buildings, furniture, large_vehicles, people
from pix2pix.data.embedded.streets.bonnet import paint_bonnet
from pix2pix.data.embedded.streets.canvas import Camera, Canvas
from pix2pix.data.embedded.streets.cars import paint_car
from pix2pix.data.embedded.streets.ground import cast_shadows, paint_ground
from pix2pix.data.embedded.streets.light import develop, noise_tile
from pix2pix.data.embedded.streets.plan import PLACES, plan_street
from pix2pix.data.embedded.streets.traffic import EXTRAS
from pix2pix.data.embedded.streets.trees import paint_bush, paint_tree
from pix2pix.data.embedded.streets.types import Item
from pix2pix.data.embedded.streets.weather import choose_weather

__all__ = ["CLASSES", "draw"]

CLASSES: tuple[str, ...] = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation", "terrain",
    "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle", "unlabeled", "dynamic",
    "ground", "parking", "rail track", "bridge",
)  # fmt: skip

CLASS_INDEX: Mapping[str, int] = MappingProxyType({name: index for index, name in enumerate(CLASSES)})

Painter = Callable[[Canvas, Item, np.random.Generator], None]

PAINTERS: Mapping[str, Painter] = MappingProxyType(
    {
        "block": buildings.paint_block,
        "house": buildings.paint_house,
        "terrace": buildings.paint_terrace,
        "skyline": buildings.paint_skyline,
        "wall": boundaries.paint_wall,
        "fence": boundaries.paint_fence,
        "hedge": boundaries.paint_hedge,
        "bridge": boundaries.paint_bridge,
        "tree": paint_tree,
        "bush": paint_bush,
        "lamp": furniture.paint_lamp,
        "sign": furniture.paint_sign,
        "signal": furniture.paint_signal,
        "bollard": furniture.paint_bollard,
        "bin": furniture.paint_bin,
        "kiosk": furniture.paint_kiosk,
        "planter": furniture.paint_planter,
        "person": people.paint_person,
        "bicycle": people.paint_bicycle,
        "cyclist": people.paint_cyclist,
        "motorcycle": people.paint_motorcycle,
        "motorcyclist": people.paint_motorcyclist,
        "car": paint_car,
        "van": paint_car,
        "truck": large_vehicles.paint_truck,
        "bus": large_vehicles.paint_bus,
        "tram": large_vehicles.paint_tram,
    }
)


def draw(seed: int, index: int, size: int = 256) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Street number `index` of the endless set that `seed` names, as labels and picture.

    Nothing else decides the result, and the same street is drawn at every size. Kinds of street and rare things take
    turns, so that every dozen of indices has each of them once.

    Shape: labels (size, size) uint8, indices into `CLASSES`; picture (size, size, 3) uint8 RGB.

    Raises:
        ValueError: `size` is not within 64 to 512, or `seed` or `index` is negative.
    """
    check_arguments(seed, index, size)
    dozen, place = divmod(index, len(PLACES))
    turns = np.random.default_rng((seed, dozen, 3))
    place = int(turns.permutation(len(PLACES))[place])
    extra = int(turns.permutation(len(EXTRAS))[index % len(EXTRAS)])
    plan, paint, light = (np.random.default_rng((seed, index, stream)) for stream in range(3))
    camera = Camera(
        centre=float(plan.uniform(0.40, 0.60)),
        horizon=float(plan.uniform(0.37, 0.48)),
        focal=float(plan.uniform(0.82, 1.12)),
        height=float(plan.uniform(1.2, 1.5)),
        curve=float(plan.normal(0.0, 0.0009)),
    )
    street = plan_street(plan, PLACES[place], extra)
    canvas = Canvas(size, camera, choose_weather(light), noise_tile(light))
    cast_shadows(canvas, street)
    paint_ground(canvas, street, paint)
    for item in street.items:
        if item.kind in PAINTERS and _in_view(camera, item):
            PAINTERS[item.kind](canvas, item, paint)
    if light.random() < 0.5:
        paint_bonnet(canvas, light)
    numbers, photo = develop(canvas, light)
    classes = np.array([CLASS_INDEX[name] for name, _, _ in canvas.surfaces], np.uint8)
    return classes.take(numbers), photo


def _in_view(camera: Camera, item: Item) -> bool:
    """Whether any of a thing can be inside the picture; what cannot need not be painted."""
    lot = item.kind in ("block", "house", "wall", "fence", "hedge")
    depth = item.far if lot else item.far + 20.0
    reach = 0.0 if lot else max(item.width, item.height) + 6.0
    beside = item.side * camera.bend(item.x, depth) - reach
    return beside * camera.focal / depth < (1.0 - camera.centre if item.side > 0 else camera.centre)
