"""The scenes on land: mountains, a forest, dunes, balloons over hills, a lavender field."""

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from local.sample_library.painting import (
    Point,
    Size,
    below,
    between,
    clouds,
    contrasted,
    dimmed,
    disc,
    fade,
    finished,
    glow,
    gradient,
    height_at,
    pine,
    pines,
    polygon,
    ridge,
    shine,
    stencil,
    swell,
)


def layered_ridges(size: Size, throw: random.Random) -> Image.Image:
    """Mountains behind mountains at sunrise, each paler than the one before it."""
    width, height = size
    image = gradient(size, (0, "#34466f"), (0.22, "#8d7fa5"), (0.38, "#e9a58f"), (0.5, "#fbd3a0"), (1, "#fbe3bd"))
    streaks = contrasted(clouds(size, throw, (2, 14)), 120, 250)
    image.paste("#f7b29b", mask=ImageChops.multiply(dimmed(streaks, 0.55), fade(size, (0, 40), (0.3, 255), (0.5, 0))))
    sun = (width * 0.63, height * 0.405)
    glow(image, sun, width * 0.75, "#ffb36b", 0.85, 1.6)
    glow(image, sun, width * 0.2, "#ffe9b8", 0.9, 1.2)
    image.paste(
        "#fff6dd", mask=stencil(size, lambda draw, k: draw.circle((sun[0] * k, sun[1] * k), width * 0.05 * k, 255))
    )
    layers = 7
    for layer in range(layers):
        share = layer / (layers - 1)
        base = height * (0.46 + 0.46 * share**1.15)
        crest = ridge(throw, width, base, height * (0.035 + 0.045 * share), 0.52)
        crown = between("#d99f8f", "#161a33", share**0.75)
        foot = between("#f6cfa9", "#343457", share**0.9)
        top = min(y for _, y in crest) / height
        image.paste(gradient(size, (top, crown), (min(1.0, top + 0.2), foot), (1, foot)), mask=below(size, crest))
        haze = ImageChops.multiply(
            clouds(size, throw, (3, 10), 3), fade(size, (top, 0), (min(0.99, top + 0.16), 150), (1, 150))
        )
        image.paste(between("#ffdcb4", "#6c6285", share), mask=dimmed(haze, 0.8 * (1 - share)))
    crest = ridge(throw, width, height * 0.955, height * 0.02, 0.5)
    image.paste("#0c0f22", mask=below(size, crest))
    trees = [
        pine(x, height_at(crest, x) + height * 0.01, height * throw.uniform(0.035, 0.085), throw)
        for x in (throw.uniform(0, width) for _ in range(46))
    ]
    image.paste("#0c0f22", mask=pines(size, trees))
    return finished(image, throw, 0.07)


