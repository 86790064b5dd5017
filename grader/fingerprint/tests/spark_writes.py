"""Tables as Spark writes them when it merges on read, each beside a copy of its rows; run as a program.

spark_writes.py WAREHOUSE ICEBERG_JAR
"""

from __future__ import annotations

import sys
from typing import Any

ROWS = """
    SELECT CAST(id AS int) AS id, concat('d', id % 3) AS day, concat('value ', id) AS v,
        CAST(id / 8 AS decimal(9, 2)) AS price, timestamp_seconds(1357000000 + id) AS at, id / 3 AS share,
        array(concat('t', id), NULL) AS tags, map('k', CAST(id AS int)) AS m,
        named_struct('x', CAST(id AS int), 'y', CAST(NULL AS string)) AS s
    FROM range({}, {}) AS r(id)"""
FLAT = "SELECT id, v, CAST(share AS float) AS f, CAST(at AS date) AS d, CAST(v AS binary) AS b FROM ({})"


def main(warehouse: str, jar: str) -> None:
    """Write tables of both format versions that have delete files."""
    from pyspark.sql import SparkSession

    catalog = "spark.sql.catalog.lake"
    settings = {
        "spark.jars": jar, "spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2", catalog: "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        f"{catalog}.type": "hadoop", f"{catalog}.warehouse": warehouse,
    }  # fmt: skip
    session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    for version in (2, 3):
        nested(session, f"lake.t.nested{version}", version)
        changed(session, f"lake.t.changed{version}", version)


def nested(session: Any, table: str, version: int) -> None:
    """Every kind of column; rows deleted and updated, and others added afterwards."""
    create(session, table, version, ROWS.format(0, 300), "PARTITIONED BY (day)")
    session.sql(f"DELETE FROM {table} WHERE id % 7 = 0")
    session.sql(f"UPDATE {table} SET v = 'changed' WHERE id % 11 = 0")
    session.sql(f"INSERT INTO {table} {ROWS.format(300, 400)}")
    session.sql(f"DELETE FROM {table} WHERE id % 5 = 0")
    session.sql(f"CREATE TABLE {table}_copy USING iceberg PARTITIONED BY (day) AS SELECT * FROM {table}")


def changed(session: Any, table: str, version: int) -> None:
    """A schema that changed between deletes."""
    create(session, table, version, FLAT.format(ROWS.format(0, 100)), "")
    session.sql(f"DELETE FROM {table} WHERE id % 7 = 0")
    for change in (
        "ALTER COLUMN id TYPE bigint",
        "ALTER COLUMN f TYPE double",
        "RENAME COLUMN v TO w",
        "ADD COLUMN n int",
    ):
        session.sql(f"ALTER TABLE {table} {change}")
    session.sql(f"DELETE FROM {table} WHERE w = 'value 9'")
    session.sql(f"CREATE TABLE {table}_copy USING iceberg AS SELECT * FROM {table}")


def create(session: Any, table: str, version: int, rows: str, partitioned: str) -> None:
    """Make a table that keeps deletes beside its data files."""
    modes = ", ".join(f"'write.{kind}.mode' = 'merge-on-read'" for kind in ("delete", "update", "merge"))
    properties = f"TBLPROPERTIES ('format-version' = '{version}', {modes})"
    session.sql(f"CREATE TABLE {table} USING iceberg {partitioned} {properties} AS {rows}")


if __name__ == "__main__":
    main(*sys.argv[1:])
