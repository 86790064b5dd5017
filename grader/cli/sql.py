"""`batchlab sql`: ask Spark what is in the tables."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from grader.query import Answer


@click.command()
@click.argument("statements", nargs=-1, required=True, metavar="STATEMENT…")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="Most rows to show.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def sql(statements: tuple[str, ...], limit: int, as_json: bool) -> int:
    """Run Spark SQL on your own tables, in one session; the catalog is called lake.

    Tables are lake.raw.flights, lake.curated.flights, lake.marts.carrier_daily …; of each there are metadata tables
    (lake.raw.flights.snapshots, .files, .partitions, .refs), and earlier contents by VERSION AS OF a snapshot.

    \b
    Example:
      batchlab sql "SELECT flight_date, count(*) FROM lake.raw.flights GROUP BY 1 ORDER BY 1"
      batchlab sql "SELECT committed_at, operation, summary['batchlab.node'] FROM lake.raw.flights.snapshots"

    JSON: {"answers":[{"columns":[…],"rows":[[…]],"more":false}]}
    """  # noqa: D301
    from rich.console import Console

    from grader.query import ask
    from pipelines.local.state import StateDir

    answers = ask(StateDir.locate(), statements, most=limit, progress=_tell)
    if as_json:
        print(json.dumps({"answers": [one.as_json() for one in answers]}, ensure_ascii=False))
        return 0
    console = Console(highlight=False)
    for one in answers:
        if one.columns:
            console.print(_table(one))
            if one.more:
                click.echo(f"… only the first {len(one.rows)} rows; --limit shows more")
    return 0


def _table(answer: Answer) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2), show_header=True)
    for name in answer.columns:
        table.add_column(name, overflow="fold")
    for row in answer.rows:
        table.add_row(*("NULL" if cell is None else cell for cell in row))
    return table


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
