"""Everything that `batchlab lineage` knows at one moment, as JSON and as a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich.tree import Tree

from grader.lineage.events import read_events
from grader.lineage.expected import Comparison, compare, expected
from grader.lineage.graph import Edge, Graph, build, short_job
from grader.lineage.snapshots import Document, Trace


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """The observed graph, what it lacks, and the snapshots' origins.

    Args:
        graph: observed edges.
        comparison: against the expected edges.
        traces: snapshots of the tables looked at, oldest first.
        broken: lines that were no event.
    """

    graph: Graph
    comparison: Comparison
    traces: Sequence[Trace]
    broken: int = 0

    @property
    def untraced(self) -> list[Trace]:
        """Snapshots that no workflow node accounts for."""
        return [one for one in self.traces if one.problem]

    def as_json(self) -> dict[str, Any]:
        """Give the document that `batchlab lineage --json` prints."""
        return {
            **self.graph.as_json(),
            "missing": [{"from": source, "to": target} for source, target in self.comparison.missing],
            "phantom": [{"from": source, "to": target} for source, target in self.comparison.phantom],
            "snapshots": [one.as_json() for one in self.traces],
            "brokenLines": self.broken,
        }


def read_lineage(
    folder: Path,
    runs: Mapping[str, Document],
    traces: Sequence[Trace],
    manifest: Path | None = None,
    since: datetime | None = None,
) -> Lineage:
    """Read the events and compare them with what should be there.

    Args:
        folder: where the events are.
        runs: workflow runs by name.
        traces: snapshots, traced already.
        manifest: dbt's manifest, if there is one.
        since: leaves out events and snapshots from before.
    """
    events, broken = read_events(folder)
    graph = build([event for event in events if _later(event.time, since)], runs)
    kept = [one for one in traces if _later(one.committed, since)]
    return Lineage(graph=graph, comparison=compare(graph, expected(manifest)), traces=kept, broken=broken)


def _later(time: str, since: datetime | None) -> bool:
    if since is None:
        return True
    moment = datetime.fromisoformat(time)
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)) >= since


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
