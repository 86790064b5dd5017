"""Right ways to write `transform`: each must pass every check that looks at it."""

from __future__ import annotations

from grader.prove.model import Case, Edit
from grader.prove.mutants.marts import BUILD, DBT, MARTS_YAML, ON_BRANCH, PROJECT, edit
from grader.prove.mutants.transform import CURATE, MANIFEST, STAGE, TABLES, written

_SELECT = """
WITH known AS (
  SELECT f.*, l.name AS carrier_name, o.tzone AS origin_tz,
    coalesce(d.tzone, CASE WHEN f.dest IN ('SJU', 'BQN', 'PSE') THEN 'America/Puerto_Rico'
                           WHEN f.dest = 'STT' THEN 'America/St_Thomas' END) AS dest_tz,
    CASE WHEN f.dep_time IS NULL THEN 'cancelled' WHEN f.arr_delay IS NULL THEN 'diverted' ELSE 'completed' END
      AS status,
    f.time_hour + make_dt_interval(0, 0, f.sched_dep_time % 100) AS scheduled_departure_utc,
    w.origin IS NULL AS weather_missing, w.temp, w.dewp, w.humid, w.wind_dir,
    CASE WHEN w.wind_speed <= 200 THEN w.wind_speed END AS wind_speed, w.wind_gust, w.precip, w.pressure, w.visib
  FROM lake.raw.flights AS f
  LEFT JOIN lake.raw.weather AS w ON w.origin = f.origin AND w.time_hour = f.time_hour
  LEFT JOIN airlines AS l ON l.carrier = f.carrier
  LEFT JOIN airports AS o ON o.faa = f.origin
  LEFT JOIN airports AS d ON d.faa = f.dest
  WHERE f.flight_date = DATE '{ds}'
), planned AS (
  SELECT *, array_min(filter(transform(array(0, 1, 2), later -> to_utc_timestamp(
      cast(date_add(flight_date, later) AS timestamp)
        + make_dt_interval(0, sched_arr_time div 100, sched_arr_time % 100), dest_tz)),
    instant -> instant > scheduled_departure_utc)) AS scheduled_arrival_utc
  FROM known
), flown AS (
  SELECT *, scheduled_departure_utc + make_dt_interval(0, 0, dep_delay) AS actual_departure_utc,
    CASE WHEN status = 'completed' THEN scheduled_arrival_utc + make_dt_interval(0, 0, arr_delay) END
      AS actual_arrival_utc
  FROM planned
), timed AS (
  SELECT *, cast(timestampdiff(MINUTE, scheduled_departure_utc, scheduled_arrival_utc) AS int) AS scheduled_minutes,
    cast(timestampdiff(MINUTE, actual_departure_utc, actual_arrival_utc) AS int) AS actual_minutes,
    datediff(cast(from_utc_timestamp(coalesce(actual_arrival_utc, scheduled_arrival_utc), dest_tz) AS date),
             flight_date) AS arrival_day_offset
  FROM flown
)
"""
_SQL = f'''    airlines.createOrReplaceTempView("airlines")
    airports.createOrReplaceTempView("airports")
    restart(spark, CURATED, branch)
    with on_branch(spark, branch):
        spark.sql(f"""{_SELECT}
INSERT INTO {{CURATED.name}} REPLACE WHERE flight_date = DATE '{{ds}}'
SELECT {{", ".join(CURATED.column_names)}} FROM timed
""")
'''
_MERGE = """
same = " AND ".join(f"held.{name} = day.{name}" for name in CURATED.key)
spark.sql(
    f"MERGE INTO {CURATED.name} AS held USING day ON {same} "
    "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT * "
    f"WHEN NOT MATCHED BY SOURCE AND held.flight_date = DATE '{ds}' THEN DELETE"
)
"""
_MERGE_ON_READ = f"""
spark.sql(f"ALTER TABLE {{CURATED.name}} SET TBLPROPERTIES ('write.merge.mode' = 'merge-on-read')")
{_MERGE.strip()}
"""
_DELETE_INSERT = """
spark.sql(f"DELETE FROM {CURATED.name} WHERE flight_date = DATE '{ds}'")
spark.sql(f"INSERT INTO {CURATED.name} SELECT * FROM day")
"""
_FILES = 'rows.orderBy("arr_delay").repartition(4).writeTo(CURATED.name).overwrite(F.col("flight_date") == day)'
_SNAPSHOTS = """
rows.writeTo(CURATED.name).overwrite(F.col("flight_date") == day)
rows.coalesce(1).writeTo(CURATED.name).overwrite(F.col("flight_date") == day)
spark.sql(f"INSERT INTO {CURATED.name} SELECT * FROM {CURATED.name} WHERE false")
"""
_STAGED = f"""    branch = branch_name("curate", ds)
    CURATED.create(spark)
{STAGE}    with on_branch(spark, branch):
        staged = f"(SELECT * FROM {{CURATED.name}} WHERE {{CURATED.partition}} = DATE '{{ds}}') AS staged"
        rules = curated_expectations(flights.count())
        findings = check(lambda sql: [tuple(row) for row in spark.sql(sql).collect()], staged, rules, CURATED.key)
    enforce(CURATED, branch, findings)
    done = publish(catalog_of(spark), CURATED, ds, branch, who.snapshot_properties())
    print(f"{{CURATED.name}} {{CURATED.partition_of(ds)}}: {{done.rows}} rows in snapshot {{done.snapshot}}"""
