"""M02: the tables that Spark writes have the right content, types and partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grader.checks.contents import after, digest, last_run, partitions, played
from grader.checks.model import MOST_ROWS, Evidence, Failure, Passed
from grader.checks.probe import Probe, Run
from grader.checks.registry import Registry
from grader.fingerprint.diff import Rows, missing
from grader.fingerprint.digest import Digest
from grader.oracle.tables import PARTITION, TableSpec
from pipelines.local.errors import BadInput

M02 = Registry("M02")
EMPTY_HINTS = (
    "Did a step find any row of the day in its input?",
    "A filter on another date, or another type of date, matches nothing, and a write of nothing succeeds.",
    "SELECT flight_date, count(*) FROM lake.raw.flights GROUP BY flight_date, then the next table, up to the gap.",
)
"""For tables that hold nothing where something should be."""
_TYPES_HINTS = (
    "Which type does pipelines/DATA.md give the column, and who chose the one that it has?",
    "Averages are decimals and instants are timestamps with time zone: nothing is left to inference.",
    "CREATE TABLE with explicit types, and cast each column when writing: CAST(avg(dep_delay) AS DECIMAL(9, 2)).",
)
_COMPARED = 200
_FEW = 5


@M02.check("types", hints=_TYPES_HINTS)
def types(probe: Probe) -> Passed:
    """The tables have the columns and types of the specification."""
    wrong: list[tuple[str, str, str, str]] = []
    tables = [table for table in probe.tables() if table.in_lake]
    for table in tables:
        found = {one.name: str(one.field_type) for one in _iceberg(probe, table).schema().fields}
        for column in dict.fromkeys([*table.columns, *found]):
            wanted = table.columns.get(column, "no such column")
            if found.get(column, "no such column") != wanted:
                wrong.append((table.name, column, wanted, found.get(column, "no such column")))
    if wrong:
        table_name, column, wanted, got = wrong[0]
        raise Failure(
            f"{table_name}.{column} should be {wanted}, found {got}"
            + (f", and {len(wrong) - 1} more columns differ" if len(wrong) > 1 else ""),
            evidence=Evidence(
                columns=("table", "column", "expected", "found"), rows=wrong, query=f"DESCRIBE TABLE {table_name}"
            ),
        )
    columns = sum(len(table.columns) for table in tables)
    return Passed(f"{columns} columns in {len(tables)} tables have the specified types")


@M02.check("partitions", hints=(
    "Which column tells one run's rows from another's?",
    "A partition of its own for each day can be replaced, and read, without the others.",
    f'PARTITIONED BY ({PARTITION}), or .partitionedBy("{PARTITION}"), when the table is created.',
))  # fmt: skip
def partitioning(probe: Probe) -> Passed:
    """The tables are partitioned by flight date."""
    rows = []
    for table in probe.tables():
        if not table.in_lake:
            continue
        found = _iceberg(probe, table)
        spec = [
            f"{found.schema().find_column_name(field.source_id)}: {field.transform}"
            for field in found.spec().fields
            if str(field.transform) != "void"
        ]
        rows.append((table.name, ", ".join(spec) or "not partitioned"))
    wrong = [row for row in rows if row[1] != f"{PARTITION}: identity"]
    if wrong:
        raise Failure(
            f"{wrong[0][0]} should be partitioned by {PARTITION}, found: {wrong[0][1]}",
            evidence=Evidence(
                columns=("table", "partition spec"), rows=wrong, expected=f"{PARTITION}: identity", found=wrong[0][1],
                query=f"SHOW CREATE TABLE {wrong[0][0]}",
            ),
        )  # fmt: skip
    if not rows:
        return Passed("no table of the lake is judged here")
    return Passed(
        f"all {len(rows)} tables are partitioned by {PARTITION}",
        Evidence(columns=("table", "partition spec"), rows=rows),
    )


@M02.check("content", points=3, hints=(
    "Compare one of the rows shown with the rule for its column in pipelines/DATA.md.",
    "Rows that are too many are doubled, or computed in another way; rows that lack were filtered out, or joined away.",
    "Count the key before and after each join: SELECT key, count(*) … GROUP BY key HAVING count(*) > 1.",
))  # fmt: skip
def content(probe: Probe) -> Passed:
    """Every table holds what DuckDB computes independently from the source."""
    return [right_content(probe, play) for play in played(probe, ("first", "second"))][-1]


def right_content(probe: Probe, play: str) -> Passed:
    """Compare every judged table, as a play left it, with the independent answer for the source of that play."""
    names, oracle = partitions(probe), probe.oracle(play)
    rows: list[tuple[str, int, int, str]] = []
    for table in probe.tables():
        state = after(probe, play, table)
        if table.name not in state:
            raise _no_table(table, "no table")
        right = oracle.digests(table)
        differing = [name for name in names if digest(state, table.name, name) != right.get(name, Digest())]
        if differing:
            raise _difference(probe, table, last_run(probe, play, table), differing, right)
        compared = Digest.total(digest(state, table.name, name) for name in names)
        rows.append((table.name, len(names), compared.rows, compared.hash))
    if not any(count for _, _, count, _ in rows):
        raise Failure("no table has a row for these days: there is nothing to compare", hints=EMPTY_HINTS)
    total = sum(count for _, _, count, _ in rows)
    return Passed(
        f"{total} rows in {len(rows)} tables equal the independent answer, by 128-bit fingerprint",
        Evidence(columns=("table", "partitions", "rows", "fingerprint"), rows=rows),
    )


def _difference(probe: Probe, table: TableSpec, run: Run, differing: list[str], right: Mapping[str, Digest]) -> Failure:
    """Show rows that are too many, or missing, in the first partition that differs."""
    partition = differing[0]
    day = partition.partition("=")[2]
    answer = f"(SELECT * FROM {probe.oracle(run.play).source(table)} WHERE {PARTITION} = DATE '{day}')"
    actual = f"(SELECT * FROM {probe.rows(table, run)} WHERE {PARTITION} = DATE '{day}')"
    extra = missing(probe.lake, actual, answer, _COMPARED)
    lacking = missing(probe.lake, answer, actual, _COMPARED)
    columns, rows = contrast(extra, lacking, table.key)
    have, want = digest(run.after, table.name, partition), right.get(partition, Digest())
    more = f", and {len(differing) - 1} more partitions differ" if len(differing) > 1 else ""
    return Failure(
        f"{table.name} {partition} differs from the independent answer: {_number(lacking)} rows are missing, "
        f"{_number(extra)} should not be there{more}",
        evidence=Evidence(
            columns=columns, rows=rows,
            partitions=[f"{table.name} {name}" for name in differing], expected=f"{want.rows} rows, {want.hash}",
            found=f"{have.rows} rows, {have.hash}", query=_query(table, run, day),
        ),
    )  # fmt: skip


def _query(table: TableSpec, run: Run, day: str) -> str:
    snapshot = run.after[table.name].snapshot if table.name in run.after else None
    version = f" VERSION AS OF {snapshot}" if snapshot is not None else ""
    return f"SELECT * FROM {table.name}{version} WHERE {PARTITION} = DATE '{day}'"


def _number(rows: Rows) -> str:
    return f"{len(rows.rows)}" if len(rows.rows) < _COMPARED else f"{_COMPARED} or more"


def contrast(found: Rows, expected: Rows, key: Sequence[str]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Put what was found beside what was expected: the key's columns, and those that differ, or that one side has not.

    Returns:
        Column names, the first empty, and at most ten rows that begin with `found` or `expected`.
    """
    names = list(dict.fromkeys([*found.columns, *expected.columns]))
    have, want = _by_key(found, key), _by_key(expected, key)
    both = [one for one in have if one in want]
    differing = [name for name in names if any(_cell(have[one], name) != _cell(want[one], name) for one in both)]
    rest = [name for name in names if name not in key]
    shown = [*key, *(differing or rest[:_FEW])]
    marked = [(mark, rows[one]) for one in both for mark, rows in (("found", have), ("expected", want))]
    if not marked:
        marked = [*(("found", row) for row in have.values()), *(("expected", row) for row in want.values())]
    return ["", *shown], [(mark, *(_cell(row, name) for name in shown)) for mark, row in marked[:MOST_ROWS]]


def _by_key(rows: Rows, key: Sequence[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    named = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
    return {tuple(_cell(row, column) for column in key): row for row in named}


def _cell(row: Mapping[str, Any], name: str) -> Any:
    return row.get(name, "no such column")


def _iceberg(probe: Probe, table: TableSpec):  # type: ignore[no-untyped-def]  # noqa: ANN202
    try:
        return probe.lake.iceberg(table.name)
    except BadInput as error:
        raise _no_table(table, str(error)) from error


def _no_table(table: TableSpec, found: str) -> Failure:
    more = (
        "USING iceberg PARTITIONED BY (flight_date)" if table.in_lake else f"with PRIMARY KEY ({', '.join(table.key)})"
    )
    return Failure(
        f"there is no table {table.name}",
        evidence=Evidence(expected=table.name, found=found),
        hints=(
            "Which step should have made the table, and did it run?",
            "A table is found by its full name, catalog and namespace included; one of another name does not count.",
            f"CREATE TABLE IF NOT EXISTS {table.name} (…) {more}",
        ),
    )
