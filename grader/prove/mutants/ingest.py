"""Mutants of `ingest`: what is read of a day, how it replaces what was there, and who sees it when."""

from __future__ import annotations

from grader.prove.model import Case, Edit

EXTRACT, TABLES, VALIDATE, WRITE, MANIFEST = (
    f"ingest/{name}" for name in ("extract.py", "tables.py", "validate.py", "write.py", "workflow.yaml")
)
_BRANCH = Edit(
    file=EXTRACT,
    old="from pipelines.datatier.branch import branch_name, stage\n",
    new="from pipelines.datatier.branch import branch_name, on_branch, restart, stage\n",
)
_FLIGHTS = '    stage(latest(reader.option("dbtable", "ops.flights").load(), ds, watermark), FLIGHTS, ds, branch)\n'
_NEWEST = '        .withColumn("version", F.row_number().over(newest_first))\n        .where("version = 1")\n'
_COLUMNS_END = 'comment="Which batch delivered it; 0: the base load"),\n'
_WATERMARK = "ds.watermark(allowed_lateness=lateness, zone=ZONE)"
MAIN = Edit(
    file=VALIDATE, old='branch, catalog = branch_name("ingest", ds), lake()', new="branch, catalog = None, lake()"
)
"""Let `validate` look at what everybody sees."""
_DEPENDS_VALIDATE = "            depends: validate\n            template: write\n"
_DEPENDS_EXTRACT = "            depends: extract\n            template: validate\n"


def written(how: str) -> tuple[Edit, ...]:
    """Stage both tables by other statements, which see `rows`, `table`, `ds`, `spark`, and a view `day` of the rows."""
    body = "".join(f"        {line}\n" for line in how.strip().splitlines())
    function = f'''def put(frame: DataFrame, table: Table, ds: LogicalDate, branch: str) -> None:
    """Stage the day."""
    from pyspark.sql import functions as F  # noqa: N812

    spark = frame.sparkSession
    restart(spark, table, branch)
    rows = frame.select(*(F.col(column.name).cast(column.type) for column in table.columns))
    rows.createOrReplaceTempView("day")
    with on_branch(spark, branch):
{body}

def extract('''
    return (
        _BRANCH,
        Edit(file=EXTRACT, old="def extract(", new=function),
        Edit(file=EXTRACT, old="    stage(", new="    put(", every=True),
    )


def _mutant(name: str, title: str, check: str, *edits: Edit) -> Case:
    return Case(id=f"ingest-{name}", title=title, edits=edits, check=check, scope=("ingest",))


def _column(name: str, kind: str, value: str) -> tuple[Edit, ...]:
    """Add a column to the flights."""
    return (
        Edit(file=TABLES, old=_COLUMNS_END, new=f'{_COLUMNS_END}        Column(name="{name}", type="{kind}"),\n'),
        Edit(file=EXTRACT, old=_NEWEST, new=f'{_NEWEST}        .withColumn("{name}", {value})\n'),
    )


def _value(name: str, value: str) -> Edit:
    """Give a column of the flights another value."""
    return Edit(file=EXTRACT, old=_NEWEST, new=f'{_NEWEST}        .withColumn("{name}", {value})\n')


_MERGE_NEW = """
same = " AND ".join(f"held.{name} = day.{name}" for name in table.key)
spark.sql(f"MERGE INTO {table.name} AS held USING day ON {same} WHEN NOT MATCHED THEN INSERT *")
"""

