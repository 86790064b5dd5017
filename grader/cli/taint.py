"""`batchlab taint`: which partitions hold content computed from a bad input, and how to repair them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from grader.lineage.taint.answer import Answer, Found

MOST = 40
"""Rows of a table."""
WIDE = 160
"""Columns of a line that is not for a terminal."""


@click.command()
@click.argument("dataset")
@click.option("--partition", "partitions", multiple=True, metavar="COLUMN=VALUE", help="Only this partition of it.")
@click.option("--column", default="", help="Only this column of it, and what is computed from that.")
@click.option("--snapshot", default="", metavar="ID", help="Only what this snapshot wrote.")
@click.option("--run", default="", help="Only what this run wrote; of a source that no run writes, what it read.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with the graph.")
def taint(  # noqa: PLR0917 - one per option
    dataset: str,
    partitions: tuple[str, ...],
    column: str,
    snapshot: str,
    run: str,
    as_json: bool,
    page: Path | None,
) -> None:
    """Say which partitions hold content computed from a bad input, who wrote them, and how to repair them.

    What a run wrote is tainted if the run read the bad content: the snapshot that its events name, or what was there
    when it began. A partition that was rewritten since from good content is clean.

    \b
    Example:
      batchlab taint raw.flights --partition flight_date=2013-03-09
      batchlab taint lake.raw.weather --partition flight_date=2013-03-09 --column temp
      batchlab taint ops.flights --partition flight_date=2013-03-10 --run daily-20130310-x7k2p --json

    JSON: {"input":{"dataset","partitions","column","snapshot","run","writes"},"tainted":[{"dataset","partition","run",
    "node","snapshot","at","columns","from","status","rewrittenBy"}],"deliveries":[{"key","ds","at","effect","run"}],
    "repair":[{"pipeline","from","to","command"}],"notes","summary"}
    """  # noqa: D301
    from grader.lineage.taint.answer import answer
    from grader.lineage.taint.gather import gather
    from grader.lineage.taint.question import Question, understand
    from pipelines.local.state import StateDir

    history, known, deliveries = gather(StateDir.locate())
    asked = Question(dataset=dataset, partitions=partitions, column=column, snapshot=snapshot, run=run)
    found = answer(understand(asked, history, known), history, deliveries)
    if page:
        from grader.lineage.graph import graph_of
        from grader.report import render_lineage

        graph = found.within(graph_of(history.executions))
        page.write_text(render_lineage({"title": f"Made from {found.question}", **graph.as_json()}), "utf-8")
    if as_json:
        print(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
        return
    _show(found)
    if page:
        print(f"the graph is in {page}")


def _show(found: Answer) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
    if found.inputs:
        _table(console, "the bad input", found.inputs, snapshots=True, columns=False)
    if found.found:
        _table(console, "computed from it", found.found, snapshots=False, columns=bool(found.question.column))
    for one in found.deliveries:
        acted = "acted on" if one["effect"] else "a repeat, without effect"
        console.print(escape(f"webhook: {one['key']} of {one['run']}, {acted}"))
    for note in found.notes:
        console.print(f"[dim]note: {escape(note)}[/]")
    console.print(f"[bold]{escape(found.sentence[0].upper() + found.sentence[1:])}.[/]")
    if found.repairs:
        console.print("To repair, in this order:")
    for repair in found.repairs:
        console.print(f"  {repair.command}")


def _table(console: Console, title: str, rows: Sequence[Found], *, snapshots: bool, columns: bool) -> None:
    """Show what partitions hold now and what was rewritten with clean content; what came between, JSON has.

    Snapshots are shown of the input, of which `--snapshot` can name one; a table with all columns is too wide to read.
    """
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from grader.lineage.taint.answer import AGAIN

    last = [one for one in rows if one.status != AGAIN]
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    more = [*(["snapshot"] if snapshots else []), *(["columns"] if columns else [])]
    for name in ("dataset", "partition", "run", "node", *more, "now"):
        table.add_column(name, overflow="fold")
    for one in sorted(last, key=lambda each: not each.dirty)[:MOST]:
        names, write = one.tainted.columns, one.as_json()
        which = ["all" if names is None else ", ".join(sorted(names))] if columns else []
        now = "[red]tainted[/]" if one.dirty else f"[green]clean[/], by {escape(one.now.workflow or 'no known run')}"
        snapshot = [write["snapshot"] or "-"] if snapshots else []
        cells = (write["dataset"], write["partition"], write["run"], write["node"], *snapshot, *which)
        table.add_row(*(escape(cell) for cell in cells), now)
    console.print(table)
    if last[MOST:]:
        console.print(f"[dim]the first {MOST} of {len(last)}; --json has all[/]")
    hidden = len(rows) - len(last)
    if hidden:
        console.print(f"[dim]{hidden} more, which tainted content has replaced since, are in --json[/]")
