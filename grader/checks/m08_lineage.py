"""M08: where every table comes from can be seen, down to the workflow node."""

from __future__ import annotations

from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Probe
from grader.checks.registry import Registry
from grader.lineage.graph import short_job

M08 = Registry("M08")


@M08.check("edges", points=2)
def edges(probe: Probe) -> Passed:
    """Every table's lineage edges are there, and none that should not be."""
    found = probe.lineage()
    missing, phantom = found.comparison.missing, found.comparison.phantom
    if missing:
        source, target = missing[0]
        raise Failure(
            f"no event says that {target} is made from {source}"
            + (f"; {len(missing) - 1} more edges are missing" if missing[1:] else ""),
            evidence=Evidence(columns=("from", "to"), rows=missing, query=f"batchlab lineage {target}"),
            hints=(
                "Which step writes that table, and does it emit OpenLineage events?",
                "Spark: spark.extraListeners names the listener, whose jar lies beside Iceberg's on the class path.",
            ),
        )
    if phantom:
        source, target = phantom[0]
        raise Failure(
            f"an event says that {target} is made from {source}, which nothing in the specification explains",
            evidence=Evidence(columns=("from", "to"), rows=phantom, query=f"batchlab lineage {target}"),
        )
    rows = [
        (edge.source, edge.target, short_job(edge.makers[-1].node) if edge.makers else "", len(edge.columns))
        for edge in found.graph.edges.values()
    ]
    return Passed(
        f"all {len(rows)} edges are there and explained",
        Evidence(columns=("from", "to", "made by", "column edges"), rows=rows),
    )


@M08.check("parents", depends=("M08-edges",))
def parents(probe: Probe) -> Passed:
    """Every edge names the workflow and the node whose run made it."""
    names = {run.name for run in probe.runs()}
    rows = [
        (edge.source, edge.target, maker.workflow, maker.node)
        for edge in probe.lineage().graph.edges.values()
        for maker in edge.makers[-1:] or ()
    ]
    wrong = [row for row in rows if row[2] not in names]
    orphans = [edge for edge in probe.lineage().graph.edges.values() if not edge.makers]
    if wrong or orphans:
        source, target = (wrong[0][0], wrong[0][1]) if wrong else (orphans[0].source, orphans[0].target)
        raise Failure(
            f"the edge {source} → {target} was not made by a run of these workflows, or its event names no parent",
            evidence=Evidence(columns=("from", "to", "workflow", "node"), rows=wrong or [(source, target, "", "")]),
            hints=("spark.openlineage.parentJobName and parentRunId come from {{workflow.name}} and {{node.name}}.",),
        )
    return Passed(
        f"{len(rows)} edges name their workflow and node",
        Evidence(columns=("from", "to", "workflow", "node"), rows=rows),
    )


@M08.check("snapshots")
def snapshots(probe: Probe) -> Passed:
    """Every Iceberg snapshot can be traced to the workflow node that committed it."""
    traces = probe.lineage().traces
    rows = [(one.table, str(one.snapshot), one.workflow, short_job(one.node), one.ds) for one in traces]
    wrong = [(one.table, str(one.snapshot), one.committed, one.problem) for one in traces if one.problem]
    if wrong:
        raise Failure(
            f"snapshot {wrong[0][1]} of {wrong[0][0]} cannot be traced: {wrong[0][3]}",
            evidence=Evidence(
                columns=("table", "snapshot", "committed", "problem"), rows=wrong,
                query=f"SELECT snapshot_id, summary FROM {wrong[0][0]}.snapshots",
            ),
            hints=("Iceberg's summary takes properties: spark.sql.iceberg.snapshot-property.* or the write option.",),
        )  # fmt: skip
    if not rows:
        raise Failure("there is no snapshot yet")
    return Passed(
        f"{len(rows)} snapshots are traced to a workflow node",
        Evidence(columns=("table", "snapshot", "workflow", "node", "day"), rows=rows[-10:]),
    )
