"""Layered drawing of a directed graph, step one: which layer each node is in, and in which order."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx

Edge = tuple[str, str]
_SWEEPS = 12
_JOINT = "\0joint"  # names of the joints that carry an edge through the layers between its ends


@dataclass(frozen=True, kw_only=True)
class Layering:
    """Layers of node and joint names in order, and each given edge as the chain of names it passes, start to end."""

    layers: Sequence[Sequence[str]]
    chains: Mapping[Edge, Sequence[str]]
    links: Sequence[Edge]


def is_joint(name: str) -> bool:
    """Tell a joint of a long edge from a node."""
    return name.startswith(_JOINT)


def layer(nodes: Iterable[str], edges: Iterable[Edge]) -> Layering:
    """Assign layers by longest path and order each layer so that few edges cross; a cycle's closing edge runs back."""
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_nodes_from(nodes)
    given = [(a, b) for a, b in dict.fromkeys(edges) if a != b and a in graph and b in graph]
    graph.add_edges_from(given)
    _break_cycles(graph)
    depth = {name: level for level, names in enumerate(nx.topological_generations(graph)) for name in names}
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in _by_first_visit(graph):
        layers[depth[name]].append(name)
    chains: dict[Edge, list[str]] = {}
    for number, (start, end) in enumerate(given):
        low, high = (start, end) if depth[start] < depth[end] else (end, start)
        joints = [f"{_JOINT}{number}.{level}" for level in range(depth[low] + 1, depth[high])]
        for level, joint in enumerate(joints, depth[low] + 1):
            layers[level].append(joint)
        chain = [low, *joints, high]
        chains[start, end] = chain if low == start else chain[::-1]
    links = [link for chain in chains.values() for link in _downward(chain, depth)]
    return Layering(layers=_order(layers, links), chains=chains, links=links)


def _break_cycles(graph: nx.DiGraph) -> None:
    while True:
        try:
            cycle = nx.find_cycle(graph)
        except nx.NetworkXNoCycle:
            return
        graph.remove_edge(*cycle[-1][:2])


def _by_first_visit(graph: nx.DiGraph) -> list[str]:
    """Depth-first order from the sources: nodes of one branch start out beside each other."""
    seen: dict[str, None] = {}
    for root in [name for name in graph if graph.in_degree(name) == 0]:
        for name in nx.dfs_preorder_nodes(graph, root):
            seen.setdefault(name)
    return list(seen)


def _downward(chain: Sequence[str], depth: Mapping[str, int]) -> list[Edge]:
    ends_lower = depth[chain[0]] > depth[chain[-1]]
    path = chain[::-1] if ends_lower else chain
    return list(pairwise(path))


def _order(layers: list[list[str]], links: Sequence[Edge]) -> list[list[str]]:
    """Sweep down and up, sorting every layer by the mean place of its neighbours; keep the best seen."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for upper, lower in links:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    best, fewest = [list(names) for names in layers], crossings(layers, below)
    current = [list(names) for names in layers]
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        down = sweep % 2 == 0
        for names in current if down else reversed(current):
            _sort_by(names, above if down else below, current)
        seen = crossings(current, below)
        if seen < fewest:
            best, fewest = [list(names) for names in current], seen
    return best


def _sort_by(names: list[str], neighbours: Mapping[str, Sequence[str]], layers: Sequence[Sequence[str]]) -> None:
    wanted = {other for name in names for other in neighbours.get(name, ())}
    place = {name: spot for row in layers for spot, name in enumerate(row) if name in wanted}
    means = {
        name: sum(place[other] for other in neighbours[name]) / len(neighbours[name])
        for name in names
        if neighbours.get(name)
    }
    # A node without neighbours on that side keeps its place among the others.
    movable = sorted((name for name in names if name in means), key=lambda name: means[name])
    arranged = iter(movable)
    names[:] = [next(arranged) if name in means else name for name in names]


def crossings(layers: Sequence[Sequence[str]], below: Mapping[str, Sequence[str]]) -> int:
    """Count the crossings of straight links between neighbouring layers (inversions of their lower ends)."""
    total = 0
    for upper, lower in pairwise(layers):
        place = {name: spot for spot, name in enumerate(lower)}
        seen: list[int] = []
        for name in upper:
            ends = sorted(place[other] for other in below.get(name, ()) if other in place)
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total
