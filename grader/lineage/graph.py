"""Datasets and the edges between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.lineage.datasets import kind_of
from grader.lineage.events import Event
from grader.lineage.executions import Execution, executions
from grader.lineage.facets import ColumnEdge
from grader.lineage.makers import Maker, maker_of, short_job

__all__ = ["Edge", "Graph", "Maker", "build", "graph_of", "maker_of", "short_job"]


@dataclass(frozen=True, kw_only=True)
class Edge:
    """One dataset was made from another.

    Args:
        source: dataset read.
        target: dataset written.
        columns: which column from which.
        makers: the nodes that did it, oldest first.
    """

    source: str
    target: str
    columns: tuple[ColumnEdge, ...] = ()
    makers: tuple[Maker, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A lineage graph; edges by their two ends."""

    edges: Mapping[tuple[str, str], Edge] = field(default_factory=dict)

    @property
    def datasets(self) -> list[str]:
        """All datasets that an edge touches."""
        return sorted({end for pair in self.edges for end in pair})

    def into(self, dataset: str) -> list[Edge]:
        """Edges that end at a dataset."""
        return [edge for edge in self.edges.values() if edge.target == dataset]

    def out_of(self, dataset: str) -> list[Edge]:
        """Edges that start at a dataset."""
        return [edge for edge in self.edges.values() if edge.source == dataset]

    def as_json(self) -> dict[str, Any]:
        """Give datasets and edges as report.json has them."""
        return {
            "datasets": [{"id": name, "kind": kind_of(name), "label": name} for name in self.datasets],
            "edges": [
                {
                    "from": edge.source,
                    "to": edge.target,
                    "job": short_job(edge.makers[-1].node) if edge.makers else "",
                    "workflow": edge.makers[-1].workflow if edge.makers else "",
                    "node": edge.makers[-1].node if edge.makers else "",
                    "columns": [{"from": one.source_column, "to": one.column} for one in edge.columns],
                }
                for _, edge in sorted(self.edges.items())
            ],
        }


def build(events: Sequence[Event], workflows: Iterable[str] = ()) -> Graph:
    """Make the graph of the runs that completed.

    Args:
        events: in the order of time.
        workflows: names of known workflow runs, which tell where a parent's workflow name ends.
    """
    return graph_of(executions(events, workflows))


def graph_of(done: Iterable[Execution]) -> Graph:
    """Make the graph of executions; one that failed proves nothing."""
    edges: dict[tuple[str, str], Edge] = {}
    for one in done:
        for target in one.writes if one.completed else ():
            for source in one.sources(target):
                made = [edge for edge in one.writes[target].columns if edge.source == source]
                _add(edges, source, target, made, one.maker)
    return Graph(edges=edges)


def _add(
    edges: dict[tuple[str, str], Edge], source: str, target: str, columns: list[ColumnEdge], maker: Maker | None
) -> None:
    known = edges.get((source, target), Edge(source=source, target=target))
    makers = (*(one for one in known.makers if one != maker), maker) if maker else known.makers
    edges[source, target] = Edge(
        source=source, target=target, columns=tuple(dict.fromkeys([*known.columns, *columns])), makers=makers
    )
