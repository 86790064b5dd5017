"""How M08 says what is wrong: rationale, evidence, and hints from general to concrete."""

from __future__ import annotations

from collections.abc import Sequence

from grader.checks.model import Evidence, Failure
from grader.lineage.closure import Gap
from grader.lineage.columns import ColumnProblem
from grader.lineage.graph import Graph
from grader.lineage.makers import step_of
from grader.lineage.parents import Stray
from grader.lineage.snapshots import Trace
from grader.lineage.stale import Pair, Stale

_MISSING_HINTS = (
    "Which step writes that table, and does it emit OpenLineage events?",
    "An edge needs one run whose events name both: what was read as an input, what was written as an output.",
    "Spark: spark.extraListeners names the listener; a frame that went through collect() or an RDD has no inputs left.",
)
_PHANTOM_HINTS = (
    "Does the step read that table, or does its event only say so?",
    "The inputs of a step are what its rows come from: not what another step read before it.",
    "Take the dataset out of the event's inputs, or make the table from what pipelines/DATA.md says.",
)
_PARENT_HINTS = (
    "By what would somebody who sees the event find the step that ran it?",
    "An event names its parent: the job <workflow>.<node>, and a run id, the same for all that the node ran.",
    "parentJobName: {{workflow.name}}.{{node.name}}, parentRunId: UUID of SHA-1 over {{workflow.uid}}/{{node.name}}.",
)
_SNAPSHOT_HINTS = (
    "A year from now, by what would you tell which run wrote this snapshot?",
    "Iceberg's summary takes properties: spark.sql.iceberg.snapshot-property.* or the write option.",
    "Every commit needs them, also dbt's and those of pyiceberg: batchlab.workflow, batchlab.node, batchlab.ds.",
)
_NODE_HINTS = (
    "Which of the two is right: what the table has, or what the event says?",
    "A step that commits emits an event with the table as an output, and says COMPLETE when it has committed.",
    "Spark's listener does so where the step's conf names it; another step names the snapshot id of its own commit.",
)
_STALE_HINTS = (
    "What was different in the run that wrote the partition last?",
    "The lineage of a run whose rows are gone says nothing of those that are there: every run says its own.",
    "Look for events that are sent only once: where a table is created, by a first attempt, on a first day.",
)
_COLUMN_HINTS = (
    "Which columns of which table is this one computed from, by pipelines/DATA.md?",
    "Spark tells columns by itself, unless the plan is cut: by collect(), an RDD, a checkpoint, a cached result.",
    "Compare the column's expression with the event's columnLineage facet: batchlab lineage --json shows both ends.",
)


def missing(pairs: Sequence[Pair], graph: Graph) -> Failure:
    """Edges that must be there and that no event says."""
    source, target = pairs[0]
    made = ", ".join(sorted(edge.source for edge in graph.into(target))) or "nothing"
    return Failure(
        f"no event says that {target} is made from {source}{_more(pairs, 'edges are missing')}",
        evidence=Evidence(
            columns=("from", "to"), rows=pairs, query=f"batchlab lineage {target}",
            expected=f"{target} is made from {source}", found=f"{target} is made from {made}",
        ),
        hints=_MISSING_HINTS,
    )  # fmt: skip


def phantom(pairs: Sequence[Pair]) -> Failure:
    """Edges that nothing explains."""
    source, target = pairs[0]
    return Failure(
        f"an event says that {target} is made from {source}, which nothing in the specification explains",
        evidence=Evidence(
            columns=("from", "to"), rows=pairs, query=f"batchlab lineage {target}",
            expected="the edges of pipelines/DATA.md and of dbt's manifest", found=f"{source} → {target}",
        ),
        hints=_PHANTOM_HINTS,
    )  # fmt: skip


def orphan(rows: Sequence[tuple[str, str, str, str]]) -> Failure:
    """Edges, as (from, to, workflow, node), of no run that is known."""
    source, target, workflow, _ = rows[0]
    return Failure(
        f"the edge {source} → {target} was not made by a run of these workflows, or its event names no parent",
        evidence=Evidence(
            columns=("from", "to", "workflow", "node"), rows=rows, query=f"batchlab lineage {target}",
            expected="one of the runs", found=workflow or "no parent",
        ),
        hints=_PARENT_HINTS,
    )  # fmt: skip


