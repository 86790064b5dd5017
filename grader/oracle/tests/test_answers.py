"""The oracle against answers worked out by hand from the package and the specification."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from grader.data.schema import TABLES as SOURCE
from grader.data.source import copy_text
from grader.fingerprint.relation import columns, connect
from grader.oracle.answers import Oracle
from grader.oracle.tables import TABLES

SPRING, AUTUMN, LAST = date(2013, 3, 10), date(2013, 11, 3), date(2013, 12, 31)
DAYS = (date(2013, 3, 9), SPRING, date(2013, 3, 11), AUTUMN, LAST)
FLIGHT_KEY = "flight_date, carrier, flight, origin"


def utc(year: int, month: int, day: int, hour: int, minute: int) -> datetime:
    """A moment in UTC."""
    return datetime(year, month, day, hour, minute, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The package as `ops` in a DuckDB, with the types of PostgreSQL."""
    con = connect()
    con.execute("CREATE SCHEMA ops")
    folder: Path = tmp_path_factory.mktemp("ops")
    for table in SOURCE:
        if table.name == "planes":
            continue
        path = folder / f"{table.name}.csv"
        lines = b"".join(copy_text(table)).splitlines(keepends=True)
        wanted = tuple(f"{day.year},{day.month},{day.day},".encode() for day in DAYS)
        path.write_bytes(b"".join(line for line in lines if table.name != "flights" or line.startswith(wanted)))
        names = [*table.columns, "recorded_at", "delivery"] if table.name == "flights" else list(table.columns)
        kinds = {name: kind_of(table.ddl, name) for name in names}
        con.execute(
            f"CREATE TABLE ops.{table.name} AS SELECT * FROM read_csv(?, header = false, nullstr = 'NA', columns = ?)",
            [str(path), kinds],
        )
    con.execute("ALTER TABLE ops.flights ADD COLUMN flight_date DATE")
    con.execute("UPDATE ops.flights SET flight_date = make_date(year, month, day)")
    return con


def kind_of(ddl: str, column: str) -> str:
    """Type of a column in PostgreSQL's DDL, which DuckDB understands too."""
    words = next(
        part.split() for part in ddl.replace("6,2", "6.2").replace("9,5", "9.5").split(",") if part.split()[0] == column
    )
    return words[1].replace(".", ",") if words[1] != "double" else "double"


@pytest.fixture(scope="module")
def oracle(source: duckdb.DuckDBPyConnection) -> Oracle:
    """Answers for five days: around both changes of the clocks, and the last day of the year."""
    found = Oracle(source, DAYS)
    found.compute()
    return found


def one(oracle: Oracle, query: str) -> tuple[Any, ...]:
    """The only row that a query gives."""
    (row,) = oracle.con.execute(query).fetchall()
    return tuple(row)


def test_columns_are_those_of_the_specification(oracle: Oracle) -> None:
    """Every answer has the columns that the specification names, in its order."""
    for table in TABLES:
        assert [name for name, _ in columns(oracle.con, oracle.source(table))] == list(table.columns), table.name


def test_keys_are_unique(oracle: Oracle) -> None:
    """No answer holds a key twice, and every day has rows where the source has."""
    for table in TABLES:
        key = ", ".join(table.key)
        doubled = oracle.con.execute(
            f"SELECT {key} FROM {oracle.source(table)} GROUP BY ALL HAVING count(*) > 1"
        ).fetchall()
        assert doubled == [], table.name
        assert len(oracle.digests(table)) == (4 if table.name == "lake.raw.weather" else 5), table.name


def test_landed_while_the_clocks_changed(oracle: Oracle) -> None:
    """JFK to PBI of 2013-03-09, due 00:34 and 89 minutes late, is at 07:03Z the day after; the source wrote 0203."""
    found = one(
        oracle,
        "SELECT scheduled_arrival_utc, actual_arrival_utc, arrival_day_offset FROM oracle.curated_flights "
        "WHERE flight_date = '2013-03-09' AND (carrier, flight) = ('B6', 35)",
    )
    assert found == (utc(2013, 3, 10, 5, 34), utc(2013, 3, 10, 7, 3), 1)


def test_counts_of_the_day_without_an_hour(oracle: Oracle) -> None:
    """Counts of 2013-03-10 agree with counts taken straight from the source."""
    total = one(
        oracle,
        "SELECT sum(scheduled_flights), sum(cancelled_flights) FROM oracle.marts_carrier_daily "
        "WHERE flight_date = '2013-03-10'",
    )
    straight = one(
        oracle, "SELECT count(*), count(*) - count(dep_time) FROM ops.flights WHERE flight_date = '2013-03-10'"
    )
    assert total == straight


