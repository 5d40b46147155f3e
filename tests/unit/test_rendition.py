"""The rendition, checked by its pixels: what comes out is always what Instagram takes."""

import dataclasses
import io
import random
import struct
import zlib
from contextlib import suppress
from fractions import Fraction

import pytest
from PIL import Image, ImageCms, ImageDraw
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from adapters.imaging import Rendition, UnusableImageError, make_rendition
from adapters.imaging.encoding import encode_jpeg
from adapters.imaging.limits import cropped_size, fitted_size
from local.colour_profiles import ADOBE_GAMMA, ADOBE_RGB, ADOBE_TO_D50, matrix_profile

RED, GREEN, BLUE, YELLOW, WHITE = (220, 30, 30), (30, 180, 40), (30, 40, 210), (230, 220, 30), (255, 255, 255)
GREY = (128, 128, 128)

# The JPEG's own rounding, at quality 92.
NEAR = 4

ORIENTATION, MAKE, GPS = 0x0112, 0x010F, 0x8825

# What a camera stores so that the viewer, turning it as EXIF 2.32 says, sees the scene upright.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def drawn_with(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  a test's numbers must come out the same again


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(rendition: Rendition) -> Image.Image:
    image = Image.open(io.BytesIO(rendition.jpeg))
    image.load()
    assert image.format == "JPEG"
    assert image.mode == "RGB"
    assert image.size == (rendition.width, rendition.height)
    return image


def plain(width: int, height: int, colour: tuple[int, int, int] = GREY) -> Image.Image:
    return Image.new("RGB", (width, height), colour)


def four_corners(width: int = 480, height: int = 400) -> Image.Image:
    image = plain(width, height)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 99, 99), RED)
    draw.rectangle((width - 100, 0, width, 99), GREEN)
    draw.rectangle((0, height - 100, 99, height), BLUE)
    draw.rectangle((width - 100, height - 100, width, height), YELLOW)
    return image


def noise(width: int, height: int, seed: int = 1) -> Image.Image:
    return Image.frombytes("RGB", (width, height), drawn_with(seed).randbytes(width * height * 3))


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, int, int]:
    red, green, blue = image.getpixel((x % image.width, y % image.height))  # type: ignore[misc]
    return red, green, blue


def is_near(found: tuple[int, ...], wanted: tuple[int, ...], delta: int = NEAR) -> bool:
    return all(abs(one - other) <= delta for one, other in zip(found, wanted, strict=True))


def assert_upright(image: Image.Image) -> None:
    assert is_near(pixel(image, 40, 40), RED)
    assert is_near(pixel(image, -40, 40), GREEN)
    assert is_near(pixel(image, 40, -40), BLUE)
    assert is_near(pixel(image, -40, -40), YELLOW)


# --- what every rendition keeps ---------------------------------------------------------------------------------------


def test_a_picture_within_the_limits_keeps_its_size_and_its_colours() -> None:
    rendition = make_rendition(encoded(four_corners(1080, 1350)))
    assert (rendition.width, rendition.height) == (1080, 1350)
    assert_upright(decoded(rendition))


