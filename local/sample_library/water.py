"""The scenes by the water: the sea at sunset, an aurora over a lake, a lighthouse."""

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from local.sample_library.painting import (
    Size,
    below,
    clouds,
    contrasted,
    dimmed,
    disc,
    fade,
    finished,
    glow,
    gradient,
    height_at,
    mirrored,
    pine,
    pines,
    polygon,
    ridge,
    shine,
    stars,
    stencil,
    swell,
)


def sea_at_sunset(size: Size, throw: random.Random) -> Image.Image:
    """The sun on the horizon, and its road over the water."""
    width, height = size
    horizon = round(height * 0.56)
    image = gradient(
        size, (0, "#1d2b55"), (0.2, "#54447a"), (0.38, "#c2567a"), (0.49, "#f98f5a"), (0.56, "#ffd37a"), (1, "#ffd37a")
    )
    banks = contrasted(clouds(size, throw, (2, 11), 5), 105, 215)
    lit = fade(size, (0, 90), (0.3, 230), (0.52, 110), (0.56, 0), (1, 0))
    image.paste(
        gradient(size, (0, "#3b3563"), (0.3, "#d9566f"), (0.56, "#ffc46e"), (1, "#ffc46e")),
        mask=ImageChops.multiply(banks, lit),
    )
    shadows = ImageChops.multiply(
        contrasted(clouds(size, throw, (2, 13), 4), 140, 240), fade(size, (0.1, 0), (0.42, 170), (0.54, 0), (1, 0))
    )
    image.paste("#5b3566", mask=shadows)
    sun = (width * 0.46, horizon - height * 0.022)
    glow(image, sun, width * 0.8, "#ff8a4a", 0.8, 1.8)
    glow(image, sun, width * 0.24, "#ffdf9a", 1.0, 1.3)
    image.paste(
        "#fffbe6", mask=stencil(size, lambda draw, k: draw.circle((sun[0] * k, sun[1] * k), width * 0.062 * k, 255))
    )
    cape = ridge(throw, round(width * 0.36), horizon - height * 0.012, height * 0.028, 0.5)
    cape = [(x, min(horizon, y + (horizon - y) * (x / (width * 0.36)) ** 2)) for x, y in cape]
    image.paste("#4a2b52", mask=polygon(size, [*cape, (width * 0.36, horizon), (0, horizon)]))
    water = mirrored(image, horizon, width * 0.02, 0.9)
    water = Image.blend(water, gradient(water.size, (0, "#d9716a"), (0.35, "#5f3f6d"), (1, "#141d40")), 0.62)
    image.paste(water, (0, horizon))
    _glitter(image, throw, horizon, sun[0], "#ffe3a1", 900)
    return finished(image, throw, 0.06)


def aurora(size: Size, throw: random.Random) -> Image.Image:
    """Northern lights over a lake among snowy mountains."""
    width, height = size
    horizon = round(height * 0.68)
    image = gradient(size, (0, "#050b1f"), (0.45, "#0b2038"), (0.68, "#1d4a55"), (1, "#1d4a55"))
    stars(image, throw, 420, height * 0.62)
    for paint, start, slope, tall, strength in (
        ("#8a4bd8", 0.2, -0.06, 0.42, 0.55),
        ("#2fe39a", 0.52, -0.2, 0.4, 1.0),
        ("#5cf2b4", 0.36, 0.16, 0.3, 0.6),
    ):
        curtain = _curtain(size, throw, start, slope, tall)
        shine(image, paint, dimmed(curtain, strength))
        shine(image, paint, dimmed(curtain.filter(ImageFilter.BoxBlur(width / 18)), 0.45 * strength))
    far = ridge(throw, width, height * 0.6, height * 0.07, 0.57)
    peaks = below(size, far)
    image.paste(gradient(size, (0.5, "#56788f"), (0.68, "#1b3346"), (1, "#1b3346")), mask=peaks)
    snow = contrasted(clouds(size, throw, (9, 7), 5), 120, 170)
    image.paste(
        "#b9d8dc",
        mask=dimmed(
            ImageChops.multiply(ImageChops.multiply(peaks, snow), fade(size, (0.5, 255), (0.66, 0), (1, 0))), 0.75
        ),
    )
    near = ridge(throw, width, height * 0.665, height * 0.018, 0.5)
    wood = below(size, near)
    trees = [
        pine(x, height_at(near, x) + 4, height * throw.uniform(0.03, 0.07), throw)
        for x in (throw.uniform(0, width) for _ in range(90))
    ]
    image.paste("#071521", mask=ImageChops.lighter(wood, pines(size, trees)))
    water = mirrored(image, horizon, width * 0.009, 0.62)
    water = Image.blend(water, gradient(water.size, (0, "#123440"), (1, "#030a16")), 0.3)
    image.paste(water, (0, horizon))
    bank = swell(width, height * 0.955, (height * 0.02, 1.3, 0.1), (height * 0.008, 3.1, 0.4))
    image.paste(gradient(size, (0.9, "#9cc7c9"), (1, "#3d6777")), mask=below(size, bank))
    return finished(image, throw, 0.07)


