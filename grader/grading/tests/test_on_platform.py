"""The sandbox on a real platform: moments are kept and put back, and the source is switched between its states."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, url2pathname, urlopen

import psycopg
import pyarrow as pa
import pytest

from grader.data.states import BAD, BASE, CORRECTED, EMPTY, LATE, LATE_FLIGHTS, Source, oracle_filter
from grader.fingerprint.lake import Lake
from grader.grading.plays import DAYS
from grader.grading.world import Moment, World, moment_of
from grader.sample import drawn
from pipelines.local.state import StateDir

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
TABLE = "lake.raw.numbers"
REPORT = """
CREATE SCHEMA IF NOT EXISTS reporting;
CREATE TABLE reporting.daily (flight_date date, n integer, PRIMARY KEY (flight_date, n));
INSERT INTO reporting.daily VALUES ('2013-03-09', 1), ('2013-03-10', 2);
CREATE TABLE reporting.log (
  id serial PRIMARY KEY, other bigint GENERATED ALWAYS AS IDENTITY, twice integer GENERATED ALWAYS AS (n * 2) STORED,
  n integer NOT NULL);
INSERT INTO reporting.log (n) VALUES (10), (20);
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A sandbox that has been started."""
    found = World(StateDir(root=tmp_path_factory.mktemp("a world") / "home").ensure())
    found.start()
    try:
        yield found
    finally:
        found.platform.stop()


def rows(*numbers: int) -> pa.Table:
    """Rows of the table."""
    return pa.table({"n": pa.array(numbers, pa.int64())})


def query(world: World, text: str) -> list[tuple[Any, ...]]:
    """Ask PostgreSQL."""
    with psycopg.connect(world.platform.endpoints.postgres_dsn) as pg:
        cursor = pg.execute(text.encode())
        return cursor.fetchall() if cursor.description else []


def call(world: World, key: str) -> dict[str, Any]:
    """Call the webhook."""
    request = Request(world.platform.endpoints.webhook_url, data=b"{}", headers={"Idempotency-Key": key})
    with urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.loads(answer.read())
        return found


def seen(world: World, lake: Lake) -> dict[str, Any]:
    """Everything that a pipeline can see of the world outside."""
    found = {name: lake.fingerprint(name) for name in lake.tables() if name.startswith("lake.")}
    tables = {name: (one.snapshot, one.partitions) for name, one in found.items()}
    reports = {name: query(world, f"SELECT * FROM {name} ORDER BY 1") for name in ("reporting.daily", "reporting.log")}
    return {"tables": tables, "reports": reports, "deliveries": world.deliveries()}


@pytest.fixture(scope="module")
def filled(world: World) -> tuple[Lake, Moment, dict[str, Any]]:
    """Tables, reports and a delivery; the moment when they were there, and what was seen of them."""
    lake = world.open_lake()
    lake.catalog.create_namespace_if_not_exists("raw")
    lake.catalog.create_table("raw.numbers", rows().schema).append(rows(1, 2))
    query(world, REPORT)
    call(world, "first")
    return lake, world.capture("one"), seen(world, lake)


def spoil(world: World, lake: Lake) -> None:
    """Change all of it."""
    lake.iceberg(TABLE).append(rows(3))
    lake.catalog.create_table("raw.others", rows().schema)
    query(world, "UPDATE reporting.daily SET n = 7; DELETE FROM reporting.log; CREATE TABLE reporting.more (n integer)")
    call(world, "second")


def test_a_moment_is_put_back(world: World, filled: tuple[Lake, Moment, dict[str, Any]]) -> None:
    """Tables, reports and deliveries are as they were, and what was not there is gone, as often as it is asked for."""
    lake, moment, before = filled
    for _ in range(2):
        spoil(world, lake)
        assert seen(world, lake) != before
        world.restore(moment_of(json.loads(json.dumps(moment.as_json()))))
        assert seen(world, lake) == before
        assert [name for name in lake.tables() if name.startswith("lake.")] == [TABLE]
        assert query(world, "SELECT to_regclass('reporting.more')") == [(None,)]
        assert world.capture("again") == Moment(tables=moment.tables, reporting="again", deliveries=moment.deliveries)


def test_what_is_put_back_works(world: World, filled: tuple[Lake, Moment, dict[str, Any]]) -> None:
    """A commit, an insert and a call go on from the moment: keys, defaults and idempotency are there, too."""
    lake, moment, before = filled
    world.restore(moment)
    lake.iceberg(TABLE).append(rows(4))
    assert lake.fingerprint(TABLE).total.rows == 3
    with pytest.raises(psycopg.errors.UniqueViolation):
        query(world, "INSERT INTO reporting.daily VALUES ('2013-03-09', 1)")
    query(world, "INSERT INTO reporting.log (n) VALUES (30)")
    assert query(world, "SELECT id, other, twice, n FROM reporting.log ORDER BY n")[-1] == (3, 3, 60, 30)
    assert (call(world, "first")["effect"], call(world, "other")["effect"]) == (False, True)
    world.restore(moment)
    assert seen(world, lake) == before


def test_nothing_is_a_moment_too(world: World, filled: tuple[Lake, Moment, dict[str, Any]]) -> None:
    """The beginning has no tables, no reports and no deliveries; the way back from it is whole."""
    lake, moment, before = filled
    world.restore(Moment())
    assert world.capture("nothing") == Moment()
    assert query(world, "SELECT to_regclass('reporting.daily')") == [(None,)]
    world.restore(moment)
    assert seen(world, lake) == before


def test_whether_a_moment_holds(world: World, filled: tuple[Lake, Moment, dict[str, Any]]) -> None:
    """A moment whose metadata file or copies are gone does not hold any more."""
    _, moment, _ = filled
    assert world.holds(Moment())
    assert world.holds(moment)
    again = world.capture("short")
    assert world.holds(again)
    query(world, "DROP SCHEMA kept_short CASCADE")
    assert not world.holds(again)
    assert world.holds(moment)
    location = str(moment.tables["raw.numbers"]["metadata_location"])
    file = Path(url2pathname(urlsplit(location).path))
    aside = file.rename(file.with_suffix(".aside"))
    assert not world.holds(moment)
    aside.rename(file)
    assert world.holds(moment)
    world.wipe()
    assert not world.holds(moment)
    assert world.capture("wiped") == Moment()


def source_rows(world: World) -> tuple[Any, ...]:
    """Count the rows of the graded days, and digest all that `ops` has."""
    counts = query(world, "SELECT flight_date, count(*) FROM ops.flights WHERE flight_date IN "
                   f"('{DAYS[0]}', '{DAYS[1]}') GROUP BY 1 ORDER BY 1")  # fmt: skip
    digests = [
        query(world, f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM ops.{table} t")
        for table in ("flights", "weather")
    ]
    return dict(counts), digests


def test_states_of_the_source(world: World) -> None:
    """Each state has the rows that it says, from whatever state it is made, and base is the load."""
    source: Source = world.source
    source.switch(BASE)
    base = source_rows(world)
    first, last = (base[0][day] for day in DAYS)
    added = LATE_FLIGHTS + CORRECTED + CORRECTED + 3
    counts = {
        LATE: {DAYS[0]: first, DAYS[1]: last + added},
        EMPTY: {DAYS[1]: last + added},
        BAD: {DAYS[0]: first, DAYS[1]: last + 3},
        BASE: {DAYS[0]: first, DAYS[1]: last},
    }
    known: dict[str, Any] = {BASE: base}
    for state in (LATE, LATE, EMPTY, BAD, EMPTY, EMPTY, LATE, BAD, BAD, BASE, EMPTY, BASE, BASE):
        source.switch(state)
        found = source_rows(world)
        assert found[0] == counts[state], state
        assert known.setdefault(state, found) == found, state
    assert len({str(one) for one in known.values()}) == 4


def test_another_seed_has_states_of_its_own(world: World) -> None:
    """Its days, its late flights; those of the first sample's days are as they were, and can be had again."""
    source, other = world.source, drawn(7)
    source.switch(BASE)
    base = source_rows(world)
    second = Source(dsn=source.dsn, days=other.days, late_seed=other.late_seed)
    second.prepare()

    def counted() -> dict[Any, int]:
        days = ", ".join(f"'{day}'" for day in other.days)
        found = f"SELECT flight_date, count(*) FROM ops.flights WHERE flight_date IN ({days}) GROUP BY 1"
        return dict(query(world, found))

    second.switch(BASE)
    first, last = (counted()[day] for day in other.days)
    assert first == other.flights
    second.switch(EMPTY)
    assert counted() == {other.days[1]: last + LATE_FLIGHTS + CORRECTED + CORRECTED + 3}
    assert source_rows(world)[0] == base[0]
    second.switch(BASE)
    source.switch(LATE)
    assert counted() == dict(zip(other.days, (first, last), strict=True))
    late = {(one.kind, tuple(flight.key for flight in one.flights)) for one in source.batches()}
    again = Source(dsn=source.dsn, days=source.days, late_seed=other.late_seed)
    assert {(one.kind, tuple(flight.key for flight in one.flights)) for one in again.batches()} != late


