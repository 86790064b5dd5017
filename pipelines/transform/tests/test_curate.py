"""Instants over time zones, midnight and clock changes; joins that lose and invent nothing."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import Row

from pipelines.datatier.tests.spark import session
from pipelines.transform.curate import MEASURES, curate
from pipelines.transform.instants import first_after, instant_of
from pipelines.transform.tables import CURATED

FLIGHT = (
    "flight_date date, carrier string, flight int, origin string, dest string, tailnum string, sched_dep_time int, "
    "dep_time int, dep_delay int, sched_arr_time int, arr_time int, arr_delay int, air_time int, distance int, "
    "time_hour timestamp"
)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def _flight(  # noqa: PLR0917 - a table of flights reads best so
    day: str, dest: str, departs: int, delay: int | None, arrives: int, late: int | None, hour: str, **other: Any
) -> tuple[Any, ...]:
    """A flight from JFK: scheduled times HHMM local, delays in minutes (None: never departed, never landed)."""
    dep_time = None if delay is None else other.get("dep_time", departs)
    air_time = None if late is None else 100
    return (
        date.fromisoformat(day), other.get("carrier", "B6"), other.get("flight", 1), "JFK", dest, "N1",
        departs, dep_time, delay, arrives, None, late, air_time, 500, _utc(hour),
    )  # fmt: skip


def _curated(*flights: tuple[Any, ...], weather: list[tuple[Any, ...]] | None = None) -> list[Row]:
    spark = session()
    measures = ", ".join(f"{name} {'int' if name == 'wind_dir' else 'decimal(9,5)'}" for name in MEASURES)
    observed = spark.createDataFrame(weather or [], f"origin string, time_hour timestamp, {measures}")
    airlines = spark.createDataFrame([("B6", "JetBlue Airways")], "carrier string, name string")
    zones = [("JFK", "America/New_York"), ("PBI", "America/New_York"), ("LAX", "America/Los_Angeles"), ("EEN", None)]
    airports = spark.createDataFrame(zones, "faa string, tzone string")
    found: list[Row] = curate(spark.createDataFrame(list(flights), FLIGHT), observed, airlines, airports).collect()
    return found


def _instants(row: Row) -> tuple[datetime | None, ...]:
    names = ("scheduled_departure_utc", "actual_departure_utc", "scheduled_arrival_utc", "actual_arrival_utc")
    return tuple(None if row[name] is None else row[name].astimezone(timezone.utc) for name in names)


def test_a_flight_across_time_zones() -> None:
    """Arrival is read on the destination's clock; durations are elapsed time."""
    (row,) = _curated(_flight("2013-03-11", "LAX", 900, 10, 1215, -5, "2013-03-11T13:00"))
    assert _instants(row) == tuple(_utc(f"2013-03-11T{time}") for time in ("13:00", "13:10", "19:15", "19:10"))
    assert (row.scheduled_minutes, row.actual_minutes, row.arrival_day_offset) == (375, 360, 0)


def test_a_flight_over_midnight() -> None:
    """An arrival earlier on the clock than the departure is on the next day, also when it was early or late."""
    (row,) = _curated(_flight("2013-06-01", "PBI", 2230, 0, 130, 20, "2013-06-02T02:00"))
    assert _instants(row)[2:] == (_utc("2013-06-02T05:30"), _utc("2013-06-02T05:50"))
    assert (row.arrival_day_offset, row.scheduled_minutes) == (1, 180)


def test_a_flight_that_a_delay_carries_over_midnight() -> None:
    """The day offset is of the actual landing: due at 23:50, an hour late."""
    (row,) = _curated(_flight("2013-06-01", "PBI", 2100, 60, 2350, 60, "2013-06-02T01:00"))
    assert row.arrival_day_offset == 1


def test_a_flight_over_the_spring_change() -> None:
    """2013-03-09 to PBI: due 00:34, 89 minutes late, is 07:03Z; the clock then showed 03:03."""
    (row,) = _curated(_flight("2013-03-09", "PBI", 2145, 81, 34, 89, "2013-03-10T02:00"))
    assert _instants(row) == (
        _utc("2013-03-10T02:45"), _utc("2013-03-10T04:06"), _utc("2013-03-10T05:34"), _utc("2013-03-10T07:03")
    )  # fmt: skip
    assert row.actual_minutes == 177


