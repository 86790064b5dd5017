"""`batchlab resume`: go on with a run that was interrupted, or that waits for a person."""

from __future__ import annotations

import sys
from datetime import datetime, timezone

import click


@click.command()
@click.argument("name", metavar="RUN")
@click.option(
    "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="What a suspend step asks for."
)
@click.option("--virtual-time", is_flag=True, help="Let backoffs, suspensions and deadlines pass at once.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document: Argo's status with its nodes.")
def resume(name: str, parameters: tuple[str, ...], virtual_time: bool, as_json: bool) -> int:
    """Continue a run from what is stored: finished steps are not run again.

    A step that was running when the executor ended is run again, as the same attempt. Code is that of the first start.

    \b
    Example:
      batchlab runs
      batchlab resume hello-x7k2p
      batchlab resume release-9qv4d -p approved=yes
    """  # noqa: D301
    from rich.console import Console

    from grader.cli._live import Watcher
    from grader.cli._outcome import finish, parse_parameters
    from pipelines.local.assembly import assembled, needs_platform
    from pipelines.local.engine import Engine, VirtualClock, WallClock
    from pipelines.local.state import StateDir

    given = parse_parameters(parameters)
    state = StateDir.locate().ensure()
    clock = VirtualClock(datetime.now(timezone.utc)) if virtual_time else WallClock()
    needed = needs_platform(Engine(state).manifest(name))
    watcher = Watcher(Console(file=sys.stderr, highlight=False, quiet=as_json))

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with assembled(state, clock, platform=needed, listener=watcher, progress=tell) as engine, watcher.shown():
        result = engine.resume(name, supplied=given)
    return finish(result, state, as_json=as_json)
