"""M06: a CronWorkflow runs every day, also when the clocks change, and its runs follow the logical date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Planned, Probe
from grader.checks.registry import Registry

M06 = Registry("M06")
ZONE = "America/New_York"
WINDOWS = (
    (date(2013, 3, 9), date(2013, 3, 12)),
    (date(2013, 11, 2), date(2013, 11, 5)),
    (date(2013, 12, 31), date(2014, 1, 1)),
)
"""Days on which schedules are planned: around both changes of the clocks, and the end of the year."""


@M06.check("schedule", needs=())
def schedule(probe: Probe) -> Passed:
    """Every schedule fires once a day in New York, also on the days when the clocks change."""
    rows = []
    for cron in _crons(probe):
        name = cron["metadata"]["name"]
        zone = cron["spec"].get("timezone") or "UTC"
        if zone != ZONE:
            raise Failure(
                f"CronWorkflow {name} is in time zone {zone}, the airline's days are New York's",
                evidence=Evidence(columns=("cron", "timezone"), rows=[(name, zone)], expected=ZONE, found=zone),
                hints=("Without spec.timezone a schedule is in the controller's zone, usually UTC.",),
            )
        for first, last in WINDOWS:
            planned = probe.plan(name, first, last)
            rows += [(name, local_day(one), one.scheduled.isoformat(), one.ds) for one in planned]
            _once_a_day(name, first, last, planned)
    return Passed(
        f"{len(_crons(probe))} schedules fire once on each of {sum((b - a).days + 1 for a, b in WINDOWS)} days "
        "around the changes of the clocks",
        Evidence(columns=("cron", "local day", "fires at (UTC)", "for day"), rows=rows),
    )


@M06.check("logical-date", points=2, needs=(), depends=("M06-schedule",))
def logical_date(probe: Probe) -> Passed:
    """A scheduled run is for the day before it fires, whatever the wall clock says."""
    wrong: list[tuple[str, str, str, str]] = []
    rows: list[tuple[str, str, str, str]] = []
    for cron in _crons(probe):
        name = cron["metadata"]["name"]
        for first, last in WINDOWS:
            for one in probe.plan(name, first, last):
                wanted = str(local_day(one) - timedelta(days=1))
                row = (name, one.scheduled.isoformat(), wanted, one.ds)
                (rows if one.ds == wanted else wrong).append(row)
    columns = ("cron", "fires at (UTC)", "should be for", "is for")
    if wrong:
        name, fired, wanted, found = wrong[0]
        raise Failure(
            f"CronWorkflow {name}, fired at {fired}, should be for {wanted}, found {found or 'no day'}",
            evidence=Evidence(columns=columns, rows=wrong),
            hints=(
                "Which clock does the date come from?",
                "{{workflow.scheduledTime}} is when the run was due; {{workflow.creationTimestamp}} is when it began.",
                "A day in New York can have 23 or 25 hours: convert to the zone first, then take a day off.",
            ),
        )
    return Passed(
        f"{len(rows)} planned runs are for the day before they fire, in New York", Evidence(columns=columns, rows=rows)
    )


@M06.check("aggregates", depends=("M06-logical-date",))
def aggregates(probe: Probe) -> Passed:
    """What a run wrote is the day that it was for."""
    days = {run.name: str(run.ds) for run in probe.runs()}
    rows = [
        (one.table, str(one.snapshot), one.workflow, days[one.workflow], one.ds)
        for one in probe.lineage().traces
        if one.workflow in days
    ]
    wrong = [row for row in rows if row[3] != row[4]]
    columns = ("table", "snapshot", "workflow", "its day", "batchlab.ds")
    if wrong:
        raise Failure(
            f"run {wrong[0][2]} was for {wrong[0][3]}, but its snapshot of {wrong[0][0]} says {wrong[0][4]}",
            evidence=Evidence(columns=columns, rows=wrong),
        )
    if not rows:
        raise Failure(
            "no snapshot says which run made it", evidence=Evidence(expected="batchlab.workflow in every summary")
        )
    return Passed(
        f"{len(rows)} snapshots are of the day that their run was for", Evidence(columns=columns, rows=rows[-10:])
    )


def local_day(one: Planned) -> date:
    """The day in New York on which a run fires."""
    return one.scheduled.astimezone(ZoneInfo(ZONE)).date()


def _crons(probe: Probe) -> Sequence[Any]:
    found = probe.crons()
    if not found:
        raise Failure(
            "there is no CronWorkflow", hints=("A CronWorkflow refers to a WorkflowTemplate and gives a schedule.",)
        )
    return found


def _once_a_day(name: str, first: date, last: date, planned: Sequence[Planned]) -> None:
    fired = [local_day(one) for one in planned]
    day = first
    while day <= last:
        times = fired.count(day)
        if times != 1:
            raise Failure(
                f"CronWorkflow {name} fires {times} times on {day}",
                evidence=Evidence(
                    columns=("cron", "fires at (UTC)"), rows=[(name, one.scheduled.isoformat()) for one in planned],
                    expected="once", found=f"{times} times",
                ),
                hints=(
                    "Between 02:00 and 03:00 no time exists on the day when the clocks go forward.",
                    "Between 01:00 and 02:00 every time occurs twice on the day when they go back.",
                ),
            )  # fmt: skip
        day += timedelta(days=1)
