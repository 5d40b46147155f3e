"""The perceptual hash: near for what looks the same, far for what does not."""

import io
import itertools
import random
import re
import statistics
from collections.abc import Callable
from functools import cache
from typing import Final

import pytest
from PIL import Image, ImageChops, ImageEnhance, ImageOps

from adapters.imaging import perceptual_hash
from domain import near_duplicates
from local.sample_library import PICTURES
from local.sample_library.painting import dice

SAME: Final = 6
"""Bits of 64. Also what `domain` takes for one picture."""


def encoded(image: Image.Image, kind: str = "JPEG", quality: int = 92) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=quality)
    return buffer.getvalue()


@cache
def scenes() -> list[Image.Image]:
    return [picture.scene((480, 360), dice(picture.seed)) for picture in PICTURES]


def distance(one: bytes, other: bytes) -> int:
    return near_duplicates.distance(perceptual_hash(one), perceptual_hash(other))


def noisy(image: Image.Image, spread: int, seed: int = 1) -> Image.Image:
    drawn = random.Random(seed)  # noqa: S311  a test's numbers must come out the same again
    noise = Image.frombytes("L", image.size, drawn.randbytes(image.width * image.height))
    weaker = noise.point([round((value - 128) * spread / 74) + 128 for value in range(256)])
    return Image.merge("RGB", [ImageChops.add(channel, weaker, 1, -128) for channel in image.split()])


def part(image: Image.Image, left: float, top: float, share: float = 0.97) -> Image.Image:
    width, height = image.size
    return image.crop((int(left * width), int(top * height), int((left + share) * width), int((top + share) * height)))


def test_a_hash_is_64_bits_and_a_colour_and_the_same_every_time() -> None:
    source = encoded(scenes()[0])
    assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{6}", perceptual_hash(source))
    assert perceptual_hash(source) == perceptual_hash(source)


def test_the_hash_of_a_known_picture_never_changes() -> None:
    """Hashes are kept on record: other bits for the same picture would part it from its likes."""
    image = Image.new("RGB", (480, 480), (40, 40, 40))
    image.paste((200, 120, 60), (60, 90, 270, 400))
    image.paste((90, 160, 230), (300, 30, 450, 200))
    assert perceptual_hash(encoded(image, "PNG")) == "c3349beca64aa1f0-5b4c43"


@pytest.mark.parametrize(
    "changed",
    [
        lambda image: encoded(image, quality=40),
        lambda image: encoded(image, "WEBP", quality=60),
        lambda image: encoded(image.resize((320, 240))),
        lambda image: encoded(image.resize((960, 720))),
        lambda image: encoded(image.resize((480, 373))),
        lambda image: encoded(ImageEnhance.Brightness(image).enhance(1.1)),
        lambda image: encoded(ImageEnhance.Brightness(image).enhance(0.85)),
        lambda image: encoded(ImageEnhance.Contrast(image).enhance(1.15)),
        lambda image: encoded(ImageEnhance.Color(image).enhance(0.5)),
        lambda image: encoded(noisy(image, 10)),
    ],
    ids=["quality 40", "WebP", "half", "double", "stretched", "lighter", "darker", "contrast", "paler", "noise"],
)
def test_a_changed_copy_is_near_its_picture(changed: Callable[[Image.Image], bytes]) -> None:
    distances = [distance(encoded(image), changed(image)) for image in scenes()]
    assert max(distances) <= SAME


def test_sibling_shots_of_a_burst_are_mostly_near() -> None:
    distances = [
        distance(encoded(part(image, 0, 0)), encoded(noisy(part(image, across, down), 5)))
        for image in scenes()
        for across, down in ((0.01, 0), (0.01, 0.01), (0.02, 0))
    ]
    assert statistics.median(distances) <= 4
    assert sum(found <= SAME for found in distances) / len(distances) > 0.8


def test_different_pictures_are_far_apart() -> None:
    hashes = [int(perceptual_hash(encoded(image)).partition("-")[0], 16) for image in scenes()]
    distances = sorted((one ^ other).bit_count() for one, other in itertools.combinations(hashes, 2))
    assert sum(found > 20 for found in distances) / len(distances) > 0.95
    assert distances[0] > 2 * SAME


def test_a_plain_picture_has_nothing_but_its_colour_and_is_like_no_other() -> None:
    blue = encoded(Image.new("RGB", (500, 400), (9, 99, 200)), "PNG")
    assert perceptual_hash(blue) == "0" * 16 + "-0963c8"
    assert distance(blue, blue) == 64
    assert distance(blue, encoded(scenes()[0])) == 64


def test_the_same_drawing_in_other_colours_is_another_picture() -> None:
    grey = scenes()[0].convert("L")
    warm, cold = (ImageOps.colorize(grey, "black", colour) for colour in ("#ff9040", "#4090ff"))
    assert distance(encoded(warm), encoded(cold)) == 64
    assert distance(encoded(warm), encoded(ImageEnhance.Brightness(warm).enhance(1.05))) <= SAME
