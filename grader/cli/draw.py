"""`batchlab draw`: a picture of a run, a table or a job."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("kind")
@click.argument("name", required=False)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the SVG (default: KIND.svg)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, and write no file.")
def draw(kind: str, name: str | None, out: Path | None, as_json: bool) -> int:
    """Draw a picture, and say the same in words.

    KIND is one of: run (the steps of a run), retry (its attempts), lineage (which table is made from which),
    partitions (what a table's last snapshots did to each), history (its snapshots), skew (how evenly Spark's tasks
    shared the work).
    Without NAME: the last run, the last job, all tables.

    \b
    Example:
      batchlab draw run
      batchlab draw partitions lake.raw.flights --out flights.svg

    JSON: {"title","alt","svg","columns","rows"}
    """  # noqa: D301
    from grader.pictures import draw as drawn
    from pipelines.local.errors import BadInput
    from pipelines.local.state import StateDir

    picture = drawn(StateDir.locate(), kind, name)
    if as_json:
        print(json.dumps(picture.as_json(), ensure_ascii=False))
        return 0
    path = out or Path(f"{kind}.svg")
    try:
        path.write_text(picture.svg, encoding="utf-8")
    except OSError as error:
        raise BadInput(
            f"cannot be written: {error.strerror}", where=str(path), remedy="name another file: --out FILE"
        ) from error
    click.echo(f"{path}: {picture.title}. {picture.alt}")
    return 0
