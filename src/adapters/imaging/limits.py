"""What Instagram takes as a single image, and the sizes that follow from it. Pure arithmetic, in whole pixels.

Source: Meta, "IG User Media" reference, image specifications: JPEG, at most 8 MiB, width 320 to 1440 px,
ratio 4:5 to 1.91:1, sRGB.
"""

LEAST_WIDTH = 320
MOST_WIDTH = 1440
MOST_BYTES = 8 * 1024 * 1024

# Width to height as whole numbers: a float comparison could refuse 1080 x 1350, the commonest size of all.
TALLEST = (4, 5)
WIDEST = (191, 100)


def cropped_size(width: int, height: int) -> tuple[int, int]:
    """The largest size within the ratio limits that fits into `width` x `height` pixels.

    A size within the limits, or on them, is returned as it is; a cropped one lies strictly inside them.
    """
    tall_width, tall_height = TALLEST
    wide_width, wide_height = WIDEST
    if width * tall_height < height * tall_width:
        return width, (width * tall_height - 1) // tall_width
    if width * wide_height > height * wide_width:
        return (height * wide_width - 1) // wide_height, height
    return width, height


def padded_size(width: int, height: int) -> tuple[int, int]:
    """The smallest size within the ratio limits that `width` x `height` pixels fit into.

    A size within the limits, or on them, is returned as it is; a padded one lies on them or just inside.
    """
    tall_width, tall_height = TALLEST
    wide_width, wide_height = WIDEST
    if width * tall_height < height * tall_width:
        return -(-height * tall_width // tall_height), height
    if width * wide_height > height * wide_width:
        return width, -(-width * wide_height // wide_width)
    return width, height


def fitted_size(width: int, height: int) -> tuple[int, int]:
    """`width` x `height` scaled down, never up, to Instagram's greatest width.

    The height is rounded toward the square, so that rounding never carries a ratio out of the limits.
    """
    if width <= MOST_WIDTH:
        return width, height
    scaled = height * MOST_WIDTH
    return MOST_WIDTH, scaled // width if height > width else -(-scaled // width)
