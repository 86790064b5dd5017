"""M03 outside the lake and under fire: when the webhook is told, and what kills leave behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grader.checks.probe import Delivery, Run, State
from grader.checks.tests.judging import failure, late, verdict
from grader.checks.tests.world import DAYS, World

KILLED = ["before commit of raw.flights in extract", "after load"]
REPORTS = ("reporting.carrier_daily", "reporting.route_daily")
DAY = f"flight_date={DAYS[1]}"


def told(run: Run, held: State, pipeline: str = "publish") -> Run:
    """Let the webhook have been called while the reports held a certain state."""
    seen = {
        name: {part: digest.hash for part, digest in held[name].partitions.items()} for name in REPORTS if name in held
    }
    call = {"key": "k", "ds": str(run.ds), "pipeline": pipeline, "held": seen}
    return replace(run, facts={"announcements": [call]})


def crashed(world: World, **changes: Any) -> None:
    """Replay a day after late data, and let it have been killed twice as well."""
    late(world)
    replay = world.made[-1]
    run = replace(replay, play="crash", name="daily-crash", facts={"killed": KILLED})
    world.broken["crash"] = [replace(run, **changes)]
    world.called = {"second": world.calls[:-1], "crash": list(world.calls)}


def test_announced_when_it_is_visible(world: World) -> None:
    """A call that comes when the reports hold what they end with is right, also when nothing changed."""
    assert verdict(world, "M03-announced").rationale == "it needs announcements"
    world.made = [told(run, run.after) for run in world.made]
    found = verdict(world, "M03-announced")
    assert found.outcome == "pass", found.rationale
    assert found.rationale.startswith("12 times")


def test_announced_too_early(world: World) -> None:
    """A call before the commit is named with day and table, and with what readers saw."""
    world.made = [told(run, run.before if run.name == "daily-1" else run.after) for run in world.made]
    found = failure(world, "M03-announced", "the webhook was called for 2013-03-10 while reporting.carrier_daily")
    assert [row[0] for row in found.evidence.rows] == ["daily-1", "daily-1"]
    assert found.evidence.query == "SELECT * FROM reporting.carrier_daily WHERE flight_date = DATE '2013-03-10'"


def test_announced_between_two_commits(world: World) -> None:
    """A call when only one of the two reports is there names the other."""
    run = world.made[0]
    half = {**run.after, REPORTS[1]: run.before[REPORTS[1]]}
    world.made[0] = told(run, half)
    found = failure(world, "M03-announced", "for 2013-03-09 while reporting.route_daily still held other content")
    assert len(found.evidence.rows) == 1


def test_announced_by_nobody(world: World) -> None:
    """No call, or calls of other pipelines only, announce nothing."""
    world.made[0] = replace(world.made[0], facts={"announcements": []})
    failure(world, "M03-announced", "the webhook was not called")
    world.made[0] = told(world.made[0], world.made[0].after, pipeline="ingest")
    failure(world, "M03-announced", "the webhook was not called")


def test_crash_that_leaves_no_trace(world: World) -> None:
    """Killed and resumed with the same content and one effect is right; the places are listed."""
    crashed(world)
    found = verdict(world, "M03-crash")
    assert found.outcome == "pass", found.rationale
    assert [row[1] for row in found.evidence.rows] == KILLED


def test_crash_that_cannot_be_resumed(world: World) -> None:
    """A resumed run that fails is named with its step, its message and the places."""
    node = {"id": "n", "name": "x.load", "displayName": "load", "type": "Pod", "phase": "Failed", "message": "exit 1"}
    crashed(world, document={"phase": "Failed", "nodes": {"n": node}})
    found = failure(world, "M03-crash", "daily was killed 2 times and resumed; it ended Failed: load: exit 1")
    assert [row[0] for row in found.evidence.rows] == KILLED


@pytest.mark.parametrize("name", ["lake.raw.flights", "lake.marts.route_daily", "reporting.carrier_daily"])
def test_crash_that_leaves_something_undone(world: World, name: str) -> None:
    """A table whose partition is not what an undisturbed run leaves is named, with both numbers of rows."""
    crashed(world)
    (run,) = world.broken["crash"]
    world.broken["crash"] = [replace(run, after={**run.after, name: run.before[name]})]
    found = failure(world, "M03-crash", f"{name} {DAY} differs after daily was killed and resumed")
    assert found.evidence.partitions == [f"{name} {DAY}"]


def test_crash_that_changes_another_day(world: World) -> None:
    """Another day's partition must be as it was before the run."""
    crashed(world)
    (run,) = world.broken["crash"]
    name = "lake.curated.flights"
    parts = dict(run.after[name].partitions)
    parts["flight_date=2013-03-09"] = parts[DAY]
    after = {**run.after, name: replace(run.after[name], partitions=parts)}
    world.broken["crash"] = [replace(run, after=after)]
    failure(world, "M03-crash", "lake.curated.flights flight_date=2013-03-09 differs after daily was killed")


def test_crash_with_a_second_effect(world: World) -> None:
    """Two keys for one publication, one that acted twice, and none at all are each an effect too many or too few."""
    crashed(world)
    good = list(world.calls)
    again = Delivery(key="publish:other", effect=True, ds=str(DAYS[1]))
    world.called["crash"] = [*good, again]
    found = failure(world, "M03-crash", "publish of 2013-03-10 had 2 new effects at the webhook instead of one")
    assert ("publish:other", 1) in found.evidence.rows
    world.called["crash"] = good[:-1]
    failure(world, "M03-crash", "had 0 new effects")
    world.called["crash"] = [*good, good[-1]]
    assert verdict(world, "M03-crash").outcome == "fail"
    world.called["crash"] = [*good, replace(again, effect=False), replace(again, ds=str(DAYS[0]))]
    assert verdict(world, "M03-crash").outcome == "pass"


def test_crash_of_a_pipeline_without_effects(world: World) -> None:
    """A pipeline that does not publish is not asked for effects, nor for tables of others."""
    crashed(world, pipeline="ingest")
    (run,) = world.broken["crash"]
    name = "lake.marts.route_daily"
    world.broken["crash"] = [replace(run, after={**run.after, name: run.before[name]})]
    world.called["crash"] = []
    assert verdict(world, "M03-crash").outcome == "pass"


def test_crash_that_met_nothing_to_kill(world: World) -> None:
    """A run that came to no step proves nothing."""
    crashed(world, facts={"killed": []})
    failure(world, "M03-crash", "no run could be killed")
