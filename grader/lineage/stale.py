"""Stale edges: what an event once said of a partition, and the run that wrote it since does not say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from grader.lineage.executions import Execution
from grader.lineage.makers import Document, parameter, short_job, succeeded, template_of
from grader.lineage.snapshots import Trace

Pair = tuple[str, str]
Step = tuple[str, str]
"""A step whatever run it is in: its WorkflowTemplate and its template there."""


@dataclass(frozen=True, kw_only=True)
class Stale:
    """An edge that says nothing of what a partition holds now.

    Args:
        source: dataset read.
        target: dataset written.
        ds: logical date of the partition; empty where the run does not say one.
        said_by: the newest workflow run whose events say the edge.
        said_at: when, ISO 8601.
        written_by: the workflow run that wrote the partition as it is now, and whose events do not say the edge.
        snapshot: what it wrote; empty for PostgreSQL, which has no snapshots.
    """

    source: str
    target: str
    ds: str
    said_by: str
    said_at: str
    written_by: str
    snapshot: str = ""

    def as_json(self) -> dict[str, str]:
        """Give it as `batchlab lineage --json` has it."""
        return {
            "from": self.source, "to": self.target, "ds": self.ds, "saidBy": self.said_by, "saidAt": self.said_at,
            "writtenBy": self.written_by, "snapshot": self.snapshot,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Writer:
    ds: str
    workflow: str
    snapshot: str = ""


def stale_edges(
    done: Sequence[Execution],
    runs: Mapping[str, Document],
    traces: Sequence[Trace],
    wanted: Iterable[Pair],
    made: Sequence[str] | None = None,
) -> tuple[Stale, ...]:
    """Find the stale ones of the edges that must be there.

    An edge is stale for a day if some run's events say it, and the run that wrote the day's partition of its target
    last does not: the lineage was cut later, or was never there for this day. Who wrote a partition last is told by

    - the newest snapshot of `main` with that `batchlab.ds`, of an Iceberg table; compactions do not count;
    - the newest run in which a step succeeded that said the edge in another run, of a table of PostgreSQL.

    An edge that no run says is missing, not stale. A run that read further datasets, or wrote in several commits, is
    no matter: one event of the run that says the edge is enough.

    Args:
        done: executions.
        runs: workflow runs by name, oldest first.
        traces: snapshots of the tables.
        wanted: the edges that must be there.
        made: names of the runs that are held to say their edges, oldest first; by default those of `runs` that left any
            event or snapshot here: of others nothing is known, their events may have been cleared away.
    """
    if made is None:
        alive = {one.workflow for one in done} | {one.workflow for one in traces}
        made = [name for name in runs if name in alive]
    judged = {name: runs[name] for name in made if name in runs}
    found: list[Stale] = []
    for source, target in sorted(wanted):
        said = _said(done, source, target)
        if not said:
            continue
        writers = _lake_writers(traces, target) or _step_writers(judged, runs, traces, said, target)
        for writer in writers:
            if not any(one.workflow == writer.workflow for one in said):
                newest = max(said, key=lambda one: one.ended)
                found.append(
                    Stale(
                        source=source, target=target, ds=writer.ds, said_by=newest.workflow,
                        said_at=_text(newest.ended), written_by=writer.workflow, snapshot=writer.snapshot,
                    )
                )  # fmt: skip
    return tuple(found)


def _said(done: Sequence[Execution], source: str, target: str) -> list[Execution]:
    return [one for one in done if one.completed and target in one.writes and source in one.sources(target)]


def _lake_writers(traces: Sequence[Trace], table: str) -> list[_Writer]:
    """Give the run that wrote each day of an Iceberg table last."""
    newest = {
        one.ds: one for one in traces if one.table == table and one.visible and one.writes and one.ds and one.workflow
    }
    return [_Writer(ds=ds, workflow=one.workflow, snapshot=str(one.snapshot)) for ds, one in sorted(newest.items())]


def _step_writers(
    judged: Mapping[str, Document],
    runs: Mapping[str, Document],
    traces: Sequence[Trace],
    said: Sequence[Execution],
    target: str,
) -> list[_Writer]:
    """Give the newest run of each day in which a step succeeded that is known to write a table."""
    if any(one.table == target for one in traces):
        return []
    steps = {step for one in said if one.maker and (step := _step(runs.get(one.workflow), one.maker.node))}
    newest: dict[str, _Writer] = {}
    for name, run in judged.items():
        for node in (run.get("nodes") or {}).values():
            label = str(node.get("name", ""))
            if _step(run, label) in steps and succeeded(run, label):
                ds = parameter(run, label, "ds")
                newest[ds] = _Writer(ds=ds, workflow=name)
    return [newest[ds] for ds in sorted(newest)]


def _step(run: Document | None, node: str) -> Step | None:
    """Tell which step a node is; None where the run does not say."""
    if run is None:
        return None
    template = template_of(run, node)
    return (template, short_job(node).rpartition(".")[2]) if template else None


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
