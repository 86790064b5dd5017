"""Print what a Flux tree comes to: `python -m grader.flux FOLDER [--yaml]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from grader.flux.listing import show
from pipelines.local.errors import BadInput


def main() -> int:
    """Print the objects by layer, then what is wrong with them; 1 where something is, 2 where it cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m grader.flux", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder of the tree")
    parser.add_argument("--yaml", action="store_true", help="print the objects themselves")
    given = parser.parse_args()
    try:
        return 0 if show(given.folder, as_yaml=given.yaml) else 1
    except BadInput as error:
        print(f"batchlab: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
