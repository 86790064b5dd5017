"""`batchlab flux`: what Flux would apply."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--yaml", "as_yaml", is_flag=True, help="Print the objects themselves.")
def flux(folder: Path, as_yaml: bool) -> int:
    """Render a Flux tree here, without a cluster: its objects in the order in which Flux applies them.

    What kustomize cannot build, an object that the API server would refuse, and an order that cannot work are
    told with file and line. Exit code 0: nothing is wrong, 1: something is, 2: it cannot be built.

    \b
    Example:
      batchlab flux cluster
      batchlab flux work/01-spark-operator/flux --yaml
    """  # noqa: D301
    from grader.flux.listing import show

    return 0 if show(folder, as_yaml=as_yaml) else 1
