"""Files that cannot be posted: each is refused with its kind and a reason, at little cost, and by no other error."""

import io
import random
import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from adapters.imaging import MOST_SOURCE_BYTES, Rejection, UnusableImageError, prepare_photo
from adapters.imaging.colour import to_srgb

PROJECT: Final = Path(__file__).parents[2]
KINDS: Final = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
MEMORY: Final = 145_000_000

# In a process of its own, so that nothing but the photo is measured.
PREPARE: Final = """
import sys
from pathlib import Path
from adapters.imaging import UnusableImageError, prepare_photo
try:
    print(prepare_photo(Path(sys.argv[1]).read_bytes()).rendition.width)
except UnusableImageError as error:
    print(error.kind)
(peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) * 1024)
"""


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def black_png(width: int, height: int, colour_type: int, bytes_a_pixel: int) -> bytes:
    """Of next to no bytes, and with all of its pixels."""
    squeezed = zlib.compressobj(1)
    rows = [squeezed.compress(bytes(1 + width * bytes_a_pixel)) for _ in range(height)]
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    pixels = b"".join((*rows, squeezed.flush()))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def refusal(source: bytes) -> UnusableImageError:
    with pytest.raises(UnusableImageError) as refused:
        prepare_photo(source)
    assert refused.value.reason == str(refused.value)
    assert refused.value.reason.endswith((".", "taken."))
    return refused.value


def prepared_alone(source: bytes, folder: Path) -> tuple[str, int]:
    """What a process that does nothing else makes of it, and its peak memory in bytes."""
    photo = folder / "photo"
    photo.write_bytes(source)
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, str(photo)],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(PROJECT / "src")},
    )
    outcome, peak = done.stdout.split()
    return outcome, int(peak)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (b"", Rejection.EMPTY),
        (b"To whom it may concern", Rejection.NOT_AN_IMAGE),
        (b"\xff\xd8\xff\xe0 and no more", Rejection.DAMAGED),
        (black_png(3, 3, 2, 3), Rejection.TOO_NARROW),
        (encoded(Image.new("RGB", (319, 319)), "JPEG"), Rejection.TOO_NARROW),
        (encoded(Image.new("RGB", (400, 400)), "GIF"), Rejection.UNSUPPORTED),
        (encoded(Image.new("F", (400, 400)), "TIFF"), Rejection.UNSUPPORTED),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42" + bytes(500), Rejection.UNSUPPORTED),
    ],
)
def test_each_bad_file_is_refused_by_its_kind(source: bytes, kind: Rejection) -> None:
    assert refusal(source).kind is kind


def test_a_file_of_more_than_100_mb_is_refused_and_one_of_100_is_not() -> None:
    picture = encoded(Image.new("RGB", (400, 400)), "JPEG")
    assert MOST_SOURCE_BYTES == 100_000_000
    assert prepare_photo(picture.ljust(MOST_SOURCE_BYTES, b"\0")).rendition.width == 400
    refused = refusal(picture.ljust(MOST_SOURCE_BYTES + 1, b"\0"))
    assert refused.kind is Rejection.TOO_LARGE
    assert "Export it smaller" in refused.reason


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.98])
def test_a_truncated_file_is_refused_as_damaged(kind: str, kept: float) -> None:
    drawn = random.Random(2)  # noqa: S311  a test's numbers must come out the same again
    source = encoded(Image.frombytes("RGB", (400, 400), drawn.randbytes(480_000)), kind)
    assert refusal(source[: int(len(source) * kept)]).kind is Rejection.DAMAGED


def test_a_bomb_is_refused_within_the_memory_of_an_ordinary_photo(tmp_path: Path) -> None:
    outcome, peak = prepared_alone(black_png(20_000, 10_001, 0, 1), tmp_path)
    assert outcome == Rejection.TOO_MANY_PIXELS
    assert peak < 80_000_000


