"""`python -m local.bench [choosing | imaging | cold]` measures what is named. It ends with 1 where a goal is missed."""

import argparse
import sys

parser = argparse.ArgumentParser(prog="python -m local.bench", description=__doc__)
parser.add_argument("what", nargs="*", help="choosing, imaging, cold; the first two where none is named")
parser.add_argument("--photos", type=int, nargs="+", default=[100, 100_000], help="choosing: library sizes")
parser.add_argument("--rounds", type=int, default=3, help="imaging: how often each rival has its turn")
parser.add_argument("--starts", type=int, default=15, help="cold: how many fresh starts each contender has")
arguments = parser.parse_args()
what = arguments.what or ["choosing", "imaging"]
if unknown := set(what) - {"choosing", "imaging", "cold"}:
    parser.error(f"there is no bench named {', '.join(sorted(unknown))}")

met = True
# Each is imported when its turn comes: what the one needs is no reason for the other not to run.
if "choosing" in what:
    from local.bench.choosing import bench_choosing

    met &= bench_choosing(arguments.photos)
if "imaging" in what:
    from local.bench.imaging import bench_imaging

    met &= bench_imaging(arguments.rounds)
if "cold" in what:
    from local.bench.cold_start import bench_cold_start

    met &= bench_cold_start(arguments.starts)
sys.exit(not met)
