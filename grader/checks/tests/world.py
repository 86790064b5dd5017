"""A small world for checks: three days of flights, tables written without Spark, runs that never ran."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
from pyiceberg.expressions import EqualTo
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform

from grader.checks.probe import Attempt, Delivery, Installed, Planned, Run, SparkRun
from grader.checks.states import state_of
from grader.fingerprint.cache import DigestCache
from grader.fingerprint.digest import Digest, Fingerprint
from grader.fingerprint.lake import Lake
from grader.fingerprint.relation import digests, partition_name
from grader.fingerprint.tests.memory import MemoryCatalog
from grader.lineage.expected import MARTS, SPECIFIED, compare
from grader.lineage.graph import Edge, Graph, Maker
from grader.lineage.snapshots import trace
from grader.lineage.view import Lineage
from grader.oracle.answers import Oracle
from grader.oracle.tables import PARTITION, TABLES, TableSpec

DAYS = (date(2013, 3, 9), date(2013, 3, 10), date(2013, 3, 11))


@dataclass(kw_only=True)
class WorldLake(Lake):
    """A lake whose reporting tables are DuckDB's."""

    def find(self, name: str) -> tuple[str, Table | None]:
        """Take reporting tables for PostgreSQL's."""
        return (name, None) if name.startswith("reporting.") else super().find(name)

    def rows(self, name: str, snapshot: str | int | None = None) -> str:
        """Read reporting tables where they are."""
        return name if name.startswith("reporting.") else super().rows(name, snapshot)

    def fingerprint(self, name: str, snapshot: str | int | None = None) -> Fingerprint:
        """Fingerprint reporting tables where they are."""
        if not name.startswith("reporting."):
            return super().fingerprint(name, snapshot)
        parts = digests(self.con, name, by=partition_name([PARTITION]))
        return Fingerprint(table=name, snapshot=None, partitions=parts)


