"""Step `curate`: join a day of flights with airline, airports and weather; write, audit, publish."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.datatier.audit import enforce
from pipelines.datatier.branch import branch_name, on_branch, stage
from pipelines.datatier.expectations import check
from pipelines.datatier.job import Arguments, Identity, identity, logical_date, run
from pipelines.datatier.publish import publish
from pipelines.datatier.session import catalog_of, jdbc_options, spark_session
from pipelines.transform.instants import with_instants
from pipelines.transform.tables import CURATED, curated_expectations

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from pipelines.datatier.dates import LogicalDate

# Airports that flights go to and the source's list lacks
ZONES = {
    "BQN": "America/Puerto_Rico",
    "PSE": "America/Puerto_Rico",
    "SJU": "America/Puerto_Rico",
    "STT": "America/St_Thomas",
}
MEASURES = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
FASTEST_WIND = 200  # mph; the source has one reading of 1048


def curate(flights: DataFrame, weather: DataFrame, airlines: DataFrame, airports: DataFrame) -> DataFrame:
    """Build the rows of `lake.curated.flights`: one per row of `flights`.

    Args:
        flights: rows of `lake.raw.flights`.
        weather: rows of `lake.raw.weather`, at least those of the flights' hours.
        airlines: `ops.airlines`.
        airports: `ops.airports`.
    """
    from pyspark.sql import functions as F  # noqa: N812

    names = F.broadcast(airlines.select("carrier", F.col("name").alias("carrier_name")))
    zones = airports.select("faa", F.col("tzone").alias("zone"))
    origins = F.broadcast(zones.select(F.col("faa").alias("origin"), F.col("zone").alias("origin_tz")))
    dests = F.broadcast(zones.select(F.col("faa").alias("dest"), F.col("zone").alias("known_tz")))
    extra = F.create_map(*[F.lit(item) for pair in ZONES.items() for item in pair])
    observed = weather.select("origin", "time_hour", *MEASURES, F.lit(True).alias("observed"))
    landed = F.when(F.col("arr_delay").isNull(), "diverted").otherwise("completed")
    status = F.when(F.col("dep_time").isNull(), "cancelled").otherwise(landed)
    joined = (
        flights.join(names, "carrier", "left")
        .join(origins, "origin", "left")
        .join(dests, "dest", "left")
        .join(F.broadcast(observed), ["origin", "time_hour"], "left")
        .withColumn("dest_tz", F.coalesce("known_tz", extra[F.col("dest")]))
        .withColumn("status", status)
        .withColumn("weather_missing", F.col("observed").isNull())
        .withColumn("wind_speed", F.when(F.col("wind_speed") <= FASTEST_WIND, F.col("wind_speed")))
    )
    return with_instants(joined)


def transform(spark: SparkSession, options: dict[str, str], ds: LogicalDate, who: Identity) -> None:
    """Stage the curated partition of `ds`, check it, and make it visible.

    Raises:
        ExpectationFailed: an expectation is broken; the branch keeps the rows.
    """
    from pyspark.sql import functions as F  # noqa: N812

    reader = spark.read.format("jdbc").options(**options)
    day = F.lit(ds.day)
    flights = spark.table("lake.raw.flights").where(F.col("flight_date") == day)
    # A flight's hour is on its own local date, but for what the source may hold wrong: look a day around
    near = F.col("flight_date").between(F.date_sub(day, 1), F.date_add(day, 1))
    weather = spark.table("lake.raw.weather").where(near)
    airlines = reader.option("dbtable", "ops.airlines").load()
    airports = reader.option("dbtable", "ops.airports").load()
    branch = branch_name("curate", ds)
    CURATED.create(spark)
    stage(curate(flights, weather, airlines, airports), CURATED, ds, branch)
    with on_branch(spark, branch):
        staged = f"(SELECT * FROM {CURATED.name} WHERE {CURATED.partition} = DATE '{ds}') AS staged"
        rules = curated_expectations(flights.count())
        findings = check(lambda sql: [tuple(row) for row in spark.sql(sql).collect()], staged, rules, CURATED.key)
    enforce(CURATED, branch, findings)
    done = publish(catalog_of(spark), CURATED, ds, branch, who.snapshot_properties())
    print(f"{CURATED.name} {CURATED.partition_of(ds)}: {done.rows} rows in snapshot {done.snapshot} ({done.how})")


def main(argv: Sequence[str]) -> None:
    """Read the parameters, then curate."""
    given = Arguments(__doc__).parse_args(argv)
    ds = logical_date(given)
    with spark_session() as spark:
        transform(spark, jdbc_options(spark, os.environ), ds, identity(given))


if __name__ == "__main__":
    run(main)
