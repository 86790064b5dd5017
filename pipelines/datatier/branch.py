"""Write-audit-publish, the first part: stage a partition on an audit branch of its table.

A session with `spark.wap.branch` writes to that branch of every table with `write.wap.enabled`, and reads it back;
everybody else goes on seeing `main`. `publish` moves `main`, once the branch has met its expectations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.datatier.partition import replace_partition

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from pipelines.datatier.dates import LogicalDate
    from pipelines.datatier.tables import Table

WAP = "spark.wap.branch"


def branch_name(pipeline: str, ds: LogicalDate) -> str:
    """Name the audit branch of a pipeline and a day: a rerun takes the place of a run that failed."""
    return f"audit_{pipeline}_{ds.compact}"


def restart(spark: SparkSession, table: Table, branch: str) -> None:
    """Make the branch start from what `main` is now, whatever an earlier run left on it.

    A table that was never written has nothing to start from: there the first commit makes the branch.
    """
    if spark.sql(f"SELECT 1 FROM {table.name}.refs WHERE name = 'main'").isEmpty():
        spark.sql(f"ALTER TABLE {table.name} DROP BRANCH IF EXISTS {branch}")
    else:
        spark.sql(f"ALTER TABLE {table.name} CREATE OR REPLACE BRANCH {branch}")


@contextmanager
def on_branch(spark: SparkSession, branch: str) -> Iterator[None]:
    """Let the session write to the branch, and read it, for the time of a `with` block."""
    spark.conf.set(WAP, branch)
    try:
        yield
    finally:
        spark.conf.unset(WAP)


def stage(frame: DataFrame, table: Table, ds: LogicalDate, branch: str) -> None:
    """Replace the partition of `ds` on a fresh audit branch; `main` stays as it is."""
    spark = frame.sparkSession
    restart(spark, table, branch)
    with on_branch(spark, branch):
        replace_partition(frame, table, ds)