@pytest.mark.parametrize(
    ("day", "hhmm", "expected"),
    [
        ("2013-03-10", 159, "2013-03-10T06:59"),
        ("2013-03-10", 203, "2013-03-10T07:03"),
        ("2013-03-10", 300, "2013-03-10T07:00"),
        ("2013-11-03", 130, "2013-11-03T05:30"),
        ("2013-11-03", 200, "2013-11-03T07:00"),
        ("2013-11-02", 2400, "2013-11-03T04:00"),
    ],
)
def test_clock_readings_that_are_skipped_or_occur_twice(day: str, hhmm: int, expected: str) -> None:
    """As java.time: a skipped one counts from before the change, a repeated one is the first; 2400 ends the day."""
    from pyspark.sql import functions as F  # noqa: N812

    frame = session().createDataFrame([(date.fromisoformat(day), hhmm)], "day date, hhmm int")
    found = frame.select(instant_of(F.col("day"), F.col("hhmm"), F.lit("America/New_York"))).first()
    assert found is not None
    assert found[0].astimezone(timezone.utc) == _utc(expected)


def test_the_first_reading_after_an_instant_may_be_two_days_on() -> None:
    """West over the date line of the calendar: only readings after the departure count."""
    from pyspark.sql import functions as F  # noqa: N812

    frame = session().createDataFrame([(date(2013, 6, 1), _utc("2013-06-03T02:00"))], "day date, left timestamp")
    zone = F.lit("Pacific/Honolulu")
    found = frame.select(first_after(F.col("left"), F.col("day"), F.lit(1700), zone)).first()
    assert found is not None
    assert found[0].astimezone(timezone.utc) == _utc("2013-06-03T03:00")


def test_status_of_flights_that_did_not_complete() -> None:
    """No departure: cancelled. A departure without arrival delay: diverted. Instants that nobody knows are NULL."""
    cancelled, diverted = _curated(
        _flight("2013-03-11", "LAX", 900, None, 1215, None, "2013-03-11T13:00", flight=1),
        _flight("2013-03-11", "LAX", 900, 5, 1215, None, "2013-03-11T13:00", flight=2),
    )
    assert (cancelled.status, diverted.status) == ("cancelled", "diverted")
    assert _instants(cancelled)[1::2] == (None, None)
    assert _instants(diverted)[1::2] == (_utc("2013-03-11T13:05"), None)
    assert cancelled.arrival_day_offset == 0


def test_zones_of_airports_that_the_source_lacks() -> None:
    """San Juan and the Virgin Islands are known here; an airport without a zone has no arrival, and fails the audit."""
    rows = _curated(
        *(
            _flight("2013-03-09", dest, 900, 0, 1300, 0, "2013-03-09T14:00", flight=n)
            for n, dest in enumerate(("SJU", "STT", "EEN", "XXX"))
        )
    )
    assert [row.dest_tz for row in rows] == ["America/Puerto_Rico", "America/St_Thomas", None, None]
    assert [row.scheduled_arrival_utc is None for row in rows] == [False, False, True, True]


def test_weather_of_the_hour_or_none() -> None:
    """A flight finds its hour's observation as an instant; without one it stays, flagged; wild wind is NULL."""
    values = {"wind_dir": 270, "wind_speed": Decimal("1048.36058")}
    observed = ("JFK", _utc("2013-11-03T06:00"), *(values.get(name, Decimal(1)) for name in MEASURES))
    found = _curated(
        _flight("2013-11-03", "PBI", 115, 0, 400, 0, "2013-11-03T06:00", flight=1),
        _flight("2013-11-03", "PBI", 115, 0, 400, 0, "2013-11-03T05:00", flight=2),
        weather=[observed],
    )
    rows = sorted(found, key=lambda row: int(row.flight))
    assert [row.weather_missing for row in rows] == [False, True]
    assert [row.temp for row in rows] == [1, None]
    assert [row.wind_speed for row in rows] == [None, None]
    assert rows[0].wind_dir == 270


def test_every_flight_stays_one_row() -> None:
    """An unknown airline or destination adds no row and drops none; all columns of the table are there."""
    rows = _curated(
        *(
            _flight("2013-03-09", "PBI", 900, 0, 1200, 0, "2013-03-09T14:00", flight=n, carrier=c)
            for n, c in enumerate(("B6", "ZZ"))
        )
    )
    assert [row.carrier_name for row in sorted(rows, key=lambda row: int(row.flight))] == ["JetBlue Airways", None]
    assert set(CURATED.column_names) <= set(rows[0].asDict())
