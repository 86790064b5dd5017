"""Each check passes on right evidence, and fails, saying what is wrong, on each wrong one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyiceberg.types import StringType

from grader.checks.catalog import CHECKS
from grader.checks.probe import Attempt, Delivery, Planned
from grader.checks.runner import run
from grader.checks.states import state_of
from grader.checks.tests.judging import late, table, verdict
from grader.checks.tests.world import DAYS, World, at_half_past_six
from grader.lineage.expected import MARTS, SPECIFIED
from grader.lineage.graph import Edge, Graph
from grader.oracle.tables import TABLES

STATE = "status.applicationState.state"
BUILT = {"model.a": "success"}


def test_all_pass_when_everything_is_right(world: World) -> None:
    """No check finds fault with right evidence, and each says what its verdict rests on."""
    late(world)
    results = run([check for check in CHECKS if all(world.has(need) for need in check.needs)], world)
    assert {result.check.id: result.rationale for result in results if result.outcome != "pass"} == {}
    assert len(results) > 20
    assert all(result.rationale for result in results)


def test_every_failure_has_hints_or_a_query() -> None:
    """Titles are sentences, and ids carry their item."""
    for check in CHECKS:
        assert check.title.endswith("."), check.id
        assert check.id.startswith(f"{check.item}-")


@pytest.mark.parametrize("name", [one.name for one in TABLES])
def test_append_is_found_and_named(once: World, tmp_path: Path, name: str) -> None:
    """An append in place of a replace is found in any table, with partition, keys and their number."""
    world = once.copy(tmp_path)
    world.play("second", DAYS[:1], append=frozenset({name}))
    keys = verdict(world, "M03-keys")
    assert keys.outcome == "fail"
    assert f"{name} flight_date=2013-03-09 has" in keys.rationale
    assert "in what is visible" in keys.rationale
    assert set(table(name).key) < set(keys.evidence.columns)
    assert all(row[-1] == 2 for row in keys.evidence.rows)
    assert keys.evidence.rows
    assert keys.evidence.partitions == [f"{name} flight_date=2013-03-09"]
    assert "GROUP BY" in keys.evidence.query
    assert verdict(world, "M03-same").rationale.startswith(f"{name} flight_date=2013-03-09 changed in the second run")
    content = verdict(world, "M02-content")
    assert content.rationale.startswith(f"{name} flight_date=2013-03-09 differs")


def test_append_that_the_audit_stopped(world: World) -> None:
    """Duplicates that are only staged are found: the run's own expectations kept them from being visible."""
    flights = world.lake.iceberg("lake.raw.flights")
    flights.manage_snapshots().create_branch(flights.current_snapshot().snapshot_id, "audit_ingest_20130309").commit()
    run = world.run("second", DAYS[0], phase="Failed")
    world.write(table("lake.raw.flights"), DAYS[0], run.name, append=True, branch="audit_ingest_20130309")
    found = verdict(world, "M03-keys")
    assert "lake.raw.flights flight_date=2013-03-09 has 6 duplicated keys" in found.rationale
    assert "staged on branch audit_ingest_20130309" in found.rationale
    assert "VERSION AS OF 'audit_ingest_20130309'" in found.evidence.query
    assert "ended Failed: curate" in verdict(world, "M03-succeeds").rationale


def test_older_experiments_do_not_count(world: World) -> None:
    """A branch that an older run left, and doubled keys of a day that was not played, are not these runs' fault."""
    flights = world.lake.iceberg("lake.raw.flights")
    flights.manage_snapshots().create_branch(flights.current_snapshot().snapshot_id, "audit_old").commit()
    world.write(table("lake.raw.flights"), DAYS[0], "daily-of-last-week", append=True, branch="audit_old")
    assert verdict(world, "M03-keys").outcome == "pass"
    world.write(table("lake.raw.flights"), DAYS[2], "daily-of-last-week", append=True)
    assert verdict(world, "M03-keys").outcome == "fail"
    world.days = DAYS[:2]
    assert verdict(world, "M03-keys").outcome == "pass"


def test_append_whose_branch_is_gone(world: World) -> None:
    """Duplicates in a snapshot that no branch leads to any more are found by the failed run's name."""
    flights = world.lake.iceberg("lake.raw.flights")
    flights.manage_snapshots().create_branch(flights.current_snapshot().snapshot_id, "audit").commit()
    run = world.run("second", DAYS[0], phase="Failed")
    world.write(table("lake.raw.flights"), DAYS[0], run.name, append=True, branch="audit")
    world.lake.iceberg("lake.raw.flights").manage_snapshots().remove_branch("audit").commit()
    assert f"of the failed run {run.name}" in verdict(world, "M03-keys").rationale


