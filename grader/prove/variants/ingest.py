"""Right ways to write `ingest`: each must pass every check that looks at it."""

from __future__ import annotations

from grader.prove.model import Case, Edit
from grader.prove.mutants.ingest import EXTRACT, MAIN, MANIFEST, TABLES, written

_MERGE = """
same = " AND ".join(f"held.{name} = day.{name}" for name in {table.partition, *table.key})
spark.sql(
    f"MERGE INTO {table.name} AS held USING day ON {same} "
    "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT * "
    f"WHEN NOT MATCHED BY SOURCE AND held.{table.partition} = DATE '{ds}' THEN DELETE"
)
"""
_MERGE_ON_READ = f"""
spark.sql(f"ALTER TABLE {{table.name}} SET TBLPROPERTIES ('write.merge.mode' = 'merge-on-read')")
{_MERGE.strip()}
"""
_DELETE_INSERT = """
spark.sql(f"DELETE FROM {table.name} WHERE {table.partition} = DATE '{ds}'")
spark.sql(f"INSERT INTO {table.name} SELECT * FROM day")
"""
_REPLACE_WHERE = """
spark.sql(f"INSERT INTO {table.name} REPLACE WHERE {table.partition} = DATE '{ds}' SELECT * FROM day")
"""
_FILES = "rows.repartition(3).writeTo(table.name).overwrite(F.col(table.partition) == F.lit(ds.day))"
_SNAPSHOTS = f"""
{_FILES}
rows.coalesce(1).writeTo(table.name).overwrite(F.col(table.partition) == F.lit(ds.day))
spark.sql(f"INSERT INTO {{table.name}} SELECT * FROM {{table.name}} WHERE false")
"""
_NEWEST = """    newest_first = Window.partitionBy(*FLIGHTS.key).orderBy(F.desc("recorded_at"), F.desc("delivery"))
    return (
        deliveries.where((F.col("flight_date") == F.lit(ds.day)) & (F.col("recorded_at") <= F.lit(watermark)))
        .withColumn("version", F.row_number().over(newest_first))
        .where("version = 1")
    )
"""
_SQL = '''    deliveries.createOrReplaceTempView("deliveries")
    return deliveries.sparkSession.sql(
        f"""
        SELECT * FROM (
          SELECT *, row_number() OVER (
            PARTITION BY {", ".join(FLIGHTS.key)} ORDER BY recorded_at DESC, delivery DESC) AS version
          FROM deliveries
          WHERE flight_date = DATE '{ds}' AND recorded_at <= TIMESTAMP '{watermark:%Y-%m-%d %H:%M:%S}+00:00')
        WHERE version = 1
        """
    )
'''
_GROUPED = """    return (
        deliveries.where((F.col("flight_date") == F.lit(ds.day)) & (F.col("recorded_at") <= F.lit(watermark)))
        .groupBy(*FLIGHTS.key)
        .agg(F.max_by(F.struct("*"), F.struct("recorded_at", "delivery")).alias("newest"))
        .select("newest.*")
    )
"""
_CHECKED = '''def refuse(frame: DataFrame, table: Table, expectations: list[Expectation]) -> None:
    """Check rows that are still in memory."""
    frame.createOrReplaceTempView("staged")
    spark = frame.sparkSession
    enforce(table, "memory", check(lambda sql: [tuple(row) for row in spark.sql(sql).collect()], "staged",
                                   expectations, table.key))


def extract('''
_STAGED = """    branch = branch_name("ingest", ds)
    for table in TABLES:
        table.create(spark)
    stage(latest(reader.option("dbtable", "ops.flights").load(), ds, watermark), FLIGHTS, ds, branch)
    stage(weather_of(reader.option("dbtable", "ops.weather").load(), ds), WEATHER, ds, branch)
"""
_DIRECT = """    for table in TABLES:
        table.create(spark)
    flights = latest(reader.option("dbtable", "ops.flights").load(), ds, watermark).cache()
    weather = weather_of(reader.option("dbtable", "ops.weather").load(), ds).cache()
    count = flights.count()
    refuse(flights, FLIGHTS, flight_expectations(least=0, most=1000000, source_keys=count))
    refuse(weather, WEATHER, weather_expectations())
    replace_partition(weather, WEATHER, ds)
    replace_partition(flights, FLIGHTS, ds)
"""
_WRITE_TASK = """          - name: write
            depends: validate
            template: write
            arguments:
              parameters:
                - name: ds
                  value: '{{inputs.parameters.ds}}'
"""
_TASK = """          - name: {name}
{depends}            template: {name}
            arguments:
              parameters:
                - name: ds
                  value: '{{{{inputs.parameters.ds}}}}'
"""
_STEP = """        - - name: {name}
            template: {template}
            arguments:
              parameters:
                - name: ds
                  value: '{{{{inputs.parameters.ds}}}}'
"""
_ORDER = ("check", "extract", "validate", "write")
_DAG = "      dag:\n        tasks:\n" + "".join(
    _TASK.format(name=name, depends=f"            depends: {before}\n" if before else "")
    for before, name in zip(("", *_ORDER), _ORDER, strict=False)
)
_STEPS = "      steps:\n" + "".join(
    _STEP.format(name=name, template=template)
    for name, template in zip(("look", "stage-day", "judge", "show"), _ORDER, strict=True)
)
_OWN = "name: extract-{{= sprig.trunc(10, sprig.sha1sum(workflow.uid + `/` + node.name)) }}-{{retries}}\n"
_BACKOFF = "          duration: 5s\n          factor: 2\n"
_FINISH = '''"""Step `validate`: check what is staged, then make it visible; the step may be repeated as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.datatier.audit import audit
from pipelines.datatier.branch import branch_name
from pipelines.datatier.catalog import identifier, lake
from pipelines.datatier.expectations import one_of
from pipelines.datatier.job import Arguments, identity, logical_date, run
from pipelines.datatier.lineage import emitting, iceberg_dataset
from pipelines.datatier.postgres import connect
from pipelines.datatier.publish import publish, staged_branch
from pipelines.ingest.tables import FLIGHTS, WEATHER, flight_expectations, weather_expectations


def main(argv: Sequence[str]) -> None:
    """Check both tables, then publish both."""
    parser = Arguments(__doc__)
    for name in ("--allowed-lateness", "--min-rows", "--max-rows"):
        parser.add_argument(name)
    given = parser.parse_args(argv)
    ds, catalog, properties = logical_date(given), lake(), identity(given).snapshot_properties()
    branch = branch_name("ingest", ds)
    with connect() as source:
        carriers = [code for (code,) in source.execute("SELECT carrier FROM ops.airlines")]
    flights = flight_expectations(least=0, most=1000000, source_keys=0)[:-1]
    expected = ((FLIGHTS, [*flights, one_of("carrier", carriers)]), (WEATHER, weather_expectations()))
    for table, rules in expected:
        audit(catalog, table, ds, staged_branch(catalog, table, ds, branch, properties), rules)
    with emitting("ingest.validate") as lineage:
        for table in (WEATHER, FLIGHTS):
            done = publish(catalog, table, ds, branch, properties)
            lineage.outputs.append(
                iceberg_dataset(catalog.load_table(identifier(table.name)), table.name, done.snapshot)
            )


if __name__ == "__main__":
    run(main)
'''
_RUN_ID = (
    "          - name: lineageRun\n"
    "            value: '{{= let h = sprig.sha1sum(workflow.uid + `/` + node.name); "
    "h[0:8] + `-` + h[8:12] + `-5` + h[13:16] + `-a` + h[17:20] + `-` + h[20:32] }}'\n"
)
_JUDGE = """    - name: validate
      inputs:
        parameters:
          - name: ds
"""
_ENV_END = "                name: lake-credentials\n                key: postgresPassword\n"
_RETRY = "      retryStrategy:\n"
_LINEAGE_ENV = """          - name: OPENLINEAGE_TYPE
            value: '{{workflow.parameters.openlineageType}}'
          - name: OPENLINEAGE_LOCATION
            value: '{{workflow.parameters.openlineageLocation}}/{{inputs.parameters.lineageRun}}.ndjson'
          - name: OPENLINEAGE_URL
            value: '{{workflow.parameters.openlineageUrl}}'
          - name: OPENLINEAGE_PARENT_ID
            value: batchlab/{{workflow.name}}.{{node.name}}/{{inputs.parameters.lineageRun}}
"""


