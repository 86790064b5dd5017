"""`batchlab diff`: what changed in a table between two snapshots."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grader.fingerprint.diff import Diff


@click.command()
@click.argument("table")
@click.option("--from", "before", required=True, metavar="ID", help="The earlier snapshot.")
@click.option("--to", "after", required=True, metavar="ID", help="The later snapshot.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def diff(table: str, before: str, after: str, as_json: bool) -> None:
    """Compare two snapshots: partitions changed, rewritten with the same content, or untouched; sample rows.

    \b
    Example:
      batchlab diff lake.raw.flights --from 5735460159 --to 8264018355
    """  # noqa: D301
    from grader.fingerprint.diff import diff as compare
    from grader.fingerprint.lake import Lake
    from pipelines.local.state import StateDir

    found = compare(Lake.open(StateDir.locate()), table, before, after)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
        return
    _show(found)


def _show(found: Diff) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"{found.table}: {found.before} → {found.after}", highlight=False)
    for name, one in sorted(found.partitions.items()):
        rows = f"{one.before.rows} → {one.after.rows} rows" if one.before != one.after else f"{one.after.rows} rows"
        note = " (other files, same content)" if one.change == "rewritten" else ""
        console.print(f"  {name:<28} {one.change:<10} {rows}{note}", highlight=False)
    for title, sample in (("added", found.added), ("removed", found.removed)):
        if sample.rows:
            table = Table(*sample.columns, title=f"rows {title} (at most {len(sample.rows)} shown)")
            for row in sample.rows:
                table.add_row(*["NULL" if value is None else str(value) for value in row])
            console.print(table)
