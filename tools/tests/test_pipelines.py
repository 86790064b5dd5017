"""The reference pipelines for real: on a platform of their own, by the rendered manifests, against the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.expressions import EqualTo

from grader.data import corrections, day_rows, deliver, duplicates, late, load
from grader.oracle.answers import Oracle
from grader.oracle.tables import TABLES
from pipelines.local.assembly import on_platform
from pipelines.local.engine import Engine, RunResult, VirtualClock
from pipelines.local.manifest import load as load_manifests
from pipelines.local.platform import Platform, snapshot
from pipelines.local.state import StateDir

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
APPS = Path(__file__).resolve().parents[2] / "cluster" / "apps"
FIRST, SECOND = date(2013, 3, 9), date(2013, 3, 10)


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A platform with the source loaded, and an engine on it."""

    platform: Platform
    engine: Engine

    @property
    def dsn(self) -> str:
        """How to connect to PostgreSQL."""
        return self.platform.endpoints.postgres_dsn

    def run(self, name: str, ds: date) -> RunResult:
        """Run a pipeline for a day, by its manifest."""
        templates = load_manifests([APPS]).templates
        return self.engine.run(templates[name], templates=templates, parameters={"ds": str(ds)})

    def held(self, table: str, ds: date) -> Any:
        """What everybody sees of a day, as an Arrow table."""
        if table.startswith("lake."):
            catalog = RestCatalog("lake", uri=self.platform.endpoints.catalog_uri)
            return catalog.load_table(table.partition(".")[2]).scan(EqualTo("flight_date", str(ds))).to_arrow()
        with psycopg.connect(self.dsn) as pg:
            found = pg.execute(f"SELECT * FROM {table} WHERE flight_date = %s", (ds,))  # type: ignore[arg-type]
            names = [column.name for column in found.description or ()]
            import pyarrow as pa

            return pa.table({name: list(values) for name, values in zip(names, zip(*found, strict=True), strict=False)})

    def wrong(self, *days: date) -> list[str]:
        """Compare all tables with the oracle; returns those that differ."""
        con = duckdb.connect()
        oracle = Oracle.of_source(con, self.dsn, days)
        found = []
        for table in TABLES:
            for ds in days:
                rows = self.held(table.name, ds)
                columns = ", ".join(table.columns)
                right = f"SELECT {columns} FROM {oracle.source(table)} WHERE flight_date = DATE '{ds}'"
                ((count,),) = con.execute(f"SELECT count(*) FROM ({right})").fetchall()
                if rows.num_rows == 0:
                    if count:
                        found.append(f"{table.name} {ds}: empty, expected {count} rows")
                    continue
                con.register("mine", rows)
                mine = f"SELECT {columns} FROM mine"
                for one, other in ((mine, right), (right, mine)):
                    different = con.execute(f"{one} EXCEPT ALL {other} LIMIT 1").fetchall()
                    found += [f"{table.name} {ds}: {row}" for row in different]
        return found

    def snapshots(self) -> dict[str, int | None]:
        """The current snapshot of every table of the lake."""
        catalog = RestCatalog("lake", uri=self.platform.endpoints.catalog_uri)
        names = [table.name for table in TABLES if table.in_lake]
        return {name: catalog.load_table(name.partition(".")[2]).metadata.current_snapshot_id for name in names}

    def effects(self) -> list[str]:
        """Keys of the webhook deliveries that had an effect."""
        import requests

        found = requests.get(self.platform.endpoints.webhook_url, params={"effect": "true"}, timeout=10).json()
        return [one["key"] for one in (found["deliveries"] if isinstance(found, dict) else found)]

    def change(self, statement: str) -> None:
        """Change the source."""
        with psycopg.connect(self.dsn) as pg:
            pg.execute(statement)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start a platform, load the source, and play two days at once on tables that do not exist yet."""
    from datetime import datetime, timezone

    platform = Platform(StateDir(root=tmp_path_factory.mktemp("lab") / ".batchlab").ensure())
    platform.start()
    load(platform.endpoints.postgres_dsn)
    clock = VirtualClock(datetime(2013, 3, 12, tzinfo=timezone.utc))
    with closing(on_platform(platform, clock, image=snapshot(platform.state).image)) as engine:
        yield Lab(platform=platform, engine=engine)
    platform.stop()


@pytest.fixture(scope="module")
def played(lab: Lab) -> Lab:
    """Two days, backfilled at the same time."""
    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(lambda ds: lab.run("daily", ds), (SECOND, FIRST)):
            assert result.phase == "Succeeded", result.document
    return lab


def test_days_backfilled_at_once_are_what_the_oracle_says(played: Lab) -> None:
    """No day of a table is lost to another that was committed at the same time, over the spring change."""
    assert played.wrong(FIRST, SECOND) == []


def test_a_replay_takes_up_what_came_late_and_leaves_other_days_alone(played: Lab) -> None:
    """Late, corrected and duplicate deliveries change their day only, and are announced once."""
    rows = day_rows(played.dsn, FIRST)
    for maker in (late, corrections, duplicates):
        assert deliver(played.dsn, maker(rows, FIRST, seed=7)) == 12
    too_late = corrections(rows, FIRST, seed=8, days_late=60)
    assert deliver(played.dsn, too_late) == 12
    before, effects = played.held("lake.marts.carrier_daily", SECOND), played.effects()
    assert played.run("daily", FIRST).phase == "Succeeded"
    assert played.wrong(FIRST, SECOND) == []
    assert played.held("lake.marts.carrier_daily", SECOND).equals(before)
    assert len(played.effects()) == len(effects) + 1
    assert played.run("publish", FIRST).phase == "Succeeded"
    assert len(played.effects()) == len(effects) + 1


def test_a_day_that_fails_its_expectations_stays_as_it_was(played: Lab) -> None:
    """An airline that nobody knows: the audit fails at once, without a retry, and nothing becomes visible."""
    before = played.snapshots()
    played.change(
        "INSERT INTO ops.flights (year, month, day, sched_dep_time, sched_arr_time, carrier, flight, origin, dest, "
        "distance, hour, minute, time_hour, recorded_at, delivery) VALUES (2013, 3, 10, 900, 1100, 'ZZ', 1, 'JFK', "
        "'LAX', 500, 9, 0, '2013-03-10T13:00Z', '2013-03-11T10:00Z', 5)"
    )
    try:
        failed = played.run("ingest", SECOND)
        assert failed.phase == "Failed"
        nodes = {node["displayName"]: node for node in failed.document["nodes"].values()}
        assert nodes["validate(0)"]["message"] == "main: Error (exit code 3)"
        assert "validate(1)" not in nodes
        assert nodes["write"]["phase"] == "Omitted"
        assert nodes["alert"]["phase"] == "Succeeded"
        assert played.snapshots() == before
    finally:
        played.change("DELETE FROM ops.flights WHERE delivery = 5")


def test_a_day_that_lost_its_rows_is_emptied_everywhere(played: Lab) -> None:
    """A replay of a day that the source no longer has leaves no row of it in any table, and succeeds."""
    played.change("DELETE FROM ops.flights WHERE flight_date = DATE '2013-03-10'")
    played.change("DELETE FROM ops.weather WHERE year = 2013 AND month = 3 AND day = 10")
    assert played.run("daily", SECOND).phase == "Succeeded"
    assert {table.name: played.held(table.name, SECOND).num_rows for table in TABLES} == dict.fromkeys(
        (table.name for table in TABLES), 0
    )
    assert played.wrong(FIRST) == []


_PROBE = """
from pyspark.sql import functions as F

