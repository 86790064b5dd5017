"""Run, node, snapshot, closed both ways: no snapshot without an event, no event without a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from grader.lineage.executions import Execution
from grader.lineage.facets import Use
from grader.lineage.makers import Document, Maker, steps_of, succeeded
from grader.lineage.snapshots import Trace


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A snapshot that no event tells of, or an event that no snapshot bears out.

    Args:
        kind: `snapshot without event` or `event without snapshot`.
        table: which.
        snapshot: its id; of an event, the one that it names, or nothing.
        workflow: the run that it belongs to.
        node: the node.
        problem: what is wrong, in words.
    """

    kind: str
    table: str
    snapshot: str
    workflow: str
    node: str
    problem: str

    def as_json(self) -> dict[str, str]:
        """Give its fields."""
        return {key: str(value) for key, value in asdict(self).items()}


def gaps(
    done: Sequence[Execution],
    runs: Mapping[str, Document],
    traces: Sequence[Trace],
    history: Sequence[Trace] | None = None,
) -> tuple[Gap, ...]:
    """Find where nodes, their snapshots and their events do not match.

    What must be there is derived from the workflow, not from a list: a node that committed a snapshot of a table has
    an event with that table as an output (one that says COMPLETE, if the node succeeded); an event that says that a
    table was written is borne out by a snapshot of it. Compactions change no content and need no event; a query that
    wrote no row needs no snapshot; a step that publishes what another one staged may name the other's snapshot. Of a
    table whose old snapshots were expired, events from before the oldest that is left are not judged, nor are the ids
    that events name.

    Args:
        done: executions.
        runs: workflow runs by name.
        traces: snapshots of the tables that are judged.
        history: all snapshots that those tables have, where `traces` leaves out the older ones.
    """
    written: dict[tuple[str, str], list[Execution]] = {}
    for execution in done:
        for table in execution.writes:
            written.setdefault((execution.workflow, table), []).append(execution)
    found = [gap for one in traces if (gap := _untold(one, written.get((one.workflow, one.table), ()), runs))]
    tables = _tables(traces if history is None else history)
    for execution in done if traces else ():
        for table, use in execution.writes.items():
            if table in tables and (gap := _unborne(execution, use, tables[table], runs)):
                found.append(gap)
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, kw_only=True)
class _Table:
    """What snapshots a table has, by id and by workflow run, and whether it has lost some."""

    ids: frozenset[str]
    by_workflow: Mapping[str, Sequence[Trace]]
    oldest: datetime
    expired: bool


def _tables(history: Iterable[Trace]) -> dict[str, _Table]:
    found: dict[str, list[Trace]] = {}
    for one in history:
        found.setdefault(one.table, []).append(one)
    return {name: _table(some) for name, some in found.items()}


def _table(history: Sequence[Trace]) -> _Table:
    by_workflow: dict[str, list[Trace]] = {}
    for one in history:
        by_workflow.setdefault(one.workflow, []).append(one)
    return _Table(
        ids=frozenset(str(one.snapshot) for one in history),
        by_workflow=by_workflow,
        oldest=min(one.moment for one in history),
        expired=_expired(history),
    )


def _untold(one: Trace, written: Iterable[Execution], runs: Mapping[str, Document]) -> Gap | None:
    """Say what is wrong with a snapshot, of what its run wrote of the table; an untraced one is another check's."""
    if one.problem or not one.writes:
        return None
    run = runs[one.workflow]
    mine = [each for each in written if _same_node(each.maker, one, run)]
    if any(each.completed for each in mine) or (mine and not succeeded(run, one.node)):
        return None
    problem = (
        "its node succeeded, but the events of the write do not say COMPLETE"
        if mine
        else "its node has no event with this table as an output"
    )
    return Gap(
        kind="snapshot without event", table=one.table, snapshot=str(one.snapshot), workflow=one.workflow,
        node=one.node, problem=problem,
    )  # fmt: skip


def _unborne(execution: Execution, use: Use, table: _Table, runs: Mapping[str, Document]) -> Gap | None:
    if not execution.completed or use.change:
        return None
    problem = _unknown(use, table) or _uncommitted(execution, use, table, runs)
    if not problem:
        return None
    maker = execution.maker or Maker(workflow="", node="")
    return Gap(
        kind="event without snapshot", table=use.name, snapshot=use.version, workflow=maker.workflow, node=maker.node,
        problem=f"{execution.job}: {problem}",
    )  # fmt: skip


def _unknown(use: Use, table: _Table) -> str:
    if use.version and not table.expired and use.version not in table.ids:
        return f"the table has no snapshot {use.version}"
    return ""


def _uncommitted(execution: Execution, use: Use, table: _Table, runs: Mapping[str, Document]) -> str:
    """Say that nothing was committed by who says so.

    Spark counts the rows that it wrote, and then the very node must have committed; it gives no count where it wrote
    none, and no snapshot of its own. Another emitter names the snapshot, or its run has one of the table.
    """
    mine = table.by_workflow.get(execution.workflow, ())
    if table.expired and execution.ended < table.oldest:
        return ""
    if execution.spark:
        if not use.rows or not execution.maker or execution.workflow not in runs:
            return ""
        committed = any(_same_node(execution.maker, one, runs[execution.workflow]) for one in mine)
        return "" if committed else f"it says {use.rows} rows were written, and its node committed no snapshot"
    if use.version or mine:
        return ""
    return "its run committed no snapshot of the table"


def _same_node(maker: Maker | None, one: Trace, run: Document) -> bool:
    if maker is None or maker.workflow != one.workflow:
        return False
    return bool(steps_of(run, maker.node) & steps_of(run, one.node))


def _expired(history: Sequence[Trace]) -> bool:
    """Say whether the table has lost snapshots: one that is left names a parent that is not, or a number is missing."""
    known = {one.snapshot for one in history}
    numbers = {one.sequence for one in history} - {0}
    dangling = any(one.parent is not None and one.parent not in known for one in history)
    return dangling or len(numbers) < max(numbers, default=0)
