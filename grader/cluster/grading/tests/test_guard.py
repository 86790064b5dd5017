"""What grading must not change, on a real PostgreSQL with a real catalog."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from pyiceberg.catalog.rest import RestCatalog

from grader.cluster.grading.guard import Guard
from grader.data import corrections, day_rows, deliver, load
from grader.data.loader import content
from grader.data.schema import TABLES
from grader.data.states import EMPTY, Source
from grader.grading.plays import DAYS
from pipelines.local.platform import Platform
from pipelines.local.platform.postgres import CATALOG_DATABASE
from pipelines.local.state import StateDir


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with the year's data, late deliveries, two tables and a report."""
    made = Platform(StateDir(root=tmp_path_factory.mktemp("guard") / ".batchlab"))
    made.start(warm=False)
    dsn = made.endpoints.postgres_dsn
    load(dsn)
    deliver(dsn, corrections(day_rows(dsn, DAYS[1]), DAYS[1], seed=1, count=3))
    for name in ("raw.flights", "curated.flights", "own.notes"):
        catalog(made).create_namespace_if_not_exists(name.partition(".")[0])
        data = pa.table({"id": [1, 2]})
        catalog(made).create_table(name, schema=data.schema).append(data)
    with psycopg.connect(dsn) as pg:
        pg.execute("CREATE SCHEMA IF NOT EXISTS reporting")
        pg.execute("CREATE TABLE reporting.carrier_daily (flight_date date PRIMARY KEY, n int DEFAULT 0)")
        pg.execute("INSERT INTO reporting.carrier_daily VALUES ('2013-03-09', 7)")
    yield made
    made.stop()


def catalog(platform: Platform) -> RestCatalog:
    """Connect to the catalog."""
    return RestCatalog("lake", uri=platform.endpoints.catalog_uri)


def guard(platform: Platform) -> Guard:
    """Guard its tables."""
    return Guard(
        dsn=platform.endpoints.postgres_dsn, catalog_dsn=platform.postgres.dsn("catalog", CATALOG_DATABASE), days=DAYS
    )


def seen(platform: Platform) -> dict[str, Any]:
    """Everything that must be as before."""
    with psycopg.connect(platform.endpoints.postgres_dsn) as pg:
        reports = pg.execute("SELECT * FROM reporting.carrier_daily").fetchall()
        columns = pg.execute(
            "SELECT column_name, column_default FROM information_schema.columns WHERE table_schema = 'reporting'"
        ).fetchall()
        late = pg.execute("SELECT count(*) FROM ops.flights WHERE delivery > 0").fetchall()
        base = {table.name: content(pg, table) for table in TABLES}
    lake = catalog(platform)
    names = [".".join(name) for space in lake.list_namespaces() for name in lake.list_tables(space)]
    snapshots = {name: lake.load_table(name).metadata_location for name in sorted(names)}
    return {"reports": reports, "columns": columns, "late": late, "base": base, "tables": snapshots}


def spoil(platform: Platform) -> None:
    """Do what grading does: other source rows, tables gone and new, other reports."""
    source = Source(dsn=platform.endpoints.postgres_dsn, days=DAYS)
    source.prepare()
    source.switch(EMPTY)
    guard(platform).clear(("ingest", "transform", "publish"))
    data = pa.table({"other": ["x"]})
    catalog(platform).create_table("raw.flights", schema=data.schema).append(data)
    with psycopg.connect(platform.endpoints.postgres_dsn) as pg:
        pg.execute("CREATE TABLE reporting.route_daily (n int)")


def test_everything_is_as_before(platform: Platform) -> None:
    """Source rows with late deliveries, tables at their snapshots, reports with their keys; nothing stays behind."""
    before = seen(platform)
    assert guard(platform).keep() is False
    spoil(platform)
    guard(platform).put_back()
    assert seen(platform) == before
    assert not guard(platform).kept()
    with psycopg.connect(platform.endpoints.postgres_dsn) as pg:
        left = pg.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%grading%'").fetchall()
    assert left == []


def test_an_interrupted_grading_is_mended_by_the_next(platform: Platform) -> None:
    """What the first kept is put back before the second keeps anything."""
    before = seen(platform)
    guard(platform).keep()
    spoil(platform)
    assert guard(platform).keep() is True
    assert seen(platform) == before
    guard(platform).put_back()
    assert seen(platform) == before


def test_only_tables_of_the_judged_pipelines_are_taken_away(platform: Platform) -> None:
    """Others stay, and so do tables that no specification names."""
    guard(platform).keep()
    guard(platform).clear(("ingest",))
    lake = catalog(platform)
    names = {".".join(name) for space in lake.list_namespaces() for name in lake.list_tables(space)}
    assert names == {"curated.flights", "own.notes"}
    guard(platform).put_back()


def test_what_is_kept_is_there_whole_or_not_at_all(platform: Platform) -> None:
    """A failure while keeping leaves nothing that would be taken for an interrupted grading."""
    broken = Guard(dsn=platform.endpoints.postgres_dsn, catalog_dsn="postgresql://127.0.0.1:1/none", days=DAYS)
    with pytest.raises(psycopg.Error):
        broken.keep()
    assert not guard(platform).kept()