def _curtain(size: Size, throw: random.Random, start: float, slope: float, tall: float) -> Image.Image:
    """A band of light that hangs in folds: each column is a fading streak whose foot follows a curve."""
    columns, rows = 360, 360
    veil = Image.new("L", (columns, rows))
    streak = fade((1, 256), (0, 0), (0.5, 80), (0.82, 235), (0.9, 255), (0.96, 120), (1, 0))
    folds = clouds((columns, 1), throw, (14, 1), 4).tobytes()
    reach = clouds((columns, 1), throw, (6, 1), 3).tobytes()
    phase = throw.random()
    for x in range(columns):
        share = x / columns
        foot = rows * (
            start
            + slope * share
            + 0.06 * math.sin(2 * math.pi * (share * 1.4 + phase))
            + 0.025 * math.sin(2 * math.pi * (share * 4.1 + phase))
        )
        long = max(2, round(rows * tall * (0.45 + 0.55 * reach[x] / 255)))
        veil.paste(dimmed(streak, 0.15 + 0.85 * (folds[x] / 255) ** 1.5).resize((1, long)), (x, round(foot) - long))
    return veil.filter(ImageFilter.BoxBlur((1, 3))).resize(size, Image.Resampling.BICUBIC)


def lighthouse(size: Size, throw: random.Random) -> Image.Image:
    """A lighthouse on its rock as the weather comes in."""
    width, height = size
    horizon = round(height * 0.66)
    image = gradient(size, (0, "#182a44"), (0.3, "#3d5876"), (0.52, "#8f9fae"), (0.66, "#f2c9a0"), (1, "#f2c9a0"))
    for tone, low, high, strength in (("#0f1c33", 95, 215, 0.85), ("#d8a58c", 150, 235, 0.5)):
        bank = contrasted(clouds(size, throw, (3, 7), 5), low, high)
        image.paste(
            tone, mask=dimmed(ImageChops.multiply(bank, fade(size, (0, 255), (0.4, 190), (0.64, 0), (1, 0))), strength)
        )
    glow(image, (width * 0.26, horizon), width * 0.42, "#ffd9a0", 0.8)
    image.paste(
        gradient((width, height - horizon), (0, "#b59a94"), (0.14, "#5d7486"), (0.5, "#2c465e"), (1, "#12243a")),
        (0, horizon),
    )
    swells = clouds(size, throw, (4, 50), 4)
    sea = below(size, [(0, horizon), (width, horizon)])
    image.paste(
        "#dfe8ec",
        mask=dimmed(
            ImageChops.multiply(
                contrasted(swells, 165, 240), ImageChops.multiply(sea, fade(size, (0.66, 30), (1, 170)))
            ),
            0.8,
        ),
    )
    image.paste("#0d1c30", mask=dimmed(ImageChops.multiply(contrasted(swells, 110, 30), sea), 0.5))
    _glitter(image, throw, horizon, width * 0.26, "#ffd9a8", 420)
    x, lamp = width * 0.7, height * 0.225
    foot = height * 0.76
    rough = ridge(throw, width, 0, height * 0.035, 0.66)
    rock = [
        (px, height * 0.985 + py - height * 0.27 * math.exp(-(((px - width * 0.76) / (width * 0.24)) ** 4)))
        for px, py in rough
    ]
    cliff = below(size, rock)
    for reach, tilt in ((-1, 0.035), (1, -0.02)):
        far = x + reach * width * 1.1
        beam = polygon(size, [(x, lamp), (far, lamp - height * (0.15 - tilt)), (far, lamp + height * (0.11 + tilt))])
        soft = ImageChops.multiply(
            beam.filter(ImageFilter.GaussianBlur(width * 0.01)), disc(size, (x, lamp), width * 0.8, 1.1)
        )
        shine(image, "#ffefc0", dimmed(soft, 0.6))
    tower = [
        (x - 0.031 * width, foot),
        (x - 0.019 * width, lamp + 0.045 * height),
        (x + 0.019 * width, lamp + 0.045 * height),
        (x + 0.031 * width, foot),
    ]
    mask = polygon(size, tower)
    image.paste("#efe9e2", mask=mask)
    bands = Image.new("L", size)
    draw = ImageDraw.Draw(bands)
    for band in range(3):
        upper = lamp + height * (0.11 + 0.135 * band)
        draw.rectangle((0, upper, width, upper + height * 0.066), fill=255)
    image.paste("#b93138", mask=ImageChops.multiply(mask, bands))
    side = ImageChops.multiply(mask, below(size, [(0, height), (x - 0.005 * width, height), (x, 0), (width, 0)]))
    image.paste("#14233a", mask=dimmed(side.filter(ImageFilter.GaussianBlur(width * 0.004)), 0.5))

    def house(draw: ImageDraw.ImageDraw, k: int) -> None:
        w, h = width * k, height * k
        cx, cy = x * k, lamp * k
        draw.rectangle((cx - 0.025 * w, cy + 0.036 * h, cx + 0.025 * w, cy + 0.05 * h), fill=255)
        draw.polygon([(cx - 0.018 * w, cy - 0.03 * h), (cx, cy - 0.075 * h), (cx + 0.018 * w, cy - 0.03 * h)], fill=255)
        for post in (-0.014, 0.014):
            draw.line(
                (cx + post * w, cy - 0.03 * h, cx + post * w, cy + 0.04 * h), fill=255, width=max(1, round(0.003 * w))
            )
        draw.line((cx, cy - 0.1 * h, cx, cy - 0.06 * h), fill=255, width=max(1, round(0.002 * w)))

    image.paste("#1b2233", mask=stencil(size, house))
    glow(image, (x, lamp), width * 0.13, "#fff1c4", 1.0, 2.2)
    glow(image, (x, lamp), width * 0.03, "#ffffff", 1.0, 1.2)
    image.paste(gradient(size, (0.62, "#3d4650"), (0.85, "#1a2230"), (1, "#0b111d")), mask=cliff)
    image.paste(
        "#7a7674", mask=dimmed(ImageChops.multiply(cliff, contrasted(clouds(size, throw, (14, 12), 5), 120, 220)), 0.5)
    )
    spray = polygon(
        size, [(0, height), *((px, py - height * 0.028) for px, py in rock if py > height * 0.84), (width, height)]
    )
    foam = ImageChops.multiply(
        contrasted(clouds(size, throw, (12, 26), 5), 105, 200), fade(size, (0.83, 0), (0.93, 235), (1, 120))
    )
    soft = ImageChops.multiply(foam, spray.filter(ImageFilter.GaussianBlur(width * 0.012)))
    image.paste("#eef3f4", mask=dimmed(soft, 0.85))
    return finished(image, throw, 0.07, 0.4)


def _glitter(image: Image.Image, throw: random.Random, horizon: float, x: float, paint: str, count: int) -> None:
    """The broken light of a sun, or a moon, at `x` above the water."""
    width, height = image.size
    deep = height - horizon
    lines = [(throw.random() ** 1.5, throw.gauss(0, 1), throw.random()) for _ in range(count)]

    def draw(canvas: ImageDraw.ImageDraw, k: int) -> None:
        for depth, aside, light in lines:
            y = horizon + depth * deep
            middle = x + aside * width * (0.022 + 0.13 * depth)
            half = width * (0.006 + 0.05 * depth) * (0.4 + light)
            thick = max(0.5, height * 0.0042 * (0.15 + depth))
            box = ((middle - half) * k, (y - thick / 2) * k, (middle + half) * k, (y + thick) * k)
            canvas.ellipse(box, fill=round((90 + 165 * light) * (1 - 0.5 * depth)))

    shine(image, paint, stencil(image.size, draw))