def test_insert_that_postgresql_refused(world: World) -> None:
    """An insert without a delete, refused by the primary key, is named with the keys that would be doubled."""
    run = world.run("second", DAYS[0], phase="Failed")
    world.logs[f"{run.name}/{run.name}-1"] = (
        'psycopg.errors.UniqueViolation: duplicate key value violates unique constraint "route_daily_pkey"\n'
        "DETAIL:  Key (flight_date, origin, dest)=(2013-03-09, EWR, LAX) already exists."
    )
    assert 'violates unique constraint "route_daily_pkey")' in verdict(world, "M03-succeeds").rationale
    found = verdict(world, "M03-keys")
    assert "reporting.route_daily flight_date=2013-03-09 has 2 duplicated keys" in found.rationale
    assert [tuple(map(str, row)) for row in found.evidence.rows] == [
        ("2013-03-09", "EWR", "LAX", "2"),
        ("2013-03-09", "JFK", "LAX", "2"),
    ]


def test_a_run_that_changes_another_day(world: World) -> None:
    """A run that rewrites another day's partition with other rows is named, with the day that it was for."""
    world.lake.con.execute("UPDATE ops.flights SET dep_delay = 59 WHERE flight_date = '2013-03-11' AND flight = 100")
    before = world.made[-1].after
    run = world.run("second", DAYS[2])
    world.made[-1] = replace(run, ds=DAYS[0], before=before)
    assert (
        "changed lake.curated.flights flight_date=2013-03-11, which is not its day"
        in verdict(world, "M03-untouched").rationale
    )
    assert verdict(world, "M10-range").outcome == "fail"


def test_empty_tables_prove_nothing(tmp_path: Path) -> None:
    """That nothing stayed nothing is no proof of idempotency or content."""
    world = World.make(tmp_path)
    assert {verdict(world, check.id).outcome for check in CHECKS if "first" in check.needs} == {"waiting"}
    world.lake.con.execute("DELETE FROM ops.flights; DELETE FROM ops.weather")
    world.play("first")
    world.play("second", DAYS[::-1])
    assert "lake.raw.flights has no rows" in verdict(world, "M03-same").rationale
    assert "there is nothing to compare" in verdict(world, "M02-content").rationale
    assert "no run met a mart" in verdict(world, "M09-incremental").rationale
    assert "that nothing stayed nothing" in verdict(world, "M10-order").rationale


def test_wrong_value_is_shown_with_the_right_one(world: World) -> None:
    """A value that differs from the oracle is shown as found, with the expected row beside it."""
    world.lake.con.execute(
        "UPDATE reporting.carrier_daily SET avg_dep_delay = 99 WHERE flight_date = '2013-03-10' AND carrier = 'UA'"
    )
    world.made[-1] = replace(world.made[-1], after=state_of(world.lake))
    found = verdict(world, "M02-content")
    assert found.rationale.startswith("reporting.carrier_daily flight_date=2013-03-10 differs")
    assert found.evidence.columns == ["", "flight_date", "carrier", "avg_dep_delay"]
    assert [(row[0], str(row[-1])) for row in found.evidence.rows] == [("found", "99.00"), ("expected", "2.00")]


def test_late_row_left_out(world: World) -> None:
    """Late data that was delivered but not taken in differs from the answer; what was right before it stays right."""
    late(world)
    world.lake.con.execute("UPDATE ops.flights SET distance = 1 WHERE flight = 777")
    found = verdict(world, "M03-late").rationale
    assert found.startswith("lake.raw.flights flight_date=2013-03-10 differs")
    assert "1 rows are missing, 1 should not be there" in found
    assert verdict(world, "M02-content").outcome == "pass"


def test_wrong_type_and_missing_column(world: World) -> None:
    """A column of another type, and one that should not be there, are named."""
    with world.lake.iceberg("lake.marts.carrier_daily").update_schema() as update:
        update.add_column("note", StringType())
    assert (
        "lake.marts.carrier_daily.note should be no such column, found string" in verdict(world, "M02-types").rationale
    )


