"""M09-blocks: wrong rows between Spark and dbt must stop the run, change no mart, and be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from grader.checks.probe import Run
from grader.checks.tests.judging import failure, late, verdict
from grader.checks.tests.world import World
from grader.oracle.tables import TABLES

FAILED: Mapping[str, str] = {"model.a": "success", "test.b": "fail", "test.c": "pass"}
KEPT = "lake.audit.not_null"
MART = "lake.marts.carrier_daily"
COLUMNS = next(list(table.columns) for table in TABLES if table.name == MART)
DAY = "flight_date=2013-03-10"


@pytest.fixture
def gated(world: World) -> World:
    """A world in which dbt's tests stopped a run that met three wrong rows."""
    state = world.made[-1].after
    document = {"phase": "Failed", "nodes": {}}
    facts: Mapping[str, Any] = {"spoiled": 3, "kept": {KEPT: {"rows": 2, "columns": COLUMNS}}}
    world.broken["gate"] = [
        replace(world.made[-1], play="gate", name="gate", document=document, before=state, after=state, facts=facts)
    ]
    world.write_dbt(severity="ERROR", statuses=FAILED, kept=KEPT)
    return world


def gate(world: World, **changes: Any) -> None:
    """Change the run that met wrong rows."""
    run: Run = world.broken["gate"][0]
    world.broken["gate"] = [replace(run, **changes)]


def test_stopped(gated: World) -> None:
    """A failed run, untouched marts, and a test that names where its rows are: that is right."""
    found = verdict(gated, "M09-blocks")
    assert found.outcome == "pass", found.rationale
    assert [row[2:] for row in found.evidence.rows] == [(3, "Failed")]


@pytest.mark.parametrize(
    ("table", "rows", "columns", "outcome"),
    [
        ("lake.quarantine.flights", 2, ["test", "row"], "pass"),  # whoever wrote it
        ("lake.quarantine.flights", 0, ["test", "row"], "fail"),
        (KEPT, 0, ["test", "row"], "fail"),  # dbt names the table all the same
        ("lake.staging.carriers", 16, COLUMNS, "fail"),  # the day as it was staged
    ],
)
def test_rows_kept_in_a_table(gated: World, table: str, rows: int, columns: list[str], outcome: str) -> None:
    """Rows may be kept in any table of the lake, but it must have some, and be none in which a mart is staged."""
    gate(gated, facts={"spoiled": 3, "kept": {table: {"rows": rows, "columns": columns}}})
    found = verdict(gated, "M09-blocks")
    assert found.outcome == outcome
    if outcome == "fail":
        assert found.rationale == "test.b failed, and its rows are nowhere to be looked at"
        assert found.evidence.rows[0][:2] == (table, rows)


def test_no_rows_kept(gated: World) -> None:
    """Where no other table was written, there are none."""
    gate(gated, facts={"spoiled": 3, "kept": {}})
    assert failure(gated, "M09-blocks", "nowhere to be looked at").evidence.found == "none"


def test_nothing_stopped_it(gated: World) -> None:
    """A run that succeeds over wrong rows has no gate."""
    gate(gated, document={"phase": "Succeeded", "nodes": {}})
    failure(gated, "M09-blocks", "3 wrong rows in lake.curated.flights did not stop the run")


def test_no_moment_between_curating_and_building(gated: World) -> None:
    """A pipeline in which nothing lies between curated rows and marts cannot test between them."""
    gate(gated, facts={"spoiled": 0})
    failure(gated, "M09-blocks", "curated rows and marts become visible in one step")


def test_marts_changed_before_the_tests(gated: World) -> None:
    """A mart that shows other rows after a failed test is named with its partition."""
    late(gated)
    state, now = gated.made[-1].before, gated.made[-1].after
    gate(gated, before=state, after={**state, MART: now[MART]})
    found = failure(gated, "M09-blocks", f"the tests failed, and yet {MART} {DAY} shows other rows than before")
    assert found.evidence.partitions == [f"{MART} {DAY}"]
    gate(gated, before=state, after={**state, "lake.curated.flights": now["lake.curated.flights"]})
    assert verdict(gated, "M09-blocks").outcome == "pass"


def test_stopped_by_something_else(gated: World) -> None:
    """A run that failed without a failed test was not stopped by dbt."""
    gated.write_dbt(severity="ERROR", statuses={"model.a": "error", "test.b": "skipped"})
    found = failure(gated, "M09-blocks", "failed, but no dbt test did")
    assert ("model.a", "error") in found.evidence.rows
