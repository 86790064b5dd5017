"""A run's steps with their phases, and how its failed steps were tried again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from grader.pictures.picture import Picture
from grader.report.figure import Bar, Line, bars, drawn
from grader.report.nesting import label, nest
from grader.report.read import moment, seconds_between, text
from grader.report.runs import facts
from grader.report.text import elide
from grader.report.words import duration, phase_mark, plural
from grader.report.workflow import WorkflowDrawer
from pipelines.local.engine import Engine
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

_MOST = 40
Json = Mapping[str, Any]


def steps(state: StateDir, name: str | None) -> Picture:
    """Draw a run: frames for templates, boxes for steps, rows for attempts.

    Args:
        state: whose run.
        name: which; None: the last one.

    Raises:
        BadInput: there is no such run.
    """
    run = _run(state, name)
    tree = nest(run["nodes"])
    title = f"Steps of {run['name']}"
    alt = f"{run['name']} {phase_mark(run['phase']).word}. {facts(tree)}."
    drawing = WorkflowDrawer(tree, lambda node: node).draw(across=True, title=title)
    rows = [
        (
            "  " * depth + label(node), text(node.get("type")), phase_mark(node.get("phase")).word, _took(node),
            text(node.get("message")),
        )
        for node, depth in ((tree.nodes[key], depth) for key, depth in tree.walk())
    ]  # fmt: skip
    svg = drawn(drawing, title=title, alt=alt)
    return Picture(title=title, alt=alt, svg=svg, columns=("step", "type", "phase", "took", "message"), rows=rows)


def attempts(state: StateDir, name: str | None) -> Picture:
    """Draw when each attempt of a run's retried steps ran, and how long was waited before the next.

    Where nothing had to be tried again, the one attempt of each step that would have been is drawn.

    Args:
        state: whose run.
        name: which; None: the last one.

    Raises:
        BadInput: there is no such run, or none of its steps would be tried twice.
    """
    run = _run(state, name)
    tree = nest(run["nodes"])
    policed = [
        (label(node), [tree.nodes[one] for one in tree.members.get(key, ())])
        for key, node in tree.nodes.items()
        if node.get("type") == "Retry" and tree.members.get(key)
    ]
    if not policed:
        raise BadInput(f"no step of {run['name']} has a retryStrategy", where="RUN")
    retried = [(step, nodes) for step, nodes in policed if len(nodes) > 1] or policed
    tried = [(step, number, node) for step, nodes in retried for number, node in enumerate(nodes, 1)]
    title = f"Attempts of {run['name']}"
    said = [
        f"{step} took {plural(len(nodes), 'attempt')}" + (f", with waits of {_waits(nodes)}" if len(nodes) > 1 else "")
        for step, nodes in retried
    ]
    alt = f"{'; '.join(said)}."
    rows = [
        (
            step, str(number), phase_mark(node.get("phase")).word, text(node.get("startedAt")), _took(node),
            text(node.get("message")),
        )
        for step, number, node in tried
    ]  # fmt: skip
    svg = _drawn(retried, title, alt)
    return Picture(
        title=title, alt=alt, svg=svg, columns=("step", "attempt", "phase", "started", "took", "message"), rows=rows
    )


def _drawn(retried: Sequence[tuple[str, Sequence[Json]]], title: str, alt: str) -> str:
    times = [
        (start, start.timestamp() + (seconds_between(node.get("startedAt"), node.get("finishedAt")) or 0.0))
        for _, nodes in retried
        for node in nodes
        if (start := moment(node.get("startedAt")))
    ]
    begin = min((start.timestamp() for start, _ in times), default=0.0)
    whole = max((end for _, end in times), default=0.0) - begin or 1.0
    lines = [line for step, nodes in retried for line in _lines(step, nodes, begin, whole)]
    ticks = [(part / 4, duration(whole * part / 4) if part else "0 s") for part in range(5)]
    return bars(lines[:_MOST], ticks=ticks, title=title, alt=alt)


def _lines(step: str, nodes: Sequence[Json], begin: float, whole: float) -> Iterator[Line]:
    """Give a line for each attempt: the wait before it, then the attempt itself."""
    before: float | None = None
    for number, node in enumerate(nodes, 1):
        start = moment(node.get("startedAt"))
        at = start.timestamp() if start else begin
        length = seconds_between(node.get("startedAt"), node.get("finishedAt")) or 0.0
        mark = phase_mark(node.get("phase"))
        wait = at - before if before is not None else 0.0
        drawn_wait = [Bar(start=((before or at) - begin) / whole, length=wait / whole, tone="wait")] if wait > 0 else []
        tone = mark.tone if mark.tone in {"ok", "bad", "busy"} else "wait"
        yield Line(
            label=elide(f"{step}, attempt {number}", 32), mark=mark,
            bars=[*drawn_wait, Bar(start=(at - begin) / whole, length=length / whole, tone=tone)],
            note=elide(f"after {duration(wait)}" if number > 1 else text(node.get("message")), 38),
            title=f"attempt {number}: {mark.word}, {duration(length)}",
        )  # fmt: skip
        before = at + length


def _waits(nodes: Sequence[Json]) -> str:
    found = [seconds_between(one.get("finishedAt"), other.get("startedAt")) for one, other in pairwise(nodes)]
    return ", ".join(duration(max(each or 0.0, 0.0)) for each in found)


def _took(node: Json) -> str:
    return duration(seconds_between(node.get("startedAt"), node.get("finishedAt")))


def _run(state: StateDir, name: str | None) -> Json:
    engine = Engine(state.ensure())
    try:
        if name is None:
            known = engine.runs()
            if not known:
                raise BadInput("nothing was run here yet", remedy="batchlab run FILE")
            name = known[-1].name
        return engine.get(name).document
    finally:
        engine.close()
