"""The measures: what they prefer, and that they prefer it every time."""

import io
import random

import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from adapters.imaging import PictureMeasures, UnusableImageError, measure
from adapters.imaging.measures import SCORER


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def scene(width: int = 960, height: int = 720) -> Image.Image:
    """Coloured discs on middle grey, and nothing clipped."""
    drawn = random.Random(3)  # noqa: S311  a test's numbers must come out the same again
    image = Image.new("RGB", (960, 720), (118, 118, 118))
    draw = ImageDraw.Draw(image)
    for _ in range(120):
        x, y, radius = drawn.randrange(960), drawn.randrange(720), drawn.randrange(10, 80)
        colour = (drawn.randrange(20, 235), drawn.randrange(20, 235), drawn.randrange(20, 235))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def measured(image: Image.Image) -> PictureMeasures:
    return measure(encoded(image))


def plain(colour: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (640, 640), colour)


def test_the_same_bytes_give_the_same_measures() -> None:
    source = encoded(scene(), "JPEG")
    assert measure(source) == measure(source)
    assert measure(source).scorer == SCORER == "measured-2"


def test_a_blurred_picture_is_less_sharp_and_scores_less() -> None:
    sharp, blurred = measured(scene()), measured(scene().filter(ImageFilter.GaussianBlur(6)))
    assert blurred.sharpness < sharp.sharpness / 2
    assert blurred.aesthetic_score < sharp.aesthetic_score


def test_a_blurred_background_does_not_make_a_picture_unsharp() -> None:
    bokeh = scene().filter(ImageFilter.GaussianBlur(12))
    bokeh.paste(scene().crop((320, 240, 640, 480)), (320, 240))
    assert measured(bokeh).sharpness > 0.8 * measured(scene()).sharpness


@pytest.mark.parametrize("factor", [0.15, 3.0])
def test_a_badly_exposed_picture_scores_less(factor: float) -> None:
    good, bad = measured(scene()), measured(ImageEnhance.Brightness(scene()).enhance(factor))
    assert bad.exposure < good.exposure / 1.5
    assert bad.aesthetic_score < good.aesthetic_score


def test_a_flat_picture_has_less_contrast() -> None:
    assert measured(ImageEnhance.Contrast(scene()).enhance(0.3)).contrast < measured(scene()).contrast / 2


def test_a_grey_picture_has_no_colour_and_a_vivid_one_has_more() -> None:
    assert measured(scene().convert("L")).colourfulness == 0
    assert measured(ImageEnhance.Color(scene()).enhance(0.3)).colourfulness < measured(scene()).colourfulness


def test_colourfulness_is_the_published_measure() -> None:
    # Half (200, 100, 50), half (100, 100, 150). R - G: 100 and 0; (R + G) / 2 - B: 100 and -50.
    # Spread: root of 50 squared + 75 squared; mean: root of 50 squared + 25 squared.
    image = plain((200, 100, 50))
    image.paste((100, 100, 150), (0, 0, 320, 640))
    wanted = ((50**2 + 75**2) ** 0.5 + 0.3 * (50**2 + 25**2) ** 0.5) / 109
    assert measured(image).colourfulness == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255)])
def test_an_empty_picture_scores_next_to_nothing(colour: tuple[int, int, int]) -> None:
    assert measured(plain(colour)).aesthetic_score < 0.1


def test_every_measure_stays_between_0_and_1_and_the_score_between_0_and_10() -> None:
    drawn = random.Random(4)  # noqa: S311  see scene()
    noise = Image.frombytes("RGB", (500, 500), drawn.randbytes(750_000))
    for image in (scene(), noise, plain((255, 0, 0)), plain((0, 0, 255))):
        found = measured(image)
        for share in (found.sharpness, found.exposure, found.contrast, found.colourfulness):
            assert 0 <= share <= 1
        assert 0 <= found.aesthetic_score <= 10


def test_the_score_is_the_documented_sum() -> None:
    assert PictureMeasures(1, 1, 1, 1).aesthetic_score == 10
    assert PictureMeasures(0.5, 0.8, 0.6, 0.3).aesthetic_score == pytest.approx(1.75 + 2.0 + 1.2 + 0.6)


def test_the_size_of_a_picture_hardly_tells_in_its_score() -> None:
    small, large = measured(scene(960, 720)), measured(scene(2880, 2160))
    assert large.aesthetic_score == pytest.approx(small.aesthetic_score, abs=0.5)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2), (479, 481)])
def test_every_shape_can_be_measured(size: tuple[int, int]) -> None:
    assert 0 <= measured(Image.new("RGB", size, (90, 120, 150))).aesthetic_score <= 10


def test_a_file_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(UnusableImageError, match="not a picture"):
        measure(b"a letter, not a picture")
