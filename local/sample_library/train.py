"""The scene that this project is named for."""

import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from local.sample_library.locomotive import LIT_WINDOWS, draw_train
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
    swell,
)


def train_in_the_snow(size: Size, throw: random.Random) -> Image.Image:
    """A red steam train under its own cloud, on a winter's evening: the fluffy train."""
    width, height = size
    unit = width / 1350
    image = gradient(size, (0, "#22335f"), (0.3, "#5f6da0"), (0.5, "#d79aa6"), (0.6, "#f7cdae"), (1, "#f7cdae"))
    streaks = ImageChops.multiply(
        contrasted(clouds(size, throw, (2, 12)), 110, 240), fade(size, (0, 60), (0.4, 200), (0.58, 0), (1, 0))
    )
    image.paste("#e9a6a8", mask=dimmed(streaks, 0.7))
    for base, rise, crown, foot in ((0.5, 0.15, "#a3afd4", "#d9c4cd"), (0.59, 0.08, "#7d8cba", "#b9b4cf")):
        crest = ridge(throw, width, height * base, height * rise, 0.56)
        body = below(size, crest)
        top = min(y for _, y in crest) / height
        image.paste(gradient(size, (top, crown), (0.68, foot), (1, foot)), mask=body)
        snow = contrasted(clouds(size, throw, (10, 8), 5), 105, 160)
        cap = ImageChops.multiply(
            ImageChops.multiply(body, snow), fade(size, (0, 255), (top + 0.03, 255), (base + 0.06, 0), (1, 0))
        )
        image.paste("#fbeef0", mask=dimmed(cap, 0.85))
    for base, tall, tone, count in ((0.66, 0.1, "#5d6f9c", 70), (0.70, 0.17, "#34456f", 34)):
        line = ridge(throw, width, height * base, height * 0.02, 0.5)
        trees = [
            pine(x, height_at(line, x), height * tall * throw.uniform(0.5, 1.1), throw)
            for x in (throw.uniform(0, width) for _ in range(count))
        ]
        wood = pines(size, trees)
        image.paste(tone, mask=wood)
        drift = ImageChops.multiply(
            ImageChops.offset(wood, round(-6 * unit), round(5 * unit)),
            ImageChops.invert(ImageChops.offset(wood, round(7 * unit), round(9 * unit))),
        )
        image.paste("#e3e6f5", mask=dimmed(ImageChops.multiply(drift, wood), 0.8))
        image.paste(gradient(size, (base, "#dfe0f0"), (1, "#aebbe0")), mask=below(size, line))
    rail = height * 0.775
    bank = [(0, rail + 4 * unit), (width, rail + 4 * unit)]
    image.paste(gradient(size, (0.76, "#f4eff6"), (1, "#93a5d6")), mask=below(size, bank))
    train = draw_train(size, rail, unit)
    _steam(image, throw, (1127 * unit, rail - 200 * unit), unit)
    image.paste(train, mask=train.getchannel("A"))
    for window in LIT_WINDOWS:
        glow(image, (window * unit, rail - 96 * unit), 62 * unit, "#ffb65c", 0.5, 2.2)
        image.paste("#ffd9a0", mask=dimmed(disc(size, (window * unit, rail + 34 * unit), 48 * unit, 1.6), 0.35))
    lamp = (1194 * unit, rail - 113 * unit)
    beam = polygon(size, [lamp, (width * 1.02, rail - 230 * unit), (width * 1.02, rail + 30 * unit)]).filter(
        ImageFilter.GaussianBlur(12 * unit)
    )
    shine(image, "#fff0c2", dimmed(beam, 0.42))
    glow(image, lamp, 70 * unit, "#fff3cf", 1.0, 2.2)
    front = swell(width, height * 0.87, (height * 0.022, 1.1, 0.55), (height * 0.01, 2.7, 0.2))
    hill = below(size, front)
    image.paste(gradient(size, (0.84, "#eef0fb"), (1, "#7f93cc")), mask=hill)
    hollows = ImageChops.multiply(hill, contrasted(clouds(size, throw, (3, 12), 4), 110, 240))
    image.paste("#8497cd", mask=dimmed(hollows, 0.4))
    for x, tall in ((0.06, 0.36), (0.15, 0.24), (0.965, 0.3)):
        tree = pine(width * x, height * 0.97, height * tall, throw)
        wood = polygon(size, tree)
        image.paste("#1b2747", mask=wood)
        lain = ImageChops.multiply(wood, ImageChops.invert(ImageChops.offset(wood, round(9 * unit), round(11 * unit))))
        image.paste("#dfe4f6", mask=dimmed(lain.filter(ImageFilter.GaussianBlur(1.2 * unit)), 0.9))
        drift = Image.new("L", size)
        reach = height * tall * 0.2
        middle, ground = width * x, height * 0.98
        ImageDraw.Draw(drift).ellipse(
            (middle - reach, ground - reach * 0.22, middle + reach, ground + reach * 0.22), fill=255
        )
        image.paste("#ccd4ee", mask=dimmed(drift.filter(ImageFilter.GaussianBlur(7 * unit)), 0.9))
    _snowfall(image, throw, unit)
    return finished(image, throw, 0.06, 0.4)


def _steam(image: Image.Image, throw: random.Random, funnel: Point, unit: float) -> None:
    """Puffs that grow and thin out behind the funnel."""
    puff = Image.radial_gradient("L").point(
        [round(255 * min(1.0, max(0.0, (176 - value) / 90))) for value in range(256)]
    )
    puffs = []
    for number in range(190):
        age = (number / 190) ** 1.2
        x = funnel[0] - age * image.width * 0.82 + throw.gauss(0, 8 + 46 * age) * unit
        y = funnel[1] - (8 + 235 * age**0.62) * unit + throw.gauss(0, 5 + 58 * age) * unit
        puffs.append((age, x, y, (20 + 88 * age**0.75) * unit * throw.uniform(0.6, 1.15)))
    # The oldest first, so that the fresh steam stands before the thin.
    for age, x, y, radius in reversed(puffs):
        side = max(2, round(radius * 2))
        ball = puff.resize((side, side), Image.Resampling.BILINEAR)
        corner = (round(x - radius), round(y - radius))
        thick = 0.9 * (1 - age) ** 0.9
        image.paste(between("#a9a3c9", "#b79dbb", age), corner, dimmed(ball, 0.55 * thick))
        lit = (corner[0] + round(radius * 0.14), corner[1] - round(radius * 0.22))
        image.paste(between("#fff8f2", "#f3cfc8", age), lit, dimmed(ball, 0.62 * thick))


def _snowfall(image: Image.Image, throw: random.Random, unit: float) -> None:
    """Small sharp flakes afar, large soft ones near."""
    for count, radius, blur, light in ((650, 1.5, 0.6, 0.75), (190, 3.0, 1.3, 0.8), (34, 8.5, 5.0, 0.6)):
        sky = Image.new("L", image.size)
        draw = ImageDraw.Draw(sky)
        for _ in range(count):
            x, y, size = (
                throw.uniform(0, image.width),
                throw.uniform(0, image.height),
                radius * unit * throw.uniform(0.6, 1.3),
            )
            draw.ellipse((x - size, y - size, x + size, y + size), fill=throw.randrange(120, 256))
        image.paste("#ffffff", mask=dimmed(sky.filter(ImageFilter.GaussianBlur(blur * unit)), light))
