"""Every Iceberg snapshot, traced to the workflow node that committed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from pyiceberg.table import Table

Document = Mapping[str, Any]
"""A workflow run as `batchlab run --json` prints it: `name`, `phase`, `nodes`."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One snapshot and where it comes from; `problem` says why it cannot be traced, and is empty if it can."""

    table: str
    snapshot: int
    parent: int | None
    committed: str
    operation: str
    workflow: str
    node: str
    ds: str
    code: str
    problem: str

    def as_json(self) -> dict[str, Any]:
        """Give its fields; the id as text, because JavaScript rounds it."""
        return {**asdict(self), "snapshot": str(self.snapshot), "parent": str(self.parent) if self.parent else None}


def trace(table: Table, name: str, runs: Mapping[str, Document]) -> list[Trace]:
    """Trace all snapshots of a table, oldest first.

    Args:
        table: the table.
        name: its full name.
        runs: known workflow runs by name.
    """
    ordered = sorted(table.snapshots(), key=lambda one: (one.sequence_number or 0, one.timestamp_ms))
    return [_trace(one, name, runs) for one in ordered]


def _trace(snapshot: Any, name: str, runs: Mapping[str, Document]) -> Trace:
    summary = snapshot.summary
    said = {
        key: (summary.get(f"batchlab.{key}") or "") if summary else "" for key in ("workflow", "node", "ds", "code")
    }
    operation = str(getattr(summary.operation, "value", summary.operation)) if summary else ""
    moment = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=timezone.utc)
    return Trace(
        table=name,
        snapshot=snapshot.snapshot_id,
        parent=snapshot.parent_snapshot_id,
        committed=moment.isoformat(timespec="milliseconds"),
        operation=operation,
        problem=_problem(said, runs),
        **said,
    )


def _problem(said: Mapping[str, str], runs: Mapping[str, Document]) -> str:
    lacking = [f"batchlab.{key}" for key in ("workflow", "node", "ds") if not said[key]]
    if lacking:
        return f"its summary has no {', '.join(lacking)}"
    run = runs.get(said["workflow"])
    if run is None:
        return f"no run is called {said['workflow']}"
    if not find_nodes(run, said["node"]):
        return f"run {said['workflow']} has no node {said['node']}"
    return ""


def find_nodes(run: Document, node: str) -> Sequence[Document]:
    """Find a run's nodes by id, full name, display name, or name below the run."""
    full = f"{run.get('name', '')}.{node}"
    return [
        one
        for one in (run.get("nodes") or {}).values()
        if node in {one.get("id"), one.get("name"), one.get("displayName")} or one.get("name") == full
    ]
