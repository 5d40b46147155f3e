"""`python -m local.sample_library FOLDER` draws the sample library into FOLDER."""

import sys
from pathlib import Path

from local.sample_library import PICTURES, draw_sample_library

if len(sys.argv) != 2:
    sys.exit("Usage: python -m local.sample_library FOLDER")
draw_sample_library(Path(sys.argv[1]))
print(f"{len(PICTURES)} pictures and scores.csv are in {sys.argv[1]}.")
