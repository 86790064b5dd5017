"""Judging a world by one check, as a learner would see it."""

from __future__ import annotations

from collections.abc import Sequence

from grader.checks.catalog import CHECKS
from grader.checks.model import Result
from grader.checks.runner import run
from grader.checks.tests.world import DAYS, World
from grader.oracle.tables import TABLES, TableSpec

FORBIDDEN = {"just", "simply", "easy", "easily", "obviously"}


def verdict(world: World, name: str) -> Result:
    """Run one check without what it depends on; a failure must come with three hints."""
    (check,) = [one for one in CHECKS if one.id == name]
    (result,) = run([check], world)
    if result.outcome == "fail":
        three(result.hints, f"{name}: {result.rationale}")
    return result


def three(hints: Sequence[str], whose: str) -> None:
    """Require three different hints in neutral words."""
    assert len(hints) == len(set(hints)) == 3, whose
    assert all(hint.strip() == hint and len(hint) > 10 for hint in hints), whose
    words = {word.strip(".,;:?!").lower() for hint in hints for word in hint.split()}
    assert not words & FORBIDDEN, whose


def failure(world: World, name: str, words: str) -> Result:
    """Require that a check fails, saying certain words."""
    result = verdict(world, name)
    assert result.outcome == "fail", result.rationale
    assert words in result.rationale
    return result


def table(name: str) -> TableSpec:
    """A table of the specification."""
    return next(one for one in TABLES if one.name == name)


def late(world: World) -> None:
    """Deliver one flight late for the second day, and replay it."""
    world.lake.con.execute(
        "INSERT INTO ops.flights "
        "SELECT * REPLACE (777 AS flight, 1 AS delivery, recorded_at + INTERVAL 1 DAY AS recorded_at) "
        "FROM ops.flights WHERE flight_date = '2013-03-10' AND flight = 100"
    )
    world.run("replay", DAYS[1])