def misty_forest(size: Size, throw: random.Random) -> Image.Image:
    """Rows of pines that fade into the morning's fog."""
    width, height = size
    image = gradient(size, (0, "#dfe9e4"), (0.35, "#c4d8d4"), (0.7, "#8fb3b0"), (1, "#5d8a8a"))
    glow(image, (width * 0.7, height * 0.13), width * 0.6, "#fff3d2", 0.9)
    rows = 7
    for row in range(rows):
        share = row / (rows - 1)
        base = height * (0.36 + 0.62 * share)
        line = ridge(throw, width, base, height * 0.05, 0.45)
        tall = height * (0.1 + 0.27 * share)
        count = round(52 - 38 * share)
        places = [(place + throw.uniform(-0.6, 0.6)) * width / count for place in range(-1, count + 2)]
        trees = [pine(x, height_at(line, x) + tall * 0.1, tall * throw.uniform(0.55, 1.1), throw) for x in places]
        wood = ImageChops.lighter(pines(size, trees), below(size, line))
        dark = between("#a9c7c3", "#0b2426", share**0.8)
        image.paste(dark, mask=wood)
        if row < rows - 1:
            fog = contrasted(clouds(size, throw, (2, 5), 4), 40, 230)
            low = max(0.01, base / height - 0.07)
            band = fade(size, (0, 0), (low, 0), (min(0.98, low + 0.17), 235), (1, 235))
            image.paste(
                between("#dbe8e3", "#6f9797", share), mask=dimmed(ImageChops.multiply(fog, band), 0.95 - 0.35 * share)
            )
    image.paste("#0b2426", mask=fade(size, (0, 0), (0.78, 0), (1, 250)))
    shafts = polygon(size, [(width * 0.66, -50), (width * 0.74, -50), (width * 0.5, height), (width * 0.12, height)])
    shafts = ImageChops.lighter(
        shafts, polygon(size, [(width * 0.8, -50), (width * 0.84, -50), (width * 0.86, height), (width * 0.66, height)])
    )
    soft = shafts.filter(ImageFilter.GaussianBlur(width * 0.03))
    shine(image, "#fff0c8", dimmed(ImageChops.multiply(soft, fade(size, (0, 255), (0.8, 0), (1, 0))), 0.3))
    return finished(image, throw, 0.08, 0.25)


def dunes(size: Size, throw: random.Random) -> Image.Image:
    """Sand in low light: every crest parts a bright side from a dark one."""
    width, height = size
    image = gradient(size, (0, "#5f93b8"), (0.3, "#b9c9c6"), (0.45, "#f6dcb4"), (1, "#f6dcb4"))
    glow(image, (width * 0.16, height * 0.3), width * 0.5, "#fff0cf", 0.8)
    ripples = clouds(size, throw, (5, 90), 3)
    for number, (x, y, rise, left, right) in enumerate(_DUNES):
        share = number / (len(_DUNES) - 1)
        peak = (width * x, height * y)
        crest = _crest(size, peak, height * rise, width * left, width * right, throw)
        body = below(size, crest)
        top = y + 0.001
        bright, deep = between("#f4d9ae", "#f3a850", share), between("#e2b07c", "#b4602a", share)
        image.paste(gradient(size, (top, bright), (min(0.999, top + 0.34), deep), (1, "#8d4620")), mask=body)
        grooves = ImageChops.multiply(body, contrasted(ripples, 100, 230))
        image.paste(between("#d3a070", "#9a4c1a", share), mask=dimmed(grooves, 0.12 + 0.3 * share))
        lee = ImageChops.multiply(polygon(size, _lee_side(size, peak, width * right)), body)
        dark = between("#c39a80", "#4c2119", share**0.75)
        depth = fade(
            size,
            (top, 245),
            (min(0.998, top + 0.13 + 0.3 * share), 90),
            (min(0.999, top + 0.2 + 0.45 * share), 0),
            (1, 0),
        )
        image.paste(dark, mask=ImageChops.multiply(lee, depth))
        rim = ImageChops.subtract(body, ImageChops.offset(body, 0, max(1, round(height * 0.003))))
        image.paste("#ffeccb", mask=dimmed(ImageChops.multiply(rim, ImageChops.invert(lee)), 0.7))
        if number == 2:
            _caravan(image, crest, width, height)
    return finished(image, throw, 0.06, 0.3)


# Each dune: where its peak stands (shares of width and height), how high it rises, how far it runs out left and right.
_DUNES = (
    (0.30, 0.385, 0.05, 0.5, 0.5),
    (0.83, 0.375, 0.075, 0.5, 0.4),
    (0.52, 0.455, 0.075, 0.62, 0.55),
    (0.13, 0.53, 0.10, 0.4, 0.5),
    (0.78, 0.575, 0.16, 0.75, 0.5),
    (0.36, 0.735, 0.17, 0.6, 0.8),
)


