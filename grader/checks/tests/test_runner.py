"""Every check gets a verdict, whatever the others do."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader.checks.course import Item, items, outcome, verdicts
from grader.checks.model import Check, Evidence, Failure, Passed
from grader.checks.registry import Registry
from grader.checks.runner import ordered, run

HERE: Any = SimpleNamespace(has=lambda need: need == "first")


def passes(probe: Any) -> Passed:
    """It passes."""
    return Passed("because")


def fails(probe: Any) -> Passed:
    """It fails."""
    raise Failure("wrong", evidence=Evidence(rows=[(number,) for number in range(99)]), hints=("one", "two"))


def breaks(probe: Any) -> Passed:
    """It breaks."""
    return Passed(str(1 / len("")))


def checks(*declared: tuple[str, Any, dict[str, Any]]) -> list[Check]:
    """Declare checks of item M99."""
    registry = Registry("M99")
    for name, function, options in declared:
        registry.check(name, **options)(function)
    return registry.checks


def test_each_outcome() -> None:
    """Pass, fail, blocked by a failure, blocked by what is blocked, error and waiting, each with its reason."""
    found = run(
        checks(
            ("later", passes, {"depends": ["M99-wrong"]}),
            ("last", passes, {"depends": ["M99-later"]}),
            ("wrong", fails, {}),
            ("right", passes, {}),
            ("broken", breaks, {}),
            ("cluster", passes, {"needs": ["cluster"]}),
            ("stranger", passes, {"depends": ["M01-elsewhere"]}),
        ),
        HERE,
    )
    assert [(one.check.id.partition("-")[2], one.outcome) for one in found] == [
        ("later", "blocked"), ("last", "blocked"), ("wrong", "fail"), ("right", "pass"), ("broken", "error"),
        ("cluster", "waiting"), ("stranger", "pass"),
    ]  # fmt: skip
    assert found[0].rationale == "M99-wrong did not pass"
    assert "ZeroDivisionError" in found[4].rationale
    assert "cluster" in found[5].rationale
    shown = found[2].as_json()
    assert len(shown["evidence"]["rows"]) == 10
    assert shown["hint"] == "one"


def test_progress_hears_each_verdict() -> None:
    """Verdicts are told as they come, dependencies first."""
    heard: list[str] = []
    run(checks(("b", passes, {"depends": ["M99-a"]}), ("a", passes, {})), HERE, lambda one: heard.append(one.check.id))
    assert heard == ["M99-a", "M99-b"]


def test_circle_is_refused() -> None:
    """Checks that depend on each other are a mistake of whoever wrote them."""
    circle = checks(("a", passes, {"depends": ["M99-b"]}), ("b", passes, {"depends": ["M99-a"]}))
    with pytest.raises(ValueError, match="M99-a → M99-b → M99-a"):
        ordered(circle)


def test_declaration_needs_title_and_name() -> None:
    """A check without a docstring, and one whose name is taken, are refused at once."""

    def nameless(probe: Any) -> Passed:
        return Passed("")

    with pytest.raises(ValueError, match="has no title"):
        checks(("a", nameless, {}))
    with pytest.raises(ValueError, match="declared twice"):
        checks(("a", passes, {}), ("a", passes, {}))


def test_points_are_split_by_weight() -> None:
    """Partial credit is the passed share of the weights; the item has its worst check's outcome."""
    found = run(checks(("a", passes, {"points": 3}), ("b", fails, {})), HERE)
    item = verdicts(found, [Item(id="M99", title="t", points=10)])["M99"]
    assert (item["points"], item["max_points"], item["outcome"]) == (7.5, 10, "fail")
    assert outcome([]) == "waiting"


def test_course_manifest(tmp_path: Path) -> None:
    """Items are read in their order, with what they are worth."""
    path = tmp_path / "course.toml"
    path.write_text(
        '[items.M02]\ntitle = "b"\npoints = 5\n[items.M01]\ntitle = "a"\npoints = 10\nneeds_cluster = true\n'
    )
    assert items(path) == [
        Item(id="M02", title="b", points=5),
        Item(id="M01", title="a", points=10, needs_cluster=True),
    ]