_WRITES = (
    _mutant("append", "Rows are added to the partition, not put in place of it.", "M03-keys",
            *written("rows.writeTo(table.name).append()")),
    _mutant(
        "static-overwrite", "INSERT OVERWRITE in static mode replaces all days by one.", "M03-untouched",
        *written("""
spark.conf.set("spark.sql.sources.partitionOverwriteMode", "static")
spark.sql(f"INSERT OVERWRITE {table.name} SELECT * FROM day")
"""),
    ),
    _mutant("overwrite-all", "The whole table is overwritten by the DataFrame of one day.", "M03-untouched",
            *written("rows.writeTo(table.name).overwrite(F.lit(True))")),
    _mutant("dynamic-overwrite", "A dynamic overwrite replaces nothing on a day without rows.", "M03-emptied",
            *written("rows.writeTo(table.name).overwritePartitions()")),
    _mutant("insert-missing", "A MERGE inserts new flights and leaves those that were corrected.", "M03-late",
            *written(_MERGE_NEW)),
    _mutant(
        "left-pad", "A run takes the day before along.", "M03-untouched", _BRANCH,
        Edit(file=EXTRACT, old=_FLIGHTS, new=f"""{_FLIGHTS}    before = LogicalDate(day=ds.day - timedelta(days=1))
    with on_branch(spark, branch):
        replace_partition(latest(reader.option("dbtable", "ops.flights").load(), before, watermark), FLIGHTS, before)
"""),
        Edit(file=EXTRACT, old="from datetime import datetime\n", new="from datetime import datetime, timedelta\n"),
        Edit(file=EXTRACT, old="from pipelines.datatier.session",
             new="from pipelines.datatier.partition import replace_partition\nfrom pipelines.datatier.session"),
    ),
    _mutant(
        "cleaned-first", "The branch is dropped before its rows are visible: killed between, they are lost.",
        "M03-crash",
        Edit(file=WRITE, old="from pipelines.datatier.publish import publish\n", new=""),
        Edit(file=WRITE, old="def main(", new='''def publish(catalog, table, ds, branch, properties):
    """Take the rows from the branch, drop it, and put them into the table."""
    rows = read_partition(catalog, table, ds, branch=branch)
    catalog.load_table(identifier(table.name)).manage_snapshots().remove_branch(branch).commit()
    for _ in range(20):
        current = catalog.load_table(identifier(table.name))
        try:
            current.overwrite(rows, EqualTo(table.partition, str(ds)), snapshot_properties=dict(properties))
            break
        except CommitFailedException:
            continue
    return Published(snapshot=current.metadata.current_snapshot_id, how="overwritten", rows=rows.num_rows)


def main('''),
        Edit(file=WRITE, old="from pipelines.datatier.branch import branch_name\n", new="""\
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import EqualTo

from pipelines.datatier.audit import read_partition
from pipelines.datatier.branch import branch_name
"""),
        Edit(file=WRITE, old="from pipelines.ingest.tables", new="""\
from pipelines.datatier.publish import Published
from pipelines.ingest.tables"""),
    ),
)  # fmt: skip

_ROWS = (
    _mutant(
        "wall-clock", "The day is yesterday by the clock of the machine.", "M02-content",
        Edit(file=TABLES, old="ZONE = ", new='''def yesterday() -> LogicalDate:
    """The day before today, in the year of the data."""
    today = datetime.now(ZoneInfo(ZONE)).timetuple().tm_yday
    return LogicalDate(day=date(2013, 1, 1) + timedelta(days=today - 2))


ZONE = '''),
        Edit(file=TABLES, old="from pipelines.datatier.expectations", new="""\
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pipelines.datatier.dates import LogicalDate
from pipelines.datatier.expectations"""),
        *(Edit(file=file, old="logical_date(given)", new="yesterday()") for file in (EXTRACT, VALIDATE, WRITE)),
        Edit(file=EXTRACT, old="WEATHER, ZONE\n", new="WEATHER, ZONE, yesterday\n"),
        Edit(file=VALIDATE, old="weather_expectations\n", new="weather_expectations, yesterday\n"),
        Edit(file=WRITE, old="FLIGHTS, WEATHER\n", new="FLIGHTS, WEATHER, yesterday\n"),
    ),
    _mutant(
        "utc-day", "Weather is picked by the day in UTC, not by New York's.", "M02-content",
        Edit(file=EXTRACT, old="observations.where(local)",
             new='observations.where(F.to_date("time_hour") == F.lit(day))'),
    ),
    _mutant("uuid-column", "Each row gets a random id.", "M02-types",
            *_column("load_id", "string", 'F.expr("uuid()")')),
    _mutant("written-at", "A column says when a row was loaded.", "M03-same",
            *_column("loaded_at", "timestamp", "F.current_timestamp()")),
    _mutant("recorded-now", "The time of delivery is taken from the clock.", "M03-same",
            _value("recorded_at", "F.current_timestamp()")),
    _mutant("random-value", "A value is random, and another one in each run.", "M03-same",
            _value("delivery", "F.floor(F.rand() * 1000000)")),
    _mutant("any-delivery", "Of several deliveries of a flight any one is kept, in no order.", "M03-late",
            Edit(file=EXTRACT, old=_NEWEST, new="        .dropDuplicates(list(FLIGHTS.key))\n")),
    _mutant("first-delivery", "The first delivery of a flight wins, so corrections are lost.", "M03-late",
            Edit(file=EXTRACT, old='F.desc("recorded_at"), F.desc("delivery")',
                 new='F.asc("recorded_at"), F.asc("delivery")')),
    _mutant("base-only", "What comes late is dropped.", "M03-late",
            Edit(file=EXTRACT, old='(F.col("flight_date") == F.lit(ds.day))',
                 new='(F.col("delivery") == 0) & (F.col("flight_date") == F.lit(ds.day))')),
    _mutant("wide-lateness", "Rows count that came after the watermark.", "M03-late",
            Edit(file=MANIFEST, old="      - name: allowedLateness\n        value: '30'\n",
                 new="      - name: allowedLateness\n        value: '365'\n")),
    _mutant(
        "cutoff-now", "The watermark is the time of the run.", "M03-late",
        Edit(file=EXTRACT, old=_WATERMARK, new="datetime.now(timezone.utc)"),
        Edit(file=EXTRACT, old="from datetime import datetime\n", new="from datetime import datetime, timezone\n"),
        Edit(file=VALIDATE, old='    watermark = ds.watermark(allowed_lateness=whole_number(given.allowed_lateness, '
             '"allowed-lateness"), zone=ZONE)\n', new="    watermark = datetime.now(timezone.utc)\n"),
        Edit(file=VALIDATE, old="from datetime import datetime\n", new="from datetime import datetime, timezone\n"),
    ),
    _mutant(
        "every-delivery", "Every delivery of a flight is kept, and nothing looks for duplicates.", "M03-late",
        Edit(file=EXTRACT, old='        .where("version = 1")\n'),
        Edit(file=TABLES, old="        unique(*FLIGHTS.key),\n"),
        Edit(file=TABLES, old="        row_count(source_keys, source_keys),\n"),
    ),
)  # fmt: skip

