"""Brushes for the sample pictures: gradients, glows, noise, ridges, reflections. Pillow and seeded dice only.

Masks are of mode L, 255 where the paint goes. Sizes and places are in pixels, y grows downward.
"""

import itertools
import math
import random
from collections.abc import Callable, Sequence

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageOps

Size = tuple[int, int]
Point = tuple[float, float]
Paint = str | tuple[int, int, int]
Stop = tuple[float, Paint]

_BICUBIC = Image.Resampling.BICUBIC
_BILINEAR = Image.Resampling.BILINEAR

# Gradients are computed in so many steps, and clouds at half the size: the eye does not see it, the clock does.
_SMOOTH = 300


def dice(seed: int) -> random.Random:
    """The same throws every time: the pictures must not change from run to run."""
    return random.Random(seed)  # noqa: S311  no secret is drawn here


def rgb(paint: Paint) -> tuple[int, int, int]:
    return ImageColor.getrgb(paint)[:3] if isinstance(paint, str) else paint


def between(start: Paint, end: Paint, share: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(rgb(start), rgb(end), strict=True))
    return red, green, blue


def gradient(size: Size, *stops: Stop) -> Image.Image:
    """From top to bottom through `stops`, each a share of the height and its colour."""
    width, height = size
    rows = min(height, _SMOOTH)
    column = bytearray()
    for y in range(rows):
        share = y / max(1, rows - 1)
        above = max((stop for stop in stops if stop[0] <= share), key=_place, default=stops[0])
        below = min((stop for stop in stops if stop[0] >= share), key=_place, default=stops[-1])
        span = below[0] - above[0]
        column += bytes(between(above[1], below[1], (share - above[0]) / span if span else 0))
    return Image.frombytes("RGB", (1, rows), bytes(column)).resize((1, height), _BILINEAR).resize((width, height))


def _place(stop: Stop) -> float:
    return stop[0]


def fade(size: Size, *stops: tuple[float, int]) -> Image.Image:
    """A mask from top to bottom through `stops`, each a share of the height and its strength of 255."""
    return gradient(size, *((place, (value, value, value)) for place, value in stops)).getchannel(0)


def stencil(size: Size, draw: Callable[[ImageDraw.ImageDraw, int], None]) -> Image.Image:
    """A mask with smooth edges: `draw` gets a canvas of twice the size, and the factor 2."""
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    draw(ImageDraw.Draw(mask), 2)
    return mask.reduce(2)


def polygon(size: Size, points: Sequence[Point]) -> Image.Image:
    return stencil(size, lambda draw, k: draw.polygon([(x * k, y * k) for x, y in points], fill=255))


def dimmed(mask: Image.Image, strength: float) -> Image.Image:
    return mask.point([min(255, round(value * strength)) for value in range(256)])


def disc(size: Size, centre: Point, radius: float, power: float = 2.0) -> Image.Image:
    """A soft mask, 255 in the centre and 0 from `radius` on; the larger `power`, the faster it falls."""
    curve = [round(255 * max(0.0, 1 - value / 181) ** power) for value in range(256)]
    side = max(2, round(radius * 2))
    spot = Image.radial_gradient("L").point(curve).resize((side, side), _BILINEAR)
    mask = Image.new("L", size)
    mask.paste(spot, (round(centre[0] - radius), round(centre[1] - radius)))
    return mask


def glow(image: Image.Image, centre: Point, radius: float, paint: Paint, strength: float = 1, power: float = 2) -> None:
    """Light around `centre`, which may lie outside the picture."""
    x, y = centre
    left, top = max(0, math.floor(x - radius)), max(0, math.floor(y - radius))
    right, bottom = min(image.width, math.ceil(x + radius)), min(image.height, math.ceil(y + radius))
    if left < right and top < bottom:
        part = image.crop((left, top, right, bottom))
        shine(part, paint, dimmed(disc(part.size, (x - left, y - top), radius, power), strength))
        image.paste(part, (left, top))


def shine(image: Image.Image, paint: Paint, mask: Image.Image) -> None:
    """Adds light where `mask` is, as the air does; it never darkens."""
    light = Image.merge("RGB", [dimmed(mask, channel / 255) for channel in rgb(paint)])
    image.paste(ImageChops.screen(image, light))