from pipelines.datatier.dates import LogicalDate
from pipelines.datatier.maintenance import compact, expire
from pipelines.datatier.partition import replace_partition
from pipelines.datatier.session import spark_session
from pipelines.transform.tables import CARRIER_DAILY

with spark_session() as spark:
    rows = spark.table("lake.marts.carrier_daily").where("flight_date = DATE '2013-03-09'")
    assert rows.count() > 0
    try:
        replace_partition(rows, CARRIER_DAILY, LogicalDate.parse("2013-03-10"))
    except Exception as error:
        assert "a row of 2013-03-09 in partition 2013-03-10" in str(error), error
    else:
        raise SystemExit("a row of another day was taken")
    rows.withColumn("flight_date", F.lit("2013-03-11").cast("date")).repartition(3).writeTo(CARRIER_DAILY.name).append()
    content = sorted(map(str, spark.table(CARRIER_DAILY.name).collect()))
    assert compact(spark, CARRIER_DAILY.name) == 3
    from datetime import datetime, timezone
    assert expire(spark, CARRIER_DAILY.name, before=datetime.now(timezone.utc), keep=1) > 0
    assert sorted(map(str, spark.table(CARRIER_DAILY.name).collect())) == content
    assert spark.sql(f"SELECT * FROM {CARRIER_DAILY.name}.snapshots").count() == 1
"""


def test_a_step_cannot_write_another_day_and_maintenance_keeps_content(played: Lab, tmp_path: Path) -> None:
    """A row that strayed is refused before anything is written; compaction and expiry change files, not rows."""
    (tmp_path / "probe.py").write_text(_PROBE)
    code = snapshot(played.platform.state, replaced={"probe": tmp_path})
    templates = load_manifests([APPS]).templates
    template = next(one for one in templates["transform"]["spec"]["templates"] if one["name"] == "curate")
    template["resource"]["manifest"] = template["resource"]["manifest"].replace("transform/curate.py", "probe/probe.py")
    template["retryStrategy"]["limit"] = 0
    templates["transform"]["spec"]["entrypoint"] = "curate"
    with closing(on_platform(played.platform, played.engine.clock, image=code.image)) as engine:
        done = engine.run(templates["transform"], templates=templates, parameters={"ds": str(FIRST)})
    assert done.phase == "Succeeded", done.document
