"""Collect what `batchlab lineage` shows from a state directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.fingerprint.lake import Lake
from grader.lineage.snapshots import Trace, trace
from grader.lineage.view import Lineage, read_lineage
from grader.oracle.tables import TABLES
from pipelines.local.engine import Engine
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir


def gather(state: StateDir, table: str | None) -> tuple[str | None, Lineage]:
    """Read events, runs and snapshots.

    Args:
        state: whose.
        table: the one table whose snapshots are traced; None traces all tables of the specification.

    Returns:
        The table's full name, and the lineage.

    Raises:
        BadInput: there is no such table.
    """
    lake = Lake.open(state)
    name = lake.find(table)[0] if table else None
    runs = known_runs(state)
    names = [name] if name else [one.name for one in TABLES if one.in_lake]
    return name, read_lineage(state.lineage, runs, traces(lake, names, runs), dbt_manifest(state))


def known_runs(state: StateDir) -> dict[str, Mapping[str, Any]]:
    """Give every stored run by name, with its nodes."""
    engine = Engine(state)
    return {run.name: engine.get(run.name).document for run in engine.runs()}


def traces(lake: Lake, names: list[str], runs: Mapping[str, Mapping[str, Any]]) -> list[Trace]:
    """Trace the snapshots of those of some tables that exist and are Iceberg's."""
    found = []
    for name in names:
        try:
            found += trace(lake.iceberg(name), name, runs)
        except BadInput:
            continue
    return found


def dbt_manifest(state: StateDir) -> Path | None:
    """Find the manifest that the newest dbt step left."""
    found = state.steps.rglob("target/manifest.json") if state.steps.is_dir() else ()
    return max(found, key=lambda path: path.stat().st_mtime, default=None)
