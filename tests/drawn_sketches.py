"""Twelve sketches as lists of strokes, for `drawn_apps.py`: shoes and faces; places in 256ths of the canvas."""

from __future__ import annotations

import math

from page_hand import Point, Step, smooth


def pencil(*points: Point) -> Step:
    return Step("pencil", smooth(points))


def oval(x: float, y: float, wide: float, high: float, start: float = 0, end: float = 360) -> Step:
    """An arc around (x, y), in degrees from the right by way of the bottom."""
    angles = [math.radians(start + (end - start) * step / 24) for step in range(25)]
    return Step("pencil", tuple((x + wide * math.cos(angle), y + high * math.sin(angle)) for angle in angles))


def shoe(*points: Point) -> Step:
    """A line of a shoe, which is told from 26 to 234 across and with its sole at 210: as large as the model's shoes."""
    return pencil(*((128 + 1.12 * (x - 130), 242 + 1.15 * (y - 210)) for x, y in points))


SHOES: dict[str, list[Step]] = {
    "trainer": [
        shoe(
            (30, 178),
            (28, 140),
            (36, 108),
            (60, 100),
            (86, 112),
            (108, 122),
            (150, 138),
            (200, 150),
            (228, 168),
            (230, 182),
        ),
        shoe((28, 180), (90, 188), (150, 186), (230, 184)),
        shoe((26, 182), (28, 198), (90, 204), (180, 204), (228, 200), (232, 184)),
        shoe((86, 112), (92, 130), (120, 142), (150, 138)),
        *[shoe((96 + 13 * n, 116 + 6 * n), (108 + 13 * n, 132 + 4 * n)) for n in range(4)],
        shoe((40, 112), (60, 118), (84, 114)),
        shoe((60, 182), (90, 158), (130, 150), (150, 170)),
        shoe((196, 150), (186, 166), (190, 184)),
    ],
    "boot": [
        shoe((70, 40), (72, 100), (66, 150), (64, 186)),
        shoe((130, 38), (132, 100), (140, 136), (180, 152), (212, 166), (220, 190)),
        shoe((70, 40), (100, 46), (130, 38)),
        shoe((70, 40), (100, 32), (130, 38)),
        shoe((64, 188), (140, 192), (220, 190)),
        shoe((62, 188), (62, 210), (100, 210), (104, 200), (150, 206), (220, 204), (222, 190)),
        shoe((70, 64), (100, 70), (131, 62)),
        shoe((68, 130), (100, 142), (138, 132)),
        shoe((178, 152), (168, 170), (172, 190)),
    ],
    "high heel": [
        shoe((40, 84), (60, 108), (96, 140), (140, 168), (190, 182), (226, 190)),
        shoe((40, 84), (30, 110), (36, 136), (50, 146)),
        shoe((50, 146), (54, 180), (56, 214)),
        shoe((36, 136), (42, 180), (46, 214)),
        shoe((46, 214), (56, 214)),
        shoe((50, 146), (90, 168), (130, 200), (180, 210), (226, 204), (230, 192)),
        shoe((140, 168), (160, 160), (190, 166), (218, 180), (230, 192)),
    ],
    "ballerina": [
        shoe((26, 168), (30, 140), (46, 132), (70, 146), (110, 164), (150, 162), (180, 150), (212, 158), (232, 176)),
        shoe((26, 168), (60, 184), (130, 190), (200, 188), (232, 178)),
        shoe((26, 170), (30, 190), (70, 194), (140, 198), (210, 196), (234, 180)),
        shoe((46, 134), (66, 152), (108, 172), (152, 170), (182, 156)),
        shoe((186, 152), (180, 146), (172, 152), (186, 156), (198, 148), (196, 158), (186, 154)),
    ],
    "loafer": [
        shoe((30, 174), (26, 130), (48, 116), (76, 122), (104, 130), (130, 124), (170, 140), (210, 152), (230, 174)),
        shoe((30, 176), (100, 182), (180, 182), (230, 176)),
        shoe((28, 178), (28, 196), (84, 196), (90, 190), (150, 196), (228, 194), (232, 178)),
        shoe((104, 130), (120, 150), (160, 160), (176, 142)),
        shoe((108, 138), (130, 128), (156, 146)),
        shoe((48, 118), (66, 134), (104, 132)),
    ],
    "ankle boot with laces": [
        shoe((54, 70), (52, 120), (44, 160), (44, 186)),
        shoe((112, 66), (116, 108), (136, 132), (178, 148), (214, 160), (226, 186)),
        shoe((54, 70), (82, 78), (112, 66)),
        shoe((44, 188), (130, 192), (226, 188)),
        shoe((42, 188), (42, 208), (90, 208), (94, 200), (150, 206), (226, 204), (228, 188)),
        *[shoe((96 + 5 * n, 84 + 14 * n), (120 + 7 * n, 80 + 14 * n)) for n in range(4)],
        shoe((92, 72), (96, 110), (116, 140), (150, 152)),
        shoe((176, 148), (166, 166), (172, 190)),
        shoe((54, 96), (72, 104), (94, 96)),
    ],
}


