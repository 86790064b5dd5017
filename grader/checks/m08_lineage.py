"""M08: where every table comes from can be seen, down to the workflow node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grader.checks import m08_failures as failures
from grader.checks.model import MOST_ROWS, Evidence, Passed
from grader.checks.probe import Probe
from grader.checks.registry import Registry
from grader.lineage.columns import column_problems
from grader.lineage.graph import Edge, Graph, short_job
from grader.lineage.makers import step_of
from grader.lineage.snapshots import Trace

M08 = Registry("M08")


@M08.check("edges", points=2)
def edges(probe: Probe) -> Passed:
    """Every table's lineage edges are there, and none that should not be."""
    found, judged = probe.lineage(), _judged(probe)
    missing = [pair for pair in found.comparison.missing if pair[1] in judged]
    if missing:
        raise failures.missing(missing, found.graph)
    phantom = [pair for pair in found.comparison.phantom if pair[1] in judged]
    if phantom:
        raise failures.phantom(phantom)
    rows = [
        (edge.source, edge.target, short_job(edge.makers[-1].node) if edge.makers else "", len(edge.columns))
        for edge in _edges(found.graph, judged)
    ]
    return Passed(
        f"all {len(rows)} edges are there and explained",
        Evidence(columns=("from", "to", "made by", "column edges"), rows=rows),
    )


@M08.check("parents", depends=("M08-edges",))
def parents(probe: Probe) -> Passed:
    """Every edge names the workflow and the node whose run made it."""
    found, judged = probe.lineage(), _judged(probe)
    names = {run.name for run in probe.runs()} | found.workflows
    mine = _edges(found.graph, judged)
    rows = [(edge.source, edge.target, one.workflow, one.node) for edge in mine for one in edge.makers[-1:]]
    wrong = [row for row in rows if row[2] not in names]
    wrong += [(edge.source, edge.target, "", "") for edge in mine if not edge.makers]
    if wrong:
        raise failures.orphan(wrong)
    strays = [one for one in found.strays if one.target in judged]
    if strays:
        raise failures.stray(strays)
    return Passed(
        f"{len(rows)} edges name their workflow and node",
        Evidence(columns=("from", "to", "workflow", "node"), rows=rows),
    )


@M08.check("snapshots")
def snapshots(probe: Probe) -> Passed:
    """Every Iceberg snapshot can be traced to the workflow node that committed it."""
    traces = _traces(probe)
    wrong = [one for one in traces if one.problem]
    if wrong:
        raise failures.untraced(wrong)
    if not any(table.in_lake for table in probe.tables()):
        return Passed("no table of the lake is judged here")
    if not traces:
        raise failures.nothing()
    return Passed(f"{len(traces)} snapshots are traced to a workflow node", _last(traces))


@M08.check("nodes", depends=("M08-parents", "M08-snapshots"))
def nodes(probe: Probe) -> Passed:
    """Runs, nodes and snapshots match: every write has its event, and every event its write."""
    judged = _judged(probe)
    wrong = [one for one in probe.lineage().gaps if one.table in judged]
    if wrong:
        raise failures.gap(wrong)
    traces = _traces(probe)
    return Passed(f"{len(traces)} snapshots and the events of their nodes match", _last(traces))


@M08.check("stale", depends=("M08-parents",))
def stale(probe: Probe) -> Passed:
    """Every edge is said by the run that wrote the partition as it is now, not only by an older one."""
    found, judged = probe.lineage(), _judged(probe)
    wrong = [one for one in found.comparison.stale if one.target in judged]
    if wrong:
        raise failures.stale(wrong)
    rows = [(edge.source, edge.target) for edge in _edges(found.graph, judged)]
    return Passed(
        f"all {len(rows)} edges are said by the runs that wrote the partitions as they are",
        Evidence(columns=("from", "to"), rows=rows),
    )


@M08.check("columns", depends=("M08-edges",))
def columns(probe: Probe) -> Passed:
    """Columns are made from columns that exist, and the measures from the right ones."""
    found, judged = probe.lineage().columns, [table.name for table in probe.tables()]
    wrong = column_problems(found, judged)
    if wrong:
        raise failures.column(wrong)
    rows = [(name, len(found.said(name)), len(found.edges.get(name, ()))) for name in judged]
    return Passed(
        f"{sum(row[2] for row in rows)} column edges of {len(rows)} tables are right",
        Evidence(columns=("table", "columns", "column edges"), rows=rows),
    )


def _judged(probe: Probe) -> frozenset[str]:
    return frozenset(table.name for table in probe.tables())


def _traces(probe: Probe) -> list[Trace]:
    judged = _judged(probe)
    return [one for one in probe.lineage().traces if one.table in judged and one.writes]


def _last(traces: Sequence[Trace]) -> Evidence:
    rows = [(one.table, str(one.snapshot), one.workflow, step_of(one.workflow, one.node), one.ds) for one in traces]
    return Evidence(columns=("table", "snapshot", "workflow", "node", "day"), rows=rows[-MOST_ROWS:])


def _edges(graph: Graph, judged: Iterable[str]) -> list[Edge]:
    names = frozenset(judged)
    return [edge for edge in graph.edges.values() if edge.target in names]
