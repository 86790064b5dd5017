"""The runs: one row each on a common time line, with its drawing and its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grader.report.drawing import Drawing
from grader.report.nesting import Tree, label, nest
from grader.report.read import mapping, mappings, moment, seconds_between, text
from grader.report.steps import Span, StepRow, step_rows
from grader.report.words import Mark, duration, phase_mark, play_name, plural
from grader.report.workflow import WorkflowDrawer

_DRAWN = 1500  # nodes drawn in one report; the runs that went wrong come first
_GOOD = frozenset({"Succeeded", "Skipped", "Omitted"})


@dataclass(frozen=True, kw_only=True)
class RunView:
    """One run; `bar` is its place on the time line of all runs in percent (start, width), None without times."""

    key: str
    name: str
    ds: str
    play: str
    mark: Mark
    took: str
    started: str
    message: str
    facts: str
    bar: Span | None
    drawings: Mapping[str, Drawing]
    steps: Sequence[StepRow]
    left_out: int
    opened: bool


@dataclass(frozen=True, kw_only=True)
class PlayView:
    """The runs of one play, in order."""

    name: str
    runs: Sequence[RunView]
    summary: str


def plays(report: Mapping[str, Any]) -> list[PlayView]:
    """Group the runs by consecutive play; the first run that went wrong is open, else the first."""
    runs = mappings(report.get("runs"))
    trees = [nest(run.get("nodes")) for run in runs]
    wrong = [number for number, run in enumerate(runs) if text(run.get("phase")) not in {"", "Succeeded"}]
    opened = wrong[0] if wrong else 0
    drawn = _budget(runs, trees, [opened, *wrong])
    bars = _bars(runs)
    views = [
        _run_view(number, run, tree, bar, drawn=number in drawn, opened=number == opened)
        for number, (run, tree, bar) in enumerate(zip(runs, trees, bars, strict=True))
    ]
    grouped: list[list[RunView]] = []
    for view in views:
        if grouped and grouped[-1][0].play == view.play:
            grouped[-1].append(view)
        else:
            grouped.append([view])
    return [PlayView(name=group[0].play, runs=group, summary=_play_summary(group)) for group in grouped]


def _play_summary(group: Sequence[RunView]) -> str:
    failed = sum(run.mark.tone == "bad" for run in group)
    return plural(len(group), "run") + (f", {failed} failed" if failed else "")


def _budget(runs: Sequence[Mapping[str, Any]], trees: Sequence[Tree], first: Sequence[int]) -> set[int]:
    """Choose the runs to draw: those asked for, one of each play, then the others while there is room."""
    seen: set[str] = set()
    openers = []
    for number, run in enumerate(runs):
        if text(run.get("play")) not in seen:
            seen.add(text(run.get("play")))
            openers.append(number)
    drawn: set[int] = set()
    room = _DRAWN
    for number in dict.fromkeys((*first, *openers, *range(len(runs)))):
        size = len(trees[number].nodes) if number < len(trees) else 0
        if size and (size <= room or not drawn):
            drawn.add(number)
            room -= min(size, 100)
    return drawn


def _bars(runs: Sequence[Mapping[str, Any]]) -> list[Span | None]:
    """Place runs on one time line; where most of it is idle (a virtual clock), only lengths are to scale."""
    spans = [(moment(run.get("startedAt")), seconds_between(run.get("startedAt"), run.get("finishedAt"))) for run in runs]
    known = [(start, length) for start, length in spans if start and length is not None]
    if not known:
        return [None for _ in runs]
    origin = min(start for start, _ in known)
    total = max((start - origin).total_seconds() + length for start, length in known)
    busy = sum(length for _, length in known)
    if total > 10 * busy:
        longest = max(length for _, length in known) or 1.0
        return [None if length is None else _span(0.0, length, longest) for _, length in spans]
    return [_place(start, length, origin, total) for start, length in spans]


def _place(start: datetime | None, length: float | None, origin: datetime, total: float) -> Span | None:
    if start is None or length is None:
        return None
    return _span((start - origin).total_seconds(), length, total or 1.0)


def _span(start: float, length: float, total: float) -> Span:
    return Span(start=round(100 * start / total, 2), width=round(max(100 * length / total, 0.4), 2))


def _run_view(
    number: int, run: Mapping[str, Any], tree: Tree, bar: Span | None, *, drawn: bool, opened: bool
) -> RunView:
    name = text(run.get("name"), "unnamed run")
    keys = {node: f"r{number}n{place}" for place, node in enumerate(tree.nodes)}
    drawings = {}
    if drawn:
        drawer = WorkflowDrawer(tree, keys.__getitem__)
        title = f"Steps of {name}"
        drawings = {"wide": drawer.draw(across=True, title=title), "narrow": drawer.draw(across=False, title=title)}
    steps, left_out = step_rows(run, tree, keys)
    started = moment(run.get("startedAt"))
    return RunView(
        key=f"r{number}", name=name, ds=text(run.get("ds")), play=play_name(run.get("play")),
        mark=phase_mark(run.get("phase")), took=duration(seconds_between(run.get("startedAt"), run.get("finishedAt"))),
        started=started.strftime("%Y-%m-%d %H:%M:%S %Z") if started else "", message=_message(run, tree),
        facts=_facts(tree), bar=bar, drawings=drawings, steps=steps, left_out=left_out, opened=opened,
    )  # fmt: skip


def _message(run: Mapping[str, Any], tree: Tree) -> str:
    if text(run.get("message")):
        return text(run.get("message"))
    root = next((tree.nodes[name] for name in tree.members.get("", ())), {})
    return text(root.get("message")) if text(run.get("phase")) not in {"", "Succeeded"} else ""


def _facts(tree: Tree) -> str:
    """Say how many steps ran, and which of them needed more than one attempt."""
    pods = [node for node in tree.nodes.values() if node.get("type") == "Pod"]
    again = [
        f"{label(node)} took {len(tree.members[name])} attempts"
        for name, node in tree.nodes.items()
        if node.get("type") == "Retry" and len(tree.members.get(name, ())) > 1
    ]
    wrong = sum(text(node.get("phase")) in {"Failed", "Error"} for node in pods)
    parts = [plural(len(pods), "step")] if pods else []
    parts += [f"{wrong} failed"] if wrong else []
    parts += again[:2] + ([f"{len(again) - 2} more retried"] if len(again) > 2 else [])
    return " · ".join(parts)


def all_nodes(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give every node of every run."""
    return [
        node
        for run in mappings(report.get("runs"))
        for node in mapping(run.get("nodes")).values()
        if isinstance(node, Mapping)
    ]
