"""M10: a past range is run again, in another order, with the same result and nothing else touched."""

from __future__ import annotations

from grader.checks.contents import after, digest, partitions, strays
from grader.checks.m02_content import EMPTY_HINTS
from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Probe, Run
from grader.checks.registry import Registry
from grader.oracle.tables import PARTITION

M10 = Registry("M10")
_RANGE_HINTS = (
    "Which days were run the second time, and in which order?",
    "A backfill proves something if it runs every day of the range again, in an order that is not the days' own.",
    "batchlab backfill FILE --from 2013-03-09 --to 2013-03-10 --parallel 2 --shuffle 7",
)


@M10.check("order", points=2, needs=("first", "second"), depends=("M03-succeeds",), hints=(
    "What does a run read besides the day that it is for?",
    "A run that reads yesterday's result, or the newest row whatever its day, depends on the order.",
    "Filter every input by the logical date; what several days share belongs into a step of its own.",
))  # fmt: skip
def order(probe: Probe) -> Passed:
    """A backfill in another order, several days at once, gives what the days in their order gave."""
    first, second = _days(probe, "first"), _days(probe, "second")
    if len(first) > 1 and first == second:
        raise Failure(
            "the range was run in the same order both times, so nothing shows that order plays no part",
            hints=_RANGE_HINTS,
        )
    if set(first) != set(second):
        raise Failure(
            "the backfill did not run the days of the range",
            evidence=Evidence(expected=", ".join(first), found=", ".join(second)),
            hints=_RANGE_HINTS,
        )
    rows = []
    for table in probe.tables():
        one, other = after(probe, "first", table), after(probe, "second", table)
        for name in partitions(probe):
            left, right = digest(one, table.name, name), digest(other, table.name, name)
            rows.append((table.name, name, left.rows, right.rows, left == right))
    wrong = [row for row in rows if not row[4]]
    columns = ("table", "partition", "rows in order", "rows after the backfill", "same")
    if wrong:
        raise Failure(
            f"{wrong[0][0]} {wrong[0][1]} depends on the order in which the days are run",
            evidence=Evidence(columns=columns, rows=wrong, partitions=[f"{row[0]} {row[1]}" for row in wrong]),
        )
    if not any(row[2] for row in rows):
        raise Failure("no table has a row for the days of the range: that nothing stayed nothing shows no order",
                      hints=EMPTY_HINTS)  # fmt: skip
    return Passed(
        f"in order {_listed(first)} and backfilled {_listed(second)}: {len(rows)} partitions are the same",
        Evidence(columns=columns, rows=rows),
    )


@M10.check("range", needs=("first", "second"), depends=("M03-succeeds",), hints=(
    "Which partitions did the run write, and which did it mean to?",
    "A write that is not limited to the logical date takes other days along.",
    "Replace by a filter on flight_date = ds, in every table.",
))  # fmt: skip
def touches(probe: Probe) -> Passed:
    """A backfill touches the days of its range and nothing else."""
    runs = [run for run in probe.runs() if run.play != "first"]
    if not runs:
        raise Failure("no past range was run again", hints=_RANGE_HINTS)
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
    return list(dict.fromkeys(str(run.ds) for run in probe.runs() if run.play == play))


def _listed(days: list[str]) -> str:
    return ", ".join(days) if len(days) <= 4 else f"{days[0]}, {days[1]} … {days[-1]}"
