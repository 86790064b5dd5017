"""Mutants of `transform`: how a day is curated by Spark, and what the marts are made of."""

from __future__ import annotations

from grader.prove.model import Case, Edit
from grader.prove.mutants import marts
from grader.prove.mutants.marts import AUDIT, BUILD, MEASURES, PROJECT, edit, mutant

CURATE, INSTANTS, TABLES, MANIFEST = (
    f"transform/{name}" for name in ("curate.py", "instants.py", "tables.py", "workflow.yaml")
)
STAGE = "    stage(curate(flights, weather, airlines, airports), CURATED, ds, branch)\n"
BRANCH = Edit(
    file=CURATE,
    old="from pipelines.datatier.branch import branch_name, on_branch, stage\n",
    new="from pipelines.datatier.branch import branch_name, on_branch, restart, stage\n",
)
_OF_DAY = 'flights = spark.table("lake.raw.flights").where(F.col("flight_date") == day)\n'
_LAST_COLUMN = 'Column(name="visib", type="decimal(6,2)", comment="Visibility, miles"),\n'
_INSTANTS = "    return with_instants(joined)\n"
_COUNTED = "        row_count(raw_rows, raw_rows),\n"


def written(how: str) -> tuple[Edit, ...]:
    """Stage the curated rows by other statements, which see `rows`, `day`, `ds`, and a view `day` of the rows."""
    body = "".join(f"        {line}\n" for line in how.strip().splitlines())
    new = f"""    rows = curate(flights, weather, airlines, airports)
    rows = rows.select(*(F.col(column.name).cast(column.type) for column in CURATED.columns))
    rows.createOrReplaceTempView("day")
    restart(spark, CURATED, branch)
    with on_branch(spark, branch):
{body}"""
    return (BRANCH, Edit(file=CURATE, old=STAGE, new=new))


def finished(*steps: str) -> Edit:
    """Put `withColumn` and the like after all of a curated row's columns are there."""
    chain = "".join(f"\n        {step}" for step in steps)
    return Edit(file=CURATE, old=_INSTANTS, new=f"    return (\n        with_instants(joined){chain}\n    )\n")


_WRITES = (
    mutant("append", "Curated rows are added to the partition, not put in place of it.", "M03-keys",
            *written("rows.writeTo(CURATED.name).append()")),
    mutant("overwrite-all", "The whole curated table is overwritten by the rows of one day.", "M03-untouched",
            *written("rows.writeTo(CURATED.name).overwrite(F.lit(True))")),
    mutant("dynamic-overwrite", "A dynamic overwrite leaves a day that lost all its rows as it was.", "M03-emptied",
            *written("rows.writeTo(CURATED.name).overwritePartitions()")),
    mutant(
        "skip-known", "A day that the curated table holds already is left out: idempotent, but late data is lost.",
        "M03-late", edit(CURATE, STAGE, f"""\
    if not spark.table(CURATED.name).where(F.col("flight_date") == day).isEmpty():
        return
{STAGE}"""),
    ),
    mutant(
        "newest", "The newest partition of the raw flights is read, whatever day the run is for.", "M02-content",
        edit(CURATE, f"    {_OF_DAY}", """\
    newest = spark.table("lake.raw.flights").agg(F.max("flight_date")).first()[0]
    flights = spark.table("lake.raw.flights").where(F.col("flight_date") == newest).withColumn("flight_date", day)
"""),
    ),
    mutant(
        "carried-over", "A missing gust is filled from what the table holds of other days, in whatever order they ran.",
        "M10-order", edit(CURATE, STAGE, """\
    others = spark.table(CURATED.name).where(F.col("flight_date") != day)
    gusts = others.groupBy("origin").agg(F.max("wind_gust").alias("known"))
    rows = curate(flights, weather, airlines, airports).join(gusts, "origin", "left")
    stage(rows.withColumn("wind_gust", F.coalesce("wind_gust", "known")), CURATED, ds, branch)
"""),
    ),
)  # fmt: skip