def database(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open the world's own DuckDB."""
    con = duckdb.connect(folder / "world.duckdb")
    con.execute("SET TimeZone = 'UTC'; SET threads = 1")
    return con


def source(lake: Lake) -> None:
    """Make `ops` with six flights on each day, and their weather."""
    con = lake.con
    con.execute("CREATE SCHEMA ops; CREATE SCHEMA reporting")
    con.execute("CREATE TABLE ops.airlines AS FROM (VALUES ('UA', 'United'), ('B6', 'JetBlue')) t(carrier, name)")
    con.execute(
        "CREATE TABLE ops.airports AS FROM (VALUES ('JFK', 'America/New_York'), ('EWR', 'America/New_York'), "
        "('LAX', 'America/Los_Angeles')) t(faa, tzone)"
    )
    con.execute(
        """
        CREATE TABLE ops.flights AS SELECT
          year(d)::INT AS year, month(d)::INT AS month, day(d)::INT AS day,
          CASE WHEN n <> 5 THEN 900 + n END::INT AS dep_time, 900::INT AS sched_dep_time,
          CASE WHEN n <> 5 THEN n END::INT AS dep_delay, CASE WHEN n <> 5 THEN 1200 + n END::INT AS arr_time,
          1200::INT AS sched_arr_time, CASE WHEN n <> 5 THEN 7 * n END::INT AS arr_delay,
          CASE WHEN n % 2 = 0 THEN 'UA' ELSE 'B6' END AS carrier, (100 + n)::INT AS flight, 'N' || n AS tailnum,
          CASE WHEN n < 3 THEN 'JFK' ELSE 'EWR' END AS origin, 'LAX' AS dest,
          CASE WHEN n <> 5 THEN 300 + n END::INT AS air_time, 2475::INT AS distance, 9::INT AS hour, 0::INT AS minute,
          timezone('America/New_York', d::TIMESTAMP + INTERVAL 9 HOUR) AS time_hour,
          (d + 1)::TIMESTAMPTZ + INTERVAL 9 HOUR AS recorded_at, 0::BIGINT AS delivery, d AS flight_date
        FROM (VALUES (DATE '2013-03-09'), (DATE '2013-03-10'), (DATE '2013-03-11')) t(d), range(6) r(n)"""
    )
    con.execute(
        """
        CREATE TABLE ops.weather AS SELECT DISTINCT origin, time_hour, year, month, day, hour,
          39.02::DECIMAL(6,2) AS temp, 30::DECIMAL(6,2) AS dewp, 60::DECIMAL(6,2) AS humid, 10::INT AS wind_dir,
          5::DECIMAL(9,5) AS wind_speed, NULL::DECIMAL(9,5) AS wind_gust, 0::DECIMAL(6,2) AS precip,
          1012::DECIMAL(6,2) AS pressure, 10::DECIMAL(6,2) AS visib
        FROM ops.flights"""
    )


@dataclass(kw_only=True)
class World:
    """A probe over it; what a test does not set is right."""

    lake: Lake
    folder: Path
    days: tuple[date, ...] = DAYS
    made: list[Run] = field(default_factory=list)
    calls: list[Delivery] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    platform_objects: list[Installed] = field(default_factory=list)
    graph: Graph | None = None
    strategies: Mapping[str, Any] = field(
        default_factory=lambda: {"limit": "2", "backoff": {"duration": "10", "factor": "2"}}
    )
    tries: Sequence[Attempt] = (
        Attempt(started=0, finished=1, phase="Failed"),
        Attempt(started=11, finished=12, phase="Failed"),
        Attempt(started=32, finished=33, phase="Failed"),
    )
    success: str = "status.applicationState.state == COMPLETED"
    action: str = "create"
    app_name: str = "generateName: curate-"
    zone: str = "America/New_York"
    planner: Callable[[date], list[Planned]] | None = None
    spark_state: str = "COMPLETED"
    shifted: bool = False
    scope: tuple[str, ...] = ("ingest", "transform", "publish")
    broken: dict[str, list[Run]] = field(default_factory=dict)
    called: dict[str, list[Delivery]] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(
        default_factory=lambda: {"concurrencyPolicy": "Forbid", "startingDeadlineSeconds": 3600}
    )

    @classmethod
    def make(cls, folder: Path) -> World:
        """Make the source and empty tables."""
        lake = WorldLake(catalog=MemoryCatalog(folder / "warehouse"), con=database(folder))
        source(lake)
        world = cls(lake=lake, folder=folder)
        world.oracle()
        for table in TABLES:
            rows = lake.con.sql(f"SELECT * FROM oracle.{table.answer} LIMIT 0").to_arrow_table()
            if table.in_lake:
                made = lake.catalog.create_table(table.name.removeprefix("lake."), rows.schema)
                with made.update_spec() as update:
                    update.add_field(PARTITION, IdentityTransform(), PARTITION)
            else:
                lake.con.execute(f"CREATE TABLE {table.name} AS FROM oracle.{table.answer} LIMIT 0")
        return world

    def copy(self, folder: Path) -> World:
        """Make a world that can be spoiled without this one noticing: its own database and catalog, the same files."""
        self.lake.con.execute("CHECKPOINT")
        (folder / "world.duckdb").write_bytes((self.folder / "world.duckdb").read_bytes())
        catalog = MemoryCatalog(folder / "warehouse")
        assert isinstance(self.lake.catalog, MemoryCatalog)
        catalog.tables.update(self.lake.catalog.tables)
        lake = WorldLake(catalog=catalog, con=database(folder), cache=DigestCache(folder / "cache.db"))
        return replace(self, lake=lake, folder=folder, made=list(self.made), calls=list(self.calls))

    def play(self, play: str, days: Sequence[date] = DAYS, append: frozenset[str] = frozenset()) -> None:
        """Run some days; tables named in `append` are appended to."""
        for day in days:
            self.run(play, day, append)

    def run(self, play: str, day: date, append: frozenset[str] = frozenset(), phase: str = "Succeeded") -> Run:
        """Write every table's partition of a day from the oracle, as a run of its own."""
        self.oracle()
        before, name = self.made[-1].after if self.made else state_of(self.lake), f"daily-{len(self.made)}"
        for table in TABLES:
            self.write(table, day, name, append=table.name in append)
        after = state_of(self.lake)
        node = {"id": f"{name}-1", "name": f"{name}.curate", "displayName": "curate", "type": "Pod", "phase": phase}
        document = {"name": name, "phase": phase, "nodes": {node["id"]: node}}
        run = Run(play=play, ds=day, name=name, document=document, before=before, after=after)
        self.made.append(run)
        content = after["reporting.carrier_daily"].partitions.get(f"{PARTITION}={day}", Digest()).hash
        key = f"publish:{day}:{content}"
        effect = not any(one.key == key for one in self.calls)
        self.calls.append(Delivery(key=key, effect=effect, ds=str(day)))
        return run

    def write(self, table: TableSpec, day: date, workflow: str, *, append: bool = False, branch: str = "main") -> None:
        """Replace, or append to, one partition of one table."""
        rows = self.lake.con.sql(
            f"SELECT * FROM oracle.{table.answer} WHERE {PARTITION} = DATE '{day}' ORDER BY ALL"
        ).to_arrow_table()
        if not table.in_lake:
            if not append:
                self.lake.con.execute(f"DELETE FROM {table.name} WHERE {PARTITION} = DATE '{day}'")
            self.lake.con.execute(
                f"INSERT INTO {table.name} SELECT * FROM oracle.{table.answer} WHERE {PARTITION} = DATE '{day}'"
            )
            return
        made = self.lake.catalog.load_table(table.name.removeprefix("lake."))
        summary = {
            "batchlab.workflow": workflow,
            "batchlab.node": "curate",
            "batchlab.ds": str(day),
            "batchlab.code": "c",
        }
        if append:
            made.append(rows, snapshot_properties=summary, branch=branch)
        else:
            made.overwrite(rows, EqualTo(PARTITION, str(day)), snapshot_properties=summary, branch=branch)

    # -- the probe

    def has(self, need: str) -> bool:
        """A play is there if it was played."""
        if need == "announcements":
            return any("announcements" in run.facts for run in self.made)
        return need in self.broken or any(run.play == need for run in self.made)

    def tables(self) -> list[TableSpec]:
        """The tables of the pipelines in scope."""
        return [table for table in TABLES if table.pipeline in self.scope]

    def oracle(self, play: str = "") -> Oracle:
        """Compute the answers anew: before the replay nothing late had come."""
        found = Oracle(self.lake.con, self.days, schema="before" if play in {"first", "second"} else "oracle")
        if found.schema == "before":
            self.lake.con.execute("ALTER TABLE ops.flights RENAME TO everything")
            self.lake.con.execute("CREATE VIEW ops.flights AS FROM ops.everything WHERE delivery = 0")
        found.compute()
        if found.schema == "before":
            self.lake.con.execute("DROP VIEW ops.flights; ALTER TABLE ops.everything RENAME TO flights")
            Oracle(self.lake.con, self.days).compute()
        return found

    def rows(self, table: TableSpec, run: Run) -> str:
        """Read a table as a run left it; a reporting table as it is."""
        state = run.after.get(table.name)
        return self.lake.rows(table.name, state.snapshot if state and table.in_lake else None)

    def faults(self, play: str) -> list[Run]:
        """The runs that a test gave."""
        return self.broken.get(play, [])

    def runs(self) -> list[Run]:
        """The runs made."""
        return self.made

    def log(self, workflow: str, node: str) -> str:
        """What a test gave."""
        return self.logs.get(f"{workflow}/{node}", "")

    def deliveries(self, play: str = "") -> list[Delivery]:
        """The calls made, or those that a test gave for a play."""
        return self.called.get(play, self.calls)

    def lineage(self) -> Lineage:
        """All expected edges, unless a test set others, and the real snapshots."""
        maker = Maker(workflow=self.made[-1].name if self.made else "", node="curate")
        whole = Graph(edges={pair: Edge(source=pair[0], target=pair[1], makers=(maker,)) for pair in SPECIFIED | MARTS})
        graph = self.graph or whole
        runs = {run.name: run.document for run in self.made}
        traces = [
            one for table in TABLES if table.in_lake for one in trace(self.lake.iceberg(table.name), table.name, runs)
        ]
        return Lineage(graph=graph, comparison=compare(graph, SPECIFIED | MARTS), traces=traces)

    def templates(self) -> list[dict[str, Any]]:
        """One workflow with a Spark step."""
        manifest = f"apiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\nmetadata:\n  {self.app_name}\n"
        resource = {
            "action": self.action, "manifest": manifest, "successCondition": self.success,
            "failureCondition": "status.applicationState.state == FAILED",
        }  # fmt: skip
        step = {"name": "curate", "resource": resource, "retryStrategy": self.strategies}
        return [{"metadata": {"name": "transform"}, "spec": {"templates": [{"name": "main", "dag": {}}, step]}}]

    def crons(self) -> list[dict[str, Any]]:
        """One daily schedule."""
        return [{"metadata": {"name": "daily"}, "spec": {"timezone": self.zone, **self.spec}}]

    def spark_runs(self) -> list[SparkRun]:
        """One application for each run."""
        status = {"applicationState": {"state": self.spark_state}, "executionAttempts": 1}
        return [
            SparkRun(workflow=run.name, node="curate", name=f"curate-{run.name}", status=status) for run in self.made
        ]

    def plan(self, cron: str, first: date, last: date, *, delay: timedelta = timedelta()) -> list[Planned]:
        """06:30 in New York on each day, unless a test plans otherwise; with `shifted`, later ones if late."""
        found = []
        for number in range((last - first).days + 1):
            found += (self.planner or at_half_past_six)(first + timedelta(days=number))
        moved = delay if self.shifted else timedelta()
        return [Planned(scheduled=one.scheduled, ds=str(date.fromisoformat(one.ds) + moved)) if one.ds else one
                for one in found]  # fmt: skip

    def attempts(self, strategy: Mapping[str, Any], exit_code: int) -> Sequence[Attempt]:
        """What a test gave."""
        return self.tries

    def conditions(self, status: Mapping[str, Any], success: str, failure: str) -> str:
        """Compare one path with one word, which is all that these tests use."""
        state = (status.get("applicationState") or {}).get("state", "")
        if state == failure.rpartition(" ")[2]:
            return "failed"
        wanted, operator = success.rpartition(" ")[2], success.split(" ")[1]
        return "succeeded" if (state == wanted) == (operator == "==") else "waiting"

    def flux(self) -> Path:
        """None: `has("flux")` is false."""
        raise LookupError("no Flux tree")

    def hello_runs(self) -> list[Run]:
        """None."""
        return []

    def installed(self) -> Sequence[Installed]:
        """What a test put there."""
        return self.platform_objects

    def dbt_artifacts(self, run: Run) -> Path | None:
        """What a test wrote, or right ones."""
        target = self.folder / "target"
        if not target.exists():
            self.write_dbt(severity="ERROR", statuses={"model.m.carrier_daily": "success", "test.m.unique": "pass"})
        return target

    def write_dbt(self, *, severity: str, statuses: Mapping[str, str], kept: str | None = None) -> None:
        """Write dbt's artifacts: two marts, a test of each; `kept` is where tests keep their failing rows."""
        marts = {
            f"model.m.{name}": {"resource_type": "model", "name": name, "schema": "marts", "depends_on": {"nodes": []}}
            for name in ("carrier_daily", "route_daily")
        }
        tests = {
            f"test.m.unique_{name}": {
                "resource_type": "test", "name": f"unique_{name}", "config": {"severity": severity},
                "depends_on": {"nodes": [f"model.m.{name}"]},
            }
            for name in ("carrier_daily", "route_daily")
        }  # fmt: skip
        target = self.folder / "target"
        target.mkdir(exist_ok=True)
        (target / "manifest.json").write_text(json.dumps({"nodes": {**marts, **tests}, "sources": {}}))
        results = [
            {"unique_id": name, "status": status, "relation_name": kept if name.startswith("test.") else None}
            for name, status in statuses.items()
        ]
        (target / "run_results.json").write_text(json.dumps({"results": results}))


def at_half_past_six(day: date) -> list[Planned]:
    """Fire at 10:30Z or 11:30Z, for the day before."""
    hour = 11 if day <= date(2013, 3, 9) or day >= date(2013, 11, 3) else 10
    moment = datetime(day.year, day.month, day.day, hour, 30, tzinfo=timezone.utc)
    return [Planned(scheduled=moment, ds=str(day - timedelta(days=1)))]