def _crest(size: Size, peak: Point, rise: float, left: float, right: float, throw: random.Random) -> list[Point]:
    """A dune's outline: it climbs to a sharp crest and runs out on both sides."""
    foot = swell(size[0], peak[1] + rise, (rise * 0.07, 1.4, throw.random()), (rise * 0.03, 3.3, throw.random()))
    line = []
    for x, y in foot:
        away = (peak[0] - x) / left if x < peak[0] else (x - peak[0]) / right
        line.append((x, y - (y - peak[1]) * max(0.0, 1 - away) ** 1.5))
    return line


def _lee_side(size: Size, peak: Point, reach: float) -> list[Point]:
    """Everything right of the edge that winds from the peak down to the bottom: the side without sun."""
    edge = []
    for step in range(41):
        share = step / 40
        sway = math.sin(share * math.pi * 2.2) * 0.24 - 0.3 * share
        edge.append((peak[0] - sway * reach * 0.8, peak[1] + share * (size[1] - peak[1])))
    return [*edge, (size[0] * 1.5, size[1]), (size[0] * 1.5, 0), (peak[0], 0)]


def _caravan(image: Image.Image, line: list[Point], width: int, height: int) -> None:
    """Three camels far away."""
    unit = width / 1350
    for place in range(3):
        x = width * (0.17 + 0.034 * place)
        y = height_at(line, x) - height * 0.003

        def draw(canvas: ImageDraw.ImageDraw, k: int, x: float = x, y: float = y) -> None:
            s = unit * k * 1.1
            cx, cy = x * k, y * k
            canvas.ellipse((cx - 11 * s, cy - 15 * s, cx + 11 * s, cy - 5 * s), fill=255)
            canvas.polygon([(cx - 6 * s, cy - 13 * s), (cx, cy - 22 * s), (cx + 6 * s, cy - 13 * s)], fill=255)
            canvas.line(
                [
                    (cx - 10 * s, cy - 10 * s),
                    (cx - 16 * s, cy - 11 * s),
                    (cx - 17 * s, cy - 21 * s),
                    (cx - 21 * s, cy - 20 * s),
                ],
                fill=255,
                width=max(1, round(3 * s)),
            )
            for leg in (-8, -4, 5, 9):
                canvas.line(
                    [(cx + leg * s, cy - 8 * s), (cx + leg * s, cy + 6 * s)], fill=255, width=max(1, round(2 * s))
                )

        image.paste("#3c1d16", mask=stencil(image.size, draw))


def balloons(size: Size, throw: random.Random) -> Image.Image:
    """Hot-air balloons over hills at dawn."""
    width, height = size
    image = gradient(size, (0, "#4f8fc0"), (0.35, "#a8c8d8"), (0.6, "#fbdcb8"), (0.72, "#ffc28f"), (1, "#ffc28f"))
    wisps = contrasted(clouds(size, throw, (2, 9), 5), 125, 245)
    image.paste(
        "#fff3e4", mask=dimmed(ImageChops.multiply(wisps, fade(size, (0, 130), (0.45, 255), (0.68, 0), (1, 0))), 0.75)
    )
    glow(image, (width * 0.22, height * 0.69), width * 0.7, "#fff0c4", 0.85)
    for layer, (crown, foot) in enumerate(
        (("#c9a3a0", "#f4ccb0"), ("#98808f", "#e0b3a4"), ("#5b5570", "#b58f94"), ("#2f3450", "#555873"))
    ):
        crest = swell(
            width,
            height * (0.72 + 0.075 * layer),
            (height * 0.024, 1.1 + 0.4 * layer, throw.random()),
            (height * 0.012, 2.7 + 0.6 * layer, throw.random()),
        )
        top = min(y for _, y in crest) / height
        image.paste(gradient(size, (top, crown), (min(1, top + 0.12), foot), (1, foot)), mask=below(size, crest))
        if layer < 3:
            mist = ImageChops.multiply(
                clouds(size, throw, (2, 8), 4), fade(size, (top, 0), (min(0.99, top + 0.1), 220), (1, 0))
            )
            image.paste("#fde3cd", mask=dimmed(mist, 0.7))
    for x, y, radius, paints in (
        (0.80, 0.52, 0.045, ("#7a4b8a", "#e6c5d8")),
        (0.13, 0.46, 0.06, ("#2f6f8f", "#f2ead8")),
        (0.52, 0.59, 0.036, ("#d9863b", "#fbe6bd")),
        (0.73, 0.2, 0.105, ("#1f5f6b", "#f6c65b")),
        (0.36, 0.28, 0.2, ("#c8373f", "#fbead0")),
    ):
        _balloon(image, (width * x, height * y), width * radius, paints)
    return finished(image, throw, 0.06, 0.25)


