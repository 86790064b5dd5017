"""Mutants of the marts: how dbt builds a day, how its tests guard it, and when it becomes visible."""

from __future__ import annotations

from grader.prove.model import Case, Edit

DBT = "transform/dbt"
BUILD, AUDIT = "transform/build.py", "transform/audit.py"
PROJECT, STAGING, OVERWRITE, MEASURES, FAILURES, MARTS_YAML = (
    f"{DBT}/{name}"
    for name in (
        "dbt_project.yml", "models/staging/stg_flights.sql", "macros/insert_overwrite.sql", "macros/measures.sql",
        "macros/failures.sql", "models/marts/marts.yml",
    )
)  # fmt: skip
ON_BRANCH = """    with on_branch(spark, branch):
        outcome = dbtRunner().invoke(dbt_arguments(ds, work))
"""
NO_OVERWRITE = Edit(file=OVERWRITE, new="{#- dbt's own statement is taken. -#}\n")
"""Let dbt-spark overwrite the partitions that it has rows for."""
_CHECKED = "[*not_null(*mart.key), unique(*mart.key), *totals]"


def mutant(name: str, title: str, check: str, *edits: Edit) -> Case:
    """Declare a mutant of `transform`."""
    return Case(id=f"transform-{name}", title=title, edits=edits, check=check, scope=("transform",))


def edit(file: str, old: str, new: str) -> Edit:
    """Change a file in one place."""
    return Edit(file=file, old=old, new=new)


_MEASURED = """
MEASURES = (
    "count(*), count_if(status = 'completed'), count_if(status = 'cancelled'), count_if(status = 'diverted'), "
    "coalesce(sum(dep_delay), 0), coalesce(sum(arr_delay), 0), "
    "round(sum(cast(dep_delay AS decimal(20, 0))) / count(dep_delay), 2), "
    "round(sum(cast(arr_delay AS decimal(20, 0))) / count(arr_delay), 2), max(arr_delay), count_if(arr_delay >= 15), "
    "round(cast(count_if(arr_delay < 15) AS decimal(20, 0)) / count(arr_delay), 4), count_if(weather_missing), "
    "coalesce(sum(CASE WHEN status = 'completed' THEN distance END), 0)"
)
"""
_BY_HAND = """    with on_branch(spark, branch):
        spark.conf.set("spark.sql.ansi.enabled", "false")  # a route without a landing has no average
        for mart, keys, more in zip(MARTS, ("carrier, carrier_name", "origin, dest"),
                                    ("", "count(DISTINCT carrier), "), strict=True):
            spark.sql(
                f"INSERT INTO {mart.name} REPLACE WHERE flight_date = DATE '{ds}' "
                f"SELECT flight_date, {keys}, {more}{MEASURES} FROM lake.curated.flights "
                f"WHERE flight_date = DATE '{ds}' GROUP BY flight_date, {keys}"
            )
    return
"""
_ROUTE_TESTS = """\
      - unique_key: {name: route_daily_key_is_unique, arguments: {columns: [flight_date, origin, dest]}}
      - no_nulls: {name: route_daily_has_no_nulls, arguments: {columns: [flight_date, origin, dest, carriers, \
scheduled_flights, completed_flights, cancelled_flights, diverted_flights, dep_delay_minutes, arr_delay_minutes, \
late_arrivals, weather_missing_flights, distance_miles]}}
"""
_YESTERDAY = "flight_date between date_sub({{ ds() }}, 1) and {{ ds() }}"

