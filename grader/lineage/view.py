"""Everything that `batchlab lineage` knows at one moment, as JSON and as a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.tree import Tree

from grader.lineage.closure import Gap, gaps
from grader.lineage.columns import ColumnProblem, Columns, column_problems, columns_of
from grader.lineage.events import Event, read_events
from grader.lineage.executions import executions
from grader.lineage.expected import Comparison, compare, expected
from grader.lineage.graph import Edge, Graph, graph_of, short_job
from grader.lineage.makers import Document
from grader.lineage.parents import Stray, strays
from grader.lineage.snapshots import Trace
from grader.lineage.stale import stale_edges
from grader.oracle.tables import TABLES


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """The observed graph, what it lacks, and the snapshots' origins.

    Args:
        graph: observed edges.
        comparison: against the expected edges.
        traces: snapshots of the tables looked at, oldest first.
        broken: lines that were no event.
        gaps: snapshots without an event, events without a snapshot.
        strays: executions that do not name the node that ran them.
        columns: column lineage.
        workflows: names of the workflow runs that are known.
    """

    graph: Graph
    comparison: Comparison
    traces: Sequence[Trace]
    broken: int = 0
    gaps: Sequence[Gap] = ()
    strays: Sequence[Stray] = ()
    columns: Columns = field(default_factory=Columns)
    workflows: frozenset[str] = frozenset()

    @property
    def untraced(self) -> list[Trace]:
        """Snapshots that may have changed content and that no workflow node accounts for."""
        return [one for one in self.traces if one.problem and one.writes]

    @property
    def column_problems(self) -> Sequence[ColumnProblem]:
        """What is wrong with the column lineage of the tables of the specification."""
        return column_problems(self.columns, [table.name for table in TABLES])

    def as_json(self) -> dict[str, Any]:
        """Give the document that `batchlab lineage --json` prints."""
        return {
            **self.graph.as_json(),
            "missing": [{"from": source, "to": target} for source, target in self.comparison.missing],
            "phantom": [{"from": source, "to": target} for source, target in self.comparison.phantom],
            "stale": [one.as_json() for one in self.comparison.stale],
            "gaps": [one.as_json() for one in self.gaps],
            "strays": [one.as_json() for one in self.strays],
            "columnProblems": [one.as_json() for one in self.column_problems],
            "snapshots": [one.as_json() for one in self.traces],
            "brokenLines": self.broken,
        }


def read_lineage(  # noqa: PLR0917 - as lineage_of
    folder: Path,
    runs: Mapping[str, Document],
    traces: Sequence[Trace],
    manifest: Path | None = None,
    since: datetime | None = None,
    made: Sequence[str] | None = None,
) -> Lineage:
    """Read the events and compare them with what should be there.

    Args:
        folder: where the events are.
        runs: workflow runs by name; oldest first, unless `made` says their order.
        traces: all snapshots of the tables that are judged, traced already.
        manifest: dbt's manifest, if there is one.
        since: leaves out events and snapshots from before.
        made: names of the runs that are judged, oldest first; by default those that left any event or snapshot.
    """
    events, broken = read_events(folder)
    return replace(lineage_of(events, runs, traces, manifest, since, made), broken=broken)


def lineage_of(  # noqa: PLR0917 - the last three are rarely given
    events: Sequence[Event],
    runs: Mapping[str, Document],
    traces: Sequence[Trace],
    manifest: Path | None = None,
    since: datetime | None = None,
    made: Sequence[str] | None = None,
) -> Lineage:
    """Compare events with what should be there.

    Args:
        events: in the order of time, of the same history as the snapshots.
        runs: workflow runs by name; oldest first, unless `made` says their order.
        traces: all snapshots of the tables that are judged.
        manifest: dbt's manifest, if there is one.
        since: leaves out events and snapshots from before.
        made: names of the runs that are judged, oldest first; by default those that left any event or snapshot.
    """
    done = executions([one for one in events if since is None or one.moment >= since], runs)
    kept = [one for one in traces if since is None or one.moment >= since]
    graph, wanted = graph_of(done), expected(manifest)
    stale = stale_edges(done, runs, kept, wanted, made)
    return Lineage(
        graph=graph,
        comparison=replace(compare(graph, wanted), stale=stale),
        traces=kept,
        gaps=gaps(done, runs, kept, traces),
        strays=strays(done, runs, {target for _, target in wanted}),
        columns=columns_of(done, {table.name: table.columns for table in TABLES}),
        workflows=frozenset(runs),
    )


def around(graph: Graph, dataset: str) -> Graph:
    """Keep what a dataset is made from and what is made from it."""
    wanted: set[tuple[str, str]] = set()
    for step, end in ((graph.into, 0), (graph.out_of, 1)):
        queue, seen = [dataset], {dataset}
        while queue:
            for edge in step(queue.pop()):
                pair = (edge.source, edge.target)
                wanted.add(pair)
                if pair[end] not in seen:
                    seen.add(pair[end])
                    queue.append(pair[end])
    return Graph(edges={pair: edge for pair, edge in graph.edges.items() if pair in wanted})


def trees(graph: Graph, dataset: str | None) -> Iterator[Tree]:
    """Draw the graph: from its sources on, or what one dataset is made from and what is made from it."""
    if dataset is None:
        targets = {edge.target for edge in graph.edges.values()}
        for name in graph.datasets:
            if name not in targets:
                yield _grow(Tree(_root(name)), name, graph.out_of, lambda edge: edge.target, (name,))
        return
    above = Tree(f"{_root(dataset)} is made from")
    below = Tree(f"{_root(dataset)} goes into")
    yield _grow(above, dataset, graph.into, lambda edge: edge.source, (dataset,))
    yield _grow(below, dataset, graph.out_of, lambda edge: edge.target, (dataset,))


def _root(name: str) -> str:
    return f"[bold]{name}[/]"


def _grow(
    tree: Tree,
    name: str,
    step: Callable[[str], list[Edge]],
    end: Callable[[Edge], str],
    path: tuple[str, ...],
) -> Tree:
    for edge in sorted(step(name), key=end):
        other = end(edge)
        jobs = ", ".join(dict.fromkeys(short_job(maker.node) for maker in edge.makers))
        columns = f", {len(edge.columns)} column edges" if edge.columns else ""
        label = f"{other}  [dim]by {jobs or 'an unnamed job'}{columns}[/]"
        if other in path:
            tree.add(f"{label} [dim](again)[/]")
        else:
            _grow(tree.add(label), other, step, end, (*path, other))
    return tree
