"""M10: a past range is run again, in another order, with the same result and nothing else touched."""

from __future__ import annotations

from grader.checks.m03_idempotency import after, strays
from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Probe, Run
from grader.checks.registry import Registry
from grader.fingerprint.digest import Digest
from grader.oracle.tables import PARTITION, TABLES

M10 = Registry("M10")


@M10.check("order", points=2, depends=("M03-succeeds",))
def order(probe: Probe) -> Passed:
    """A backfill in another order gives what the days in their order gave."""
    first, second = _days(probe, "first"), _days(probe, "second")
    if len(first) > 1 and first == second:
        raise Failure("the range was run in the same order both times, so nothing shows that order plays no part")
    if set(first) != set(second):
        raise Failure(
            "the backfill did not run the days of the range",
            evidence=Evidence(expected=", ".join(first), found=", ".join(second)),
        )
    one, other = after(probe, "first"), after(probe, "second")
    rows = []
    for table in TABLES:
        for day in probe.days:
            name = f"{PARTITION}={day}"
            left = one[table.name].partitions.get(name, Digest()) if table.name in one else Digest()
            right = other[table.name].partitions.get(name, Digest()) if table.name in other else Digest()
            rows.append((table.name, name, left.rows, right.rows, left == right))
    wrong = [row for row in rows if not row[4]]
    columns = ("table", "partition", "rows in order", "rows after the backfill", "same")
    if wrong:
        raise Failure(
            f"{wrong[0][0]} {wrong[0][1]} depends on the order in which the days are run",
            evidence=Evidence(columns=columns, rows=wrong, partitions=[f"{row[0]} {row[1]}" for row in wrong]),
            hints=("A run that reads yesterday's result, or the newest row whatever its day, depends on the order.",),
        )
    return Passed(
        f"in order {_listed(first)} and backfilled {_listed(second)}: {len(rows)} partitions are the same",
        Evidence(columns=columns, rows=rows),
    )


@M10.check("range", depends=("M03-succeeds",))
def touches(probe: Probe) -> Passed:
    """A backfill touches the days of its range and nothing else."""
    runs = [run for run in probe.runs() if run.play != "first"]
    if not runs:
        raise Failure("no past range was run again")
    wrong = [(run.name, str(run.ds), table, partition) for run in runs for table, partition in strays(run)]
    if wrong:
        raise Failure(
            f"the backfill of {wrong[0][1]} changed {wrong[0][2]} {wrong[0][3]}",
            evidence=Evidence(
                columns=("run", "day", "table", "partition"),
                rows=wrong,
                partitions=[f"{row[2]} {row[3]}" for row in wrong],
            ),
        )
    rows = [(run.name, run.play, str(run.ds), _changes(run)) for run in runs]
    return Passed(
        f"{len(runs)} runs over past days changed nothing outside the day they were for",
        Evidence(columns=("run", "play", "day", "partitions changed"), rows=rows),
    )


def _changes(run: Run) -> str:
    """Name the tables whose partition of the day changed."""
    own = f"{PARTITION}={run.ds}"
    found = [
        name
        for name in sorted(run.after)
        if run.after[name].partitions.get(own) != (run.before[name].partitions.get(own) if name in run.before else None)
    ]
    return ", ".join(found) or "none"


def _days(probe: Probe, play: str) -> list[str]:
    return [str(run.ds) for run in probe.runs() if run.play == play]


def _listed(days: list[str]) -> str:
    return ", ".join(days) if len(days) <= 4 else f"{days[0]}, {days[1]} … {days[-1]}"