def test_a_rendition_cannot_be_changed() -> None:
    rendition = make_rendition(encoded(plain(320, 320)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        rendition.width = 1  # type: ignore[misc]


def test_the_same_bytes_give_the_same_rendition() -> None:
    source = encoded(noise(700, 300))
    assert make_rendition(source) == make_rendition(source)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_kind_of_picture_is_taken(kind: str) -> None:
    assert_upright(decoded(make_rendition(encoded(four_corners(), kind, quality=95))))


@pytest.mark.parametrize("kind", ["MPO", "WEBP", "TIFF", "PNG", "AVIF"])
def test_of_several_frames_the_first_is_taken(kind: str) -> None:
    source = encoded(plain(400, 400, RED), kind, save_all=True, append_images=[plain(400, 400, BLUE)], duration=500)
    assert is_near(pixel(decoded(make_rendition(source)), 200, 200), RED)


# --- orientation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", STORED)
def test_each_corner_is_where_the_photographer_saw_it(kind: str, orientation: int) -> None:
    method = STORED[orientation]
    stored = four_corners() if method is None else four_corners().transpose(method)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    rendition = make_rendition(encoded(stored, kind, exif=exif))
    assert (rendition.width, rendition.height) == (480, 400)
    assert_upright(decoded(rendition))


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_a_senseless_orientation_is_ignored(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    assert_upright(decoded(make_rendition(encoded(four_corners(), "JPEG", exif=exif))))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_broken_exif_is_no_reason_to_refuse_a_picture() -> None:
    source = encoded(four_corners(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7fnonsense")
    assert_upright(decoded(make_rendition(source)))


def test_a_turned_picture_is_measured_as_it_is_seen_and_not_as_it_is_stored() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    rendition = make_rendition(encoded(plain(4000, 3200), "JPEG", exif=exif))
    assert (rendition.width, rendition.height) == (1440, 1800)


# --- metadata ---------------------------------------------------------------------------------------------------------


def with_all_metadata() -> bytes:
    exif = Image.Exif()
    exif[MAKE] = "SecretCamera"
    exif.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0), 29: "2026:11:22"})
    return encoded(
        four_corners(),
        "JPEG",
        exif=exif,
        comment=b"SecretComment",
        xmp=b"<x:xmpmeta>SecretXmp</x:xmpmeta>",
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    )


def segments(jpeg: bytes) -> list[int]:
    """The markers up to the scan."""
    found, at = [], 2
    while jpeg[at + 1] != 0xDA:
        found.append(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return found


def test_no_metadata_survives_the_position_least_of_all() -> None:
    source = with_all_metadata()
    assert Image.open(io.BytesIO(source)).getexif().get_ifd(GPS)
    rendition = make_rendition(source)
    image = decoded(rendition)
    assert b"Secret" in source
    assert b"Secret" not in rendition.jpeg
    assert b"2026:11:22" not in rendition.jpeg
    assert not image.getexif()
    assert not image.getexif().get_ifd(GPS)
    assert not image.info.keys() & {"exif", "xmp", "comment", "icc_profile", "photoshop"}


def test_the_only_segments_are_those_that_a_decoder_needs() -> None:
    jfif, quantisation, baseline_frame, huffman = 0xE0, 0xDB, 0xC0, 0xC4
    markers = segments(make_rendition(with_all_metadata()).jpeg)
    assert set(markers) == {jfif, quantisation, baseline_frame, huffman}


def test_the_text_chunks_of_a_png_do_not_survive() -> None:
    texts = PngInfo()
    texts.add_text("Comment", "SecretText")
    texts.add_itxt("XML:com.adobe.xmp", "SecretXmp")
    assert b"Secret" not in make_rendition(encoded(plain(400, 400), pnginfo=texts)).jpeg


# --- size and ratio ---------------------------------------------------------------------------------------------------


def test_a_wide_picture_is_scaled_down_to_1440() -> None:
    rendition = make_rendition(encoded(four_corners(2880, 1920), "JPEG"))
    assert (rendition.width, rendition.height) == (1440, 960)


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    load = JpegImageFile.load

    def watched(self: JpegImageFile) -> object:
        sizes.append(self.size)
        return load(self)

    monkeypatch.setattr(JpegImageFile, "load", watched)
    rendition = make_rendition(encoded(four_corners(6000, 4000), "JPEG"))
    assert sizes[0] == (1500, 1000)
    assert (rendition.width, rendition.height) == (1440, 960)
    assert is_near(pixel(decoded(rendition), 10, 10), RED)
    assert is_near(pixel(decoded(rendition), -10, -10), YELLOW)


def test_a_small_picture_is_never_scaled_up() -> None:
    rendition = make_rendition(encoded(plain(321, 300)))
    assert (rendition.width, rendition.height) == (321, 300)


def test_a_picture_under_320_pixels_wide_is_refused() -> None:
    with pytest.raises(UnusableImageError, match=r"only 319 px wide.*320 px.*larger copy"):
        make_rendition(encoded(plain(319, 319)))


def test_a_picture_that_would_be_cropped_under_320_pixels_is_refused() -> None:
    with pytest.raises(UnusableImageError, match="only 190 px wide once it is cropped"):
        make_rendition(encoded(plain(2000, 100)))


@pytest.mark.parametrize(("width", "height"), [(400, 2000), (2000, 400), (3001, 4999), (5003, 1009)])
def test_a_cropped_picture_lies_strictly_inside_the_ratio_limits(width: int, height: int) -> None:
    rendition = make_rendition(encoded(plain(width, height)))
    assert 0.8 < rendition.width / rendition.height < 1.91
    assert min(width, 1440) >= rendition.width >= 320


def test_no_rounding_carries_any_size_out_of_the_ratio_limits() -> None:
    drawn = drawn_with(7)
    for _ in range(20_000):
        width, height = drawn.randint(320, 20_000), drawn.randint(320, 20_000)
        kept = cropped_size(width, height)
        fitted = fitted_size(*kept)
        if kept != (width, height):
            assert Fraction(4, 5) < Fraction(*kept) < Fraction(191, 100)
            assert 0.8 < fitted[0] / fitted[1] < 1.91, (width, height)
        assert Fraction(4, 5) <= Fraction(*fitted) <= Fraction(191, 100), (width, height)
        assert fitted[0] <= 1440


@pytest.mark.parametrize("size", [(1080, 1350), (1080, 1080), (955, 500), (320, 400)])
def test_a_size_on_the_limits_is_not_cropped(size: tuple[int, int]) -> None:
    assert fitted_size(*cropped_size(*size)) == size


def test_the_largest_part_that_the_limits_allow_is_kept() -> None:
    assert cropped_size(1000, 4000) == (1000, 1249)
    assert cropped_size(4000, 1000) == (1909, 1000)


def with_detail(width: int, height: int, left: int, top: int, side: int = 200) -> Image.Image:
    """An even picture with a chequered patch, red in its middle."""
    image = plain(width, height)
    draw = ImageDraw.Draw(image)
    for x in range(left, left + side, 20):
        for y in range(top, top + side, 20):
            draw.rectangle((x, y, x + 9, y + 9), WHITE)
    middle = side // 2
    draw.rectangle((left + middle - 30, top + middle - 30, left + middle + 30, top + middle + 30), RED)
    return image


def holds_red(image: Image.Image) -> bool:
    return any(is_near(colour, RED, 20) for _, colour in image.getcolors(image.width * image.height))  # type: ignore[arg-type, union-attr]


@pytest.mark.parametrize("place", [0, 300, 900, 1500, 1800])
def test_the_interesting_part_of_a_wide_picture_is_kept(place: int) -> None:
    assert holds_red(decoded(make_rendition(encoded(with_detail(2000, 400, place, 100)))))


@pytest.mark.parametrize("place", [0, 300, 900, 1500, 1800])
def test_the_interesting_part_of_a_tall_picture_is_kept(place: int) -> None:
    assert holds_red(decoded(make_rendition(encoded(with_detail(400, 2000, 100, place)))))


def test_of_an_even_picture_the_middle_is_kept() -> None:
    striped = plain(2000, 400)
    for x in range(0, 2000, 20):
        ImageDraw.Draw(striped).rectangle((x, 0, x + 9, 399), WHITE)
    ImageDraw.Draw(striped).rectangle((990, 0, 1010, 399), RED)
    rendition = decoded(make_rendition(encoded(striped)))
    assert is_near(pixel(rendition, rendition.width // 2, 200), RED, 20)


def test_the_whole_short_side_is_kept() -> None:
    image = plain(2000, 400)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 2000, 19), BLUE)
    draw.rectangle((0, 380, 2000, 400), GREEN)
    rendition = decoded(make_rendition(encoded(image)))
    assert rendition.height == 400
    assert is_near(pixel(rendition, 300, 5), BLUE)
    assert is_near(pixel(rendition, 300, -5), GREEN)


# --- bytes ------------------------------------------------------------------------------------------------------------


def test_even_pure_noise_stays_under_8_mib() -> None:
    assert len(make_rendition(encoded(noise(1440, 1800), "TIFF")).jpeg) <= 8 * 1024 * 1024


def test_the_quality_steps_down_until_the_size_fits() -> None:
    image = noise(600, 600)
    free = len(encode_jpeg(image))
    assert len(encode_jpeg(image, free // 2)) <= free // 2


def test_a_size_that_no_quality_reaches_is_refused() -> None:
    with pytest.raises(UnusableImageError, match="smaller size"):
        encode_jpeg(noise(600, 600), 1000)


# --- colour -----------------------------------------------------------------------------------------------------------

# IEC 61966-2-1's inverse for D50, by Bruce Lindbloom.
D50_TO_SRGB = (
    (3.1338561, -1.6168667, -0.4906146),
    (-0.9787684, 1.9161415, 0.0334540),
    (0.0719453, -0.2289914, 1.4052427),
)


def srgb_code(linear: float) -> int:
    linear = min(1.0, max(0.0, linear))
    return round(255 * (12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055))


def times(matrix: tuple[tuple[float, ...], ...], vector: list[float]) -> list[float]:
    return [sum(factor * value for factor, value in zip(row, vector, strict=True)) for row in matrix]


def adobe_to_srgb(colour: tuple[int, int, int]) -> tuple[int, ...]:
    linear = [(channel / 255) ** ADOBE_GAMMA for channel in colour]
    return tuple(srgb_code(value) for value in times(D50_TO_SRGB, times(ADOBE_TO_D50, linear)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("colour", [(160, 100, 90), (100, 150, 120), (90, 110, 180), (200, 200, 200)])
def test_a_wide_gamut_colour_is_converted_and_not_relabelled(kind: str, colour: tuple[int, int, int]) -> None:
    source = encoded(plain(400, 400, colour), kind, icc_profile=ADOBE_RGB, quality=98, lossless=True)
    wanted = adobe_to_srgb(colour)
    assert is_near(pixel(decoded(make_rendition(source)), 200, 200), wanted)
    if len(set(colour)) == 3:
        assert not is_near(wanted, colour)


def test_the_conversion_also_reaches_a_palette_and_a_transparent_picture() -> None:
    colour = (100, 150, 120)
    palette = encoded(plain(400, 400, colour).quantize(4), icc_profile=ADOBE_RGB)
    transparent = encoded(Image.new("RGBA", (400, 400), (*colour, 255)), icc_profile=ADOBE_RGB)
    for source in (palette, transparent):
        assert is_near(pixel(decoded(make_rendition(source)), 200, 200), adobe_to_srgb(colour))


def test_a_grey_picture_is_converted_by_its_grey_profile() -> None:
    linear_light = matrix_profile(1.0, (), b"GRAY")
    source = encoded(Image.new("L", (400, 400), 55), icc_profile=linear_light)
    grey = srgb_code(55 / 255)
    assert grey > 120
    assert is_near(pixel(decoded(make_rendition(source)), 200, 200), (grey, grey, grey))


@pytest.mark.parametrize("profile", [b"nonsense", ADOBE_RGB[:200], matrix_profile(1.0, (), b"GRAY")])
def test_a_broken_or_alien_profile_is_ignored(profile: bytes) -> None:
    source = encoded(plain(400, 400, RED), icc_profile=profile)
    assert is_near(pixel(decoded(make_rendition(source)), 200, 200), RED)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_a_cmyk_picture_comes_out_in_its_colours_and_not_inverted(kind: str) -> None:
    source = encoded(four_corners().convert("CMYK"), kind)
    assert_upright(decoded(make_rendition(source)))


# --- depth and transparency -------------------------------------------------------------------------------------------


def png(width: int, height: int, colour_type: int, bits: int, row: bytes) -> bytes:
    """A PNG of equal rows, for the kinds that Pillow does not write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    pixels = zlib.compress((b"\0" + row) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_a_16_bit_grey_png_keeps_its_tones() -> None:
    row = b"".join(struct.pack(">H", tone) for tone in (0x0000, 0x4080, 0x8080, 0xC0C0) for _ in range(100))
    image = decoded(make_rendition(png(400, 400, 0, 16, row)))
    for place, tone in enumerate((0, 64, 128, 192)):
        assert is_near(pixel(image, 100 * place + 50, 200), (tone, tone, tone))


def test_a_16_bit_grey_tiff_keeps_its_tones() -> None:
    image = Image.new("I;16", (400, 400), 0x8080)
    assert is_near(pixel(decoded(make_rendition(encoded(image, "TIFF"))), 200, 200), GREY)


def test_a_16_bit_colour_png_keeps_its_colours() -> None:
    row = struct.pack(">HHH", *(channel * 257 for channel in RED)) * 400
    assert is_near(pixel(decoded(make_rendition(png(400, 400, 2, 16, row))), 200, 200), RED)


def test_a_16_bit_transparent_png_is_flattened_on_white() -> None:
    colours = struct.pack(">HHHH", *(channel * 257 for channel in RED), 0xFFFF) * 200 + bytes(8) * 200
    image = decoded(make_rendition(png(400, 400, 6, 16, colours)))
    assert is_near(pixel(image, 100, 200), RED)
    assert is_near(pixel(image, 300, 200), WHITE)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA"])
def test_every_mode_of_png_is_taken(mode: str) -> None:
    image = plain(400, 400, WHITE)
    ImageDraw.Draw(image).rectangle((0, 0, 199, 399), (0, 0, 0))
    rendition = decoded(make_rendition(encoded(image.convert(mode))))
    assert is_near(pixel(rendition, 100, 200), (0, 0, 0))
    assert is_near(pixel(rendition, 300, 200), WHITE)


def test_transparency_is_flattened_on_white_and_half_of_it_by_half() -> None:
    image = Image.new("RGBA", (600, 400), (200, 0, 0, 0))
    image.paste((200, 0, 0, 128), (200, 0, 400, 400))
    image.paste((200, 0, 0, 255), (400, 0, 600, 400))
    rendition = decoded(make_rendition(encoded(image)))
    assert is_near(pixel(rendition, 100, 200), WHITE)
    assert is_near(pixel(rendition, 300, 200), (227, 127, 127))
    assert is_near(pixel(rendition, 500, 200), (200, 0, 0))


def test_the_hidden_colour_under_transparency_does_not_bleed_at_the_edges() -> None:
    image = Image.new("RGBA", (2880, 2880), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (0, 0, 1441, 2880))
    assert min(decoded(make_rendition(encoded(image))).convert("L").tobytes()) > 250


def test_a_palette_with_a_transparent_entry_is_flattened_on_white() -> None:
    image = plain(400, 400, RED).quantize(2)
    source = encoded(image, transparency=image.getpixel((0, 0)))
    assert is_near(pixel(decoded(make_rendition(source)), 200, 200), WHITE)


def test_a_picture_of_floating_point_numbers_is_refused() -> None:
    with pytest.raises(UnusableImageError, match="32 bits or floating point"):
        make_rendition(encoded(Image.new("F", (400, 400), 0.5), "TIFF"))


# --- what cannot be posted --------------------------------------------------------------------------------------------


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(UnusableImageError, match="empty"):
        make_rendition(b"")


def test_a_file_that_is_no_picture_is_refused() -> None:
    with pytest.raises(UnusableImageError, match=r"not a picture.*JPEG, PNG, WebP"):
        make_rendition(b"To whom it may concern: this is a letter.")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused(kind: str, kept: float) -> None:
    source = encoded(noise(400, 400), kind)
    with pytest.raises(UnusableImageError, match=r"damaged or cut short.*Copy it again"):
        make_rendition(source[: int(len(source) * kept)])


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damage_never_shows_as_any_other_error() -> None:
    drawn = drawn_with(11)
    sources = [encoded(four_corners(), kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")]
    for _ in range(150):
        damaged = bytearray(drawn.choice(sources))
        for _ in range(drawn.choice((1, 4, 30))):
            damaged[drawn.randrange(min(len(damaged), 600))] = drawn.randrange(256)
        with suppress(UnusableImageError):
            make_rendition(bytes(damaged))


@pytest.mark.parametrize("side", [14_143, 20_000, 60_000])
def test_a_decompression_bomb_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(UnusableImageError, match="more than 200 megapixels"):
        make_rendition(png(side, side, 2, 8, b"")[:64])


def test_a_large_picture_under_the_limit_is_not_taken_for_a_bomb() -> None:
    with pytest.raises(UnusableImageError, match="cut short"):
        make_rendition(png(14_142, 14_142, 2, 8, b"")[:64])


def test_a_film_is_refused() -> None:
    with pytest.raises(UnusableImageError, match="film"):
        make_rendition(b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42" + bytes(500))


def test_a_picture_of_another_kind_is_named() -> None:
    with pytest.raises(UnusableImageError, match=r"a GIF, which this program does not take.*as JPEG"):
        make_rendition(encoded(plain(400, 400), "GIF"))


def test_the_thumbnail_of_a_raw_file_is_not_posted_in_its_place() -> None:
    tags = ImageFileDirectory_v2()
    tags[254] = 1
    with pytest.raises(UnusableImageError, match="raw file"):
        make_rendition(encoded(plain(400, 400), "TIFF", tiffinfo=tags))
