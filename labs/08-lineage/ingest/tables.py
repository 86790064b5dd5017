"""Tables that `ingest` writes, and what it expects of them."""

from __future__ import annotations

from pipelines.datatier.expectations import Expectation, not_null, one_of, row_count, unique, within
from pipelines.datatier.tables import Column, Table

ZONE = "America/New_York"  # flight dates are days in New York

FLIGHTS = Table(
    name="lake.raw.flights",
    comment="Flights as the operational database has them, the latest delivery of each",
    partition="flight_date",
    key=("flight_date", "carrier", "flight", "origin"),
    columns=(
        Column(name="flight_date", type="date", required=True, comment="Date of the scheduled departure in New York"),
        Column(name="carrier", type="string", required=True, comment="Airline, two characters"),
        Column(name="flight", type="int", required=True, comment="Flight number"),
        Column(name="origin", type="string", required=True, comment="Airport of departure: EWR, JFK or LGA"),
        Column(name="dest", type="string", required=True, comment="Airport of arrival"),
        Column(name="tailnum", type="string", comment="Aircraft"),
        Column(name="sched_dep_time", type="int", required=True, comment="Scheduled departure, HHMM in New York"),
        Column(name="dep_time", type="int", comment="Actual departure, HHMM in New York; NULL: never departed"),
        Column(name="dep_delay", type="int", comment="Departure delay in minutes, negative: early"),
        Column(name="sched_arr_time", type="int", required=True, comment="Scheduled arrival, HHMM at the destination"),
        Column(name="arr_time", type="int", comment="Actual arrival, HHMM at the destination"),
        Column(name="arr_delay", type="int", comment="Arrival delay in minutes, negative: early"),
        Column(name="air_time", type="int", comment="Minutes in the air"),
        Column(name="distance", type="int", required=True, comment="Miles"),
        Column(name="time_hour", type="timestamp", required=True, comment="Instant of the scheduled hour"),
        Column(name="recorded_at", type="timestamp", required=True, comment="When this version was delivered"),
        Column(name="delivery", type="bigint", required=True, comment="Which batch delivered it; 0: the base load"),
    ),
)

WEATHER = Table(
    name="lake.raw.weather",
    comment="Hourly weather at the airports of New York",
    partition="flight_date",
    key=("origin", "time_hour"),
    columns=(
        Column(name="flight_date", type="date", required=True, comment="Local date of the observation"),
        Column(name="origin", type="string", required=True, comment="Airport"),
        Column(name="time_hour", type="timestamp", required=True, comment="Hour of the observation, an instant"),
        Column(name="temp", type="decimal(6,2)", comment="Temperature, °F"),
        Column(name="dewp", type="decimal(6,2)", comment="Dew point, °F"),
        Column(name="humid", type="decimal(6,2)", comment="Relative humidity, percent"),
        Column(name="wind_dir", type="int", comment="Wind direction, degrees"),
        Column(name="wind_speed", type="decimal(9,5)", comment="Wind speed, mph"),
        Column(name="wind_gust", type="decimal(9,5)", comment="Gust speed, mph"),
        Column(name="precip", type="decimal(6,2)", comment="Precipitation, inches"),
        Column(name="pressure", type="decimal(6,2)", comment="Sea level pressure, millibars"),
        Column(name="visib", type="decimal(6,2)", comment="Visibility, miles"),
    ),
)

TABLES = (FLIGHTS, WEATHER)


def flight_expectations(*, least: int, most: int, source_keys: int) -> list[Expectation]:
    """What a day of raw flights must meet.

    Args:
        least: fewest rows.
        most: most rows.
        source_keys: flights that the source held when the day was extracted.
    """
    return [
        *not_null(*FLIGHTS.required),
        unique(*FLIGHTS.key),
        within("dep_delay", -180, 2880),
        within("arr_delay", -180, 2880),
        within("air_time", 1, 1440),
        within("distance", 1, 10000),
        within("sched_dep_time", 0, 2400),
        within("sched_arr_time", 0, 2400),
        within("dep_time", 1, 2400),
        within("arr_time", 1, 2400),
        one_of("origin", ("EWR", "JFK", "LGA")),
        row_count(least, most),
        row_count(source_keys, source_keys),
    ]


def weather_expectations() -> list[Expectation]:
    """What a day of raw weather must meet."""
    return [
        *not_null(*WEATHER.required),
        unique(*WEATHER.key),
        within("humid", 0, 100),
        within("wind_dir", 0, 360),
        within("wind_speed", 0, 200, warn=True),
    ]
