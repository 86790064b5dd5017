"""A Spark program that uses what pipelines use, so that a JVM has loaded and compiled it: `exercise.py DIR [CATALOG]`.

It works on throw-away Iceberg tables in DIR; with CATALOG (a REST catalog's address) it also lists namespaces there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

ICEBERG = "org.apache.iceberg.spark"


def settings(folder: Path, catalog: str) -> dict[str, str]:
    """Return the configuration of the exercise: two catalogs, lineage into the folder."""
    conf = {
        "spark.sql.extensions": f"{ICEBERG}.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.scratch": f"{ICEBERG}.SparkCatalog",
        "spark.sql.catalog.scratch.type": "hadoop",
        "spark.sql.catalog.scratch.warehouse": f"file://{folder / 'tables'}",
        "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
        "spark.openlineage.transport.type": "file",
        "spark.openlineage.transport.location": str(folder / "lineage.ndjson"),
    }
    if catalog:
        conf |= {
            "spark.sql.catalog.live": f"{ICEBERG}.SparkCatalog",
            "spark.sql.catalog.live.type": "rest",
            "spark.sql.catalog.live.uri": catalog,
        }
    return conf


def exercise(spark: SparkSession) -> int:
    """Create, overwrite by partition, branch, merge, join, aggregate; returns the rows of the last query."""
    spark.sql(
        "CREATE TABLE scratch.db.t (id BIGINT, day DATE, name STRING, amount DOUBLE) USING iceberg PARTITIONED BY (day)"
    )
    rows = _rows(spark)
    rows.writeTo("scratch.db.t").overwritePartitions()
    spark.sql("ALTER TABLE scratch.db.t CREATE BRANCH audit")
    rows.where("id % 2 = 0").writeTo("scratch.db.t.branch_audit").overwritePartitions()
    spark.sql("CALL scratch.system.fast_forward('db.t', 'main', 'audit')")
    rows.limit(10).createOrReplaceTempView("late")
    spark.sql(
        "MERGE INTO scratch.db.t t USING late s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    spark.sql("SELECT * FROM scratch.db.t.snapshots").collect()
    ranked = spark.sql("SELECT *, row_number() OVER (PARTITION BY name ORDER BY amount DESC) n FROM scratch.db.t")
    summary = ranked.groupBy("day", "name").agg(
        F.count("*").alias("rows"), F.avg("amount").alias("mean"), F.max("n").alias("n")
    )
    summary.join(ranked.select("day").distinct(), "day").write.format("noop").mode("overwrite").save()
    return int(summary.count())


def _rows(spark: SparkSession) -> DataFrame:
    return spark.range(500).select(
        "id",
        F.date_add(F.lit("2013-01-01").cast("date"), (F.col("id") % 3).cast("int")).alias("day"),
        F.concat(F.lit("n"), (F.col("id") % 5).cast("string")).alias("name"),
        (F.col("id") * 1.5).alias("amount"),
    )


def main(folder: Path, catalog: str) -> None:
    """Run the exercise."""
    builder = SparkSession.Builder()
    for key, value in settings(folder, catalog).items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    try:
        exercise(spark)
        if catalog:
            spark.sql("SHOW NAMESPACES IN live").collect()
    finally:
        spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