@pytest.mark.parametrize("change", ["added", "renamed", "renamed key", "dropped"])
def test_other_columns_are_judged_not_tripped_over(world: World, change: str) -> None:
    """A table with a column too many, too few or of another name is judged by every check: none breaks in itself."""
    late(world)
    name, key = "lake.marts.carrier_daily", "carrier"
    with world.lake.iceberg(name).update_schema() as update:
        if change == "added":
            update.add_column("loaded_by", StringType())
        elif change == "dropped":
            update.delete_column("on_time_rate")
        else:
            update.rename_column("cancelled_flights" if change == "renamed" else key, "other_name")
    state = state_of(world.lake)
    world.made = [replace(one, before=state, after=state) for one in world.made]
    results = {check.id: verdict(world, check.id) for check in CHECKS if check.item in {"M02", "M03", "M10"}}
    assert {one: result.rationale for one, result in results.items() if result.outcome == "error"} == {}
    assert [results[one].outcome for one in ("M02-types", "M02-content")] == ["fail", "fail"]
    if change == "renamed key":
        assert "lake.marts.carrier_daily has no column carrier" in results["M03-keys"].rationale


def test_unpartitioned_table(world: World) -> None:
    """A table that is not partitioned by flight date is named."""
    with world.lake.iceberg("lake.curated.flights").update_spec() as update:
        update.remove_field("flight_date")
    assert "lake.curated.flights should be partitioned by flight_date" in verdict(world, "M02-partitions").rationale


def test_effects(world: World) -> None:
    """A key with two effects, a key that changes without the content, and a call without a key are each found."""
    late(world)
    good = list(world.calls)
    assert verdict(world, "M03-effects").outcome == "pass"
    world.calls = [replace(one, effect=True) for one in good]
    assert "had 2 effects in 2 calls" in verdict(world, "M03-effects").rationale
    world.calls = [replace(one, key=f"{one.key}:{number}", effect=True) for number, one in enumerate(good)]
    assert "the same content was announced as new" in verdict(world, "M03-effects").rationale
    world.calls = [Delivery(key="", effect=True, ds="2013-03-09"), *good]
    assert "no idempotency key" in verdict(world, "M03-effects").rationale
    world.calls = good[:-1]
    assert "new content was not announced" in verdict(world, "M03-effects").rationale


@pytest.mark.parametrize(
    ("spoil", "check", "words"),
    [
        (lambda w: setattr(w, "success", f"{STATE} != RUNNING"), "M05-conditions", "in state (no state yet)"),
        (lambda w: setattr(w, "success", f"{STATE} == RUNNING"), "M05-conditions", "in state RUNNING"),
        (lambda w: setattr(w, "action", "apply"), "M05-names", "does apply"),
        (lambda w: setattr(w, "app_name", "name: curate"), "M05-names", "a second run would meet"),
        (lambda w: setattr(w, "spark_state", "RUNNING"), "M05-submits", "ended RUNNING"),
        (lambda w: setattr(w, "zone", "UTC"), "M06-schedule", "time zone UTC"),
        (lambda w: setattr(w, "planner", lambda day: []), "M06-schedule", "fires 0 times on 2013-03-09"),
        (lambda w: setattr(w, "planner", lambda day: at_half_past_six(day) * 2), "M06-schedule", "fires 2 times"),
        (lambda w: setattr(w, "tries", w.tries[:1]), "M07-attempts", "not tried again"),
        (lambda w: setattr(w, "tries", w.tries[:2]), "M07-attempts", "a single retry"),
        (lambda w: setattr(w, "tries", [w.tries[0]] * 30), "M07-attempts", "without end"),
        (lambda w: setattr(w, "strategies", {}), "M07-attempts", "no step of transform is retried"),
        (lambda w: w.write_dbt(severity="WARN", statuses={**BUILT, "test.b": "pass"}), "M09-gates", "only warns"),
        (lambda w: w.write_dbt(severity="ERROR", statuses=BUILT), "M09-runs", "ran 0 tests"),
        (lambda w: w.write_dbt(severity="ERROR", statuses={**BUILT, "test.b": "fail"}), "M09-runs", "ended fail"),
        (lambda w: (w.folder / "target").mkdir(), "M09-runs", "left no run_results.json"),
    ],
)  # fmt: skip
def test_wrong_evidence(world: World, spoil: Callable[[World], None], check: str, words: str) -> None:
    """One thing wrong in the evidence fails the check that is about it, and the rationale names it."""
    spoil(world)
    found = verdict(world, check)
    assert found.outcome == "fail", found.rationale
    assert words in found.rationale


