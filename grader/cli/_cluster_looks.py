"""`batchlab cluster status` and `compare`: what is on a cluster, and whether it did what this machine does."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import TextIO

import click
from rich.console import Console
from rich.table import Table

from grader.cluster import waiting
from grader.cluster.place import load
from grader.cluster.workflows import Workflows
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def status(as_json: bool) -> int:
    """Say on one screen what runs and what is wrong; exit 1 where something is.

    \b
    Example:
      batchlab cluster status
    """  # noqa: D301
    place = load(StateDir.locate())
    place.kubectl.reachable()
    states = waiting.flux_states(place.kubectl)
    troubles = waiting.troubles(place.kubectl)
    healthy = bool(states) and all(each.ready for each in states)
    if as_json:
        document = {"healthy": healthy, "flux": [asdict(each) for each in states], "troubles": troubles}
        click.echo(json.dumps(document, indent=2))
        return 0 if healthy else 1
    table = Table(box=None, pad_edge=False)
    for heading in ("", "Flux", "state"):
        table.add_column(heading, overflow="fold")
    for each in states:
        mark = "[green]ready[/green]" if each.ready else "[red]waits[/red]"
        table.add_row(mark, each.title, each.message if each.ready else f"{each.reason}: {each.message}")
    console = Console()
    console.print(table)
    if not states:
        console.print("[red]Flux has nothing here[/red]: run `batchlab cluster up`")
    for text in troubles:
        console.print(f"[yellow]{text}[/yellow]" if healthy else f"[red]{text}[/red]", markup=True, highlight=False)
    return 0 if healthy else 1


@click.command()
@click.argument("workflow")
@click.argument("run", type=click.File())
@click.option("--day", metavar="DATE", help="Compare what both sides' tables hold of a day, too: content, not files.")
def compare(workflow: str, run: TextIO, day: str | None) -> int:
    """Compare a workflow of the cluster with a run here, node by node; exit 1 where they differ.

    \b
    Example:
      batchlab run cluster/apps --name daily -p ds=2013-03-10 --json > run.json
      batchlab cluster compare daily-x7k2p run.json --day 2013-03-10
    """  # noqa: D301
    from grader.cluster.grading.site import site
    from grader.cluster.parity import compare as differences
    from grader.cluster.parity import compare_tables
    from grader.fingerprint.lake import Lake

    if day is not None:
        _check(day)
    state = StateDir.locate()
    place = load(state)
    try:
        document = json.load(run)
    except ValueError as error:
        raise BadInput(f"is no JSON: {error}", where=run.name, remedy="write it with `batchlab run --json`") from error
    found = differences(Workflows(kubectl=place.kubectl).get(workflow), document)
    if day is not None:
        with site(place, state) as there:
            found += compare_tables(there.lake, Lake.open(state), day)
    for line in found:
        click.echo(line)
    same = "nodes" if day is None else f"nodes, and the tables the same rows of {day}"
    click.echo("the runs differ" if found else f"the runs have the same {same}", err=True)
    return 1 if found else 0


def _check(day: str) -> None:
    try:
        date.fromisoformat(day)
    except ValueError as error:
        raise BadInput(f"{day} is no date", where="--day", remedy="write it as 2013-03-10") from error
