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
DELAY = timedelta(days=3)
"""How late a run may start without being for another day."""
_EXPRESSION = (
    "{{= date(workflow.scheduledTime).In(timezone(`America/New_York`)).AddDate(0, 0, -1).Format(`2006-01-02`) }}"
)
LEAST_DEADLINE = 60
"""Seconds: a controller that is moved to another node is away for less."""


@M06.check("schedule", needs=(), hints=(
    "How often does that hour of the night occur on the day named?",
    "When the clocks go forward, 02:00 to 03:00 does not exist; when they go back, 01:00 to 02:00 occurs twice.",
    'schedules: ["0 7 * * *"], or any one time of the day outside of those hours.',
))  # fmt: skip
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
                hints=(
                    "When does a day of the airline begin and end?",
                    "Without spec.timezone a schedule is in the controller's zone, usually UTC.",
                    f"spec: {{timezone: {ZONE}}}",
                ),
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


@M06.check("logical-date", points=2, needs=(), depends=("M06-schedule",), hints=(
    "Which clock does the date come from, and in which zone is it read?",
    "A run was due at {{workflow.scheduledTime}}, in UTC. Days have 23 to 25 hours: convert, then take a day off.",
    _EXPRESSION,
))  # fmt: skip
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
        )
    return Passed(
        f"{len(rows)} planned runs are for the day before they fire, in New York", Evidence(columns=columns, rows=rows)
    )


@M06.check("aggregates", depends=("M06-logical-date",), pipelines=("ingest", "transform"), hints=(
    "Which day does the step take its rows from: the one it was given, or one that it worked out itself?",
    "The logical date reaches every step as a parameter, and every commit says in its summary which day it is of.",
    "--ds {{workflow.parameters.ds}}, and snapshot properties: batchlab.workflow, batchlab.node, batchlab.ds.",
))  # fmt: skip
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


@M06.check("wall-clock", points=2, needs=(), depends=("M06-logical-date",), hints=(
    "A run that is caught up, retried or backfilled starts later than it was due: which day is it for then?",
    "{{workflow.creationTimestamp}} and now() are when it starts; {{workflow.scheduledTime}} is when it was due.",
    _EXPRESSION,
))  # fmt: skip
def wall_clock(probe: Probe) -> Passed:
    """The day that a run is for does not depend on when it really starts."""
    rows: list[tuple[str, str, str, str]] = []
    wrong: list[tuple[str, str, str, str]] = []
    for cron in _crons(probe):
        name = cron["metadata"]["name"]
        for first, last in WINDOWS:
            at_once = probe.plan(name, first, last)
            later = probe.plan(name, first, last, delay=DELAY)
            for one, other in zip(at_once, later, strict=True):
                row = (name, one.scheduled.isoformat(), one.ds, other.ds)
                (rows if one.ds == other.ds else wrong).append(row)
    columns = ("cron", "due at (UTC)", "for day, started at once", f"for day, started {DELAY.days} days later")
    if wrong:
        name, due, soon, late = wrong[0]
        raise Failure(
            f"CronWorkflow {name}, due at {due}, is for {soon or 'no day'} started at once, for {late or 'no day'} "
            f"started {DELAY.days} days later",
            evidence=Evidence(columns=columns, rows=wrong, expected=soon, found=late),
        )
    return Passed(f"{len(rows)} planned runs are for the same day whenever they start",
                  Evidence(columns=columns, rows=rows[-10:]))  # fmt: skip


@M06.check("concurrency", needs=(), hints=(
    "What happens when a run is still at work while the next one is due, or is started by hand?",
    "Allow, the default, starts it beside; Forbid skips it; Replace terminates the running one.",
    "concurrencyPolicy: Forbid; or a mutex that the runs of a day share.",
))  # fmt: skip
def concurrency(probe: Probe) -> Passed:
    """Two runs of one schedule do not get into each other's way."""
    rows = []
    templates = {one["metadata"]["name"]: one for one in probe.templates()}
    for cron in _crons(probe):
        spec = cron["spec"]
        policy = spec.get("concurrencyPolicy") or "Allow (by default)"
        reference = ((spec.get("workflowSpec") or {}).get("workflowTemplateRef") or {}).get("name", "")
        locked = _locks([spec.get("workflowSpec"), templates.get(reference, {}).get("spec")])
        rows.append((cron["metadata"]["name"], policy, "yes" if locked else "no"))
    wrong = [row for row in rows if row[1].startswith("Allow") and row[2] == "no"]
    columns = ("cron", "concurrencyPolicy", "has a lock")
    if wrong:
        raise Failure(
            f"CronWorkflow {wrong[0][0]} lets runs overlap: concurrencyPolicy is {wrong[0][1]}, and nothing locks",
            evidence=Evidence(columns=columns, rows=wrong, expected="Forbid, Replace, or a lock", found=wrong[0][1]),
        )
    return Passed(f"{len(rows)} schedules keep their runs apart", Evidence(columns=columns, rows=rows))


@M06.check("catch-up", needs=(), hints=(
    "What becomes of a run that was due while the controller was down?",
    "Without startingDeadlineSeconds a missed start is never made up for.",
    "startingDeadlineSeconds: 3600 starts it when the controller is back within the hour; older days are backfilled.",
))  # fmt: skip
def catch_up(probe: Probe) -> Passed:
    """A start that was missed is made up for, within a deadline."""
    rows = [
        (cron["metadata"]["name"], cron["spec"].get("startingDeadlineSeconds") or 0, bool(cron["spec"].get("suspend")))
        for cron in _crons(probe)
    ]
    columns = ("cron", "startingDeadlineSeconds", "suspended")
    wrong = [row for row in rows if row[1] < LEAST_DEADLINE or row[2]]
    if wrong:
        what = "is suspended" if wrong[0][2] else f"makes up for a missed start within {wrong[0][1]} seconds only"
        raise Failure(
            f"CronWorkflow {wrong[0][0]} {what}",
            evidence=Evidence(columns=columns, rows=wrong, expected=f"{LEAST_DEADLINE} or more, not suspended",
                              found=str(wrong[0][1])),
        )  # fmt: skip
    return Passed(f"{len(rows)} schedules make up for a missed start", Evidence(columns=columns, rows=rows))


def _locks(specs: Sequence[Any]) -> bool:
    """Whether a workflow, or one of its templates, takes a mutex or semaphore."""
    found = [spec for spec in specs if spec]
    parts = [*found, *(template for spec in found for template in spec.get("templates") or [])]
    return any(part.get("synchronization") for part in parts)


def local_day(one: Planned) -> date:
    """The day in New York on which a run fires."""
    return one.scheduled.astimezone(ZoneInfo(ZONE)).date()


def _crons(probe: Probe) -> Sequence[Any]:
    found = probe.crons()
    if not found:
        raise Failure(
            "there is no CronWorkflow",
            hints=(
                "What starts the workflow of a day when nobody is there to do it?",
                "A CronWorkflow refers to a WorkflowTemplate and says when, and in which time zone, it is run.",
                "spec: {schedules: ['0 7 * * *'], timezone: America/New_York, workflowSpec: {workflowTemplateRef: …}}",
            ),
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
            )  # fmt: skip
        day += timedelta(days=1)
