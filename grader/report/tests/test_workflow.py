"""Nesting and drawing of workflow runs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from grader.report.drawing import Box, Drawing
from grader.report.nesting import label, nest
from grader.report.runs import plays
from grader.report.tests.sample import failing_sample, sample
from grader.report.workflow import WorkflowDrawer

Nodes = dict[str, dict[str, Any]]


def node(name: str, kind: str = "Pod", phase: str = "Succeeded", boundary: str = "", **more: Any) -> dict[str, Any]:
    """Give a node with its own name as id."""
    return {"id": name, "name": name, "displayName": name.rpartition(".")[2], "type": kind, "phase": phase,
            "boundaryID": boundary, "children": [], **more}  # fmt: skip


def as_nodes(*nodes: dict[str, Any]) -> Nodes:
    """Give the map that Argo keeps."""
    return {entry["id"]: entry for entry in nodes}


def draw(nodes: Any, *, across: bool = True) -> Drawing:
    """Draw a map of nodes."""
    return WorkflowDrawer(nest(nodes), lambda name: name).draw(across=across, title="test")


def fan_out(count: int, failed: set[int]) -> Nodes:
    """Give a DAG with one task expanded into many items."""
    root, group = node("w", "DAG"), node("w.t", "TaskGroup", boundary="w")
    root["children"] = ["w.t"]
    items = [
        node(f"w.t({number}:i{number})", phase="Failed" if number in failed else "Succeeded", boundary="w")
        for number in range(count)
    ]
    group["children"] = [item["id"] for item in items]
    return as_nodes(root, group, *items)


def test_retry_holds_its_attempts() -> None:
    """Attempts lie in their Retry node, Retry nodes in their group, groups in their template."""
    nodes = sample()["runs"][1]["nodes"]
    tree = nest(nodes)
    retry = next(name for name, entry in nodes.items() if (entry["type"], label(entry)) == ("Retry", "extract"))
    assert [label(nodes[name]) for name in tree.members[retry]] == ["extract(0)", "extract(1)", "extract(2)"]
    group = next(name for name, held in tree.members.items() if retry in held)
    assert nodes[group]["type"] == "StepGroup"
    assert sorted(name for name, _ in tree.walk()) == sorted(nodes)


def test_edges_are_lifted_to_siblings() -> None:
    """Argo's edge from a nested last step to the next task becomes an arrow between the two templates."""
    nodes = sample()["runs"][0]["nodes"]
    tree = nest(nodes)
    names = {name: label(entry) for name, entry in nodes.items()}
    root = sample()["runs"][0]["name"]
    assert [(names[start], names[end]) for start, end in tree.arrows[root]] == [
        ("ingest", "transform"), ("transform", "publish"),
    ]  # fmt: skip


def test_attempts_are_rows_of_their_step() -> None:
    """A step that was retried shows each attempt with its phase; a step that was not is a plain box."""
    drawing = draw(sample()["runs"][1]["nodes"])
    rows = {tuple(box.lines): [(row.label, row.mark.word) for row in box.rows] for box in drawing.boxes if box.rows}
    assert rows == {("extract",): [("attempt 1", "Failed"), ("attempt 2", "Failed"), ("attempt 3", "Succeeded")]}


def test_many_attempts_are_shortened() -> None:
    """Of very many attempts the first and last are shown, and how many are between."""
    retry = node("w", "Retry")
    attempts = [node(f"w({number})", phase="Failed") for number in range(40)]
    retry["children"] = [attempt["id"] for attempt in attempts]
    [box] = draw(as_nodes(retry, *attempts)).boxes
    said = [row.label.removeprefix("attempt ") for row in box.rows]
    assert said == ["1", "2", "35 more", "38", "39", "40"]


def test_retry_of_a_template_is_a_frame_of_frames() -> None:
    """A Retry node over a DAG keeps each attempt's own steps."""
    retry = node("w", "Retry")
    attempts = [node(f"w({number})", "DAG") for number in range(2)]
    steps = [node(f"w({number}).a", boundary=f"w({number})") for number in range(2)]
    retry["children"] = [attempt["id"] for attempt in attempts]
    for attempt, step in zip(attempts, steps, strict=True):
        attempt["children"] = [step["id"]]
    drawing = draw(as_nodes(retry, *attempts, *steps))
    assert len(drawing.frames) == 3
    assert len(drawing.arrows) == 1


