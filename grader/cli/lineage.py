"""`batchlab lineage`: which table was made from which, by which workflow node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.lineage.view import Lineage


@click.command()
@click.argument("table", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with the graph.")
def lineage(table: str | None, as_json: bool, page: Path | None) -> None:
    """Show where tables come from: datasets and jobs, and each snapshot's workflow node; and what is wrong with that.

    An edge is missing, unexplained, or stale: said only by an older run than the one that wrote the partition as it is.

    \b
    Example:
      batchlab lineage
      batchlab lineage lake.marts.carrier_daily
      batchlab lineage --html lineage.html

    JSON: {"datasets","edges","missing","phantom","stale","gaps","strays","columnProblems","snapshots","brokenLines"}
    """  # noqa: D301
    from dataclasses import replace

    from grader.lineage.gather import gather
    from grader.lineage.view import around
    from pipelines.local.state import StateDir

    name, found = gather(StateDir.locate(), table)
    if name:
        found = replace(found, graph=around(found.graph, name))
    if page:
        from grader.report import render_lineage

        page.write_text(
            render_lineage({"title": f"Lineage of {name or 'all tables'}", **found.graph.as_json()}), "utf-8"
        )
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
        return
    _show(found, name)
    if page:
        print(f"the graph is in {page}")


def _show(found: Lineage, name: str | None) -> None:
    from rich.console import Console

    from grader.lineage.view import trees

    console = Console(highlight=False, soft_wrap=True)
    if not found.graph.edges:
        console.print("no lineage event tells of this yet: run a pipeline, or `make demo`")
    for tree in trees(found.graph, name) if found.graph.edges else ():
        console.print(tree)
    for line in _problems(found):
        console.print(line)
    counted = [one for one in found.traces if one.writes]
    traced = len(counted) - len(found.untraced)
    console.print(f"{traced} of {len(counted)} snapshots are traced to the workflow node that committed them")
    for one in found.untraced:
        console.print(f"[red]untraced[/]  {one.table} {one.snapshot}: {one.problem}")
    if found.broken:
        console.print(f"{found.broken} lines were no event and were passed over")


def _problems(found: Lineage) -> Iterator[str]:
    for source, target in found.comparison.missing:
        yield f"[red]missing[/]   {source} → {target}"
    for source, target in found.comparison.phantom:
        yield f"[yellow]unexplained[/] {source} → {target}"
    for edge in found.comparison.stale:
        what = f"{edge.source} → {edge.target}"
        yield f"[red]stale[/]     {what} of {edge.ds or 'its day'}: {edge.written_by} wrote it, {edge.said_by} said so"
    for gap in found.gaps:
        yield f"[red]unmatched[/] {gap.kind}: {gap.table} {gap.snapshot} of {gap.workflow}.{gap.node}: {gap.problem}"
    for stray in found.strays:
        yield f"[red]stray[/]     {stray.job} wrote {stray.target}: {stray.problem}"
    for one in found.column_problems:
        yield f"[red]columns[/]   {one.table} {one.column}: {one.problem}"
