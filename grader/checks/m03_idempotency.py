"""M03: a second run changes nothing, inside or outside the lake."""

from __future__ import annotations

from grader.checks.blame import blame
from grader.checks.contents import after, diff_query, digest, partitions, strays
from grader.checks.duplicates import duplicates
from grader.checks.m02_content import EMPTY_HINTS, right_content
from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Probe, Run
from grader.checks.registry import Registry
from grader.fingerprint.digest import Digest
from grader.oracle.tables import PARTITION, TableSpec

M03 = Registry("M03")
_HINTS = (
    "What does the write do when the partition has rows already?",
    "An append adds to what is there; a replace of the whole partition in one commit does not.",
    "Overwrite with a filter on the partition; insert_overwrite in dbt; DELETE and INSERT in one transaction.",
)


@M03.check("keys", points=2, needs=("first", "second"), hints=_HINTS)
def keys(probe: Probe) -> Passed:
    """No key occurs twice, in what is visible or staged."""
    found = duplicates(probe)
    if found:
        first = found[0]
        others = "; ".join(f"{one.table} {one.partition}: {one.count}" for one in found[1:4])
        raise Failure(
            f"{first}" + (f"; also {others}" if others else ""),
            evidence=Evidence(
                columns=first.columns, rows=first.rows, partitions=[f"{one.table} {one.partition}" for one in found],
                expected="every key once", found=f"{first.count} keys {first.where} more than once", query=first.query,
            ),
        )  # fmt: skip
    looked = ", ".join(table.name for table in probe.tables())
    return Passed(f"no key occurs twice in {looked}, nor on any branch of them")


@M03.check("succeeds", needs=("first", "second"), hints=(
    "What failed: the code, its input, or something outside that was not there?",
    "What a first run makes, such as a table or a branch, is there already when a second one comes.",
    "The step's log says why. CREATE TABLE IF NOT EXISTS and CREATE OR REPLACE BRANCH can be repeated.",
))  # fmt: skip
def succeeds(probe: Probe) -> Passed:
    """Every run succeeds, the second ones too."""
    runs = probe.runs()
    failed = [run for run in runs if run.phase != "Succeeded"]
    if failed:
        run = failed[0]
        raise Failure(
            f"the {run.play} run of {run.ds} ended {run.phase or 'without a phase'}: {blame(probe, run)}",
            evidence=Evidence(
                columns=("run", "play", "day", "phase", "because"),
                rows=[(one.name, one.play, str(one.ds), one.phase, blame(probe, one)) for one in failed],
                expected=f"{len(runs)} runs Succeeded", found=f"{len(failed)} did not",
            ),
        )  # fmt: skip
    second = sum(run.play == "second" for run in runs)
    if not second:
        raise Failure("no day was run a second time")
    return Passed(f"{len(runs)} runs succeeded, {second} of them on a day that had been run before")


@M03.check("same", points=3, needs=("first", "second"), depends=("M03-succeeds",), hints=_HINTS)
def same(probe: Probe) -> Passed:
    """A second run leaves the content of every partition as it was."""
    names, tables = partitions(probe), probe.tables()
    changed = [
        (table, name, before, now)
        for table in tables
        for name in names
        if (before := digest(after(probe, "first", table), table.name, name))
        != (now := digest(after(probe, "second", table), table.name, name))
    ]
    if changed:
        raise _changed(probe, changed)
    rows = [_summary(probe, table, names) for table in tables]
    if not all(row[2] for row in rows):
        empty = next(name for name, _, count, _ in rows if not count)
        raise Failure(f"{empty} has no rows for these days: that it stays so proves nothing", hints=EMPTY_HINTS)
    return Passed(
        f"{len(tables) * len(names)} partitions have the same 128-bit fingerprint after both runs",
        Evidence(columns=("table", "partitions", "rows", "fingerprint"), rows=rows),
    )


