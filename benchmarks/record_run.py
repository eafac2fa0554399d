"""Turn a finished run into a recording, which the page shows where nothing may be trained.

    python -m genimg train --preset fashion-dcgan --minutes 6 --threads 1 --out runs/dcgan
    python benchmarks/record_run.py runs/dcgan genimg/ui/recordings/fashion-dcgan \\
        --hardware "one thread of a small CPU"

Specification, curves and sample sheets are kept, without weights and without paths of this machine;
of the sheets, evenly, as many as fit.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

import genimg  # noqa: F401  sets how OpenMP waits, which only counts before torch is imported

# isort: split
import argparse

from genimg.jobs.recordings import LARGEST_BYTES, record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="directory of the run")
    parser.add_argument("out", type=Path, help="folder of the recording; an older one is replaced")
    parser.add_argument("--name", help="on the page (default: the name of OUT)")
    parser.add_argument("--hardware", required=True, help="what it was trained on, in words")
    parser.add_argument("--largest-bytes", type=int, default=LARGEST_BYTES)
    options = parser.parse_args()
    try:
        size = record(
            options.run,
            options.out,
            name=options.name or options.out.name,
            hardware=options.hardware,
            largest_bytes=options.largest_bytes,
        )
    except (ValueError, OSError) as error:
        parser.error(str(error))
    print(f"{options.out}: {size:,} bytes")


if __name__ == "__main__":
    main()
