"""Where the people of an embedded town live: houses in gardens, terraces, closed blocks and blocks of flats."""

from pix2pix.data.embedded.towns.lot import Lot, Roof, car_park


def houses(lot: Lot) -> None:
    """Detached houses in gardens, in two rows back to back."""
    rng, length, depth = lot.rng, lot.length, lot.depth
    lot.whole("grass")
    roof: Roof = "hip" if rng.random() < 0.3 else "gable"
    width, leafy = rng.uniform(14, 21), rng.uniform(0.5, 2.6)
    count = max(1, round(length / width))
    width = length / count
    for near, back in ((0.0, depth / 2.0), (depth, depth / 2.0)):
        to = 1.0 if back > near else -1.0
        for place in range(count):
            left, right = place * width, (place + 1) * width
            lawn = rng.choice(("grass", "lawn", "lawn", "dry", "meadow"))
            lot.cover(lawn, left, min(near, back), right, max(near, back))
            setback, deep = rng.uniform(4, 8), rng.uniform(9, 13)
            side = rng.uniform(1.5, 3.5)
            first, second = near + to * setback, near + to * (setback + deep)
            lot.cover("concrete", right - 3.6, min(near, first), right - 0.8, max(near, first + to * 4.0))
            low, high = min(first, second), max(first, second)
            tone, height = rng.random(), rng.uniform(4.5, 8.5)
            if rng.random() < 0.35:
                inner = second + to * rng.uniform(4, 6)
                lot.build(left + side, min(first, inner), left + width * 0.55, max(first, inner), height, roof, tone)
            lot.build(left + side, low, right - side - rng.uniform(0, 2.5), high, height, roof, tone)
            if rng.random() < 0.5:
                lot.car(right - 2.2, near + to * 3.0, along=False)
            if rng.random() < 0.10:
                pool = second + to * 6.0
                lot.disc("pool", left + 4, pool - 2.5, left + 11, pool + 2.5, 0.7)
            elif rng.random() < 0.35:
                lot.build(right - 5, back - to * 2 - 2, right - 1.5, back - to * 2 + 2, 2.5, "gable", rng.random())
            lot.trees(leafy, left, min(second, back), right, max(second, back), 2.9)
            lot.trees(0.3 * leafy, left, min(near, first), right, max(near, first), 2.2)
            lot.cover("hedge", left - 0.5, min(second, back), left + 0.5, max(second, back))
    lot.cover("hedge", 0, depth / 2 - 0.6, length, depth / 2 + 0.6)


def rows(lot: Lot) -> None:
    """Terraces along both long sides, with narrow gardens behind them."""
    rng, length, depth = lot.rng, lot.length, lot.depth
    lot.whole(rng.choice(("grass", "meadow", "yard")))
    roof: Roof = "flat" if rng.random() < 0.4 else "gable"
    unit, deep = rng.uniform(7.5, 12), min(rng.uniform(11, 15), 0.36 * depth)
    height, tone = rng.uniform(7, 12), rng.random()
    count = max(2, round(length / unit))
    unit, group = length / count, rng.randint(3, 8)
    for near, to in ((1.0, 1.0), (depth - 1.0, -1.0)):
        for place in range(count):
            if place % group == 0:
                tone, gap = rng.random(), rng.uniform(0.5, 3.0)
            left, right = place * unit, (place + 1) * unit
            far, back = near + to * (deep + rng.choice((0.0, 0.0, 1.5, 3.0))), depth / 2.0
            low, high = min(near, far), max(near, far)
            shown = rng.random() if roof == "flat" else tone + rng.uniform(0.0, 0.03)
            start = left + gap if place % group == 0 else left
            lot.build(start, low, right, high, height + rng.uniform(-0.5, 0.5), roof, shown % 1.0)
            surface = rng.choice(("grass", "lawn", "yard", "dry", "concrete"))
            lot.cover(surface, left + 0.3, min(far, back), right - 0.3, max(far, back))
            if rng.random() < 0.3:
                lot.build(left + 1, back - to * 1 - 1.5, left + 4.5, back - to * 1 + 1.5, 2.5, "flat", rng.random())
            lot.trees(0.5, left, min(far, back), right, max(far, back), 2.7)


def perimeter(lot: Lot) -> None:
    """A closed block: houses along all four streets around courtyards."""
    rng, length, depth = lot.rng, lot.length, lot.depth
    lot.whole(rng.choice(("yard", "yard", "grass", "concrete", "meadow")))
    roof: Roof = "gable" if rng.random() < 0.72 else "flat"
    deep, height = min(rng.uniform(10, 14.5), 0.34 * depth), rng.uniform(11, 19)
    for near, far in ((0.0, deep), (depth - deep, depth)):
        a = 0.0
        while a < length - 1.0:
            b = a + rng.uniform(13, 26)
            b = length if b > length - 9 else b
            lot.build(a, near, b, far, height + rng.uniform(-2, 2), roof, rng.random())
            a = b
    for near, far in ((0.0, deep), (length - deep, length)):
        if rng.random() < 0.9 and depth > 3 * deep:
            lot.build(near, deep, far, depth - deep, height + rng.uniform(-2, 2), roof, rng.random())
    a = deep + rng.uniform(6, 18)
    while a < length - deep - 10 and depth - 2 * deep > 12:
        reach = rng.uniform(0.3, 0.8) * (depth - 2 * deep)
        if rng.random() < 0.5:
            lot.build(a, deep, a + rng.uniform(7, 10), deep + reach, height * 0.75, roof, rng.random())
        else:
            lot.trees(2.5, a, deep + 3, a + 10, depth - deep - 3)
        a += rng.uniform(16, 30)


def slabs(lot: Lot) -> None:
    """Long blocks of flats in the green, all one way."""
    rng, length, depth = lot.rng, lot.length, lot.depth
    lot.whole("grass")
    lot.trees(length * depth / 330, 3, 3, length - 3, depth - 3, 3.4)
    height, tone, deep = rng.uniform(12, 36), rng.random(), rng.uniform(11, 15)
    lot.cover("path", 0, depth / 2 - 1.3, length, depth / 2 + 1.3)
    a = rng.uniform(6, 14)
    while a < length - deep - 3:
        if rng.random() < 0.8:
            start, end = rng.uniform(5, 14), depth - rng.uniform(5, 14)
            lot.cover("path", a - 4, 0, a - 2, depth)
            lot.build(a, start, a + deep, end, height, "flat", (tone + rng.uniform(0, 0.1)) % 1.0)
        else:
            car_park(lot, a, 4, min(a + 22, length - 2), depth - 4)
        a += deep + rng.uniform(16, 28)