def untraced(wrong: Sequence[Trace]) -> Failure:
    """Snapshots that no node accounts for."""
    one = wrong[0]
    return Failure(
        f"snapshot {one.snapshot} of {one.table} cannot be traced: {one.problem}",
        evidence=Evidence(
            columns=("table", "snapshot", "committed", "problem"),
            rows=[(each.table, str(each.snapshot), each.committed, each.problem) for each in wrong],
            query=f"SELECT snapshot_id, summary FROM {one.table}.snapshots",
            expected="batchlab.workflow, batchlab.node and batchlab.ds in its summary", found=one.problem,
        ),
        hints=_SNAPSHOT_HINTS,
    )  # fmt: skip


def nothing() -> Failure:
    """No snapshot at all."""
    evidence = Evidence(expected="a snapshot from every run", found="none", query="batchlab lineage")
    return Failure("there is no snapshot yet", evidence=evidence, hints=_SNAPSHOT_HINTS)


def stray(strays: Sequence[Stray]) -> Failure:
    """Executions that do not name their node."""
    one = strays[0]
    return Failure(
        f"job {one.job}, which wrote {one.target}, does not name the node that ran it: {one.problem}",
        evidence=Evidence(
            columns=("job", "wrote", "parent", "parent's run id", "problem"),
            rows=[(each.job, each.target, each.parent, each.parent_run, each.problem) for each in strays],
            expected="<workflow>.<node>, and a run id derived from the workflow's uid and the node",
            found=f"{one.parent or 'no parent'}, run id {one.parent_run or '(none)'}",
            query="batchlab lineage --json  # strays",
        ),
        hints=_PARENT_HINTS,
    )


def gap(wrong: Sequence[Gap]) -> Failure:
    """Writes without events, events without writes."""
    one = wrong[0]
    who = f"{step_of(one.workflow, one.node) or 'a job'} in {one.workflow or 'no run'}"
    what = (
        f"{who} committed snapshot {one.snapshot} of {one.table}, and no event tells of it"
        if one.kind.startswith("snapshot")
        else f"an event of {who} says that {one.table} was written, and no snapshot bears it out"
    )
    return Failure(
        f"{what}: {one.problem}{_more(wrong, 'do not match')}",
        evidence=Evidence(
            columns=("what", "table", "snapshot", "workflow", "node", "problem"),
            rows=[(gap.kind, gap.table, gap.snapshot, gap.workflow, gap.node, gap.problem) for gap in wrong],
            expected="an event for every write, and a write for every event", found=one.kind,
            query=f"SELECT snapshot_id, committed_at, operation, summary FROM {one.table}.snapshots",
        ),
        hints=_NODE_HINTS,
    )  # fmt: skip


def stale(wrong: Sequence[Stale]) -> Failure:
    """Edges that say nothing of what a partition holds now."""
    one = wrong[0]
    return Failure(
        f"{one.written_by} wrote {one.target} of {one.ds or 'its day'}, and none of its events says that it is made "
        f"from {one.source}; only another run's do{_more(wrong, 'edges are stale')}",
        evidence=Evidence(
            columns=("from", "to", "day", "said by", "written by", "snapshot"),
            rows=[(each.source, each.target, each.ds, each.said_by, each.written_by, each.snapshot) for each in wrong],
            partitions=[f"{each.target} flight_date={each.ds}" for each in wrong if each.ds],
            expected=f"an event of {one.written_by}", found=f"the newest is of {one.said_by}, {one.said_at}",
            query=f"batchlab lineage {one.target}",
        ),
        hints=_STALE_HINTS,
    )  # fmt: skip


def column(wrong: Sequence[ColumnProblem]) -> Failure:
    """Column lineage that is wrong, or not there."""
    one = wrong[0]
    where = f"{one.table}, column {one.column}" if one.column else one.table
    return Failure(
        f"the column lineage of {where} is wrong: {one.problem}{_more(wrong, 'are wrong')}",
        evidence=Evidence(
            columns=("table", "column", "from table", "from column", "problem"),
            rows=[(each.table, each.column, each.source, each.source_column, each.problem) for each in wrong],
            expected=f"{one.source}.{one.source_column}" if one.source else "which column comes from which",
            found=one.problem, query="batchlab lineage --json  # columnProblems",
        ),
        hints=_COLUMN_HINTS,
    )  # fmt: skip


def _more(found: Sequence[object], what: str) -> str:
    return f"; {len(found) - 1} more {what}" if found[1:] else ""
