"""How near one picture is to another, by Pillow alone."""

import math
from pathlib import Path

from PIL import Image, ImageChops, ImageMath, ImageStat

# Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004: K1 and K2 on 8 bits.
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_WINDOW = 8


def psnr(one: Path, other: Path) -> float:
    """The peak signal-to-noise ratio over all channels, in dB; infinite for equals."""
    errors = ImageStat.Stat(ImageChops.difference(_opened(one), _opened(other)))
    mean = sum(errors.sum2) / sum(errors.count)
    return 10 * math.log10(255**2 / mean) if mean else math.inf


def ssim(one: Path, other: Path) -> float:
    """The mean structural similarity of the brightness, in windows of 8 x 8 that do not overlap."""
    x, y = (_opened(path).convert("L").convert("F") for path in (one, other))

    def mean(pixels: Image.Image) -> Image.Image:
        return pixels.reduce(_WINDOW)

    def product(left: Image.Image, right: Image.Image) -> Image.Image:
        multiplied: Image.Image = ImageMath.lambda_eval(
            lambda args: args["left"] * args["right"], left=left, right=right
        )
        return multiplied

    similarity = ImageMath.lambda_eval(
        lambda args: (
            (2 * args["mx"] * args["my"] + _C1)
            * (2 * (args["xy"] - args["mx"] * args["my"]) + _C2)
            / (args["mx"] * args["mx"] + args["my"] * args["my"] + _C1)
            / (args["xx"] - args["mx"] * args["mx"] + args["yy"] - args["my"] * args["my"] + _C2)
        ),
        mx=mean(x),
        my=mean(y),
        xx=mean(product(x, x)),
        yy=mean(product(y, y)),
        xy=mean(product(x, y)),
    )
    return ImageStat.Stat(similarity).mean[0]


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")
