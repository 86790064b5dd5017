"""The lineage graph: datasets as boxes, jobs as the edges that made one from others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.report.drawing import Arrow, Box, Drawing
from grader.report.placing import curve, place
from grader.report.read import mapping, mappings, text
from grader.report.text import elide, wrap
from grader.report.words import listing

WIDTH, MARGIN = 198.0, 8.0
ROOM = 24  # cells of a name at 12 px
_LANE, _STEP = 12.0, 14.0  # px between trunks, and between boxes, of the narrow drawing
STAGES = {"source": "source table", "mart": "mart", "published": "published table"}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """One edge into a dataset: where from, by which job, which columns from which."""

    dataset: str
    key: str
    job: str
    columns: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset with what it is made from and what is made from it (label, key)."""

    key: str
    name: str
    stage: str
    kind: str
    jobs: Sequence[str]
    origins: Sequence[Origin]
    feeds: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class LineageView:
    """Datasets in the order of their making, and two drawings of them."""

    datasets: Sequence[Dataset]
    drawings: Mapping[str, Drawing]


def lineage_view(lineage: Any) -> LineageView:
    """Read a lineage mapping (`datasets`, `edges`); ends that no dataset describes are added by their name."""
    graph = mapping(lineage)
    described = {text(entry.get("id")): entry for entry in mappings(graph.get("datasets")) if text(entry.get("id"))}
    edges = [entry for entry in mappings(graph.get("edges")) if text(entry.get("from")) and text(entry.get("to"))]
    names = dict.fromkeys([*described, *(text(entry.get(end)) for entry in edges for end in ("from", "to"))])
    keys = {name: f"d{number}" for number, name in enumerate(names)}
    found = {name: _dataset(name, described.get(name, {}), edges, described, keys) for name in names}
    if not found:
        return LineageView(datasets=(), drawings={})
    pairs = [(text(entry.get("from")), text(entry.get("to"))) for entry in edges]
    sizes = {name: (WIDTH, _height(found[name])) for name in found}
    placement = place(sizes, pairs, across=True, layer_gap=46, gap=16)
    ordered = [name for names in placement.layers for name in names]
    boxes = [_box(found[name], placement.corners[name], MARGIN) for name in ordered]
    arrows = [
        Arrow(
            path=curve(points, across=True, shift=(MARGIN, MARGIN)), kind="lineage", start=keys[start], end=keys[end],
            tip=(round(points[-1][0] + MARGIN, 1), round(points[-1][1] + MARGIN, 1)),
            angle=0 if points[-1] >= points[0] else 180, title=_edge_title(found[end], keys[start]),
        )
        for (start, end), points in placement.routes.items()
    ]  # fmt: skip
    wide = Drawing(
        width=round(placement.width + 2 * MARGIN), height=round(placement.height + 2 * MARGIN),
        frames=(), boxes=boxes, arrows=arrows, label="Which table is made from which",
    )  # fmt: skip
    narrow = _narrow([found[name] for name in ordered])
    return LineageView(datasets=[found[name] for name in ordered], drawings={"wide": wide, "narrow": narrow})


def _dataset(
    name: str,
    entry: Mapping[str, Any],
    edges: Sequence[Mapping[str, Any]],
    described: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, str],
) -> Dataset:
    def shown(other: str) -> str:
        return text(described.get(other, {}).get("label")) or other

    incoming: dict[tuple[str, str], dict[tuple[str, str], None]] = {}
    for edge in edges:
        if text(edge.get("to")) == name:
            columns = incoming.setdefault((text(edge.get("from")), job_of(edge)), {})
            columns.update(
                {(text(pair.get("from")), text(pair.get("to"))): None for pair in mappings(edge.get("columns"))}
            )
    feeds = dict.fromkeys(text(edge.get("to")) for edge in edges if text(edge.get("from")) == name)
    return Dataset(
        key=keys[name], name=shown(name), stage=_stage(name, text(entry.get("kind"))), kind=text(entry.get("kind")),
        jobs=[job for job in dict.fromkeys(job for _, job in incoming) if job],
        origins=[
            Origin(dataset=shown(origin), key=keys[origin], job=job, columns=list(columns))
            for (origin, job), columns in incoming.items()
        ],
        feeds=[(shown(other), keys[other]) for other in feeds],
    )  # fmt: skip


