"""The scenes in town: a skyline by the river, lights behind a wet window; and one abstract, of cut paper."""

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from local.sample_library.painting import (
    Size,
    below,
    between,
    clouds,
    contrasted,
    dimmed,
    fade,
    finished,
    glow,
    gradient,
    mirrored,
    shine,
    stars,
    stencil,
    swell,
)


def city_by_the_river(size: Size, throw: random.Random) -> Image.Image:
    """A skyline at night, doubled by the river."""
    width, height = size
    horizon = round(height * 0.63)
    image = gradient(size, (0, "#070c22"), (0.3, "#1a1f4d"), (0.5, "#5a2f6b"), (0.63, "#d8677a"), (1, "#d8677a"))
    stars(image, throw, 170, height * 0.3)
    haze = ImageChops.multiply(
        contrasted(clouds(size, throw, (2, 9)), 120, 250), fade(size, (0.1, 0), (0.5, 170), (0.63, 0), (1, 0))
    )
    image.paste("#8a4a80", mask=haze)
    moon = (width * 0.24, height * 0.14)
    glow(image, moon, width * 0.22, "#b8c4ff", 0.55)
    image.paste(
        "#f4f1e4", mask=stencil(size, lambda draw, k: draw.circle((moon[0] * k, moon[1] * k), width * 0.034 * k, 255))
    )
    for distance, (tone, window_share, narrow, wide) in enumerate(
        (("#4b2f63", 0.12, 0.03, 0.06), ("#2a2350", 0.3, 0.04, 0.08), ("#10122b", 0.4, 0.05, 0.1))
    ):
        _skyline(image, throw, horizon, tone, window_share, (narrow, wide), distance)
    glow(image, (width * 0.5, horizon), width * 0.7, "#ff9a6a", 0.28)
    water = mirrored(image, horizon, width * 0.022, 0.86)
    water = Image.blend(water, Image.new("RGB", water.size, "#0a1030"), 0.38)
    image.paste(water, (0, horizon))
    lamps = [(width * (0.02 + 0.06 * place), horizon - height * 0.004) for place in range(17)]
    for lamp in lamps:
        glow(image, lamp, width * 0.032, "#ffd9a0", 1.0, 2.4)
    return finished(image, throw, 0.07)


def _skyline(
    image: Image.Image,
    throw: random.Random,
    horizon: int,
    tone: str,
    lit: float,
    widths: tuple[float, float],
    distance: int,
) -> None:
    width, height = image.size
    draw = ImageDraw.Draw(image)
    lights = Image.new("RGB", image.size)
    lamp = ImageDraw.Draw(lights)
    x = -width * 0.02
    while x < width:
        across = width * throw.uniform(*widths)
        hill = math.exp(-(((x + across / 2) / width - 0.56) ** 2) / 0.05)
        top = horizon - height * (
            0.06 + (0.3 - 0.055 * distance) * hill * throw.uniform(0.45, 1) + 0.05 * throw.random()
        )
        draw.rectangle((x, top, x + across, horizon), fill=tone)
        crown = throw.random()
        if crown < 0.3:
            inset = across * 0.22
            draw.rectangle((x + inset, top - height * 0.02, x + across - inset, top), fill=tone)
            draw.line(
                (x + across / 2, top - height * 0.07, x + across / 2, top), fill=tone, width=max(1, round(width / 400))
            )
        elif crown < 0.45:
            draw.polygon([(x, top), (x + across / 2, top - height * 0.045), (x + across, top)], fill=tone)
        step, storey = width * throw.choice((0.0085, 0.01, 0.0115)), height * throw.choice((0.0085, 0.0095, 0.0105))
        awake = lit * throw.uniform(0.5, 1.5)
        warm = throw.choice(("#ffd58a", "#ffbf6b", "#fff0c9", "#bfe0ff"))
        rows, columns = int((horizon - top) / storey), int(across / step)
        margin = (across - columns * step) / 2
        for row in range(1, rows):
            for column in range(columns):
                if throw.random() < awake:
                    left, upper = x + margin + column * step + step * 0.22, top + row * storey
                    box = (left, upper, left + step * 0.55, upper + storey * 0.5)
                    lamp.rectangle(box, fill=between("#000000", warm, throw.uniform(0.45, 1)))
        x += across + width * throw.uniform(-0.004, 0.012)
    shade = Image.new("RGB", image.size, "black")
    halo = ImageChops.add(lights, ImageEnhance.Brightness(lights.filter(ImageFilter.BoxBlur(width / 160))).enhance(1.3))
    image.paste(ImageChops.screen(image, halo if distance else ImageChops.add(shade, lights)))