def _balloon(image: Image.Image, centre: Point, radius: float, paints: tuple[str, str]) -> None:
    x, y = centre
    k = 2
    side = round(radius * 3.4 * k)
    layer = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(layer)
    cx, cy, r = side / 2, side * 0.36, radius * k
    for gore in range(7, 0, -1):
        share = math.sin(gore / 7 * math.pi / 2)
        fill = paints[gore % 2]
        outline = []
        for step in range(61):
            angle = math.pi * step / 60
            up, out = math.cos(angle), math.sin(angle)
            drop = 1.28 if up < 0 else 1.0
            pinch = 1 - 0.22 * max(0.0, -up) ** 2
            outline.append((out * r * share * pinch, cy - up * r * drop))
        draw.polygon([*((cx + a, b) for a, b in outline), *((cx - a, b) for a, b in reversed(outline))], fill=fill)
    foot = cy + 1.28 * r
    basket = (cx - 0.12 * r, foot + 0.34 * r, cx + 0.12 * r, foot + 0.53 * r)
    for rope in (-0.1, -0.035, 0.035, 0.1):
        draw.line(
            (cx + rope * 1.5 * r, foot - 0.03 * r, cx + rope * r, basket[1]),
            fill="#4a3326",
            width=max(1, round(r * 0.012)),
        )
    draw.rounded_rectangle(basket, r * 0.03, fill="#6b4529")
    alpha = layer.getchannel("A")
    sheen = disc(layer.size, (cx - r * 0.5, cy - r * 0.35), r * 1.3, 1.4)
    dark = disc(layer.size, (cx - r * 0.3, cy - r * 0.2), r * 2.3, 1.0).point([255 - value for value in range(256)])
    body = layer.convert("RGB")
    body.paste("#2b1633", mask=dimmed(dark, 0.85))
    body.paste("#fff6e6", mask=dimmed(sheen, 0.42))
    small = (side // k, side // k)
    image.paste(
        body.resize(small, Image.Resampling.BOX),
        (round(x - side / 2 / k), round(y - side * 0.36 / k)),
        alpha.resize(small, Image.Resampling.BOX),
    )


def lavender(size: Size, throw: random.Random) -> Image.Image:
    """Rows of lavender that meet at a lone tree under an evening sky."""
    width, height = size
    horizon = height * 0.44
    image = gradient(size, (0, "#4a5aa0"), (0.2, "#a77fb5"), (0.36, "#f3a08f"), (0.45, "#ffd79a"), (1, "#ffd79a"))
    banks = contrasted(clouds(size, throw, (2, 9), 5), 115, 225)
    image.paste(
        gradient(size, (0, "#6f6bb0"), (0.3, "#ff9d8a"), (1, "#ffdfae")),
        mask=ImageChops.multiply(banks, fade(size, (0, 180), (0.3, 220), (0.44, 0), (1, 0))),
    )
    glow(image, (width * 0.3, horizon), width * 0.55, "#ffe6a8", 0.95)
    hills = swell(width, horizon - height * 0.018, (height * 0.014, 1.3, 0.3), (height * 0.007, 3.4, 0.1))
    image.paste(gradient(size, (0.4, "#8b6c9e"), (0.46, "#b98a9d"), (1, "#b98a9d")), mask=below(size, hills))
    field = below(size, [(0, horizon), (width, horizon)])
    image.paste(gradient(size, (0.44, "#a86f94"), (0.6, "#6b4a6b"), (1, "#2f2338")), mask=field)
    vanish = (width * 0.62, horizon - height * 0.01)
    rows = 15
    flowers = Image.new("L", size)
    lit = Image.new("L", size)
    for row in range(-rows, rows + 1):
        middle = vanish[0] + row * width * 0.155
        half = width * 0.052
        foot = height * 1.06
        bush = [vanish, (middle - half, foot), (middle + half, foot)]
        flowers = ImageChops.lighter(flowers, polygon(size, bush))
        lit = ImageChops.lighter(lit, polygon(size, [vanish, (middle - half, foot), (middle - half * 0.1, foot)]))
    tufts = clouds(size, throw, (120, 80), 2)
    depth = fade(size, (0, 0), (0.45, 30), (1, 255))
    edge = ImageChops.multiply(contrasted(tufts, 60, 150), depth)
    ragged = ImageChops.multiply(flowers, ImageChops.lighter(edge, ImageChops.invert(depth)))
    image.paste(
        gradient(size, (0.44, "#c08bc0"), (0.6, "#8a55b0"), (1, "#4b2a86")), mask=ImageChops.multiply(ragged, field)
    )
    bright = ImageChops.multiply(ImageChops.multiply(lit, field), contrasted(tufts, 100, 220))
    image.paste(gradient(size, (0.44, "#f0b8c8"), (0.6, "#c78be0"), (1, "#9a6be0")), mask=dimmed(bright, 0.9))
    _tree(image, throw, (width * 0.72, horizon + height * 0.012), height * 0.2)
    glow(image, (width * 0.3, horizon), width * 0.8, "#ffc98a", 0.3)
    return finished(image, throw, 0.06)


def _tree(image: Image.Image, throw: random.Random, foot: Point, tall: float) -> None:
    """A round crown, ragged by noise, lit from the left."""
    x, y = foot
    size = image.size
    crown = Image.new("L", size)
    for aside, up, radius in ((0, 0.62, 0.42), (-0.2, 0.52, 0.3), (0.21, 0.5, 0.3), (0.03, 0.8, 0.27)):
        crown = ImageChops.lighter(crown, disc(size, (x + aside * tall, y - up * tall), radius * tall, 0.8))
    cells = (round(12 * size[0] / tall), round(12 * size[1] / tall))
    leaves = clouds(size, throw, cells, 2)
    ragged = contrasted(Image.blend(crown, leaves, 0.3), 95, 118)
    ragged = ImageChops.multiply(ragged, contrasted(crown, 10, 50))
    trunk = [(-0.035, 0), (-0.014, 0.2), (-0.1, 0.42), (-0.012, 0.28), (0.03, 0.5), (0.018, 0.22), (0.034, 0)]
    wood = polygon(size, [(x + a * tall, y - b * tall) for a, b in trunk])
    image.paste("#2a2039", mask=ImageChops.lighter(ragged, wood))
    sunny = disc(size, (x - tall * 0.34, y - tall * 0.72), tall * 0.62, 0.9)
    light = ImageChops.multiply(
        ImageChops.multiply(ragged, sunny), contrasted(ImageChops.offset(leaves, 3, 3), 110, 200)
    )
    image.paste("#d98b74", mask=dimmed(light, 0.75))
    shadow = Image.new("L", size)
    ImageDraw.Draw(shadow).ellipse((x - tall * 0.1, y - tall * 0.02, x + tall * 0.62, y + tall * 0.035), fill=255)
    image.paste("#2a1c3c", mask=dimmed(shadow.filter(ImageFilter.GaussianBlur(tall * 0.015)), 0.6))