def clouds(size: Size, throw: random.Random, cells: Size, octaves: int = 4) -> Image.Image:
    """Fractal noise over the whole range; `cells` across and down in its coarsest octave, so (2, 9) gives streaks."""
    half = (max(1, size[0] // 2), max(1, size[1] // 2))
    result = Image.new("L", half)
    for octave in range(octaves):
        across, down = cells[0] << octave, cells[1] << octave
        layer = Image.frombytes("L", (across + 3, down + 3), throw.randbytes((across + 3) * (down + 3)))
        layer = layer.resize(half, _BICUBIC, box=(1, 1, across + 2, down + 2))
        # The coarsest octave counts whole, and every finer one less than the one before it.
        result = Image.blend(result, layer, 1 / (1 + 1.8**octave) if octave else 1)
    return ImageOps.autocontrast(result, cutoff=1).resize(size, _BILINEAR)


def contrasted(mask: Image.Image, low: int, high: int) -> Image.Image:
    """`low` and less becomes 0, `high` and more 255."""
    return mask.point([max(0, min(255, round(255 * (value - low) / (high - low)))) for value in range(256)])


def ridge(throw: random.Random, width: int, base: float, height: float, roughness: float = 0.5) -> list[Point]:
    """A mountains' crest by midpoint displacement, about `height` px above and below `base`, a point every few px."""
    crest = [throw.uniform(-1, 1), throw.uniform(-1, 1), throw.uniform(-1, 1)]
    step = 1.0
    while len(crest) < 260:
        step *= roughness
        finer = [crest[0]]
        for left, right in itertools.pairwise(crest):
            finer += [(left + right) / 2 + throw.uniform(-step, step), right]
        crest = finer
    return [(width * place / (len(crest) - 1), base - height * value) for place, value in enumerate(crest)]


def swell(width: int, base: float, *waves: tuple[float, float, float]) -> list[Point]:
    """A smooth line, the sum of `waves`: height in px, how many fit into the width, and where they start (turns)."""
    line = []
    for place in range(201):
        share = place / 200
        rise = sum(height * math.sin(2 * math.pi * (share * count + start)) for height, count, start in waves)
        line.append((width * share, base - rise))
    return line


def below(size: Size, line: Sequence[Point]) -> Image.Image:
    """The mask of everything under `line`, which runs from the left edge to the right one."""
    return polygon(size, [*line, (size[0], size[1]), (0, size[1])])


def height_at(line: Sequence[Point], x: float) -> float:
    return min(line, key=lambda point: abs(point[0] - x))[1]


def pine(x: float, foot: float, height: float, throw: random.Random) -> list[Point]:
    """The outline of a pine of ragged boughs, its trunk at `x`."""
    boughs = max(5, min(16, round(height / 14)))
    left: list[Point] = []
    right: list[Point] = []
    for bough in range(1, boughs + 1):
        share = bough / boughs
        y = foot - height + height * share * 0.96
        reach = height * 0.21 * share**0.85
        left += [(x - reach * throw.uniform(0.85, 1.2), y), (x - reach * 0.45, y - height * 0.012)]
        right += [(x + reach * throw.uniform(0.85, 1.2), y), (x + reach * 0.45, y - height * 0.012)]
    low, trunk = foot - height * 0.04, height * 0.022
    stump = [(x + trunk, low), (x + trunk, foot), (x - trunk, foot), (x - trunk, low)]
    return [(x, foot - height), *right, *stump, *reversed(left)]


def pines(size: Size, trees: Sequence[Sequence[Point]]) -> Image.Image:
    def draw(canvas: ImageDraw.ImageDraw, k: int) -> None:
        for tree in trees:
            canvas.polygon([(x * k, y * k) for x, y in tree], fill=255)

    return stencil(size, draw)


def stars(image: Image.Image, throw: random.Random, count: int, lowest: float) -> None:
    sky = Image.new("L", image.size)
    draw = ImageDraw.Draw(sky)
    for _ in range(count):
        x, y = throw.uniform(0, image.width), throw.uniform(0, 1) ** 1.3 * lowest
        radius = image.width / 1080 * throw.choice((0.5, 0.5, 0.5, 0.9, 1.4))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=throw.randrange(60, 256))
    shine(image, "#e8eeff", sky.filter(ImageFilter.GaussianBlur(image.width / 1800)))


def mirrored(image: Image.Image, horizon: int, ripple: float, squeeze: float = 1.0) -> Image.Image:
    """What stands above `horizon`, as calm water shows it, filling the rest of the picture; `ripple` in px."""
    width, height = image.width, image.height - horizon
    shown = max(1, min(horizon, round(height / squeeze)))
    still = ImageOps.flip(image.crop((0, horizon - shown, width, horizon))).resize((width, height), _BICUBIC)
    still = still.filter(ImageFilter.BoxBlur((0, ripple / 2)))
    water = still.copy()
    for y in range(height):
        depth = y / height
        shift = ripple * (0.3 + depth) * (math.sin(y * 0.55 / (0.4 + depth)) + 0.6 * math.sin(y * 1.7 + 1))
        row = still.crop((0, y, width, y + 1))
        water.paste(row, (round(shift), y))
    return water


def finished(image: Image.Image, throw: random.Random, grain: float = 0.05, vignette: float = 0.35) -> Image.Image:
    """A lens's darker corners and a film's grain, which also hides the steps of the gradients."""
    # The gradient is 0 in the centre and 255 in the corners' direction.
    corners = Image.radial_gradient("L").resize(image.size, _BILINEAR)
    shade = corners.point([round(255 * (1 - vignette * (value / 255) ** 2.2)) for value in range(256)])
    shaded = ImageChops.multiply(image, Image.merge("RGB", (shade, shade, shade)))
    pixels = image.width * image.height
    first, second = (Image.frombytes("L", image.size, throw.randbytes(pixels)) for _ in range(2))
    noise = Image.blend(first, second, 0.5)
    dust = noise.point([round(128 + (value - 128) * grain) for value in range(256)])
    return ImageChops.add(shaded, Image.merge("RGB", (dust, dust, dust)), offset=-128)
