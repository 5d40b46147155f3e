"""Chooses which part of a picture stays when its ratio is out of Instagram's limits."""

from itertools import accumulate

from PIL import Image, ImageFilter

from adapters.imaging.decoding import Decoded
from adapters.imaging.limits import cropped_size

# Pixels along the long side of the copy that is searched: fine enough to place a crop, and a few milliseconds.
_SEARCHED = 512

# The share of all edges that a window must have more than the middle one, to win from the very end of the picture.
# Without it, the noise of an even picture would decide.
_PULL_TO_THE_MIDDLE = 0.1


def crop_box(picture: Decoded) -> tuple[int, int, int, int]:
    """The largest box (left, top, right, bottom; in pixels) within the ratio limits, over the part with most edges.

    The pixels are those of the picture's full size, however few of them were decoded.

    Deterministic. A picture within the limits keeps all of itself; of equally interesting parts, the middle one stays.
    """
    width, height = picture.width, picture.height
    kept_width, kept_height = cropped_size(width, height)
    if (kept_width, kept_height) == (width, height):
        return 0, 0, width, height
    if kept_width < width:
        left = _offset(_edges_along(picture.pixels, across=True), kept_width, width)
        return left, 0, left + kept_width, height
    top = _offset(_edges_along(picture.pixels, across=False), kept_height, height)
    return 0, top, width, top + kept_height


def _edges_along(pixels: Image.Image, *, across: bool) -> list[int]:
    """The edge energy of each column (`across`) or row of a small copy."""
    shrink = min(1.0, _SEARCHED / max(pixels.size))
    # 3 px at least: an edge filter leaves the outermost pixels as they are, and they are cut off below.
    size = (max(3, round(pixels.width * shrink)), max(3, round(pixels.height * shrink)))
    copy = pixels.resize(size, Image.Resampling.BOX).convert("RGB")
    edges = copy.filter(ImageFilter.FIND_EDGES).crop((1, 1, size[0] - 1, size[1] - 1)).convert("L")
    if across:
        edges = edges.transpose(Image.Transpose.TRANSPOSE)
    energies = edges.tobytes()
    return [sum(energies[start : start + edges.width]) for start in range(0, len(energies), edges.width)]


def _offset(energies: list[int], kept: int, length: int) -> int:
    """Where the best window of `kept` of `length` pixels begins."""
    window = max(1, round(len(energies) * kept / length))
    last = len(energies) - window
    if last == 0:
        return (length - kept) // 2
    sums = list(accumulate(energies, initial=0))
    total = max(1, sums[-1])

    def interest(start: int) -> tuple[float, int]:
        off_middle = abs(2 * start - last)
        share = (sums[start + window] - sums[start]) / total
        return share - _PULL_TO_THE_MIDDLE * off_middle / last, -off_middle

    best = max(range(last + 1), key=interest)
    return round(best * (length - kept) / last)