def test_base_is_the_load(world: World) -> None:
    """The base state is the load but for two hours of weather; loading and preparing again lead back to it."""
    from grader import data

    world.source.switch(BAD)
    world.source.switch(BASE)
    before = source_rows(world)
    assert data.load(world.platform.endpoints.postgres_dsn).reloaded == ("weather",)
    world.source.prepare()
    world.source.switch(BASE)
    assert source_rows(world) == before


@pytest.mark.parametrize("state", [BASE, LATE, EMPTY])
def test_answers_are_for_the_rows_of_a_state(world: World, state: str) -> None:
    """The rows of a state are those that the filter of its answers picks when the database is in state `late`."""
    world.source.switch(state)
    wanted = {table: count(world, table, "true") for table in ("flights", "weather")}
    world.source.switch(LATE)
    assert {table: count(world, table, where) for table, where in oracle_filter(state, DAYS).items()} == wanted


def test_wiped(world: World, filled: tuple[Lake, Moment, dict[str, Any]]) -> None:
    """Begun anew, nothing is left of earlier plays but the loaded source; what is made then is whole."""
    lake, moment, _ = filled
    before = source_rows(world)
    world.restore(moment)
    world.wipe()
    assert world.capture("nothing") == Moment()
    assert query(world, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'kept%'") == []
    assert not world.holds(moment)
    assert list(world.state.warehouse.iterdir()) == []
    assert source_rows(world) == before
    lake.catalog.create_table("raw.numbers", rows().schema).append(rows(1))
    assert lake.fingerprint(TABLE).total.rows == 1


def count(world: World, table: str, where: str) -> list[tuple[Any, ...]]:
    """Digest some rows of the source."""
    return query(world, f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM ops.{table} t WHERE {where}")
