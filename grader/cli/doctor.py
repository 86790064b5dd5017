"""`batchlab doctor`: what is installed, what is missing, how to get it."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table

from pipelines.local.needs import Found, Need, needs
from pipelines.local.state import StateDir

_COLOURS = {Found.OK: "green", Found.MISSING: "red", Found.OPTIONAL: "yellow"}


@click.command()
@click.option("--cluster", is_flag=True, help="Also ask for what a cluster needs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def doctor(cluster: bool, as_json: bool) -> int:
    """Say what this machine has of what the kit needs; exit 1 if the demo could not run.

    \b
    Example:
      batchlab doctor
    """  # noqa: D301
    found = list(needs(StateDir.locate(), cluster=cluster))
    missing = [need for need in found if need.found is Found.MISSING]
    if as_json:
        shown = [
            {"name": one.name, "found": one.found.value, "detail": one.detail, "remedy": one.remedy} for one in found
        ]
        click.echo(json.dumps({"ok": not missing, "needs": shown}, indent=2))
    else:
        _show(found, missing)
    return 1 if missing else 0


def _show(found: list[Need], missing: list[Need]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found", "how to get it"):
        table.add_column(heading, overflow="fold")
    for need in found:
        colour = _COLOURS[need.found]
        table.add_row(f"[{colour}]{need.found.value}[/{colour}]", need.name, need.detail, need.remedy)
    console = Console()
    console.print(table)
    console.print(f"[red]{len(missing)} missing[/red]" if missing else "[green]ready[/green]")