@pytest.mark.parametrize(
    ("width", "height", "colour_type", "bytes_a_pixel"),
    [(8660, 5774, 2, 3), (8660, 5774, 6, 4), (16_330, 12_240, 0, 1)],
    ids=["50 MP", "50 MP with alpha", "200 MP grey"],
)
def test_a_large_png_is_read_within_the_memory_goal(
    width: int, height: int, colour_type: int, bytes_a_pixel: int, tmp_path: Path
) -> None:
    outcome, peak = prepared_alone(black_png(width, height, colour_type, bytes_a_pixel), tmp_path)
    assert outcome == "1440"
    assert peak < MEMORY


def test_a_jpeg_of_50_megapixels_is_read_within_the_memory_goal(tmp_path: Path) -> None:
    outcome, peak = prepared_alone(encoded(Image.new("L", (8660, 5774), 90).convert("RGB"), "JPEG"), tmp_path)
    assert outcome == "1440"
    assert peak < MEMORY


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mutated_files_are_read_or_refused_and_nothing_else() -> None:
    drawn = random.Random(17)  # noqa: S311  a test's numbers must come out the same again
    noise = Image.frombytes("RGB", (64, 48), drawn.randbytes(64 * 48 * 3)).resize((480, 360))
    sources = [encoded(noise, kind) for kind in KINDS]
    sources += [
        encoded(noise, "JPEG", progressive=True),
        encoded(noise.convert("CMYK"), "JPEG"),
        encoded(noise.convert("P"), "PNG"),
        encoded(noise.convert("RGBA"), "WEBP", lossless=True),
        encoded(noise.convert("I;16"), "TIFF", compression="tiff_lzw"),
        encoded(noise, "TIFF", compression="tiff_adobe_deflate"),
        encoded(noise, "TIFF", compression="jpeg"),
        encoded(noise.resize((6000, 400)), "PNG", compress_level=1),
    ]
    for _ in range(250):
        damaged = bytearray(drawn.choice(sources))
        for _ in range(drawn.choice((1, 3, 20))):
            # Most of what can go wrong is in the first bytes.
            place = drawn.randrange(drawn.choice((64, 1000, len(damaged)))) % len(damaged)
            match drawn.randrange(4):
                case 0:
                    del damaged[place : place + drawn.randrange(1, 40)]
                case 1:
                    damaged[place:place] = drawn.randbytes(drawn.randrange(1, 8))
                case _:
                    damaged[place] = drawn.choice((0, 1, 0x7F, 0xFF, drawn.randrange(256)))
        with suppress(UnusableImageError):
            prepare_photo(bytes(damaged))


def test_a_webp_has_a_limit_of_its_own_since_it_is_decoded_whole() -> None:
    """A lossless header alone: width and height less one in 14 bits each (RFC 9649, section 3.4)."""
    for width, refused in ((10_000, False), (12_001, True)):
        bits = (width - 1) | (9_999 << 14)
        payload = b"\x2f" + bits.to_bytes(4, "little") + bytes(3)
        chunk = b"VP8L" + len(payload).to_bytes(4, "little") + payload
        source = b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk
        with pytest.raises(UnusableImageError) as raised:
            prepare_photo(source)
        assert (raised.value.kind is Rejection.TOO_MANY_PIXELS) is refused
        if refused:
            assert "120 megapixels" in raised.value.reason


def test_a_heic_whose_item_names_are_no_text_is_refused_before_it_is_opened() -> None:
    """One byte changed in an item's type: libheif's wrapper ended the whole process."""
    source = (Path(__file__).parents[1] / "data" / "corners-6.heic").read_bytes()
    start = source.index(b"Exif", source.index(b"iinf"))
    for place in range(start, start + 4):
        damaged = source[:place] + bytes([source[place] | 0x80]) + source[place + 1 :]
        with pytest.raises(UnusableImageError) as raised:
            prepare_photo(damaged)
        assert raised.value.kind is Rejection.DAMAGED
    assert prepare_photo(source).rendition.jpeg


@pytest.mark.parametrize("profile", ["text", (7, 8), 7], ids=["text", "numbers", "a number"])
def test_a_profile_that_is_no_bytes_is_no_profile(profile: object) -> None:
    assert to_srgb(Image.new("RGB", (4, 4), "teal"), profile).getpixel((0, 0)) == (0, 128, 128)  # type: ignore[arg-type]