_DIRECT = """    CURATED.create(spark)
    rows = curate(flights, weather, airlines, airports).cache()
    rows.createOrReplaceTempView("staged")
    rules = curated_expectations(flights.count())
    findings = check(lambda sql: [tuple(row) for row in spark.sql(sql).collect()], "staged", rules, CURATED.key)
    enforce(CURATED, "memory", findings)
    replace_partition(rows, CURATED, ds)
    print(f"{CURATED.name} {CURATED.partition_of(ds)}: replaced by {who.workflow}"""
_STRATEGY = "      +incremental_strategy: insert_overwrite\n"
_HOOKED = """      +incremental_strategy: append
      +pre-hook: "delete from {{ this }} where flight_date = {{ ds() }}"
"""
_TWICE = """    arguments = dbt_arguments(ds, work)
    at = arguments.index("build")
    with on_branch(spark, branch):
        outcome = dbtRunner().invoke([*arguments[:at], "run", *arguments[at + 1 :]])
        if outcome.success:
            outcome = dbtRunner().invoke([*arguments[:at], "test", *arguments[at + 1 :]])
"""
_MODEL = """with flights as (
    select * from {{{{ source('curated', 'flights') }}}} where flight_date = {{{{ ds() }}}}
),

counted as (
    select flight_date, {keys}, {more}{{{{ delay_measures() }}}}
    from flights
    group by flight_date, {keys}
)

select /*+ repartition(2, {first}) */ * from counted
"""
_TESTED = """version: 2

models:
  - name: carrier_daily
    description: A row per airline and day.
  - name: route_daily
    description: A row per route and day.
"""
_UNIQUE = """select {keys}, count(*) as copies
from {{{{ ref('{mart}') }}}}
where flight_date = {{{{ ds() }}}}
group by {keys}
having count(*) > 1
"""
_COMPLETE = """select *
from {{ ref('carrier_daily') }}
where flight_date = {{ ds() }} and carrier_name is null
"""
_ORIGINS = """select *
from {{ ref('route_daily') }}
where flight_date = {{ ds() }} and origin not in ('EWR', 'JFK', 'LGA')
"""
_ORDER = ("check", "curate", "build", "audit")
_GIVEN = "arguments:\n{0}  parameters:\n{0}    - name: ds\n{0}      value: '{{{{{{{{inputs.parameters.ds}}}}}}}}'\n"
_TASK = "          - name: {name}\n{depends}            template: {name}\n            " + _GIVEN.format(" " * 12)
_STEP = "        - - name: {name}\n            template: {template}\n            " + _GIVEN.format(" " * 12)
_DAG = "      dag:\n        tasks:\n" + "".join(
    _TASK.format(name=name, depends=f"            depends: {before}\n" if before else "")
    for before, name in zip(("", *_ORDER), _ORDER, strict=False)
)
_STEPS = "      steps:\n" + "".join(
    _STEP.format(name=name, template=template)
    for name, template in zip(("look", "flights-of-day", "marts-of-day", "show"), _ORDER, strict=True)
)


