"""Every Iceberg snapshot, traced to the workflow node that committed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from pyiceberg.table import Table

from grader.lineage.makers import Document, find_nodes

__all__ = ["Document", "Trace", "find_nodes", "trace"]

REPLACE = "replace"
"""Iceberg's name for a commit that changes files and no content: a compaction."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One snapshot and where it comes from; `problem` says why it cannot be traced, and is empty if it can.

    `visible` says whether readers of the table see it, or saw it: a branch they see only when it is published.
    `sequence` numbers a table's commits from 1, without a gap; it is 0 where the table's format has no numbers.
    """

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
    visible: bool = True
    sequence: int = 0

    @property
    def moment(self) -> datetime:
        """When it was committed."""
        return datetime.fromisoformat(self.committed)

    @property
    def writes(self) -> bool:
        """Whether it may have changed content: all but compactions."""
        return self.operation != REPLACE

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
    visible = ancestors(table)
    return [_trace(one, _said(one, table), name, runs, visible=one.snapshot_id in visible) for one in by_age(table)]


def by_age(table: Table) -> Sequence[Any]:
    """Give a table's snapshots, oldest first."""
    return sorted(table.snapshots(), key=lambda one: (one.sequence_number or 0, one.timestamp_ms))


def ancestors(table: Table) -> set[int]:
    """Name the snapshots that led to the table as it is: what readers of `main` have seen, one after the other."""
    found: set[int] = set()
    current = table.metadata.current_snapshot_id
    while current is not None and current not in found and (one := table.snapshot_by_id(current)) is not None:
        found.add(current)
        current = one.parent_snapshot_id
    return found


def _said(snapshot: Any, table: Table) -> dict[str, str]:
    """Read what a snapshot says of its origin; one that was picked from a branch says it by the one it was picked from.

    Iceberg does not copy a summary when it picks a snapshot, but names it.
    """
    summary: Any = snapshot.summary or {}
    picked = summary.get("source-snapshot-id")
    if picked and not summary.get("batchlab.workflow"):
        origin = table.snapshot_by_id(int(picked))
        summary = (origin.summary if origin else None) or {}
    return {key: summary.get(f"batchlab.{key}") or "" for key in ("workflow", "node", "ds", "code")}


def _trace(snapshot: Any, said: Mapping[str, str], name: str, runs: Mapping[str, Document], *, visible: bool) -> Trace:
    summary = snapshot.summary
    operation = str(getattr(summary.operation, "value", summary.operation)) if summary else ""
    moment = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=timezone.utc)
    return Trace(
        table=name,
        snapshot=snapshot.snapshot_id,
        parent=snapshot.parent_snapshot_id,
        committed=moment.isoformat(timespec="milliseconds"),
        operation=operation,
        problem=_problem(said, runs),
        visible=visible,
        sequence=snapshot.sequence_number or 0,
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
