"""The edges that must be there: from the specification for the workflows, from the manifest for dbt."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.lineage.datasets import CATALOG, WEBHOOK
from grader.lineage.graph import Graph
from grader.lineage.stale import Stale

Pair = tuple[str, str]

SPECIFIED: frozenset[Pair] = frozenset(
    {
        ("ops.flights", "lake.raw.flights"),
        ("ops.weather", "lake.raw.weather"),
        ("lake.raw.flights", "lake.curated.flights"),
        ("lake.raw.weather", "lake.curated.flights"),
        ("ops.airlines", "lake.curated.flights"),
        ("ops.airports", "lake.curated.flights"),
        ("lake.marts.carrier_daily", "reporting.carrier_daily"),
        ("lake.marts.route_daily", "reporting.route_daily"),
    }
)
"""What `pipelines/DATA.md` says outside dbt."""

MARTS: frozenset[Pair] = frozenset(
    {("lake.curated.flights", "lake.marts.carrier_daily"), ("lake.curated.flights", "lake.marts.route_daily")}
)
"""What it says of the marts, where no dbt manifest is at hand."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Edges that are missing, edges that nothing explains, and edges that say nothing of what a partition holds now."""

    missing: tuple[Pair, ...]
    phantom: tuple[Pair, ...]
    stale: tuple[Stale, ...] = ()


def dbt_edges(manifest: Mapping[str, Any]) -> frozenset[Pair]:
    """Derive the edges into every model from a dbt manifest; ephemeral models are passed through."""
    nodes: dict[str, Mapping[str, Any]] = {**manifest.get("sources", {}), **manifest.get("nodes", {})}
    found: set[Pair] = set()
    for node in nodes.values():
        if node.get("resource_type") in {"model", "seed", "snapshot"} and not _ephemeral(node):
            found.update((_relation(parent), _relation(node)) for parent in _parents(node, nodes))
    return frozenset(found)


def _parents(node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for name in (node.get("depends_on") or {}).get("nodes") or []:
        parent = nodes.get(name)
        if parent is None:
            continue
        if _ephemeral(parent):
            yield from _parents(parent, nodes)
        else:
            yield parent


def _ephemeral(node: Mapping[str, Any]) -> bool:
    return (node.get("config") or {}).get("materialized") == "ephemeral"


def _relation(node: Mapping[str, Any]) -> str:
    name = node.get("alias") or node.get("identifier") or node["name"]
    schema = str(node["schema"])
    return f"{schema}.{name}" if schema.startswith(f"{CATALOG}.") else f"{CATALOG}.{schema}.{name}"


def expected(manifest: Path | None) -> frozenset[Pair]:
    """Give every edge that must be there.

    Args:
        manifest: a dbt `manifest.json`; the specification speaks for dbt without it.
    """
    if manifest is None or not manifest.is_file():
        return SPECIFIED | MARTS
    return SPECIFIED | dbt_edges(json.loads(manifest.read_text(encoding="utf-8")))


def compare(graph: Graph, wanted: Iterable[Pair]) -> Comparison:
    """Compare observed edges with those that must be there.

    A call of the webhook may be an edge or not. A dataset that nobody specified (another team's table) makes no
    phantom, whether it is read or written; an edge between two specified datasets that was not specified is one.
    """
    must = set(wanted)
    known = {end for pair in must for end in pair}
    observed = {pair for pair in graph.edges if WEBHOOK not in pair}
    phantom = {(source, target) for source, target in observed - must if {source, target} <= known}
    return Comparison(missing=tuple(sorted(must - observed)), phantom=tuple(sorted(phantom)))