def test_weather_of_the_hour_that_occurs_twice(oracle: Oracle) -> None:
    """On 2013-11-03 both hours 1 are kept, and each flight finds the reading of its own instant, never two."""
    assert one(oracle, "SELECT count(*) FROM oracle.raw_weather WHERE flight_date = '2013-11-03' AND origin = 'JFK' "
                       "AND hour(timezone('America/New_York', time_hour)) = 1") == (2,)  # fmt: skip
    raw, curated = (
        one(oracle, f"SELECT count(*) FROM oracle.{name} WHERE flight_date = '2013-11-03'")
        for name in ("raw_flights", "curated_flights")
    )
    assert raw == curated


def test_no_weather_on_the_last_day(oracle: Oracle) -> None:
    """2013-12-31 has no weather: every flight says so and has none."""
    assert one(
        oracle,
        "SELECT bool_and(weather_missing), count(temp) FROM oracle.curated_flights WHERE flight_date = '2013-12-31'",
    ) == (True, 0)


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        ("2013-03-10 02:03", utc(2013, 3, 10, 7, 3)),
        ("2013-03-10 03:03", utc(2013, 3, 10, 7, 3)),
        ("2013-11-03 00:59", utc(2013, 11, 3, 4, 59)),
        ("2013-11-03 01:30", utc(2013, 11, 3, 5, 30)),
        ("2013-11-03 02:00", utc(2013, 11, 3, 7, 0)),
        ("2013-07-01 12:00", utc(2013, 7, 1, 16, 0)),
    ],
)
def test_local_time_to_utc(oracle: Oracle, wall: str, expected: datetime) -> None:
    """A skipped wall time takes the offset before the change, one that occurs twice its first occurrence."""
    assert one(oracle, f"SELECT instant('America/New_York', TIMESTAMP '{wall}')") == (expected,)


@pytest.mark.parametrize(
    ("total", "number", "digits", "expected"),
    [(5, 2, 0, "3"), (-5, 2, 0, "-3"), (-125, 1000, 2, "-0.13"), (125, 1000, 2, "0.13"), (124, 1000, 2, "0.12"),
     (1, 3, 4, "0.3333"), (2, 3, 4, "0.6667"), (0, 7, 2, "0"), (7, 7, 4, "1")],
)  # fmt: skip
def test_rounding(oracle: Oracle, total: int, number: int, digits: int, expected: str) -> None:
    """Averages are rounded half away from zero."""
    assert one(oracle, f"SELECT half_up({total}, {number}, {digits})::DECIMAL(9, 4)") == (Decimal(expected),)


def test_average_of_nothing(oracle: Oracle) -> None:
    """An average over no rows is NULL."""
    assert one(oracle, "SELECT half_up(0, 0, 2)") == (None,)


def test_latest_delivery_within_the_watermark_wins(source: duckdb.DuckDBPyConnection) -> None:
    """A correction replaces, the greater delivery of one moment wins, and what comes after the cutoff is left out."""
    con = source.cursor()
    con.execute("BEGIN")
    key = con.execute(
        "SELECT carrier, flight, origin FROM ops.flights WHERE flight_date = '2013-03-10' LIMIT 1"
    ).fetchone()
    assert key is not None

    def add(recorded: str, delivery: int, distance: int) -> None:
        con.execute(
            "INSERT INTO ops.flights SELECT * REPLACE (?::TIMESTAMPTZ AS recorded_at, ? AS delivery, ? AS distance) "
            "FROM ops.flights WHERE flight_date = '2013-03-10' AND (carrier, flight, origin, delivery) = (?, ?, ?, 0)",
            [recorded, delivery, distance, *key],
        )

    def answer(lateness: int) -> int:
        Oracle(con, [SPRING], lateness).compute()
        query = "SELECT distance FROM oracle.raw_flights WHERE carrier = ? AND flight = ? AND origin = ?"
        (row,) = con.execute(query, key).fetchall()
        return int(row[0])

    add("2013-03-12 10:00:00+00", 5, 111)
    add("2013-03-12 10:00:00+00", 9, 222)
    add("2013-03-12 10:00:00+00", 7, 333)
    assert answer(30) == 222
    add("2013-04-10 04:00:00+00", 11, 444)
    assert answer(30) == 444
    add("2013-04-10 04:00:00.000001+00", 12, 555)
    assert answer(30) == 444
    assert answer(31) == 555
    con.execute("ROLLBACK")


def test_day_without_rows(source: duckdb.DuckDBPyConnection) -> None:
    """A day that the source does not have gives no partition anywhere."""
    con = source.cursor()
    con.execute("BEGIN")
    empty = Oracle(con, [date(2012, 2, 29)])
    empty.compute()
    assert all(empty.digests(table) == {} for table in TABLES)
    con.execute("ROLLBACK")
