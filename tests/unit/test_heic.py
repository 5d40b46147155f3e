"""HEIC, as phones write it: upright, in its colours, the main picture alone. The files: tests/data/README.md."""

import io
import random
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from adapters.imaging import Rejection, UnusableImageError, make_rendition, perceptual_hash, prepare_photo
from local.colour_profiles import P3_GAMMA, P3_TO_D50

DATA = Path(__file__).parent.parent / "data"
RED, GREEN, BLUE, YELLOW, WHITE = (220, 30, 30), (30, 180, 40), (30, 40, 210), (230, 220, 30), (255, 255, 255)
NEAR = 5

# IEC 61966-2-1's inverse for D50, by Bruce Lindbloom.
D50_TO_SRGB = (
    (3.1338561, -1.6168667, -0.4906146),
    (-0.9787684, 1.9161415, 0.0334540),
    (0.0719453, -0.2289914, 1.4052427),
)


def heic(name: str) -> bytes:
    return (DATA / f"{name}.heic").read_bytes()


def shown(source: bytes) -> Image.Image:
    return Image.open(io.BytesIO(make_rendition(source).jpeg))


def is_near(image: Image.Image, x: int, y: int, wanted: tuple[int, ...]) -> bool:
    found = image.getpixel((x % image.width, y % image.height))
    assert isinstance(found, tuple)
    return all(abs(one - other) <= NEAR for one, other in zip(found, wanted, strict=True))


def assert_upright(image: Image.Image) -> None:
    assert image.size == (480, 400)
    assert is_near(image, 40, 40, RED)
    assert is_near(image, -40, 40, GREEN)
    assert is_near(image, 40, -40, BLUE)
    assert is_near(image, -40, -40, YELLOW)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_corner_is_where_the_photographer_saw_it(orientation: int) -> None:
    assert_upright(shown(heic(f"corners-{orientation}")))


def test_the_container_turns_a_heic_and_its_exif_does_not() -> None:
    assert_upright(shown(heic("turned-by-exif-alone")))


def test_a_display_p3_heic_is_converted_and_not_relabelled() -> None:
    linear = [(channel / 255) ** P3_GAMMA for channel in (100, 150, 120)]
    xyz = [sum(factor * value for factor, value in zip(row, linear, strict=True)) for row in P3_TO_D50]
    light = [sum(factor * value for factor, value in zip(row, xyz, strict=True)) for row in D50_TO_SRGB]
    wanted = tuple(round(255 * (1.055 * value ** (1 / 2.4) - 0.055)) for value in light)
    assert wanted[0] < 90
    assert is_near(shown(heic("display-p3")), 200, 200, wanted)


def test_a_transparent_heic_is_flattened_on_white() -> None:
    image = shown(heic("transparent"))
    assert is_near(image, 100, 200, WHITE)
    assert is_near(image, 300, 200, (200, 0, 0))


def test_of_several_pictures_the_main_one_is_taken() -> None:
    assert is_near(shown(heic("two-frames")), 200, 200, RED)


def test_a_heic_and_the_jpeg_made_of_it_have_one_hash() -> None:
    prepared = prepare_photo(heic("corners-6"))
    assert prepared.perceptual_hashes == (perceptual_hash(prepared.rendition.jpeg),)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_heic_is_refused(kept: float) -> None:
    source = heic("corners-3")
    with pytest.raises(UnusableImageError, match="damaged or cut short") as refusal:
        make_rendition(source[: int(len(source) * kept)])
    assert refusal.value.kind is Rejection.DAMAGED


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1"])
def test_a_heic_of_nothing_but_its_brand_is_refused(brand: bytes) -> None:
    with pytest.raises(UnusableImageError, match="damaged"):
        make_rendition(b"\x00\x00\x00\x18ftyp" + brand + b"\x00\x00\x00\x00mif1heic" + bytes(500))


def test_damage_to_a_heic_never_shows_as_any_other_error() -> None:
    drawn = random.Random(5)  # noqa: S311  a test's numbers must come out the same again
    sources = [heic("corners-5"), heic("transparent"), heic("two-frames"), heic("display-p3")]
    for _ in range(150):
        damaged = bytearray(drawn.choice(sources))
        for _ in range(drawn.choice((1, 4, 30))):
            damaged[drawn.randrange(len(damaged))] = drawn.randrange(256)
        with suppress(UnusableImageError):
            make_rendition(bytes(damaged))
