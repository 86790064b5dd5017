"""Collect what `batchlab lineage` shows from a state directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
        table: the one table whose snapshots are listed; None lists those of all tables of the specification.

    Returns:
        The table's full name, and the lineage.

    Raises:
        BadInput: there is no such table.
    """
    lake = Lake.open(state)
    name = lake.find(table)[0] if table else None
    runs = known_runs(state)
    names = dict.fromkeys([*(one.name for one in TABLES if one.in_lake), *([name] if name else [])])
    found = read_lineage(state.lineage, runs, traces(lake, list(names), runs), dbt_manifest(state))
    return name, replace(found, traces=[one for one in found.traces if name in {None, one.table}])


def known_runs(state: StateDir) -> dict[str, Mapping[str, Any]]:
    """Give every stored run by name, oldest first: its nodes, and its uid and the WorkflowTemplate that it is of."""
    engine = Engine(state)
    return {run.name: identified(engine.get(run.name).document, engine.manifest(run.name)) for run in engine.runs()}


def identified(document: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Add to a run's document who it is: `uid`, which parents' run ids are derived from, and `template`.

    Args:
        document: the run, as `batchlab run --json` prints it.
        manifest: what it was started from, as the engine stores it.
    """
    uid = (manifest.get("metadata") or {}).get("uid") or ""
    return {**document, "uid": uid, "template": (manifest.get("templateRef") or {}).get("name") or ""}


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
