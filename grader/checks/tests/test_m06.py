"""M06: schedules that follow the wall clock, overlap, or lose a start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from grader.checks.tests.judging import failure, verdict
from grader.checks.tests.world import World, at_half_past_six

LOCK = {"mutexes": [{"name": "lake"}]}


def test_same_day_however_late(world: World) -> None:
    """A day that comes from when the run was due is the same three days later."""
    found = verdict(world, "M06-wall-clock")
    assert found.outcome == "pass", found.rationale
    assert found.rationale.startswith("10 planned runs")


def test_day_of_the_wall_clock(world: World) -> None:
    """A day that comes from when the run starts is named with both days, due and late."""
    world.shifted = True
    found = failure(world, "M06-wall-clock", "CronWorkflow daily, due at 2013-03-09T11:30:00+00:00")
    assert "is for 2013-03-08 started at once, for 2013-03-11 started 3 days later" in found.rationale
    assert len(found.evidence.rows) == 10
    assert (found.evidence.expected, found.evidence.found) == ("2013-03-08", "2013-03-11")


def test_no_day_is_no_wall_clock(world: World) -> None:
    """A schedule without any day fails by the check of the logical date, not by this one."""
    world.planner = lambda day: [type(one)(scheduled=one.scheduled, ds="") for one in at_half_past_six(day)]
    assert verdict(world, "M06-wall-clock").outcome == "pass"
    failure(world, "M06-logical-date", "found no day")


@pytest.mark.parametrize(
    ("spec", "outcome"),
    [
        ({"concurrencyPolicy": "Forbid"}, "pass"),
        ({"concurrencyPolicy": "Replace"}, "pass"),
        ({"concurrencyPolicy": "Allow"}, "fail"),
        ({}, "fail"),
        ({"workflowSpec": {"synchronization": LOCK}}, "pass"),
        ({"concurrencyPolicy": "Allow", "workflowSpec": {"templates": [{"synchronization": LOCK}]}}, "pass"),
        ({"workflowSpec": {"workflowTemplateRef": {"name": "transform"}}}, "fail"),
    ],
)
def test_overlap(world: World, spec: Mapping[str, Any], outcome: str) -> None:
    """Runs are kept apart by the policy, or by a lock of the workflow or of one of its templates."""
    world.spec = spec
    found = verdict(world, "M06-concurrency")
    assert found.outcome == outcome, found.rationale
    if outcome == "fail":
        assert found.rationale.startswith("CronWorkflow daily lets runs overlap: concurrencyPolicy is Allow")


def test_lock_in_the_template_that_is_referred_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock counts where it is: in the WorkflowTemplate, too."""
    (document,) = world.templates()
    document["spec"]["synchronization"] = LOCK
    monkeypatch.setattr(World, "templates", lambda self: [document])
    world.spec = {"workflowSpec": {"workflowTemplateRef": {"name": "transform"}}}
    assert verdict(world, "M06-concurrency").outcome == "pass"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, "CronWorkflow daily makes up for a missed start within 0 seconds only"),
        ({"startingDeadlineSeconds": 30}, "within 30 seconds only"),
        ({"startingDeadlineSeconds": 3600, "suspend": True}, "CronWorkflow daily is suspended"),
    ],
)
def test_missed_start_is_lost(world: World, spec: Mapping[str, Any], words: str) -> None:
    """No deadline, a short one, and a suspended schedule lose starts."""
    world.spec = spec
    failure(world, "M06-catch-up", words)


def test_missed_start_is_made_up_for(world: World) -> None:
    """An hour is enough, a minute is the least."""
    for seconds in (60, 3600):
        world.spec = {"startingDeadlineSeconds": seconds}
        assert verdict(world, "M06-catch-up").outcome == "pass"


def test_no_schedule_at_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a CronWorkflow every check of schedules fails."""
    monkeypatch.setattr(World, "crons", lambda self: [])
    for name in ("schedule", "logical-date", "wall-clock", "concurrency", "catch-up"):
        failure(world, f"M06-{name}", "there is no CronWorkflow")
