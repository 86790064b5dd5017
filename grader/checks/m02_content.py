"""M02: the tables that Spark writes have the right content, types and partitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grader.checks.model import MOST_ROWS, Evidence, Failure, Passed
from grader.checks.probe import Probe
from grader.checks.registry import Registry
from grader.fingerprint.diff import Rows, missing
from grader.fingerprint.digest import Digest
from grader.oracle.tables import PARTITION, TABLES, TableSpec
from pipelines.local.errors import BadInput

M02 = Registry("M02")
_COMPARED = 200
_FEW = 5


@M02.check("types")
def types(probe: Probe) -> Passed:
    """The tables have the columns and types of the specification."""
    wrong: list[tuple[str, str, str, str]] = []
    tables = [table for table in TABLES if table.in_lake]
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
            hints=(
                "The specification in pipelines/DATA.md gives every column's type.",
                "Averages are decimals and instants are timestamps with time zone: nothing is left to inference.",
                "CREATE TABLE with explicit types, and cast each column when writing.",
            ),
        )
    columns = sum(len(table.columns) for table in tables)
    return Passed(f"{columns} columns in {len(tables)} tables have the specified types")


@M02.check("partitions")
def partitions(probe: Probe) -> Passed:
    """The tables are partitioned by flight date."""
    rows = []
    for table in TABLES:
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
            hints=("Which column tells one run's rows from another's?", f"PARTITIONED BY ({PARTITION})"),
        )  # fmt: skip
    return Passed(
        f"all {len(rows)} tables are partitioned by {PARTITION}",
        Evidence(columns=("table", "partition spec"), rows=rows),
    )


@M02.check("content", points=3)
def content(probe: Probe) -> Passed:
    """Every table holds what DuckDB computes independently from the source."""
    oracle = probe.oracle()
    wanted_partitions = {f"{PARTITION}={day}" for day in probe.days}
    rows: list[tuple[str, int, int, str]] = []
    for table in TABLES:
        found = _digests(probe, table)
        right = oracle.digests(table)
        differing = [
            name for name in sorted(wanted_partitions) if found.get(name, Digest()) != right.get(name, Digest())
        ]
        if differing:
            raise _difference(probe, table, differing, found, right)
        compared = Digest.total(found.get(name, Digest()) for name in wanted_partitions)
        rows.append((table.name, len(wanted_partitions), compared.rows, compared.hash))
    if not any(count for _, _, count, _ in rows):
        raise Failure("no table has a row for these days: there is nothing to compare")
    total = sum(count for _, _, count, _ in rows)
    return Passed(
        f"{total} rows in {len(rows)} tables equal the independent answer, by 128-bit fingerprint",
        Evidence(columns=("table", "partitions", "rows", "fingerprint"), rows=rows),
    )


def _difference(
    probe: Probe, table: TableSpec, differing: list[str], found: dict[str, Digest], right: dict[str, Digest]
) -> Failure:
    """Show rows that are too many, or missing, in the first partition that differs."""
    partition = differing[0]
    day = partition.partition("=")[2]
    answer = f"(SELECT * FROM {probe.oracle().source(table)} WHERE {PARTITION} = DATE '{day}')"
    actual = f"(SELECT * FROM {probe.lake.rows(table.name)} WHERE {PARTITION} = DATE '{day}')"
    extra = missing(probe.lake, actual, answer, _COMPARED)
    lacking = missing(probe.lake, answer, actual, _COMPARED)
    columns, rows = contrast(extra, lacking, table.key)
    have, want = found.get(partition, Digest()), right.get(partition, Digest())
    more = f", and {len(differing) - 1} more partitions differ" if len(differing) > 1 else ""
    return Failure(
        f"{table.name} {partition} differs from the independent answer: {_number(lacking)} rows are missing, "
        f"{_number(extra)} should not be there{more}",
        evidence=Evidence(
            columns=columns, rows=rows,
            partitions=[f"{table.name} {name}" for name in differing], expected=f"{want.rows} rows, {want.hash}",
            found=f"{have.rows} rows, {have.hash}",
            query=f"SELECT * FROM {table.name} WHERE {PARTITION} = DATE '{day}'",
        ),
        hints=(
            "Compare one of the rows shown with the rule for its column in pipelines/DATA.md.",
            "Rows found but not expected: duplicates, or values computed in another way.",
            "Rows expected but not found: filtered out, or joined away.",
        ),
    )  # fmt: skip


def _number(rows: Rows) -> str:
    return f"{len(rows.rows)}" if len(rows.rows) < _COMPARED else f"{_COMPARED} or more"


def contrast(found: Rows, expected: Rows, key: Sequence[str]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Put what was found beside what was expected: the key's columns, and those that differ.

    Returns:
        Column names, the first empty, and at most ten rows that begin with `found` or `expected`.
    """
    names = list(found.columns)
    have, want = _by_key(found, key), _by_key(expected, key)
    both = [one for one in have if one in want]
    differing = [name for name in names if any(have[one][name] != want[one][name] for one in both)]
    rest = [name for name in names if name not in key]
    shown = [*key, *(differing or rest[:_FEW])]
    marked = [(mark, rows[one]) for one in both for mark, rows in (("found", have), ("expected", want))]
    if not marked:
        marked = [*(("found", row) for row in have.values()), *(("expected", row) for row in want.values())]
    return ["", *shown], [(mark, *(row[name] for name in shown)) for mark, row in marked[:MOST_ROWS]]


def _by_key(rows: Rows, key: Sequence[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    named = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
    return {tuple(row[column] for column in key): row for row in named}


def _digests(probe: Probe, table: TableSpec) -> dict[str, Digest]:
    try:
        return dict(probe.lake.fingerprint(table.name).partitions)
    except BadInput as error:
        raise Failure(
            f"there is no table {table.name}", evidence=Evidence(expected=table.name, found=str(error))
        ) from error


def _iceberg(probe: Probe, table: TableSpec):  # type: ignore[no-untyped-def]  # noqa: ANN202
    try:
        return probe.lake.iceberg(table.name)
    except BadInput as error:
        raise Failure(
            f"there is no table {table.name}", evidence=Evidence(expected=table.name, found=str(error))
        ) from error