def inside(inner: Box, outer: Box) -> bool:
    """Tell whether one box lies within another."""
    return (
        outer.x <= inner.x and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width and inner.y + inner.height <= outer.y + outer.height
    )  # fmt: skip


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("number", range(2))
def test_boxes_are_apart_and_within_the_drawing(across: bool, number: int) -> None:
    """No two steps overlap, frames are nested or apart, and all are inside the picture."""
    drawing = draw((sample(), failing_sample())[number]["runs"][-1]["nodes"], across=across)
    every = [*drawing.frames, *drawing.boxes]
    for place, box in enumerate(every):
        assert 0 <= box.x <= box.x + box.width <= drawing.width
        assert 0 <= box.y <= box.y + box.height <= drawing.height
        for other in every[:place]:
            apart = (
                box.x >= other.x + other.width or other.x >= box.x + box.width
                or box.y >= other.y + other.height or other.y >= box.y + box.height
            )  # fmt: skip
            assert apart or inside(box, other)


def test_a_thousand_items_are_folded_and_failures_stay() -> None:
    """Of 1000 items those that failed are drawn by name, the others are one box with their count."""
    drawing = draw(fan_out(1000, {17, 500, 998}))
    said = {" ".join(box.lines): box for box in drawing.boxes}
    assert len(drawing.boxes) < 10
    assert {name for name, box in said.items() if box.mark and box.mark.word == "Failed"} == {
        "t(17:i17)", "t(500:i500)", "t(998:i998)",
    }  # fmt: skip
    assert said["995 steps"].title == "995 steps folded: 995 Succeeded"


def test_a_long_chain_is_folded() -> None:
    """Of 1000 steps in a row the ends and the failure are drawn; folds keep the order."""
    chain = [node("w", "DAG")] + [node(f"w.s{number}", boundary="w") for number in range(1000)]
    for first, second in pairwise(chain):
        first["children"] = [second["id"]]
    chain[700]["phase"] = "Failed"
    drawing = draw(as_nodes(*chain))
    assert [" ".join(box.lines) for box in sorted(drawing.boxes, key=lambda box: box.x)] == [
        "s0", "s1", "s2", "696 steps", "s699", "297 steps", "s997", "s998", "s999",
    ]  # fmt: skip
    assert len(drawing.arrows) == 8


def test_broken_references_do_not_matter() -> None:
    """Loops of holders, unknown children and deep nesting still show every node once."""
    one, two = node("a", "DAG", boundary="b"), node("b", "DAG", boundary="a")
    one["children"] = ["b", "nowhere", "a"]
    deep = [node("d0", "DAG")]
    deep += [node(f"d{number}", "DAG", boundary=f"d{number - 1}") for number in range(1, 400)]
    nodes = as_nodes(one, two, *deep)
    assert sorted(name for name, _ in nest(nodes).walk()) == sorted(nodes)
    assert draw(nodes).boxes


def test_exit_handler_comes_last() -> None:
    """The workflow's exit handler is drawn after everything, by its short name, with a dashed arrow."""
    drawing = draw(sample()["runs"][0]["nodes"])
    last = max(drawing.boxes, key=lambda box: box.x)
    assert list(last.lines) == ["onExit"]
    assert [arrow.kind for arrow in drawing.arrows].count("handler") == 1


def test_the_run_that_failed_is_open_and_says_why() -> None:
    """Of all runs the failed one is unfolded, with the message of the step that failed."""
    opened = [run for play in plays(failing_sample()) for run in play.runs if run.opened]
    assert [run.message for run in opened] == ["dbt-build(2): main: Error (exit code 1)"]
    assert opened[0].facts == "9 steps · 1 failed · dbt-build took 3 attempts"
    assert {play.name: play.summary for play in plays(failing_sample())}["Replay"] == "1 run, 1 failed"


def test_runs_are_on_one_time_line_unless_it_is_mostly_idle() -> None:
    """Bars follow each other in real time; on a virtual clock, days apart, only their lengths are to scale."""
    bars = [run.bar for play in plays(sample()) for run in play.runs]
    assert [bar.start for bar in bars if bar] == sorted({bar.start for bar in bars if bar})
    virtual = [
        {"name": f"r{day}", "phase": "Succeeded", "startedAt": f"2013-03-0{day}T01:00:00Z",
         "finishedAt": f"2013-03-0{day}T01:00:{day}0Z"}
        for day in (1, 4)
    ]  # fmt: skip
    spans = [run.bar for play in plays({"runs": virtual}) for run in play.runs]
    assert [(bar.start, bar.width) for bar in spans if bar] == [(0, 25), (0, 100)]
