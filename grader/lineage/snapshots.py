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
DELETE = "delete"
"""Iceberg's name for a commit that only removes rows."""


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


KEYS = ("workflow", "node", "ds", "code")
_APPLICATION = "spark.app.id"


def _said(snapshot: Any, table: Table) -> dict[str, str]:
    """Read what a snapshot says of its origin; where Iceberg leaves that out, another snapshot says it in its place.

    When Iceberg picks a snapshot from a branch, it does not copy the summary, but names the snapshot. When Spark drops
    whole files by a DELETE, the session's snapshot properties do not get into the summary, but the application's id
    does, and the other commits of the same application say where it ran.
    """
    summary: Any = snapshot.summary or {}
    if not summary.get("batchlab.workflow"):
        picked, application = summary.get("source-snapshot-id"), summary.get(_APPLICATION)
        if picked:
            origin = table.snapshot_by_id(int(picked))
            summary = (origin.summary if origin else None) or {}
        elif application and _operation(snapshot) == DELETE:
            return _said_by(application, table)
    return _origin(summary)


def _origin(summary: Any) -> dict[str, str]:
    return {key: summary.get(f"batchlab.{key}") or "" for key in KEYS}


def _said_by(application: str, table: Table) -> dict[str, str]:
    """Read what the commits of a Spark application say of its origin, if they agree."""
    summaries: list[Any] = [one.summary for one in table.snapshots() if one.summary]
    said = [_origin(one) for one in summaries if one.get(_APPLICATION) == application and one.get("batchlab.workflow")]
    return said[0] if said and all(one == said[0] for one in said) else dict.fromkeys(KEYS, "")


def _trace(snapshot: Any, said: Mapping[str, str], name: str, runs: Mapping[str, Document], *, visible: bool) -> Trace:
    moment = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=timezone.utc)
    return Trace(
        table=name,
        snapshot=snapshot.snapshot_id,
        parent=snapshot.parent_snapshot_id,
        committed=moment.isoformat(timespec="milliseconds"),
        operation=_operation(snapshot),
        problem=_problem(said, runs),
        visible=visible,
        sequence=snapshot.sequence_number or 0,
        **said,
    )


def _operation(snapshot: Any) -> str:
    summary = snapshot.summary
    return str(getattr(summary.operation, "value", summary.operation)) if summary else ""


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