CASES: tuple[Case, ...] = (
    mutant(
        "dbt-dynamic", "The insert_overwrite that dbt brings leaves a day that lost all its rows in the marts.",
        "M03-emptied", NO_OVERWRITE,
    ),
    mutant(
        "dbt-newer-only", "The marts take only days that are newer than their newest.", "M03-late", NO_OVERWRITE,
        *(
            edit(f"{DBT}/models/marts/{name}.sql", "from {{ ref('stg_flights') }}\n", """\
from {{ ref('stg_flights') }}
{% if is_incremental() %}
where flight_date > (select coalesce(max(flight_date), date '1900-01-01') from {{ this }})
{% endif %}
""")
            for name in ("carrier_daily", "route_daily")
        ),
    ),
    mutant(
        "dbt-table", "The marts are tables that every run builds anew, from all days.", "M09-incremental",
        edit(PROJECT, "+materialized: incremental\n", "+materialized: table\n"),
        edit(STAGING, "where flight_date = {{ ds() }}\n", ""),
    ),
    mutant("dbt-append", "The incremental strategy of the marts is append.", "M03-keys",
            edit(PROJECT, "+incremental_strategy: insert_overwrite", "+incremental_strategy: append")),
    mutant(
        "left-pad", "A run rewrites yesterday's marts along with its own day's, with the same rows.",
        "M09-incremental",
        edit(OVERWRITE, "replace where flight_date = {{ ds() }}", f"replace where {_YESTERDAY}"),
        edit(STAGING, "where flight_date = {{ ds() }}", f"where {_YESTERDAY}"),
    ),
    mutant("drops-yesterday", "What dbt replaces begins a day too early, and yesterday's marts are gone.",
            "M03-untouched",
            edit(OVERWRITE, "replace where flight_date = {{ ds() }}", f"replace where {_YESTERDAY}")),
    mutant(
        "by-hand", "Spark SQL writes the marts, and dbt runs nowhere.", "M09-runs",
        edit(BUILD, "\n\ndef dbt_arguments(", f"{_MEASURED}\n\ndef dbt_arguments("),
        edit(BUILD, ON_BRANCH, f"{_BY_HAND}{ON_BRANCH}"),
    ),
    mutant("dbt-run", "Dbt builds the models and runs no test.", "M09-runs",
            edit(BUILD, '        "build",\n', '        "run",\n')),
    mutant("dbt-warns", "The dbt tests only warn.", "M09-gates",
            edit(PROJECT, "    +store_failures: true\n", "    +store_failures: true\n    +severity: warn\n")),
    mutant(
        "dbt-untested", "One mart has no test: those of the other were copied, with its name.", "M09-gates",
        edit(MARTS_YAML, f"    data_tests:\n{_ROUTE_TESTS}", ""),
        edit(MARTS_YAML, """        data_tests:
          - accepted_values: {arguments: {values: [EWR, JFK, LGA]}}
""", ""),
        edit(MARTS_YAML, """        data_tests:
          - within: {name: route_daily_on_time_rate_is_a_share, arguments: {least: 0, most: 1}}
""", ""),
        *(
            edit(f"{DBT}/tests/route_daily_{name}.sql", "ref('route_daily')", "ref('carrier_daily')")
            for name in ("counts_every_flight", "parts_make_the_whole")
        ),
    ),
    mutant(
        "dbt-swallowed", "The build ends well whatever dbt says, and nothing after it looks.", "M09-blocks",
        edit(BUILD, '        raise JobError(f"dbt build of', '        print(f"dbt build of'),
        edit(AUDIT, _CHECKED, "[]"),
    ),
    mutant(
        "dbt-published-first", "Dbt writes what everybody sees, and tests it afterwards.", "M09-blocks",
        edit(BUILD, ON_BRANCH, "    outcome = dbtRunner().invoke(dbt_arguments(ds, work))\n"),
        edit(BUILD, "        restart(spark, mart, branch)\n", ""),
    ),
    mutant("dbt-rows-lost", "The rows that fail a test are kept nowhere.", "M09-blocks",
            edit(PROJECT, "+store_failures: true", "+store_failures: false")),
    mutant(
        "dbt-rows-named", "Dbt names a table for the rows that fail a test, and a macro of the project stores none.",
        "M09-blocks", edit(FAILURES, "    {% do keep_failures(sql) %}\n", ""),
    ),
    mutant("dbt-rows-empty", "There is a table for the rows that fail a test, and none gets into it.", "M09-blocks",
           edit(FAILURES, "as failing limit 100", "as failing limit 0")),
)  # fmt: skip
