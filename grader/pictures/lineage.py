"""Which table is made from which."""

from __future__ import annotations

from dataclasses import replace

from grader.lineage.gather import gather
from grader.lineage.view import around
from grader.pictures.picture import Picture
from grader.report.figure import drawn
from grader.report.lineage import lineage_view
from grader.report.words import plural
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir


def lineage(state: StateDir, name: str | None) -> Picture:
    """Draw the tables and the jobs that make one from another, as the lineage events tell it.

    Args:
        state: whose tables.
        name: only what leads to and from this table; None: all.

    Raises:
        BadInput: there is no such table, or no event yet.
    """
    full, found = gather(state, name)
    if full:
        found = replace(found, graph=around(found.graph, full))
    view = lineage_view(found.graph.as_json())
    if not view.drawings:
        raise BadInput("no lineage event tells of this yet", where="NAME", remedy="run a pipeline, or `make demo`")
    rows = [
        (origin.dataset, one.name, origin.job, ", ".join(sorted({made for _, made in origin.columns})))
        for one in view.datasets
        for origin in one.origins
    ]
    title = f"Lineage of {full or 'all tables'}"
    alt = f"{plural(len(view.datasets), 'dataset')} and {plural(len(rows), 'edge')}: " + "; ".join(
        f"{source} to {target}" for source, target, *_ in rows
    )
    svg = drawn(view.drawings["wide"], title=title, alt=alt)
    return Picture(title=title, alt=f"{alt}.", svg=svg, columns=("from", "to", "by", "columns"), rows=rows)
