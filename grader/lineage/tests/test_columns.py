"""Column lineage against the columns that there are, and the rules for the measures."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from grader.lineage.columns import REQUIRED, ColumnProblem, column_problems, columns_of
from grader.lineage.tests.story import CARRIER, CURATED, RAW, Columns, Story
from grader.oracle.tables import TABLES, spec

SPECIFIED: dict[str, Iterable[str]] = {table.name: table.columns for table in TABLES}
RIGHT: Columns = {
    "arr_delay_minutes": (CURATED, "arr_delay"),
    "dep_delay_minutes": (CURATED, "dep_delay"),
    "carrier": (CURATED, "carrier"),
}


def found(*written: tuple[str, Columns], **more: str) -> tuple[ColumnProblem, ...]:
    """The problems of some tables, each written with what a test says of its columns."""
    story = Story()
    run = story.run("transform-1")
    for table, columns in written:
        sources = {source: "" for source, _ in columns.values()} or {CURATED: ""}
        story.write(run, "build", table, sources, columns=columns, **more)
    return column_problems(columns_of(story.executions(), SPECIFIED), [table for table, _ in written])


def test_right_columns() -> None:
    """Columns that exist, made from the right ones, in whatever case Spark writes them, are no problem."""
    assert found((CARRIER, RIGHT)) == ()
    assert found((CARRIER, {"ARR_DELAY_MINUTES": (CURATED, "Arr_Delay")})) == ()


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"carrier": (CURATED, "airline")}, f"{CURATED} has no column airline"),
        ({"airline": (CURATED, "carrier")}, f"{CARRIER} has no column airline"),
        ({"arr_delay_minutes": (CURATED, "dep_delay")}, f"its events say that it comes from {CURATED}.dep_delay"),
    ],
)
def test_wrong_columns(columns: Columns, problem: str) -> None:
    """A source column that is not there, a column of the table that is not there, and a measure from another one."""
    (one,) = found((CARRIER, {**RIGHT, **columns}))
    assert one.problem == problem
    assert one.as_json()["table"] == CARRIER


def test_no_column_lineage() -> None:
    """Of a table that Spark made from tables of the lake it must be there; other emitters need not give it."""
    (one,) = found((CARRIER, {}))
    assert (one.column, "no event says" in one.problem) == ("", True)
    assert found((CARRIER, {}), engine="") == ()
    story = Story()
    story.write(story.run("ingest-1"), "extract", RAW, {"ops.flights": ""})
    assert column_problems(columns_of(story.executions(), SPECIFIED), [RAW]) == ()


def test_untold_columns_are_no_problem() -> None:
    """Spark has nothing to say of a constant, a count of rows or a Python function: nothing is concluded."""
    assert found((CARRIER, {"carrier": (CURATED, "carrier")})) == ()


def test_through_tables_of_ones_own() -> None:
    """A measure may come through a further table; where nobody tells that table's columns, nothing is concluded."""
    mine = "lake.team.joined"
    last = (CARRIER, {"dep_delay_minutes": (mine, "delay")})
    assert found((mine, {"delay": (CURATED, "dep_delay")}), last) == ()
    assert [one.table for one in found((mine, {"delay": (CURATED, "arr_delay")}), last)] == [CARRIER]
    assert found(last) == ()


def test_merge_reads_itself() -> None:
    """A MERGE says that a column comes from itself, too, or only that: no problem, and no endless circle."""
    assert found((CARRIER, {"dep_delay_minutes": (CARRIER, "dep_delay_minutes")}), (CARRIER, RIGHT)) == ()
    assert found((CARRIER, {"dep_delay_minutes": (CARRIER, "dep_delay_minutes")})) == ()
    assert len(found((CARRIER, {"dep_delay_minutes": (CARRIER, "arr_delay_minutes")}))) == 1


def test_columns_that_only_events_know() -> None:
    """A table's own further columns exist, if an event's schema has them."""
    story = Story()
    run = story.run("transform-1")
    story.write(run, "build", CARRIER, {CURATED: ""}, columns={"mine": (CURATED, "ours")})
    for one in story.events:
        one["outputs"][0]["facets"]["schema"] = {"fields": [{"name": "mine"}]}
        one["inputs"][0]["facets"]["schema"] = {"fields": [{"name": "ours"}]}
    assert column_problems(columns_of(story.executions(), SPECIFIED), [CARRIER]) == ()
    for one in story.events:  # the columns of a metadata table are not the table's
        one["inputs"][0]["facets"]["symlinks"]["identifiers"][0]["name"] = "curated.flights.refs"
    assert len(column_problems(columns_of(story.executions(), SPECIFIED), [CARRIER])) == 1


def test_required_columns_exist() -> None:
    """Both ends of every declared pair are in the specification, the source's in a table or in `ops`."""
    for (table, column), (source, name) in REQUIRED:
        target, origin = spec(table), spec(source)
        assert target is not None
        assert column in target.columns
        assert source.startswith("ops.") or (origin is not None and name in origin.columns)
