"""The sample library's twelve pictures: their scenes, sizes and seeds, and what `scores.csv` says of them.

The scores are made up. Two are equal and one picture has none, so that the demo shows these rules too.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from local.sample_library.land import balloons, dunes, lavender, layered_ridges, misty_forest
from local.sample_library.painting import Size
from local.sample_library.town import city_by_the_river, lights_in_the_rain, paper_waves
from local.sample_library.train import train_in_the_snow
from local.sample_library.water import aurora, lighthouse, sea_at_sunset


@dataclass(frozen=True, slots=True)
class SamplePicture:
    """One picture; `size` in pixels. Without a score (0 to 10) it gets no row in `scores.csv`."""

    file: str
    scene: Callable[[Size, random.Random], Image.Image]
    size: Size
    seed: int
    aesthetic_score: float | None
    alt_text: str
    caption: str = ""


PICTURES = (
    SamplePicture(
        "fluffy-train.jpg",
        train_in_the_snow,
        (1350, 1080),
        1,
        9.1,
        "A red steam train with lit windows crosses a snowy valley at dusk, a long cloud of steam above it.",
        "The fluffy train, right on time. 🚂❄️\n\n#trainspotting #winterwonderland #steamtrain",
    ),
    SamplePicture(
        "seven-ridges.jpg",
        layered_ridges,
        (1080, 1350),
        2,
        7.9,
        "Seven mountain ridges in the haze of sunrise, with pines on the nearest one.",
        "Seven ridges, one sunrise, no alarm clock regretted.\n\n#mountains #sunrise",
    ),
    SamplePicture(
        "road-of-light.jpg",
        sea_at_sunset,
        (1080, 1350),
        3,
        8.7,
        "The sun sets into a calm sea under pink clouds, its light a broken road on the water.",
        "Stayed until the road was gone.\n\n#sunset #sea",
    ),
    SamplePicture(
        "morning-fog.jpg",
        misty_forest,
        (1080, 1350),
        4,
        6.3,
        "A forest of pines fades row by row into the morning's fog.",
    ),
    SamplePicture(
        "night-shift.jpg",
        city_by_the_river,
        (1080, 1350),
        5,
        8.2,
        "A skyline with lit windows under a full moon, mirrored in a river.",
        "Somebody is always up.\n\n#skyline #citylights #nightphotography",
    ),
    SamplePicture(
        "northern-lights.jpg",
        aurora,
        (1080, 1080),
        6,
        8.7,
        "Green and violet northern lights above snowy mountains, mirrored in a still lake.",
        "We waited four hours at −18 °C, and then this.\n\n#aurora #northernlights",
    ),
    SamplePicture(
        "long-way-home.jpg",
        dunes,
        (1350, 1080),
        7,
        5.1,
        "Sand dunes in low light with long dark sides; three camels walk along a crest.",
    ),
    SamplePicture(
        "five-balloons.jpg",
        balloons,
        (1080, 1350),
        8,
        7.4,
        "Five striped hot-air balloons over misty hills at dawn, a red and white one in front.",
        "Up, up and a little to the left. 🎈\n\n#hotairballoon #dawn",
    ),
    SamplePicture(
        "lavender-rows.jpg",
        lavender,
        (1080, 1080),
        9,
        5.9,
        "Rows of lavender run toward a lone tree under an evening sky.",
    ),
    SamplePicture(
        "paper-waves.jpg",
        paper_waves,
        (1080, 1080),
        10,
        None,
        "Waves cut from layers of paper, from cream to dark blue, and an orange paper sun.",
    ),
    SamplePicture(
        "rain-on-the-window.jpg",
        lights_in_the_rain,
        (1200, 1200),
        11,
        4.2,
        "The lights of a street at night, out of focus behind a window with raindrops.",
    ),
    SamplePicture(
        "keeper-of-the-light.jpg",
        lighthouse,
        (1440, 960),
        12,
        6.8,
        "A red and white lighthouse shines from its rock under storm clouds.",
        "The keeper left in 1987. The light did not.\n\n#lighthouse #coast",
    ),
)
