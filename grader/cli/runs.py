"""`batchlab runs`: what was run here, and how it ended."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipelines.local.engine import Engine, RunResult


@click.command()
@click.option("--delete", "name", metavar="RUN", help="Forget a run and its logs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def runs(name: str | None, as_json: bool) -> int:
    """List the runs of this checkout, oldest first.

    A run that is Running while no process executes it was interrupted: `batchlab resume` continues it.

    \b
    Example:
      batchlab runs
      batchlab runs --json
      batchlab runs --delete hello-x7k2p

    JSON: {"runs":[{"name","phase","message","startedAt","finishedAt","executed"}]}
    """  # noqa: D301
    from pipelines.local.engine import Engine
    from pipelines.local.state import StateDir

    engine = Engine(StateDir.locate().ensure())
    if name is not None:
        engine.delete(name)
        return 0
    rows = [_row(engine, run) for run in engine.runs()]
    if as_json:
        print(json.dumps({"runs": rows}, indent=2, ensure_ascii=False))
    else:
        _show(rows)
    return 0


def _row(engine: Engine, run: RunResult) -> dict[str, Any]:
    shown = {key: value for key, value in run.document.items() if key != "nodes"}
    return {**shown, "executed": run.phase in ("", "Pending", "Running") and engine.is_executed(run.name)}


def _show(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        print("nothing was run here yet; try: batchlab run FILE", file=sys.stderr)
        return
    table = Table(box=None, pad_edge=False)
    for title in ("run", "phase", "started", "finished", ""):
        table.add_column(title, overflow="fold")
    for row in rows:
        interrupted = row["phase"] in ("", "Pending", "Running") and not row["executed"]
        note = f"batchlab resume {row['name']}" if interrupted else row["message"]
        table.add_row(row["name"], row["phase"] or "Pending", row["startedAt"], row["finishedAt"], note)
    Console(highlight=False).print(table)