def _changed(probe: Probe, changed: list[tuple[TableSpec, str, Digest, Digest]]) -> Failure:
    table, partition, before, now = changed[0]
    query = diff_query(table.name, after(probe, "first", table), after(probe, "second", table))
    return Failure(
        f"{table.name} {partition} changed in the second run: {before.rows} rows before, {now.rows} after"
        + (f"; {len(changed) - 1} more partitions changed" if len(changed) > 1 else ""),
        evidence=Evidence(
            columns=("table", "partition", "rows before", "rows after", "before", "after"),
            rows=[(a.name, b, c.rows, d.rows, c.hash, d.hash) for a, b, c, d in changed],
            partitions=[f"{a.name} {b}" for a, b, _, _ in changed], expected=before.hash, found=now.hash, query=query,
        ),
        hints=() if before.rows != now.rows else _SAME_ROWS_HINTS,
    )  # fmt: skip


_SAME_ROWS_HINTS = (
    "As many rows as before, but with other values: what in them depends on the run, not on the data?",
    "A time of writing, a random key, a row number or a sum in an order that is not fixed differs from run to run.",
    "Compare two rows of the same key: the command above shows them. Derive the column from the data, or leave it out.",
)


def _summary(probe: Probe, table: TableSpec, names: list[str]) -> tuple[str, int, int, str]:
    found = [digest(after(probe, "second", table), table.name, name) for name in names]
    return table.name, len(names), sum(one.rows for one in found), Digest.total(found).hash


@M03.check("untouched", needs=("first", "second"), hints=(
    "Which partitions does the write replace: those of the day, or all that there are?",
    "INSERT OVERWRITE without a dynamic mode or a filter replaces the whole table.",
    "Name what goes: overwrite(flight_date = ds), REPLACE WHERE flight_date = ds, DELETE … WHERE flight_date = ds.",
))  # fmt: skip
def untouched(probe: Probe) -> Passed:
    """A run changes its own day and no other."""
    changed = [(run, table, name) for run in probe.runs() for table, name in strays(run)]
    if changed:
        run, table, partition = changed[0]
        raise Failure(
            f"the {run.play} run of {run.ds} changed {table} {partition}, which is not its day",
            evidence=Evidence(
                columns=("run", "day", "table", "partition", "rows before", "rows after"),
                rows=[_stray(*one) for one in changed],
                partitions=[f"{name} {part}" for _, name, part in changed],
                expected=f"only {PARTITION}={run.ds} changes", found=f"{partition} changed",
                query=diff_query(table, run.before, run.after),
            ),
        )  # fmt: skip
    looked = sum(len(state.partitions) for run in probe.runs() for state in run.after.values())
    return Passed(f"{len(probe.runs())} runs left every other day's partitions as they were ({looked} looked at)")


@M03.check("late", needs=("replay",), points=2, hints=(
    "Which rows of the day does a run read when it is run again?",
    "Rows that came later count up to the watermark; the latest delivery of a flight wins.",
    "Filter by flight_date = ds and recorded_at <= cutoff, then keep the greatest (recorded_at, delivery) of each key.",
))  # fmt: skip
def late(probe: Probe) -> Passed:
    """Run again after late data, a day holds it: new flights, corrections, each flight once."""
    return right_content(probe, "replay")


@M03.check("emptied", needs=("empty",), points=2, hints=(
    "What does the write do when there is no row to write?",
    "A dynamic overwrite replaces the partitions that it has rows for: without rows it replaces none.",
    "Name the partition: overwrite with a filter on flight_date, or DELETE before INSERT in one commit.",
))  # fmt: skip
def emptied(probe: Probe) -> Passed:
    """A day that lost all its rows in the source is an empty partition after a run."""
    return right_content(probe, "empty")


def _stray(run: Run, table: str, partition: str) -> tuple[str, str, str, str, int, int]:
    before, now = digest(run.before, table, partition), digest(run.after, table, partition)
    return run.name, str(run.ds), table, partition, before.rows, now.rows