def eye(x: float, y: float) -> list[Step]:
    """Lids, iris and brow."""
    return [
        pencil((x - 17, y + 2), (x - 6, y - 7), (x + 8, y - 6), (x + 17, y + 3)),
        pencil((x - 17, y + 2), (x, y + 8), (x + 17, y + 3)),
        oval(x, y, 5, 5),
        pencil((x - 22, y - 18), (x - 4, y - 25), (x + 20, y - 18)),
    ]


def face(wide: float, mouth: str, hair: list[Step], glasses: bool = False) -> list[Step]:
    """A head seen from the front, `wide` from the middle to the cheek."""
    steps = [
        pencil((128 - wide, 96), (128 - wide + 2, 150), (128 - wide * 0.66, 196), (128, 220)),
        pencil((128 + wide, 96), (128 + wide - 2, 150), (128 + wide * 0.66, 196), (128, 220)),
        *eye(100, 122),
        *eye(156, 122),
        pencil((122, 126), (116, 154), (112, 164), (120, 170)),
        pencil((136, 170), (144, 164), (140, 156)),
        pencil((120, 170), (128, 173), (136, 170)),
    ]
    smile = {"smile": 8, "straight": 0, "open": 10}[mouth]
    steps += [
        pencil((102, 190 - smile / 2), (128, 192 + smile / 2), (154, 190 - smile / 2)),
        pencil((104, 190 - smile / 2), (120, 184), (128, 187), (136, 184), (152, 190 - smile / 2)),
        pencil((110, 194), (128, 202 + smile / 2), (146, 194)),
        pencil((92, 206), (92, 226), (60, 240), (24, 254)),
        pencil((164, 206), (164, 226), (196, 240), (232, 254)),
    ]
    if glasses:
        steps += [oval(100, 124, 24, 18), oval(156, 124, 24, 18), pencil((124, 120), (132, 120))]
    return steps + hair


def short_hair(wide: float) -> list[Step]:
    """A parting, and hair to the ears."""
    return [
        pencil(
            (128 - wide - 4, 110),
            (128 - wide - 8, 60),
            (100, 24),
            (150, 20),
            (128 + wide + 6, 56),
            (128 + wide + 4, 110),
        ),
        pencil((128 - wide, 100), (128 - wide + 10, 70), (110, 60), (150, 74), (128 + wide, 98)),
        pencil((112, 58), (130, 40), (150, 36)),
        pencil((100, 62), (104, 42), (120, 28)),
    ]


def long_hair(wide: float) -> list[Step]:
    """A middle parting, and hair to the shoulders."""
    return [
        pencil((128, 26), (76, 40), (128 - wide - 16, 110), (128 - wide - 22, 190), (128 - wide - 10, 240)),
        pencil((128, 26), (180, 40), (128 + wide + 16, 110), (128 + wide + 22, 190), (128 + wide + 10, 240)),
        pencil((128, 34), (96, 64), (128 - wide + 2, 100), (128 - wide - 4, 170), (128 - wide + 8, 220)),
        pencil((128, 34), (160, 64), (128 + wide - 2, 100), (128 + wide + 4, 170), (128 + wide - 8, 220)),
        pencil((110, 40), (74, 80), (128 - wide - 10, 150)),
        pencil((146, 40), (182, 80), (128 + wide + 10, 150)),
    ]


def bald(wide: float) -> list[Step]:
    """The skull, and ears."""
    return [
        pencil((128 - wide, 98), (128 - wide + 6, 56), (128, 26), (128 + wide - 6, 56), (128 + wide, 98)),
        pencil((128 - wide, 118), (128 - wide - 12, 116), (128 - wide - 8, 146), (128 - wide + 2, 150)),
        pencil((128 + wide, 118), (128 + wide + 12, 116), (128 + wide + 8, 146), (128 + wide - 2, 150)),
    ]


FACES: dict[str, list[Step]] = {
    "long hair": face(62, "smile", long_hair(62)),
    "short hair": face(66, "straight", short_hair(66)),
    "glasses": face(64, "smile", short_hair(64), glasses=True),
    "bald": face(68, "straight", bald(68)),
    "fringe": face(60, "smile", [*long_hair(60), *[pencil((84 + 11 * n, 52), (80 + 12 * n, 92)) for n in range(8)]]),
    "beard": face(66, "open", [*short_hair(66), *[pencil((80 + 12 * n, 206), (84 + 11 * n, 222)) for n in range(9)]]),
}

SKETCHES = {"edges2photo": SHOES, "edges2faces": FACES}