def _variant(name: str, title: str, *edits: Edit) -> Case:
    return Case(id=f"transform-{name}", title=title, edits=edits, kind="variant", scope=("transform",))


CASES: tuple[Case, ...] = (
    _variant(
        "sql", "One SQL statement curates the day, and INSERT … REPLACE WHERE puts it in place.",
        edit(CURATE, STAGE, _SQL),
        edit(CURATE, "import branch_name, on_branch, stage\n", "import branch_name, on_branch, restart\n"),
    ),
    _variant("merge-on-read", "The same, and the old rows stay where they are.", *written(_MERGE_ON_READ)),
    _variant("merge", "MERGE brings the day up to date, and deletes what is gone.", *written(_MERGE)),
    _variant("delete-insert", "DELETE and INSERT on the branch, made visible by one commit.", *written(_DELETE_INSERT)),
    _variant(
        "files", "Four files per partition in another order of rows, in a table with another order of columns.",
        *written(_FILES),
        edit(TABLES, "def curated_expectations(", """\
CURATED = replace(CURATED, columns=CURATED.columns[::-1])


def curated_expectations("""),
        edit(TABLES, "from pipelines.datatier.expectations", "from dataclasses import replace\n\n"
                                                             "from pipelines.datatier.expectations"),
    ),
    _variant("snapshots", "The day is written twice, and an empty commit follows.", *written(_SNAPSHOTS)),
    _variant(
        "no-branch", "Rows are checked in memory, then replace the partition that everybody sees.",
        edit(CURATE, f"{_STAGED} ({{done.how}})", _DIRECT),
        edit(CURATE, "from pipelines.datatier.publish import publish\n",
             "from pipelines.datatier.partition import replace_partition\n"),
    ),
    _variant("steps", "Steps in place of a DAG, with other names of nodes.", edit(MANIFEST, _DAG, _STEPS)),
    _variant(
        "dbt-merge", "Dbt deletes the day before each model; one is merged, the other appended.",
        edit(PROJECT, _STRATEGY, _HOOKED),
        edit(f"{DBT}/models/marts/carrier_daily.sql", "select\n", """\
{{ config(incremental_strategy='merge', unique_key=['flight_date', 'carrier']) }}

select
"""),
    ),
    _variant(
        "dbt-singular", "Models of one statement without a staging model, two files a day, tests written as SQL.",
        Edit(file=MARTS_YAML, new=_TESTED),
        Edit(file=f"{DBT}/models/marts/carrier_daily.sql",
             new=_MODEL.format(keys="carrier, carrier_name", more="", first="carrier")),
        Edit(file=f"{DBT}/models/marts/route_daily.sql",
             new=_MODEL.format(keys="origin, dest", more="count(distinct carrier) as carriers, ", first="dest")),
        Edit(file=f"{DBT}/tests/carrier_daily_key.sql", new=_UNIQUE.format(keys="carrier", mart="carrier_daily")),
        Edit(file=f"{DBT}/tests/route_daily_key.sql", new=_UNIQUE.format(keys="origin, dest", mart="route_daily")),
        Edit(file=f"{DBT}/tests/carrier_daily_complete.sql", new=_COMPLETE),
        Edit(file=f"{DBT}/tests/route_daily_origins.sql", new=_ORIGINS),
    ),
    _variant("dbt-twice", "Dbt run, then dbt test, both before anything is visible.", edit(BUILD, ON_BRANCH, _TWICE)),
)  # fmt: skip