def job_of(edge: Mapping[str, Any]) -> str:
    """Name an edge's job, else by its workflow and node."""
    return text(edge.get("job")) or ".".join(part for key in ("workflow", "node") if (part := text(edge.get(key))))


def _stage(name: str, kind: str) -> str:
    if kind in STAGES:
        return STAGES[kind]
    for zone in ("raw", "curated"):
        if f".{zone}." in f".{name}":
            return f"{zone} table"
    return elide(kind, 20) or "table"


def _height(dataset: Dataset) -> float:
    return 34 + 15.0 * len(wrap(dataset.name, ROOM)) + (15 if dataset.jobs else 0)


def _box(dataset: Dataset, corner: tuple[float, float], margin: float) -> Box:
    jobs = f"by {dataset.jobs[0]}" if len(dataset.jobs) == 1 else f"by {len(dataset.jobs)} jobs" if dataset.jobs else ""
    made = f" · made from {listing([origin.dataset for origin in dataset.origins])}" if dataset.origins else ""
    return Box(
        x=corner[0] + margin, y=corner[1] + margin, width=WIDTH, height=_height(dataset), name=dataset.stage,
        lines=wrap(dataset.name, ROOM), note=elide(jobs, 27), key=dataset.key, kind=dataset.kind or "table",
        title=f"{dataset.name} · {dataset.stage}{made}" + (f" · {jobs}" if jobs else ""),
    )  # fmt: skip


def _edge_title(target: Dataset, start: str) -> str:
    jobs = [origin.job for origin in target.origins if origin.key == start and origin.job]
    source = next((origin.dataset for origin in target.origins if origin.key == start), "")
    return f"{source} → {target.name}" + (f" · {listing(jobs)}" if jobs else "")


def _narrow(datasets: Sequence[Dataset]) -> Drawing:
    """Draw datasets below each other, edges as brackets left of them: one trunk per dataset that is made."""
    tops, at = {}, MARGIN
    for dataset in datasets:
        tops[dataset.key] = at
        at += _height(dataset) + _STEP
    lanes = _lanes(datasets)
    gutter = MARGIN + _LANE * (max(lanes.values(), default=-1) + 2)
    middles = {dataset.key: tops[dataset.key] + _height(dataset) / 2 for dataset in datasets}
    arrows = []
    for dataset in datasets:
        trunk = gutter - _LANE * (lanes.get(dataset.key, 0) + 1.5)
        for origin in {origin.key: origin for origin in dataset.origins}.values():
            start, end = middles[origin.key] + 6, middles[dataset.key] - 6
            bend = 6 if end >= start else -6
            path = (
                f"M{gutter:g} {start:g}H{trunk + 6:g}Q{trunk:g} {start:g} {trunk:g} {start + bend:g}"
                f"V{end - bend:g}Q{trunk:g} {end:g} {trunk + 6:g} {end:g}H{gutter:g}"
            )
            title = _edge_title(dataset, origin.key)
            arrows.append(
                Arrow(path=path, tip=(gutter, end), angle=0, kind="lineage", start=origin.key, end=dataset.key,
                      title=title)
            )  # fmt: skip
    boxes = [_box(dataset, (gutter, tops[dataset.key]), 0.0) for dataset in datasets]
    return Drawing(
        width=gutter + WIDTH + MARGIN, height=at, frames=(), boxes=boxes, arrows=arrows,
        label="Which table is made from which",
    )  # fmt: skip


def _lanes(datasets: Sequence[Dataset]) -> dict[str, int]:
    """Give every made dataset a lane that no other trunk beside it uses; short trunks are nearest to the boxes."""
    rows = {dataset.key: number for number, dataset in enumerate(datasets)}
    spans = []
    for dataset in datasets:
        ends = [rows[dataset.key], *(rows[origin.key] for origin in dataset.origins)]
        if dataset.origins:
            spans.append((max(ends) - min(ends), min(ends), max(ends), dataset.key))
    taken: list[list[tuple[int, int]]] = []
    lanes = {}
    for _, low, high, key in sorted(spans):
        lane = next(
            (n for n, used in enumerate(taken) if all(high < a or low > b for a, b in used)),
            len(taken),
        )
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        lanes[key] = lane
    return lanes
