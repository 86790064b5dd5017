"""How `batchlab run` and `batchlab resume` end: the summary, what failed and where its log is, the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from grader.cli._live import SIGNS
from pipelines.local.engine import RunResult
from pipelines.local.state import StateDir

LAST_LINES = 12
BAD = ("Failed", "Error")


def finish(result: RunResult, state: StateDir, *, as_json: bool) -> int:
    """Print a run's end; returns 0 when it succeeded or waits for a person, 1 when it failed."""
    if as_json:
        print(json.dumps(result.document, indent=2, ensure_ascii=False))
    else:
        _summary(result, state)
    return 0 if result.phase == "Succeeded" or result.suspended else 1


def _summary(result: RunResult, state: StateDir) -> None:
    console = Console(file=sys.stderr, highlight=False)
    nodes = result.document["nodes"].values()
    failed = [node for node in nodes if node["phase"] in BAD and node["type"] == "Pod"]
    for node in failed[-3:]:
        _show_failure(console, node, state.steps / result.name / str(node["id"]))
    if result.suspended:
        console.print(Text(f"● {result.name} waits for you. Go on with: batchlab resume {result.name}", style="cyan"))
        return
    sign, style = SIGNS.get(result.phase, ("?", ""))
    line = Text(f"{sign} {result.name} {result.phase}", style=style)
    if result.document["message"]:
        line.append(f": {result.document['message']}")
    console.print(line, soft_wrap=True)


def _show_failure(console: Console, node: Mapping[str, Any], folder: Path) -> None:
    console.print(Text(f"✖ {node['name']}: {node.get('message') or node['phase']}", style="red"), soft_wrap=True)
    logs = sorted(path for path in folder.rglob("*.log") if path.stat().st_size)
    for log in logs[-2:]:
        console.print(Text(f"  {log}", style="bold"), soft_wrap=True)
        for text in log.read_text(errors="replace").splitlines()[-LAST_LINES:]:
            console.print(Text(f"    {text}"), soft_wrap=True)


def parse_parameters(given: tuple[str, ...]) -> dict[str, str]:
    """Read `-p name=value` options.

    Raises:
        BadInput: one has no equals sign or no name.
    """
    from pipelines.local.errors import BadInput

    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadInput(f"{text!r} is not NAME=VALUE", where="-p", remedy="as in -p ds=2013-03-10")
        found[name] = value
    return found
