"""Datasets and the edges between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.lineage.datasets import kind_of
from grader.lineage.events import ColumnEdge, Event


@dataclass(frozen=True, kw_only=True)
class Maker:
    """The workflow node whose run made an edge; both empty where no event named a parent."""

    workflow: str
    node: str

    @property
    def job(self) -> str:
        """`<workflow>.<node>`."""
        return f"{self.workflow}.{self.node}" if self.workflow else ""


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


def short_job(node: str) -> str:
    """Shorten a node's name to what it is within any run: `ingest.extract`, without run name and attempt."""
    return ".".join(part.partition("(")[0] for part in node.split(".") if part)


def build(events: Sequence[Event], workflows: Iterable[str] = ()) -> Graph:
    """Make the graph of the runs that completed.

    Inputs and outputs of one run may be spread over its events; a run that failed proves nothing. A query is a run
    whose parent is the application, whose parent is the workflow node: the topmost is the maker.

    Args:
        events: in the order of time.
        workflows: names of known workflow runs, which tell where a parent's workflow name ends.
    """
    known = sorted(workflows, key=len, reverse=True)
    completed = {event.run for event in events if event.kind == "COMPLETE"}
    inputs: dict[str, dict[str, None]] = {}
    outputs: dict[str, dict[str, None]] = {}
    columns: dict[str, dict[str, dict[ColumnEdge, None]]] = {}
    parents = {event.run: (event.parent, event.parent_run) for event in events if event.parent}
    for event in events:
        if event.run not in completed:
            continue
        inputs.setdefault(event.run, {}).update(dict.fromkeys(event.inputs))
        outputs.setdefault(event.run, {}).update(dict.fromkeys(event.outputs))
        for dataset, found in event.columns.items():
            columns.setdefault(event.run, {}).setdefault(dataset, {}).update(dict.fromkeys(found))
    edges: dict[tuple[str, str], Edge] = {}
    for run, targets in outputs.items():
        top = _topmost(run, parents)
        maker = maker_of(top, known) if top else None
        for target in targets:
            made = columns.get(run, {}).get(target, {})
            named = {one.source for one in made} & inputs[run].keys()
            # Of a run with several outputs, each is made from the inputs that its columns name.
            for source in named if named and len(targets) > 1 else inputs[run]:
                if source != target:
                    _add(edges, source, target, [one for one in made if one.source == source], maker)
    return Graph(edges=edges)


def _topmost(run: str, parents: Mapping[str, tuple[str, str]]) -> str:
    """Climb from a run to the job that is nobody's child; empty where the run names no parent."""
    name, seen = "", set()
    while run in parents and run not in seen:
        seen.add(run)
        name, run = parents[run]
    return name


def _add(
    edges: dict[tuple[str, str], Edge], source: str, target: str, columns: list[ColumnEdge], maker: Maker | None
) -> None:
    known = edges.get((source, target), Edge(source=source, target=target))
    makers = (*(one for one in known.makers if one != maker), maker) if maker else known.makers
    edges[source, target] = Edge(
        source=source, target=target, columns=tuple(dict.fromkeys([*known.columns, *columns])), makers=makers
    )


def maker_of(parent: str, known: Sequence[str]) -> Maker:
    """Split `<workflow>.<node>`; a node's full name, which begins with the workflow's, loses that.

    Args:
        parent: name of the parent job.
        known: names of workflow runs, longest first.
    """
    workflow = next((name for name in known if parent == name or parent.startswith(f"{name}.")), None)
    if workflow is None:
        workflow = parent.partition(".")[0]
    node = parent[len(workflow) :].removeprefix(".")
    return Maker(workflow=workflow, node=node.removeprefix(f"{workflow}."))
