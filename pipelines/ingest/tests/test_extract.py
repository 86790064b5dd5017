"""Which deliveries count, and which day's weather."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

from pyspark.sql import DataFrame

from pipelines.datatier.dates import LogicalDate
from pipelines.datatier.tests.spark import session
from pipelines.ingest.extract import latest, weather_of
from pipelines.ingest.tables import FLIGHTS

DS = LogicalDate.parse("2013-03-09")
COLUMNS = (
    "flight_date date, carrier string, flight int, origin string, dep_delay int, recorded_at timestamp, delivery bigint"
)


def _at(day: int, hour: int = 9) -> datetime:
    return datetime(2013, 3, day, hour, tzinfo=timezone.utc)


def _deliveries(*rows: tuple[int, int, datetime, int]) -> DataFrame:
    """Rows of (flight, delay, recorded at, delivery) of one day."""
    made: list[Any] = [(DS.day, "AA", flight, "JFK", delay, at, number) for flight, delay, at, number in rows]
    return session().createDataFrame(made, COLUMNS)


def _kept(frame: DataFrame, watermark: datetime) -> list[tuple[int, int]]:
    rows = latest(frame, DS, watermark).select("flight", "dep_delay").collect()
    return sorted((row.flight, row.dep_delay) for row in rows)


def test_the_latest_delivery_of_a_flight_wins() -> None:
    """By when it was recorded, then by delivery; other flights are untouched."""
    frame = _deliveries((1, 0, _at(10), 0), (1, 5, _at(12), 7), (1, 9, _at(12), 6), (2, 3, _at(10), 0))
    assert _kept(frame, _at(30)) == [(1, 5), (2, 3)]


def test_the_watermark_is_the_last_instant_that_counts() -> None:
    """What was recorded at the watermark counts; what came later does not, and the version before it does."""
    frame = _deliveries((1, 0, _at(10), 0), (1, 5, _at(12), 7), (3, 1, _at(13), 8))
    assert _kept(frame, _at(12)) == [(1, 5)]
    assert _kept(frame, _at(11)) == [(1, 0)]


def test_other_days_are_left_out() -> None:
    """Only the logical date's flights are read."""
    frame = _deliveries((1, 0, _at(10), 0))
    assert latest(frame, LogicalDate.parse("2013-03-10"), _at(30)).count() == 0


def test_the_key_of_a_delivery_is_the_key_of_the_table() -> None:
    """The same number flies for two airlines and from two airports."""
    rows: list[Any] = [(DS.day, c, 1, o, 0, _at(10), 0) for c in ("AA", "B6") for o in ("JFK", "LGA")]
    assert latest(session().createDataFrame(rows, COLUMNS), DS, _at(30)).count() == 4
    assert FLIGHTS.key == ("flight_date", "carrier", "flight", "origin")


def test_weather_is_that_of_the_local_date() -> None:
    """The day in New York has 25 hours when the clocks go back; its two hours 1 both belong to it."""
    hours = [(2013, 11, 3, 1, 5), (2013, 11, 3, 1, 6), (2013, 11, 2, 23, 3), (2013, 11, 4, 0, 5)]
    rows: list[Any] = [
        ("EWR", y, m, d, hour, datetime(2013, 11, 3 if d < 4 else 4, utc, tzinfo=timezone.utc))
        for y, m, d, hour, utc in hours
    ]
    frame = session().createDataFrame(
        rows, "origin string, year int, month int, day int, hour int, time_hour timestamp"
    )
    found = weather_of(frame, LogicalDate.parse("2013-11-03")).collect()
    assert [row.time_hour.hour for row in found] == [5, 6]
    assert {row.flight_date for row in found} == {date(2013, 11, 3)}
