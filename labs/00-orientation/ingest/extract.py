"""Step `extract`: read a day of the operational database by JDBC and stage it on the audit branch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.datatier.branch import branch_name, stage
from pipelines.datatier.dates import LogicalDate, whole_number
from pipelines.datatier.job import Arguments, logical_date, run
from pipelines.datatier.session import jdbc_options, spark_session
from pipelines.ingest.tables import FLIGHTS, TABLES, WEATHER, ZONE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def latest(deliveries: DataFrame, ds: LogicalDate, watermark: datetime) -> DataFrame:
    """Keep, of each flight of `ds`, the version delivered last, up to the watermark.

    Args:
        deliveries: rows of `ops.flights`, any dates.
        ds: flight date.
        watermark: rows recorded after it do not count.

    Returns:
        The columns of `lake.raw.flights` and a few more, one row per natural key.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812

    newest_first = Window.partitionBy(*FLIGHTS.key).orderBy(F.desc("recorded_at"), F.desc("delivery"))
    return (
        deliveries.where((F.col("flight_date") == F.lit(ds.day)) & (F.col("recorded_at") <= F.lit(watermark)))
        .withColumn("version", F.row_number().over(newest_first))
        .where("version = 1")
    )


def weather_of(observations: DataFrame, ds: LogicalDate) -> DataFrame:
    """Pick the observations of the local date `ds` and give them the partition column."""
    from pyspark.sql import functions as F  # noqa: N812

    day = ds.day
    local = (F.col("year") == day.year) & (F.col("month") == day.month) & (F.col("day") == day.day)
    return observations.where(local).withColumn("flight_date", F.lit(day))


def extract(spark: SparkSession, options: dict[str, str], ds: LogicalDate, watermark: datetime) -> None:
    """Stage both tables' partitions of `ds`; nothing becomes visible."""
    reader = spark.read.format("jdbc").options(**options)
    branch = branch_name("ingest", ds)
    for table in TABLES:
        table.create(spark)
    stage(latest(reader.option("dbtable", "ops.flights").load(), ds, watermark), FLIGHTS, ds, branch)
    stage(weather_of(reader.option("dbtable", "ops.weather").load(), ds), WEATHER, ds, branch)


def main(argv: Sequence[str]) -> None:
    """Read the parameters, then extract."""
    parser = Arguments(__doc__)
    parser.add_argument("--allowed-lateness", default="30", help="days after the flight date during which rows count")
    given = parser.parse_args(argv)
    ds = logical_date(given)
    lateness = whole_number(given.allowed_lateness, "allowed-lateness")
    with spark_session() as spark:
        extract(spark, jdbc_options(spark, os.environ), ds, ds.watermark(allowed_lateness=lateness, zone=ZONE))


if __name__ == "__main__":
    run(main)
