"""`batchlab dagster`: Dagster, for the lab that compares."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, required=True, metavar="WORD…")
def dagster(words: tuple[str, ...]) -> int:
    """Run Dagster's own command line, with its instance kept in the state directory and nothing sent home.

    \b
    Example:
      batchlab dagster asset materialize -f definitions.py --select '*' --partition 2013-03-09
      batchlab dagster dev -f definitions.py -h 127.0.0.1
    """  # noqa: D301
    from grader.course.places import program, variables
    from pipelines.local.state import StateDir

    path = program("dagster", "dagster")
    state = StateDir.locate().ensure()
    home = state.root / "dagster"
    home.mkdir(exist_ok=True)
    settings = home / "dagster.yaml"
    if not settings.exists():
        settings.write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    own = {
        **variables(state.root, dict(os.environ)),
        "DAGSTER_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONWARNINGS": "ignore",
    }
    own["PATH"] = f"{Path(path).parent}{os.pathsep}{own.get('PATH', os.defpath)}"
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(path, [str(path), *words], own)  # noqa: S606 - its exit code and signals are Dagster's