_VALUES = (
    mutant(
        "loaded-at", "Rows say when they were loaded, in a column of their own.", "M02-types",
        edit(TABLES, _LAST_COLUMN, f'{_LAST_COLUMN}        Column(name="loaded_at", type="timestamp"),\n'),
        finished('.withColumn("loaded_at", F.current_timestamp())'),
    ),
    mutant(
        "wall-clock", "A flight that never departed gets the time of the run.", "M03-same",
        finished('.withColumn("actual_departure_utc", F.coalesce("actual_departure_utc", F.current_timestamp()))'),
    ),
    mutant("uuid", "An aircraft that is not known gets a random id.", "M03-same",
            finished('.withColumn("tailnum", F.coalesce("tailnum", F.expr("uuid()")))')),
    mutant(
        "unstable-order", "The row that a window puts first depends on an order that is not fixed.", "M03-same",
        finished(
            '.withColumn("any", F.expr("first_value(tailnum) IGNORE NULLS OVER (PARTITION BY dest ORDER BY rand())"))',
            '.withColumn("tailnum", F.coalesce("tailnum", "any"))',
        ),
    ),
    mutant("row-id", "The number of a row in its file stands for the flight's.", "M02-content",
            finished('.withColumn("flight", F.monotonically_increasing_id().cast("int"))')),
    mutant(
        "utc-day", "The day is taken from the UTC instant, not from the flight date.", "M02-content",
        edit(CURATE, _OF_DAY, 'flights = spark.table("lake.raw.flights").where(F.to_date("time_hour") == day)\n'
                               '    flights = flights.withColumn("flight_date", day)\n'),
    ),
    mutant(
        "fixed-offset", "Local times of the east are read with the offset of winter, whatever the clocks do.",
        "M02-content", edit(INSTANTS, "    return F.to_utc_timestamp(wall, zone)\n", """\
    return F.to_utc_timestamp(wall, F.when(zone == "America/New_York", "-05:00").otherwise(zone))
"""),
    ),
    mutant(
        "overnight", "A flight lands on the next day if the clock says less than at departure, delays or not.",
        "M02-content",
        finished('.withColumn("arrival_day_offset", (F.col("sched_arr_time") < F.col("sched_dep_time")).cast("int"))'),
    ),
    mutant(
        "inner-weather", "An inner join drops the flights of an hour without an observation.", "M02-content",
        edit(CURATE, '["origin", "time_hour"], "left")', '["origin", "time_hour"], "inner")'),
        edit(TABLES, _COUNTED, ""),
    ),
    mutant(
        "inner-airports", "An inner join drops the flights to airports that the source does not list.", "M02-content",
        edit(CURATE, '.join(dests, "dest", "left")', '.join(dests, "dest", "inner")'), edit(TABLES, _COUNTED, ""),
    ),
    mutant(
        "any-wind", "The wind speed that no anemometer survives is taken for a measurement.", "M02-content",
        edit(CURATE, """\
        .withColumn("wind_speed", F.when(F.col("wind_speed") <= FASTEST_WIND, F.col("wind_speed")))
""", ""),
    ),
    mutant(
        "cancelled", "A cancelled flight counts as completed.", "M02-content",
        edit(CURATE, 'F.when(F.col("dep_time").isNull(), "cancelled")',
              'F.when(F.col("dep_time").isNull(), "completed")'),
    ),
    mutant("half-even", "Averages are rounded half to even, as Python does.", "M02-content",
            edit(MEASURES, "cast(round(", "cast(bround(")),
    mutant("cut-off", "Averages are cut off after their last digit, not rounded.", "M02-content",
           edit(MEASURES, "cast(round(", "cast(floor(")),
    mutant("double", "An average is kept as a double.", "M02-types",
            edit(TABLES, '("avg_dep_delay", "decimal(9,2)")', '("avg_dep_delay", "double")')),
    mutant(
        "unpartitioned", "The marts are created without partitions.", "M02-partitions",
        edit(BUILD, "        mart.create(spark)\n", """\
        columns = ", ".join(column.ddl() for column in mart.columns)
        spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.marts")
        spark.sql(
            f"CREATE TABLE IF NOT EXISTS {mart.name} ({columns}) USING iceberg "
            "TBLPROPERTIES ('write.wap.enabled' = 'true')"
        )
"""),
        edit(PROJECT, "      +partition_by: [flight_date]\n", ""),
    ),
)  # fmt: skip

_CRASH = (
    mutant("not-resumable", "Killed between the publications of two marts, the step does not find the first again.",
            "M03-crash", edit(AUDIT, "audit(catalog, mart, ds, staged,", "audit(catalog, mart, ds, branch,")),
)  # fmt: skip

CASES: tuple[Case, ...] = (*_WRITES, *_VALUES, *marts.CASES, *_CRASH)