def lights_in_the_rain(size: Size, throw: random.Random) -> Image.Image:
    """A street at night, out of focus, through a wet window."""
    width, height = size
    image = gradient(size, (0, "#0a1024"), (0.45, "#1e1c3d"), (0.62, "#33224a"), (1, "#090a18"))
    glow(image, (width * 0.5, height * 0.5), width * 0.65, "#7a3f6b", 0.55)
    paints = ("#ffb35c", "#ff7a4f", "#ff4f6d", "#ffe2a3", "#5cc8ff", "#52e0c0", "#b88cff")
    for number in range(74):
        x = width * throw.uniform(-0.02, 1.02)
        y = height * min(0.95, max(0.03, throw.gauss(0.47, 0.17)))
        radius = width * throw.uniform(0.016, 0.066)
        paint = paints[min(len(paints) - 1, int(throw.random() ** 1.35 * len(paints)))]
        side = max(4, round(radius * 3))
        ball = Image.new("L", (side * 2, side * 2))
        draw = ImageDraw.Draw(ball)
        draw.circle((side, side), side * 0.62, fill=175)
        draw.circle((side, side), side * 0.62, outline=255, width=max(1, side // 18))
        ball = ball.reduce(2).filter(ImageFilter.GaussianBlur(radius * (0.05 if number % 3 else 0.16)))
        mask = Image.new("L", size)
        mask.paste(ball, (round(x) - side // 2, round(y) - side // 2))
        box = mask.getbbox()
        if box is None:
            continue
        part = image.crop(box)
        shine(part, paint, dimmed(mask.crop(box), throw.uniform(0.3, 0.85)))
        image.paste(part, box)
    street = round(height * 0.68)
    wet = mirrored(image, street, width * 0.03, 0.7).filter(ImageFilter.BoxBlur((width / 110, height / 30)))
    image.paste(wet, (0, street), fade(wet.size, (0, 0), (0.2, 235), (1, 255)))
    _drops(image, throw)
    return finished(image, throw, 0.07, 0.45)


def _drops(image: Image.Image, throw: random.Random) -> None:
    """Each drop shows the street upside down, small and sharp, as a lens does."""
    width = image.width
    street = image.copy()
    for _ in range(110):
        radius = width * (0.003 + 0.017 * throw.random() ** 4)
        x, y = throw.uniform(0, width), throw.uniform(0, image.height)
        side = max(4, round(radius * 2))
        tall = round(side * throw.uniform(1.0, 1.35))
        ball = Image.new("L", (side * 2, tall * 2))
        ImageDraw.Draw(ball).ellipse((1, 1, side * 2 - 2, tall * 2 - 2), fill=255)
        view = (round(x - 7 * radius), round(y - 7 * radius), round(x + 9 * radius), round(y + 9 * radius))
        lens = street.crop(view).transpose(Image.Transpose.ROTATE_180).resize((side, tall), Image.Resampling.BOX)
        lens = ImageEnhance.Brightness(lens).enhance(1.35)
        lens.paste("#05060f", mask=fade((side, tall), (0, 170), (0.6, 0), (1, 0)))
        ImageDraw.Draw(lens).ellipse((side * 0.56, tall * 0.7, side * 0.72, tall * 0.82), fill="#fff0dd")
        image.paste(lens, (round(x), round(y)), dimmed(ball.reduce(2), 0.8))


def paper_waves(size: Size, throw: random.Random) -> Image.Image:
    """An abstract: sheets of paper, cut in waves, each with its shadow on the next."""
    width, height = size
    palette = ("#fbe9cf", "#f9cfa0", "#f5a578", "#e8716a", "#b84a72", "#71397a", "#3d2f74", "#1d2557", "#0f1738")
    image = Image.new("RGB", size, palette[0])
    sun = stencil(size, lambda draw, k: draw.circle((width * 0.66 * k, height * 0.24 * k), width * 0.115 * k, fill=255))
    image.paste(
        "#c98f68",
        mask=dimmed(
            ImageChops.offset(sun, 0, round(height * 0.012)).filter(ImageFilter.GaussianBlur(width * 0.012)), 0.5
        ),
    )
    image.paste(gradient(size, (0.1, "#ffb35c"), (0.4, "#f2675c"), (1, "#f2675c")), mask=sun)
    for layer, paint in enumerate(palette[1:], 1):
        base = height * (0.16 + 0.1 * layer)
        line = swell(
            width,
            base,
            (height * 0.05, 0.8 + 0.12 * layer, 0.13 * layer + throw.uniform(0, 0.2)),
            (height * 0.02, 2.1, throw.random()),
        )
        sheet = below(size, line)
        raised = below(size, [(x, y - height * 0.014) for x, y in line])
        shadow = raised.filter(ImageFilter.GaussianBlur(width * 0.014))
        image.paste(between(paint, "#1a0f2a", 0.72), mask=dimmed(shadow, 0.55))
        top = min(y for _, y in line) / height
        image.paste(
            gradient(
                size,
                (top, between(paint, "#ffffff", 0.13)),
                (min(1, top + 0.3), between(paint, "#000000", 0.1)),
                (1, paint),
            ),
            mask=sheet,
        )
    return finished(image, throw, 0.09, 0.18)
