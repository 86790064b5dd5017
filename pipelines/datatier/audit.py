"""Write-audit-publish, the middle part: check what is staged, without Spark."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.datatier.catalog import identifier
from pipelines.datatier.errors import ExpectationFailed, JobError
from pipelines.datatier.expectations import Expectation, Finding, Query, check
from pipelines.datatier.publish import MAIN

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.catalog import Catalog

    from pipelines.datatier.dates import LogicalDate
    from pipelines.datatier.tables import Table


def read_partition(catalog: Catalog, table: Table, ds: LogicalDate, *, branch: str | None = None) -> pa.Table:
    """Read the partition of `ds`, from an audit branch or, without one, as everybody sees it.

    Raises:
        JobError: there is no such branch.
    """
    from pyiceberg.expressions import EqualTo

    current = catalog.load_table(identifier(table.name))
    found = EqualTo(table.partition, str(ds))
    if branch is None:
        return current.scan(row_filter=found).to_arrow()
    if branch not in current.metadata.refs:
        raise JobError(f"{table.name} has no branch {branch}: nothing is staged for {ds}")
    return current.scan(row_filter=found, snapshot_id=current.metadata.refs[branch].snapshot_id).to_arrow()


def duckdb_query(**relations: pa.Table) -> Query:
    """Return a function that runs SELECTs over Arrow tables, each known by its argument's name."""
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    for name, rows in relations.items():
        connection.register(name, rows)
    return lambda sql: connection.execute(sql).fetchall()


def enforce(table: Table, branch: str, findings: Sequence[Finding]) -> None:
    """Print every finding; fail if one of them is more than a warning.

    Raises:
        ExpectationFailed: an expectation is broken; the branch is kept and holds the rows.
    """
    for finding in findings:
        print(f"{'warning' if finding.expectation.warn else 'FAILED'}: {table.name}: {finding}", file=sys.stderr)
    failures = [str(finding) for finding in findings if not finding.expectation.warn]
    if failures:
        raise ExpectationFailed(table.name, branch, failures)


def audit(
    catalog: Catalog, table: Table, ds: LogicalDate, branch: str | None, expectations: Sequence[Expectation]
) -> pa.Table:
    """Check the partition of `ds`, staged on a branch or, without one, as everybody sees it; returns its rows.

    Raises:
        ExpectationFailed: an expectation is broken.
    """
    rows = read_partition(catalog, table, ds, branch=branch)
    enforce(table, branch or MAIN, check(duckdb_query(staged=rows), "staged", expectations, table.key))
    print(f"{table.name} {table.partition_of(ds)}: {rows.num_rows} rows meet {len(expectations)} expectations")
    return rows
