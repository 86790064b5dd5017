"""The table that step `curate` writes, and what is expected of it; the marts' columns are dbt's."""

from __future__ import annotations

from pipelines.datatier.expectations import Expectation, not_null, one_of, row_count, unique, within
from pipelines.datatier.tables import Column, Table

STATUSES = ("cancelled", "diverted", "completed")

CURATED = Table(
    name="lake.curated.flights",
    comment="Flights with instants, airline, time zones and weather",
    partition="flight_date",
    key=("flight_date", "carrier", "flight", "origin"),
    columns=(
        Column(name="flight_date", type="date", required=True, comment="Date of the scheduled departure in New York"),
        Column(name="carrier", type="string", required=True, comment="Airline, two characters"),
        Column(name="carrier_name", type="string", comment="Airline, its name"),
        Column(name="flight", type="int", required=True, comment="Flight number"),
        Column(name="origin", type="string", required=True, comment="Airport of departure"),
        Column(name="dest", type="string", required=True, comment="Airport of arrival"),
        Column(name="tailnum", type="string", comment="Aircraft"),
        Column(name="origin_tz", type="string", comment="Time zone of the airport of departure"),
        Column(name="dest_tz", type="string", comment="Time zone of the airport of arrival"),
        Column(name="status", type="string", required=True, comment="cancelled, diverted or completed"),
        Column(name="scheduled_departure_utc", type="timestamp", required=True, comment="Scheduled departure"),
        Column(name="actual_departure_utc", type="timestamp", comment="Actual departure; NULL: cancelled"),
        Column(name="scheduled_arrival_utc", type="timestamp", comment="Scheduled arrival"),
        Column(name="actual_arrival_utc", type="timestamp", comment="Actual arrival; NULL unless completed"),
        Column(name="arrival_day_offset", type="int", comment="Local date of arrival minus flight date, in days"),
        Column(name="scheduled_minutes", type="int", comment="Scheduled gate to gate"),
        Column(name="actual_minutes", type="int", comment="Actual gate to gate"),
        Column(name="dep_delay", type="int", comment="Departure delay in minutes, negative: early"),
        Column(name="arr_delay", type="int", comment="Arrival delay in minutes, negative: early"),
        Column(name="air_time", type="int", comment="Minutes in the air"),
        Column(name="distance", type="int", required=True, comment="Miles"),
        Column(name="weather_missing", type="boolean", required=True, comment="No observation for origin and hour"),
        Column(name="temp", type="decimal(6,2)", comment="Temperature at the scheduled hour, °F"),
        Column(name="dewp", type="decimal(6,2)", comment="Dew point, °F"),
        Column(name="humid", type="decimal(6,2)", comment="Relative humidity, percent"),
        Column(name="wind_dir", type="int", comment="Wind direction, degrees"),
        Column(name="wind_speed", type="decimal(9,5)", comment="Wind speed, mph; NULL where above 200"),
        Column(name="wind_gust", type="decimal(9,5)", comment="Gust speed, mph"),
        Column(name="precip", type="decimal(6,2)", comment="Precipitation, inches"),
        Column(name="pressure", type="decimal(6,2)", comment="Sea level pressure, millibars"),
        Column(name="visib", type="decimal(6,2)", comment="Visibility, miles"),
    ),
)


def curated_expectations(raw_rows: int) -> list[Expectation]:
    """What a day of curated flights must meet.

    Args:
        raw_rows: rows of `lake.raw.flights` on that day.
    """
    return [
        *not_null(*CURATED.required, "carrier_name", "origin_tz", "dest_tz", "scheduled_arrival_utc"),
        unique(*CURATED.key),
        row_count(raw_rows, raw_rows),
        within("scheduled_minutes", 10, 1440),
        within("actual_minutes", 10, 1440),
        one_of("status", STATUSES),
    ]


# (name, type): what both marts count; descriptions are in the dbt project
_MEASURES = (
    ("scheduled_flights", "bigint"),
    ("completed_flights", "bigint"),
    ("cancelled_flights", "bigint"),
    ("diverted_flights", "bigint"),
    ("dep_delay_minutes", "bigint"),
    ("arr_delay_minutes", "bigint"),
    ("avg_dep_delay", "decimal(9,2)"),
    ("avg_arr_delay", "decimal(9,2)"),
    ("max_arr_delay", "int"),
    ("late_arrivals", "bigint"),
    ("on_time_rate", "decimal(5,4)"),
    ("weather_missing_flights", "bigint"),
    ("distance_miles", "bigint"),
)


def _mart(name: str, comment: str, own: tuple[tuple[str, str], ...], key: tuple[str, ...]) -> Table:
    columns = (("flight_date", "date"), *own, *_MEASURES)
    return Table(
        name=f"lake.marts.{name}",
        comment=comment,
        partition="flight_date",
        key=key,
        columns=tuple(Column(name=column, type=kind) for column, kind in columns),
    )


CARRIER_DAILY = _mart(
    "carrier_daily",
    "Delays, cancellations and punctuality of each airline on each day",
    (("carrier", "string"), ("carrier_name", "string")),
    ("flight_date", "carrier"),
)
ROUTE_DAILY = _mart(
    "route_daily",
    "Delays, cancellations and punctuality of each route on each day",
    (("origin", "string"), ("dest", "string"), ("carriers", "bigint")),
    ("flight_date", "origin", "dest"),
)
MARTS = (CARRIER_DAILY, ROUTE_DAILY)
