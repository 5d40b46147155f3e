"""A photo prepared: all that is kept of it comes from one decode, and measures the same at any later time."""

import io
from typing import Final

import pytest
from PIL import Image, ImageChops, ImageFilter, ImageStat

from adapters.imaging import (
    PreparedPhoto,
    UnusableImageError,
    decoding,
    make_rendition,
    measure,
    perceptual_hash,
    prepare_photo,
)
from domain import near_duplicates
from domain.personas import Fit
from local.sample_library import PICTURES
from local.sample_library.painting import dice

RED, GREEN, BLUE = (220, 30, 30), (30, 180, 40), (30, 40, 210)
TALL, WIDE, SQUARE = (700, 2100), (2400, 600), (900, 900)
NEAR: Final = 12


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def scene(number: int, size: tuple[int, int]) -> Image.Image:
    return PICTURES[number].scene(size, dice(PICTURES[number].seed))


def halves(size: tuple[int, int]) -> Image.Image:
    """Red above green, or left of it: the long way."""
    width, height = size
    image = Image.new("RGB", size, RED)
    image.paste(GREEN, (width // 2, 0, width, height) if width > height else (0, height // 2, width, height))
    return image


def shown(prepared: PreparedPhoto) -> Image.Image:
    return Image.open(io.BytesIO(prepared.rendition.jpeg))


def is_near(image: Image.Image, x: int, y: int, wanted: tuple[int, ...], delta: int = NEAR) -> bool:
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return all(abs(one - other) <= delta for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize("fit", Fit)
@pytest.mark.parametrize("size", [(1440, 1080), (1203, 977), (3000, 2250), (400, 500), TALL, WIDE])
def test_the_stored_rendition_measures_exactly_as_the_photo_did(size: tuple[int, int], fit: Fit) -> None:
    prepared = prepare_photo(encoded(scene(3, size), "JPEG"), fit=fit)
    assert measure(prepared.rendition.jpeg) == prepared.measures
    assert perceptual_hash(prepared.rendition.jpeg) == prepared.perceptual_hashes[-1]


@pytest.mark.parametrize("fit", Fit)
def test_the_rendition_alone_is_the_same(fit: Fit) -> None:
    source = encoded(scene(1, TALL), "JPEG")
    assert make_rendition(source, fit=fit) == prepare_photo(source, fit=fit).rendition


def test_a_source_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    load = Image.Image.load

    def watched(self: Image.Image) -> object:
        if getattr(self, "fp", None) is not None:
            loads.append(self.size)
        return load(self)

    monkeypatch.setattr(Image.Image, "load", watched)
    prepare_photo(encoded(halves(TALL), "WEBP"))
    assert loads.count(TALL) <= 1


# --- hashes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit", Fit)
def test_a_picture_that_is_shown_whole_has_one_hash(fit: Fit) -> None:
    prepared = prepare_photo(encoded(scene(2, (1200, 900))), fit=fit)
    assert len(prepared.perceptual_hashes) == 1


@pytest.mark.parametrize("fit", Fit)
@pytest.mark.parametrize("size", [TALL, WIDE])
def test_where_the_rendition_shows_something_else_the_whole_picture_comes_first(
    size: tuple[int, int], fit: Fit
) -> None:
    source = encoded(scene(2, size))
    whole, rendition = prepare_photo(source, fit=fit).perceptual_hashes
    assert near_duplicates.distance(whole, perceptual_hash(source)) <= 2
    assert near_duplicates.distance(whole, rendition) > 6


# --- padding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "padded"),
    [(TALL, (1440, 1800)), (WIDE, (1440, 755)), ((330, 1000), (800, 1000)), ((1000, 340), (1000, 524))],
)
def test_a_padded_picture_has_the_nearest_ratio_that_is_allowed_and_is_never_enlarged(
    size: tuple[int, int], padded: tuple[int, int]
) -> None:
    rendition = prepare_photo(encoded(halves(size)), fit=Fit.PAD).rendition
    assert (rendition.width, rendition.height) == padded
    assert 4 / 5 <= rendition.width / rendition.height <= 1.91


@pytest.mark.parametrize("size", [TALL, WIDE])
def test_a_padded_picture_shows_all_of_itself(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (0, 0, size[0], size[1] // 10))
    image.paste(GREEN, (0, size[1] - size[1] // 10, size[0], size[1]))
    picture = shown(prepare_photo(encoded(image), fit=Fit.PAD))
    middle = picture.width // 2
    top = 0 if size[1] > size[0] else (picture.height - picture.width * size[1] // size[0]) // 2
    assert is_near(picture, middle, top + 6, RED)
    assert is_near(picture, middle, picture.height - 1 - top - 6, GREEN)
    assert is_near(picture, middle, picture.height // 2, BLUE)


def test_the_border_is_the_picture_s_own_colours_without_its_shapes() -> None:
    image = scene(3, TALL)
    picture = shown(prepare_photo(encoded(image), fit=Fit.PAD))
    border = picture.crop((0, 0, (picture.width - picture.height * TALL[0] // TALL[1]) // 2 - 4, picture.height))
    edges = border.convert("L").filter(ImageFilter.FIND_EDGES).crop((1, 1, border.width - 1, border.height - 1))
    assert sum(edges.tobytes()) / len(edges.tobytes()) < 4
    assert len(set(border.resize((1, 8)).convert("L").tobytes())) > 1


def test_a_picture_within_the_limits_gets_no_border() -> None:
    source = encoded(scene(4, (1501, 1203)), "JPEG")
    assert prepare_photo(source, fit=Fit.PAD) == prepare_photo(source)


def test_a_border_is_the_same_every_time() -> None:
    source = encoded(scene(4, WIDE), "JPEG")
    assert prepare_photo(source, fit=Fit.PAD) == prepare_photo(source, fit=Fit.PAD)


def test_a_border_takes_little_of_a_picture_s_score() -> None:
    image = scene(3, TALL)
    padded = prepare_photo(encoded(image), fit=Fit.PAD).measures
    bare = measure(encoded(image))
    assert abs(padded.aesthetic_score - bare.aesthetic_score) < 1


def test_a_picture_that_is_too_narrow_itself_gets_no_border_either() -> None:
    with pytest.raises(UnusableImageError, match="300 px wide"):
        prepare_photo(encoded(Image.new("RGB", (300, 900))), fit=Fit.PAD)


@pytest.mark.parametrize("size", [(320, 20_000), (20_000, 3)])
def test_even_a_ribbon_can_be_padded(size: tuple[int, int]) -> None:
    rendition = prepare_photo(encoded(Image.new("RGB", size, RED)), fit=Fit.PAD).rendition
    assert rendition.width == 1440


# --- where the picture lies in what was decoded -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_shrunken_decode_puts_every_line_where_a_full_one_does(
    kind: str, orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the size is no multiple of the divisor, the last pixels are parts, on whatever side they end up."""
    width, height = 5767, 3203
    image = Image.new("L", (width, height), 40)
    for share in (0.01, 0.25, 0.5, 0.75, 0.99):
        image.paste(220, (int(width * share) - 20, 0, int(width * share) + 20, height))
        image.paste(220, (0, int(height * share) - 20, width, int(height * share) + 20))
    exif = Image.Exif()
    exif[0x0112] = orientation
    source = encoded(image, kind, exif=exif, **({"compress_level": 1} if kind == "PNG" else {"quality": 95}))
    shrunken = shown(prepare_photo(source))
    monkeypatch.setattr(decoding, "whole_divisor", lambda _: 1)
    monkeypatch.setattr("PIL.JpegImagePlugin.JpegImageFile.draft", lambda *_: None)
    full = shown(prepare_photo(source))
    assert shrunken.size == full.size
    difference = ImageStat.Stat(ImageChops.difference(shrunken.convert("L"), full.convert("L")))
    assert difference.mean[0] < 1
