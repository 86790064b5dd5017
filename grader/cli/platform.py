"""`batchlab platform`: start, look at and stop the embedded servers."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from pipelines.local.platform import PartStatus, Platform
from pipelines.local.state import StateDir


@click.group()
def platform() -> None:
    """PostgreSQL, the Iceberg catalog, the webhook receiver and warm Spark JVMs of this checkout.

    \b
    Example:
      batchlab platform status
    """  # noqa: D301


@platform.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def start(as_json: bool) -> None:
    """Start what does not run and repair what does not answer.

    \b
    Example:
      batchlab platform start
    """  # noqa: D301
    console = Console(stderr=True)
    here = Platform(StateDir.locate())
    with console.status("platform") as spinner:
        here.start(progress=spinner.update)
    _show(here, as_json=as_json)


@platform.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def status(as_json: bool) -> None:
    """Show each server: process, address, memory, health, log file; changes nothing.

    \b
    Example:
      batchlab platform status --json
    """  # noqa: D301
    _show(Platform(StateDir.locate()), as_json=as_json)


@platform.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def stop(as_json: bool) -> None:
    """End every server of this checkout; tables and data stay.

    \b
    Example:
      batchlab platform stop
    """  # noqa: D301
    stopped = Platform(StateDir.locate()).stop()
    if as_json:
        click.echo(json.dumps({"stopped": stopped}))
    else:
        click.echo("stopped " + ", ".join(stopped) if stopped else "nothing was running")


def _show(here: Platform, *, as_json: bool) -> None:
    found = here.status()
    if as_json:
        click.echo(json.dumps({"state": str(here.state.root), "parts": [_shape(part) for part in found]}, indent=2))
        return
    table = Table(title=f"Platform in {here.state.root}", title_justify="left")
    for heading in ("part", "pid", "address", "memory", "health", "log"):
        table.add_column(heading, justify="right" if heading in {"pid", "memory"} else "left", overflow="fold")
    for part in found:
        colour = (
            "green" if part.healthy else "red" if part.message == "died" else "dim" if not part.running else "yellow"
        )
        table.add_row(
            part.name,
            str(part.pid or ""),
            part.address,
            f"{part.memory / 2**20:.0f} MiB" if part.memory else "",
            f"[{colour}]{part.message}[/{colour}]",
            str(part.log) if part.log.exists() else "",
        )
    table.caption = f"{sum(part.memory for part in found) / 2**20:.0f} MiB in all"
    Console().print(table)


def _shape(part: PartStatus) -> dict[str, Any]:
    return {**asdict(part), "log": str(part.log)}
