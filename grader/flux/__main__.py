"""Print what a Flux tree comes to: `python -m grader.flux FOLDER [--yaml]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

from grader.flux import load
from grader.flux.install import name_flaws, source_flaws
from grader.flux.order import Order
from grader.flux.schemas import problems, unknown
from pipelines.local.errors import BadInput


def main() -> int:
    """Print the objects by layer, then what is wrong with them; 1 where something is, 2 where it cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m grader.flux", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder of the tree")
    parser.add_argument("--yaml", action="store_true", help="print the objects themselves")
    given = parser.parse_args()
    try:
        tree = load(given.folder)
    except BadInput as error:
        print(f"batchlab: {error}", file=sys.stderr)
        return 2
    for layer in tree.layers:
        print(f"# {layer.title}")
        for each in layer.objects:
            print("---\n" + yaml.safe_dump(dict(each.body), sort_keys=False) if given.yaml else f"  {each.title}")
    found = [f"{one.where}: {one.object.title}: {one.path}: {one.message}" for one in problems(tree)]
    found += [f"{one.where}: {one.what}" for one in (*name_flaws(tree), *source_flaws(tree))]
    found += Order(tree).problems()
    for text in found:
        print(text, file=sys.stderr)
    for each in unknown(tree):
        print(f"{each.at()}: {each.title}: no schema of its kind is known here", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
