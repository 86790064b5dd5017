"""M03 after late data, and for a day that lost its rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.checks.tests.judging import failure, late, verdict
from grader.checks.tests.world import DAYS, World
from grader.oracle.tables import TABLES

DAY = f"flight_date={DAYS[0]}"


def empty(world: World) -> None:
    """Take all rows of the first day out of the source, and run it."""
    world.lake.con.execute("DELETE FROM ops.flights WHERE flight_date = '2013-03-09'")
    world.lake.con.execute("DELETE FROM ops.weather WHERE month = 3 AND day = 9")
    world.run("empty", DAYS[0])


def keep(world: World, name: str) -> None:
    """Let the last run have left one table as it found it."""
    run = world.made[-1]
    world.made[-1] = replace(run, after={**run.after, name: run.before[name]})


def test_emptied_day(world: World) -> None:
    """A day without rows in the source is right as a partition without rows."""
    assert verdict(world, "M03-emptied").rationale == "it needs empty"
    empty(world)
    assert not any(DAY in state.partitions for state in world.made[-1].after.values())
    found = verdict(world, "M03-emptied")
    assert found.outcome == "pass", found.rationale
    assert {row[0] for row in found.evidence.rows} == {table.name for table in TABLES}
    assert verdict(world, "M03-same").outcome == "pass"


@pytest.mark.parametrize("name", [table.name for table in TABLES])
def test_emptied_day_that_keeps_its_rows(world: World, name: str) -> None:
    """A write that replaces only what it has rows for leaves the old ones: table, partition and numbers are named."""
    empty(world)
    keep(world, name)
    found = failure(world, "M03-emptied", f"{name} {DAY} differs from the independent answer")
    assert found.evidence.partitions == [f"{name} {DAY}"]
    assert found.evidence.expected.startswith("0 rows")
    assert found.hints[0] == "What does the write do when there is no row to write?"


@pytest.mark.parametrize("name", ["lake.raw.flights", "lake.curated.flights", "lake.marts.carrier_daily"])
def test_late_rows_that_are_left_out(world: World, name: str) -> None:
    """A day that is run again must hold what came late; the hints are about late data, not about any difference."""
    late(world)
    assert verdict(world, "M03-late").outcome == "pass"
    keep(world, name)
    found = failure(world, "M03-late", f"{name} flight_date=2013-03-10 differs")
    assert found.hints[0] == "Which rows of the day does a run read when it is run again?"


def test_emptied_day_in_a_table_that_is_gone(world: World) -> None:
    """A table that a run dropped is missing, not empty."""
    empty(world)
    run = world.made[-1]
    world.made[-1] = replace(run, after={key: one for key, one in run.after.items() if key != "lake.marts.route_daily"})
    found = failure(world, "M03-emptied", "there is no table lake.marts.route_daily")
    assert found.hints[-1].startswith("CREATE TABLE IF NOT EXISTS lake.marts.route_daily")
