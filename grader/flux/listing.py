"""What a Flux tree comes to, for people: its objects by layer, and what is wrong with them."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from grader.flux.install import name_flaws, source_flaws
from grader.flux.order import Order
from grader.flux.schemas import problems, unknown
from grader.flux.tree import load


def show(folder: Path, *, as_yaml: bool = False) -> bool:
    """Print the objects by layer, in Flux's order, and on standard error what is wrong; returns whether nothing is.

    Args:
        folder: the tree's.
        as_yaml: print the objects themselves.

    Raises:
        BadInput: it cannot be built.
    """
    tree = load(folder)
    for layer in tree.layers:
        print(f"# {layer.title}")
        for each in layer.objects:
            print("---\n" + yaml.safe_dump(dict(each.body), sort_keys=False) if as_yaml else f"  {each.title}")
    found = [f"{one.where}: {one.object.title}: {one.path}: {one.message}" for one in problems(tree)]
    found += [f"{one.where}: {one.what}" for one in (*name_flaws(tree), *source_flaws(tree))]
    found += Order(tree).problems()
    for text in found:
        print(text, file=sys.stderr)
    for each in unknown(tree):
        print(f"{each.at()}: {each.title}: no schema of its kind is known here", file=sys.stderr)
    return not found
