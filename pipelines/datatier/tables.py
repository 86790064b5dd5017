"""Iceberg tables as the jobs declare them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pipelines.datatier.dates import LogicalDate

PROPERTIES = {
    "format-version": "2",
    "write.distribution-mode": "none",  # one partition per job: a shuffle would only scramble the order
    "write.wap.enabled": "true",  # sessions with `spark.wap.branch` write to that branch and read it back
    "write.parquet.compression-codec": "zstd",
    "commit.retry.num-retries": "20",  # parallel backfills commit to one table at once
    "commit.retry.min-wait-ms": "50",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: its Spark SQL type, whether every row has a value, and what it says."""

    name: str
    type: str
    required: bool = False
    comment: str = ""

    def ddl(self) -> str:
        """Return the column's definition in CREATE TABLE."""
        comment = f" COMMENT '{_quoted(self.comment)}'" if self.comment else ""
        return f"{self.name} {self.type}{' NOT NULL' if self.required else ''}{comment}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table partitioned by day.

    Args:
        name: `catalog.namespace.table`.
        columns: in the table's order; must include the partition column.
        key: columns that identify a row; recorded as the table property `batchlab.key`.
        partition: the date column that the table is partitioned by (identity).
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition: str
    comment: str = ""
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that may not be NULL."""
        return tuple(column.name for column in self.columns if column.required)

    def partition_of(self, ds: LogicalDate) -> str:
        """Name a partition as Iceberg does: `flight_date=2013-03-09`."""
        return f"{self.partition}={ds}"

    def create(self, spark: SparkSession) -> None:
        """Create the namespace and the table where they are missing; safe when several jobs do it at once."""
        if spark.catalog.tableExists(self.name):
            return
        spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {self.name.rpartition('.')[0]}")
        properties = {**PROPERTIES, "batchlab.key": ",".join(self.key), **self.properties}
        listed = ", ".join(f"'{key}'='{value}'" for key, value in properties.items())
        columns = ",\n  ".join(column.ddl() for column in self.columns)
        spark.sql(
            f"CREATE TABLE IF NOT EXISTS {self.name} (\n  {columns}\n) USING iceberg\n"
            f"PARTITIONED BY ({self.partition})\nCOMMENT '{_quoted(self.comment)}'\nTBLPROPERTIES ({listed})"
        )
