"""The table of a run's steps: what the drawing shows, as text, with a bar for when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.report.nesting import Tree, label
from grader.report.read import mapping, mappings, moment, seconds_between, text
from grader.report.words import Mark, duration, phase_mark

_MOST = 160  # rows of one run
_LONG = 1200  # characters of one value
_GOOD = frozenset({"Succeeded", "Skipped", "Omitted"})


@dataclass(frozen=True, kw_only=True)
class Span:
    """A bar on a time line, in percent of its width."""

    start: float
    width: float


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """One node; `facts` are the terms and values of its details."""

    key: str
    label: str
    depth: int
    kind: str
    mark: Mark
    took: str
    message: str
    bar: Span | None
    facts: Sequence[tuple[str, str]]


def step_rows(run: Mapping[str, Any], tree: Tree, keys: Mapping[str, str]) -> tuple[list[StepRow], int]:
    """Give the rows in drawing order and how many were left out; of many, those that went wrong stay."""
    walked = [(name, depth) for name, depth in tree.walk() if not _plain_group(name, tree)]
    shown = walked
    if len(walked) > _MOST:
        wrong = [name for name, _ in walked if text(tree.nodes[name].get("phase")) not in _GOOD]
        keep = set((wrong + [name for name, _ in walked])[:_MOST])
        shown = [(name, depth) for name, depth in walked if name in keep]
    line = _line(run, tree)
    rows = [_row(name, min(depth, 6), tree, keys, line) for name, depth in shown]
    return rows, len(walked) - len(shown)


def _plain_group(name: str, tree: Tree) -> bool:
    """Tell a group that says no more than its one step does."""
    return tree.nodes[name].get("type") == "StepGroup" and len(tree.members.get(name, ())) == 1


def _line(run: Mapping[str, Any], tree: Tree) -> tuple[float, float] | None:
    """Find when the run began and how long it took, in seconds."""
    ends = [
        (start.timestamp(), (moment(node.get("finishedAt")) or start).timestamp())
        for node in (run, *tree.nodes.values())
        if (start := moment(node.get("startedAt")))
    ]
    if not ends:
        return None
    begin = min(start for start, _ in ends)
    return begin, max(max(end for _, end in ends) - begin, 0.001)


def _row(name: str, depth: int, tree: Tree, keys: Mapping[str, str], line: tuple[float, float] | None) -> StepRow:
    node = tree.nodes[name]
    start, took = moment(node.get("startedAt")), seconds_between(node.get("startedAt"), node.get("finishedAt"))
    bar = None
    if start and line and took is not None and text(node.get("phase")) not in {"Skipped", "Omitted"}:
        at = 100 * (start.timestamp() - line[0]) / line[1]
        bar = Span(start=round(min(at, 99.4), 2), width=round(max(100 * took / line[1], 0.6), 2))
    return StepRow(
        key=keys[name], label=label(node), depth=depth, kind=text(node.get("type")), mark=phase_mark(node.get("phase")),
        took=duration(took) if bar else "", message=text(node.get("message")), bar=bar, facts=_facts(node),
    )  # fmt: skip


def _facts(node: Mapping[str, Any]) -> list[tuple[str, str]]:
    template = text(node.get("templateName"))
    reference = mapping(node.get("templateRef"))
    if reference:
        template = f"{text(reference.get('name'))}/{text(reference.get('template'))}"
    outputs = mapping(node.get("outputs"))
    facts = [
        ("Full name", text(node.get("name"))),
        ("Template", template),
        ("Message", text(node.get("message"))),
        ("Started", text(node.get("startedAt"))),
        ("Finished", text(node.get("finishedAt"))),
        *_parameters("Input", node.get("inputs")),
        *_parameters("Output", outputs),
        ("Exit code", text(outputs.get("exitCode"))),
        ("Result", text(outputs.get("result"))),
    ]
    return [(term, value if len(value) <= _LONG else value[:_LONG] + " …") for term, value in facts if value]


def _parameters(kind: str, holder: Any) -> list[tuple[str, str]]:
    parameters = mappings(mapping(holder).get("parameters"))
    return [(f"{kind} {text(entry.get('name'))}", text(entry.get("value"))) for entry in parameters[:20]]