def _variant(name: str, title: str, *edits: Edit) -> Case:
    return Case(id=f"ingest-{name}", title=title, edits=edits, kind="variant", scope=("ingest",))


CASES: tuple[Case, ...] = (
    _variant(
        "merge", "Pure SQL: the newest delivery by a subquery, the day by a MERGE that deletes what is gone.",
        *written(_MERGE), Edit(file=EXTRACT, old=_NEWEST, new=_SQL),
    ),
    _variant("merge-on-read", "A MERGE that leaves the old rows where they are, and says which are gone.",
             *written(_MERGE_ON_READ)),
    _variant("delete-insert", "DELETE and INSERT on the branch, made visible by one commit.", *written(_DELETE_INSERT)),
    _variant("replace-where", "INSERT … REPLACE WHERE.", *written(_REPLACE_WHERE)),
    _variant(
        "files", "Several files per partition, and the newest delivery by an aggregate.",
        *written(_FILES), Edit(file=EXTRACT, old=_NEWEST, new=_GROUPED),
    ),
    _variant("snapshots", "Rows are written twice, and an empty commit follows.", *written(_SNAPSHOTS)),
    _variant(
        "column-order", "The tables' columns are in another order.",
        Edit(file=TABLES, old="TABLES = (FLIGHTS, WEATHER)\n", new="""\
FLIGHTS = replace(FLIGHTS, columns=FLIGHTS.columns[::-1])
WEATHER = replace(WEATHER, columns=WEATHER.columns[::-1])
TABLES = (FLIGHTS, WEATHER)
"""),
        Edit(file=TABLES, old="from pipelines.datatier.expectations",
             new="from dataclasses import replace\n\nfrom pipelines.datatier.expectations"),
    ),
    _variant(
        "direct", "Rows are checked in memory, then overwrite the partition that everybody sees; no branch.", MAIN,
        Edit(file=EXTRACT, old=_STAGED, new=_DIRECT),
        Edit(file=EXTRACT, old="def extract(", new=_CHECKED),
        Edit(file=EXTRACT, old="from pipelines.datatier.branch import branch_name, stage\n", new="""\
from pipelines.datatier.audit import enforce
"""),
        Edit(file=EXTRACT, old="from pipelines.datatier.job", new="""\
from pipelines.datatier.expectations import Expectation, check
from pipelines.datatier.job"""),
        Edit(file=EXTRACT, old="from pipelines.datatier.session", new="""\
from pipelines.datatier.partition import replace_partition
from pipelines.datatier.session"""),
        Edit(file=EXTRACT, old="import FLIGHTS, TABLES, WEATHER, ZONE\n",
             new="import FLIGHTS, TABLES, WEATHER, ZONE, flight_expectations, weather_expectations\n"),
        Edit(file=MANIFEST, old=_WRITE_TASK),
    ),
    _variant(
        "one-step", "One container validates and then makes visible.", Edit(file="ingest/finish.py", new=_FINISH),
        Edit(file=MANIFEST, old=_WRITE_TASK),
        Edit(file=MANIFEST, old="          - pipelines.ingest.validate\n", new="          - pipelines.ingest.finish\n"),
        Edit(file=MANIFEST, old=_JUDGE, new=_JUDGE + _RUN_ID),
        Edit(file=MANIFEST, old=_ENV_END + _RETRY, new=_ENV_END + _LINEAGE_ENV + _RETRY),
    ),
    _variant("steps", "Steps with other names in place of a DAG.", Edit(file=MANIFEST, old=_DAG, new=_STEPS)),
    _variant(
        "manifest", "The same meaning in other words: generateName, numbers as text, another policy and hour.",
        Edit(file=MANIFEST, old=_OWN, new="generateName: extract-\n"),
        Edit(file=MANIFEST, old="        limit: 3\n", new="        limit: '3'\n", every=True),
        Edit(file=MANIFEST, old=_BACKOFF, new="          duration: '5'\n          factor: '2'\n", every=True),
        Edit(file=MANIFEST, old="concurrencyPolicy: Forbid", new="concurrencyPolicy: Replace"),
        Edit(file=MANIFEST, old="    - 0 4 * * *\n", new="    - 15 23 * * *\n"),
        Edit(file=MANIFEST, old="state == COMPLETED", new="state in (COMPLETED)"),
    ),
)  # fmt: skip
