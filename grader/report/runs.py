"""The runs: one row each on a common time line, with its drawing and its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grader.report.drawing import Drawing
from grader.report.nesting import Tree, label, nest
from grader.report.read import mappings, moment, seconds_between, text
from grader.report.steps import Span, StepRow, step_rows
from grader.report.words import Mark, duration, phase_mark, play_name, plural
from grader.report.workflow import WorkflowDrawer

_DRAWN = 1500  # nodes drawn in one report; the runs that went wrong come first


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
    retried = [number for number, tree in enumerate(trees) if _retried(tree)]
    opened = (wrong or retried or [0])[0]
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
    times = [(run.get("startedAt"), run.get("finishedAt")) for run in runs]
    spans = [(moment(start), seconds_between(start, end)) for start, end in times]
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
    steps, left_out = step_rows(run, tree, keys)
    shown = {step.key for step in steps}
    drawings = {}
    if drawn:
        # A step without a row in the table leads to its run.
        drawer = WorkflowDrawer(tree, lambda node: keys[node] if keys[node] in shown else f"r{number}")
        title = f"Steps of {name}"
        drawings = {"wide": drawer.draw(across=True, title=title), "narrow": drawer.draw(across=False, title=title)}
    started = moment(run.get("startedAt"))
    return RunView(
        key=f"r{number}", name=name, ds=text(run.get("ds")), play=play_name(run.get("play")),
        mark=phase_mark(run.get("phase")), took=duration(seconds_between(run.get("startedAt"), run.get("finishedAt"))),
        started=started.strftime("%Y-%m-%d %H:%M:%S %Z") if started else "", message=_message(run, tree),
        facts=facts(tree), bar=bar, drawings=drawings, steps=steps, left_out=left_out, opened=opened,
    )  # fmt: skip


def _message(run: Mapping[str, Any], tree: Tree) -> str:
    if text(run.get("message")):
        return text(run.get("message"))
    if phase_mark(run.get("phase")).tone != "bad":
        return ""
    # An attempt is to blame only if its step failed in the end; then the last one is.
    blamed = [name for name, _ in tree.walk() if phase_mark(tree.nodes[name].get("phase")).tone == "bad"]
    for retry in _retries(tree):
        attempts = tree.members.get(retry, ())
        pardoned = attempts if retry not in blamed else attempts[:-1]
        blamed = [name for name in blamed if name not in pardoned]
    told = [name for name in blamed if text(tree.nodes[name].get("message"))]
    told.sort(key=lambda name: tree.nodes[name].get("type") != "Pod")
    return f"{label(tree.nodes[told[0]])}: {text(tree.nodes[told[0]].get('message'))}" if told else ""


def _retried(tree: Tree) -> list[str]:
    return [name for name in _retries(tree) if len(tree.members.get(name, ())) > 1]


def _retries(tree: Tree) -> list[str]:
    return [name for name, node in tree.nodes.items() if node.get("type") == "Retry"]


def facts(tree: Tree) -> str:
    """Say how many steps there were, and which of them needed more than one attempt; an attempt is no step."""
    attempts = {member for name in _retries(tree) for member in tree.members.get(name, ())}
    steps = [
        name
        for name, node in tree.nodes.items()
        if name not in attempts and not any(member not in attempts for member in tree.members.get(name, ()))
        and node.get("type") != "StepGroup"
    ]  # fmt: skip
    wrong = sum(phase_mark(tree.nodes[name].get("phase")).tone == "bad" for name in steps)
    again = [f"{label(tree.nodes[name])} took {plural(len(tree.members[name]), 'attempt')}" for name in _retried(tree)]
    parts = [plural(len(steps), "step")] if steps else []
    parts += [f"{wrong} failed"] if wrong else []
    parts += again[:2] + ([f"{len(again) - 2} more retried"] if len(again) > 2 else [])
    return " · ".join(parts)
