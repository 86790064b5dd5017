"""Atomic replacement of one partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.datatier.dates import LogicalDate
    from pipelines.datatier.tables import Table


def replace_partition(frame: DataFrame, table: Table, ds: LogicalDate) -> None:
    """Replace the partition of `ds` by the frame's rows in one Iceberg commit.

    Nobody sees a moment in between; an empty frame leaves an empty partition; a rerun replaces what the first run
    wrote. Rows are sorted by the key into one file, so that the same rows give the same file content. In a session
    with `spark.wap.branch` the commit goes to that branch.

    Raises:
        pyspark.errors.PySparkException: a row lies outside the partition; nothing is written.
    """
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

    partition = F.col(table.partition)
    # Iceberg would take a row of another day along in the same commit, and the next rerun of that day drop it
    strayed = F.raise_error(F.format_string(f"{table.name}: a row of %s in partition {ds}", partition.cast("string")))
    inside = F.when(partition == F.lit(ds.day), partition).otherwise(strayed).cast("date")
    columns = [
        (inside if column.name == table.partition else F.col(column.name)).cast(column.type).alias(column.name)
        for column in table.columns
    ]
    rows = frame.select(*columns).coalesce(1).sortWithinPartitions(*table.key)
    rows.writeTo(table.name).overwrite(partition == F.lit(ds.day))