_SHAPES = (
    _mutant("double", "Delays are floats.", "M02-types",
            Edit(file=TABLES, old='Column(name="dep_delay", type="int"', new='Column(name="dep_delay", type="double"')),
    _mutant("without-zone", "Instants are stored without a time zone.", "M02-types",
            Edit(file=TABLES, old='Column(name="time_hour", type="timestamp", required=True, comment="Instant',
                 new='Column(name="time_hour", type="timestamp_ntz", required=True, comment="Instant')),
    _mutant(
        "by-month", "The tables are partitioned by month.", "M02-partitions",
        Edit(file=EXTRACT, old="        table.create(spark)\n",
             new='        replace(table, partition=f"months({table.partition})").create(spark)\n'),
        Edit(file=EXTRACT, old="from datetime import datetime\n",
             new="from dataclasses import replace\nfrom datetime import datetime\n"),
    ),
    _mutant(
        "unpartitioned", "The tables are not partitioned.", "M02-partitions",
        Edit(file=EXTRACT, old="        table.create(spark)\n", new="""\
        there = spark.catalog.tableExists(table.name)
        table.create(spark)
        if not there:
            spark.sql(f"ALTER TABLE {table.name} DROP PARTITION FIELD {table.partition}")
"""),
    ),
)  # fmt: skip

_FAILURES = (
    _mutant(
        "swallowed", "The step that validates catches its own failure.", "M07-reports",
        Edit(file=VALIDATE, old="    run(main)\n", new="""\
    try:
        run(main)
    except SystemExit as end:
        print(f"ended with {end.code}")
"""),
    ),
    _mutant(
        "or-true", "The command that validates ends with || true.", "M07-reports",
        Edit(file=MANIFEST, old="          - python\n          - -m\n          - pipelines.ingest.validate\n", new="""\
          - sh
          - -c
          - python -m pipelines.ingest.validate "$@" || true
          - sh
"""),
    ),
    _mutant(
        "goes-on", "The step that writes runs whether validation failed or not.", "M07-reports",
        Edit(file=MANIFEST, old=_DEPENDS_VALIDATE,
             new=_DEPENDS_VALIDATE.replace("validate", "validate || validate.Failed")),
    ),
    _mutant(
        "validated-after", "What is written is visible before it is validated.", "M07-reports",
        Edit(file=MANIFEST, old=_DEPENDS_VALIDATE, new=_DEPENDS_VALIDATE.replace("validate", "extract")),
        Edit(file=MANIFEST, old=_DEPENDS_EXTRACT, new=_DEPENDS_EXTRACT.replace("extract", "write")),
        MAIN,
    ),
    _mutant(
        "no-expectations", "Nothing is expected of the values.", "M07-reports",
        Edit(file=VALIDATE, old='[*expectations, one_of("carrier", carriers)]', new="expectations[-1:]"),
    ),
)  # fmt: skip

CASES: tuple[Case, ...] = (*_WRITES, *_ROWS, *_SHAPES, *_FAILURES)
