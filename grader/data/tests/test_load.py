"""Loading the package into a real PostgreSQL, and what the pipelines' contract says of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from grader.data import corrections, day_rows, deliver, grow, load
from grader.data.loader import content
from grader.data.schema import FLIGHTS, TABLES
from pipelines.local.errors import BadInput
from pipelines.local.platform import Platform, parts
from pipelines.local.state import StateDir

DS = date(2013, 3, 9)


@pytest.fixture(scope="module")
def conninfo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of its own, loaded once."""
    platform = Platform(StateDir(root=tmp_path_factory.mktemp("data") / ".batchlab").ensure())
    platform.state.platform.mkdir(mode=0o711)
    platform.state.logs.mkdir()
    parts.ensure(platform.postgres, lambda _: None)
    platform.postgres.provision()
    yield platform.postgres.dsn()
    parts.stop(platform.postgres)


def _scalar(conninfo: str, query: str) -> object:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_the_whole_package_is_loaded_checked_and_left_alone_then(conninfo: str) -> None:
    """336,776 flights and four more tables arrive; a second load finds them as they should be."""
    seen: list[float] = []
    first = load(conninfo, progress=lambda _what, done: seen.append(done))
    assert set(first.reloaded) == {table.name for table in TABLES}
    assert first.rows["flights"] == 336_776
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert load(conninfo).reloaded == ()


def test_a_changed_table_is_loaded_again_and_the_others_are_not(conninfo: str) -> None:
    """One wrong digit is found; later deliveries stay."""
    load(conninfo)
    batch = corrections(day_rows(conninfo, DS), DS, seed=1, count=3)
    assert deliver(conninfo, batch) == 3
    with psycopg.connect(conninfo) as connection:
        connection.execute(
            "UPDATE ops.weather SET temp = temp + 1 WHERE origin = 'JFK' AND month = 3 AND day = 9 AND hour = 5"
        )
    assert load(conninfo).reloaded == ("weather",)
    assert _scalar(conninfo, "SELECT count(*) FROM ops.flights WHERE delivery > 0") == 3
    assert deliver(conninfo, batch) == 0


def test_an_interrupted_load_changes_nothing(conninfo: str) -> None:
    """Ctrl-C in the middle: the rows that were there are there, and the next load repairs."""
    load(conninfo)
    with psycopg.connect(conninfo) as connection:
        connection.execute("DELETE FROM ops.planes WHERE tailnum < 'N2'")
        left = content(connection, TABLES[3])

    def interrupt(what: str, _done: float) -> None:
        if what == "loading ops.planes":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(conninfo, progress=interrupt)
    with psycopg.connect(conninfo) as connection:
        assert content(connection, TABLES[3]) == left
    assert load(conninfo).reloaded == ("planes",)


def test_the_natural_key_is_unique_and_the_day_is_generated(conninfo: str) -> None:
    """What pipelines/DATA.md says of ops.flights holds."""
    load(conninfo)
    base = "FROM ops.flights WHERE delivery = 0"
    assert _scalar(conninfo, f"SELECT count(DISTINCT (flight_date, carrier, flight, origin)) {base}") == FLIGHTS.rows
    assert _scalar(
        conninfo, f"SELECT bool_and(recorded_at = (flight_date + 1) + time '09:00' AT TIME ZONE 'UTC') {base}"
    )
    assert _scalar(conninfo, f"SELECT bool_and(hour * 100 + minute = sched_dep_time) {base}")


def test_volume_grows_by_days_and_by_rows_once(conninfo: str) -> None:
    """Copies keep local times over the years; the same call again adds nothing."""
    load(conninfo)
    try:
        assert grow(conninfo, times=2, by="days", first=DS, last=DS) == 765
        assert grow(conninfo, times=2, by="days", first=DS, last=DS) == 0
        assert grow(conninfo, times=3, by="rows", first=DS, last=DS) == 2 * 765
        moved = "SELECT bool_and(extract(hour FROM time_hour AT TIME ZONE 'America/New_York') = hour) FROM ops.flights"
        assert _scalar(conninfo, f"{moved} WHERE flight_date = DATE '2014-03-08'")
    finally:
        with psycopg.connect(conninfo) as connection:
            connection.execute("DELETE FROM ops.flights WHERE delivery > 0")


def test_a_day_without_flights_is_refused(conninfo: str) -> None:
    """There is nothing to make a late batch of."""
    load(conninfo)
    with pytest.raises(BadInput, match="no flights on 2015-01-01"):
        day_rows(conninfo, date(2015, 1, 1))
