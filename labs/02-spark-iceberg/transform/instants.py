"""From local clock readings to instants, over time zones, midnight and the days when clocks change."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

LATEST_DAY = 2  # an arrival is at most two local days after the flight date


def minutes_later(instant: Column, minutes: Column) -> Column:
    """Add elapsed minutes to an instant; NULL where either is."""
    from pyspark.sql import functions as F  # noqa: N812

    return F.timestamp_seconds(F.unix_timestamp(instant) + minutes * 60)


def minutes_between(start: Column, end: Column) -> Column:
    """Count whole minutes from one instant to another."""
    from pyspark.sql import functions as F  # noqa: N812

    return ((F.unix_timestamp(end) - F.unix_timestamp(start)) / 60).cast("int")


def instant_of(day: Column, hhmm: Column, zone: Column) -> Column:
    """Read a local date and an HHMM clock time in a zone, as `java.time` does.

    2400 is midnight at the day's end. A time that the clocks skip counts from before the change, one that they
    repeat is its first occurrence.
    """
    from pyspark.sql import functions as F  # noqa: N812

    # The session is in UTC, so this is the wall time written as if it were UTC; `to_utc_timestamp` moves it there.
    hours, minutes = F.floor(hhmm / 100), hhmm % 100
    wall = F.timestamp_seconds(F.unix_timestamp(day.cast("timestamp")) + hours * 3600 + minutes * 60)
    return F.to_utc_timestamp(wall, zone)


def first_after(instant: Column, day: Column, hhmm: Column, zone: Column) -> Column:
    """Find the earliest reading of a local clock, from `day` on, that is after an instant."""
    from pyspark.sql import functions as F  # noqa: N812

    readings = [instant_of(F.date_add(day, later), hhmm, zone) for later in range(LATEST_DAY + 1)]
    return F.coalesce(*(F.when(reading > instant, reading) for reading in readings))


def with_instants(flights: DataFrame) -> DataFrame:
    """Add departure and arrival instants, the day offset, and durations.

    Args:
        flights: columns of `lake.raw.flights`, and `dest_tz`, `status`.
    """
    from pyspark.sql import functions as F  # noqa: N812

    completed = F.col("status") == "completed"
    departure = minutes_later(F.col("time_hour"), F.col("sched_dep_time") % 100)
    arrival = first_after(
        F.col("scheduled_departure_utc"), F.col("flight_date"), F.col("sched_arr_time"), F.col("dest_tz")
    )
    landed = F.coalesce("actual_arrival_utc", "scheduled_arrival_utc")
    return (
        flights.withColumn("scheduled_departure_utc", departure)
        .withColumn("actual_departure_utc", minutes_later(F.col("scheduled_departure_utc"), F.col("dep_delay")))
        .withColumn("scheduled_arrival_utc", arrival)
        .withColumn(
            "actual_arrival_utc",
            F.when(completed, minutes_later(F.col("scheduled_arrival_utc"), F.col("arr_delay"))),
        )
        .withColumn(
            "arrival_day_offset",
            F.datediff(F.from_utc_timestamp(landed, F.col("dest_tz")).cast("date"), F.col("flight_date")),
        )
        .withColumn(
            "scheduled_minutes", minutes_between(F.col("scheduled_departure_utc"), F.col("scheduled_arrival_utc"))
        )
        .withColumn("actual_minutes", minutes_between(F.col("actual_departure_utc"), F.col("actual_arrival_utc")))
    )