def test_constant_and_shrinking_waits(world: World) -> None:
    """Waits that stay the same or shrink are not exponential; waits that reach a cap still are."""

    def tries(*waits: float) -> list[Attempt]:
        found, clock = [], 0.0
        for wait in (0.0, *waits):
            clock += wait
            found.append(Attempt(started=clock, finished=clock + 1, phase="Failed"))
            clock += 1
        return found

    for waits, outcome in (((10, 10, 10), "fail"), ((20, 10), "fail"), ((10, 20, 25, 25), "pass"), ((0, 0), "fail")):
        world.tries = tries(*waits)
        assert verdict(world, "M07-attempts").outcome == outcome, waits


def test_wall_clock_date(world: World) -> None:
    """A run for the day of the UTC clock, or for a fixed day, is not for the day before it fires."""
    world.planner = lambda day: [replace(one, ds="2026-11-23") for one in at_half_past_six(day)]
    assert "should be for 2013-03-08, found 2026-11-23" in verdict(world, "M06-logical-date").rationale

    def day_of_utc(day: date) -> list[Planned]:
        late_evening = at_half_past_six(day)[0].scheduled + timedelta(hours=14)
        return [Planned(scheduled=late_evening, ds=str(late_evening.date() - timedelta(days=1)))]

    world.planner = day_of_utc
    assert verdict(world, "M06-logical-date").outcome == "fail"


def test_snapshot_of_another_day(world: World) -> None:
    """A run whose snapshot says another day did not follow its logical date."""
    world.made[-1] = replace(world.made[-1], ds=DAYS[1])
    assert "but its snapshot of lake.raw.flights says 2013-03-09" in verdict(world, "M06-aggregates").rationale


def test_cut_and_phantom_edges(world: World) -> None:
    """A missing edge, one that nothing explains, and one without a parent are each named."""
    whole = {pair: Edge(source=pair[0], target=pair[1]) for pair in SPECIFIED | MARTS}
    cut = dict(whole)
    del cut["ops.weather", "lake.raw.weather"]
    world.graph = Graph(edges=cut)
    assert "no event says that lake.raw.weather is made from ops.weather" in verdict(world, "M08-edges").rationale
    pair = ("ops.flights", "lake.marts.route_daily")
    world.graph = Graph(edges={**whole, pair: Edge(source=pair[0], target=pair[1])})
    assert "lake.marts.route_daily is made from ops.flights" in verdict(world, "M08-edges").rationale
    world.graph = Graph(edges=whole)
    assert "names no parent" in verdict(world, "M08-parents").rationale


def test_untraced_snapshot(world: World) -> None:
    """A commit by hand, without the run's properties, is named."""
    world.lake.iceberg("lake.marts.route_daily").delete("carriers = 99")
    made = world.lake.iceberg("lake.marts.route_daily")
    made.append(made.scan().to_arrow().slice(0, 0))
    found = verdict(world, "M08-snapshots")
    assert found.outcome == "fail"
    assert "of lake.marts.route_daily cannot be traced" in found.rationale


def test_mart_rebuilt_instead_of_extended(world: World) -> None:
    """A run that writes every partition's files anew is not incremental, even with the same content."""
    before = state_of(world.lake)
    run = world.run("second", DAYS[0])
    world.write(table("lake.marts.route_daily"), DAYS[1], run.name)
    world.made[-1] = replace(run, before=before, after=state_of(world.lake))
    found = verdict(world, "M09-incremental")
    assert "rewrote lake.marts.route_daily flight_date=2013-03-10, not its day" in found.rationale
    assert verdict(world, "M03-untouched").outcome == "pass"


def test_same_order_twice_proves_no_order(world: World) -> None:
    """A second play in the same order says nothing about backfills."""
    world.made = [replace(one, play="first" if number < 3 else "second") for number, one in enumerate(world.made)]
    world.made[3:] = sorted(world.made[3:], key=lambda one: one.ds)
    assert "in the same order" in verdict(world, "M10-order").rationale


def test_no_spark_application(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that created no SparkApplication did not go through the resource."""
    monkeypatch.setattr(World, "spark_runs", lambda self: [])
    assert "no SparkApplication was created by daily-0" in verdict(world, "M05-submits").rationale
